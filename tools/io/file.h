/* Whole files in and out. Nothing is ever half written: a new file appears under its name only when complete. */
#ifndef TMC_IO_FILE_H
#define TMC_IO_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Reads a regular file of at most `limit` bytes; *data is malloc'd (at least one byte) and the caller's to free.
 * Errors: E_IO (os_error set), E_LIMIT, E_NOMEM. */
tmc_status io_read_file(const char *path, uint64_t limit, uint8_t **data, size_t *size, tmc_error *err);

/* Writes to a temporary file beside `path`, syncs it, renames it over `path`. On failure, and when a signal ends the
 * process (io_remove_temporary), the temporary file is removed and an existing `path` is untouched. */
tmc_status io_write_file(const char *path, const void *data, size_t size, tmc_error *err);

/* Installs handlers for SIGINT and SIGTERM that remove the file being written and end the process with 128 + signal. */
void io_remove_temporary_on_signal(void);

#endif
