#define XXH_INLINE_ALL
#include <xxhash.h>

#include "format/reader.h"

static void store(XXH128_hash_t hash, uint8_t out[16]) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    memcpy(out, canonical.digest, sizeof canonical.digest);
}

void tmc_file_checksum(const void *bytes, uint64_t size, uint8_t checksum[16]) {
    static const uint8_t zeros[16];
    const size_t before = offsetof(tmc_file_header, checksum), after = before + sizeof zeros;
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    XXH3_128bits_update(&state, bytes, before);
    XXH3_128bits_update(&state, zeros, sizeof zeros);
    XXH3_128bits_update(&state, (const uint8_t *)bytes + after, (size_t)(size - after));
    store(XXH3_128bits_digest(&state), checksum);
}

void tmc_digest(const void *data, size_t size, uint8_t digest[16]) { store(XXH3_128bits(data, size), digest); }
