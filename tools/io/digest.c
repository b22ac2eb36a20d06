#include "io/digest.h"

#include <sodium/crypto_hash_sha256.h>
#include <string.h>

#include "format/layout.h"

void io_file_sha256(const uint8_t *bytes, size_t size, uint8_t sha256[32]) {
    tmc_file_header header;
    crypto_hash_sha256_state state;
    memcpy(&header, bytes, sizeof header);
    memset(header.checksum, 0, sizeof header.checksum);
    memset(header.sha256, 0, sizeof header.sha256);
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)&header, sizeof header);
    crypto_hash_sha256_update(&state, bytes + sizeof header, size - sizeof header);
    crypto_hash_sha256_final(&state, sha256);
}
