/* A file of the operating system as bytes. */
#ifndef TMC_RUNTIME_FILE_H
#define TMC_RUNTIME_FILE_H

#include "base/error.h"
#include "format/checksum.h"

/* Opens a path for reading; never blocks (a FIFO) and never becomes a controlling terminal. E_IO. */
tmc_status tmc_file_open(const char *path, int *fd, tmc_error *err);
void tmc_file_close(int fd);

/* Size of a regular file. E_IO (anything else: directory, FIFO, device), E_LIMIT (over max_bytes). */
tmc_status tmc_file_size(int fd, uint64_t max_bytes, uint64_t *size, tmc_error *err);

/* Reads exactly `size` bytes from the start, and advances the checksum over them; the descriptor's offset is neither
 * used nor moved. E_TRUNCATED (the file has become shorter), E_IO (an error, or the file has become longer). */
tmc_status tmc_file_load(int fd, void *bytes, uint64_t size, tmc_checksum *sum, tmc_error *err);

/* Maps `size` > 0 bytes, or NULL where that is not possible. */
void *tmc_file_map(int fd, size_t size);
void tmc_file_unmap(void *bytes, size_t size);

#endif
