/* A file for the time of a test, in $TMPDIR or /tmp. */
#ifndef TMC_TEST_TEMP_FILE_H
#define TMC_TEST_TEMP_FILE_H

#include <stddef.h>

typedef struct temp_file {
    char path[256];
} temp_file;

temp_file temp_file_make(const void *bytes, size_t size);
void temp_file_remove(const temp_file *file);

#endif
