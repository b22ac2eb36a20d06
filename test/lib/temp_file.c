#include "lib/temp_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

temp_file temp_file_make(const void *bytes, size_t size) {
    temp_file file;
    const char *dir = getenv("TMPDIR");
    snprintf(file.path, sizeof file.path, "%s/tmcnn-test-XXXXXX", dir ? dir : "/tmp");
    int fd = mkstemp(file.path);
    if (fd < 0) fail_msg("no temporary file at %s", file.path);
    if (write(fd, bytes, size) != (ssize_t)size) fail_msg("cannot write %s", file.path);
    close(fd);
    return file;
}

void temp_file_remove(const temp_file *file) { unlink(file->path); }
