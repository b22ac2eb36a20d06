/* gzip data (RFC 1952) in memory, of one or more members. */
#ifndef TMC_IO_GZIP_H
#define TMC_IO_GZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

bool gzip_recognise(const uint8_t *bytes, size_t size);

/* The first `want` bytes of the content into `out`. With `whole` the content must end there and its checksums be right.
 * Errors: E_TRUNCATED, E_INTEGRITY, E_FORMAT (the content is longer), E_LIMIT (either side over 4 GiB), E_NOMEM. */
tmc_status gzip_inflate(const uint8_t *bytes, size_t size, uint8_t *out, size_t want, bool whole, tmc_error *err);

/* False where content of `want` bytes cannot be in `size` bytes: ask before allocating for it. */
bool gzip_can_hold(size_t size, size_t want);

#endif
