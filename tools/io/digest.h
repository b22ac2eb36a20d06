/* The SHA-256 that a .tmc file carries: one definition for the writer and for `tmcnn verify`. */
#ifndef TMC_IO_DIGEST_H
#define TMC_IO_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* Over `size` >= sizeof(tmc_file_header) bytes of a file, its checksum and sha256 fields counting as zeros, whatever
 * they hold (docs/format.md). */
void io_file_sha256(const uint8_t *bytes, size_t size, uint8_t sha256[32]);

#endif
