#include "format/checksum.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "format/layout.h"

static void store(XXH128_hash_t hash, uint8_t out[16]) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    memcpy(out, canonical.digest, sizeof canonical.digest);
}

static void hash_stripes(uint64_t acc[8], const uint8_t *stripes, size_t count, const uint8_t *secret) {
    for (size_t i = 0; i < count; i++) XXH3_accumulate_512(acc, stripes + i * TMC_HASH_STRIPE, secret + 8 * i);
}

void tmc_hash_blocks(uint64_t acc[8], const uint8_t *blocks, size_t count, const uint8_t *secret) {
    for (size_t i = 0; i < count; i++) {
        hash_stripes(acc, blocks + i * TMC_HASH_BLOCK, TMC_HASH_BLOCK / TMC_HASH_STRIPE, secret);
        XXH3_scrambleAcc(acc, secret + XXH_SECRET_DEFAULT_SIZE - TMC_HASH_STRIPE);
    }
}

/* The file's start with zeros in the place of the checksum. */
static void copy_start(const tmc_checksum *sum, uint8_t *copy, size_t size) {
    memcpy(copy, sum->bytes, size);
    memset(copy + offsetof(tmc_file_header, checksum), 0, sizeof(((tmc_file_header *)0)->checksum));
}

void tmc_checksum_start(tmc_checksum *sum, tmc_hash_blocks_fn hash, const void *bytes, uint64_t size) {
    *sum = (tmc_checksum){.acc = XXH3_INIT_ACC, .hash = hash, .bytes = bytes, .size = size};
}

void tmc_checksum_advance(tmc_checksum *sum, uint64_t available) {
    /* The last block is another one, however full it is. */
    const uint64_t ready = (available < sum->size ? available : sum->size - (sum->size > 0)) / TMC_HASH_BLOCK;
    if (ready && !sum->blocks) {
        uint8_t first[TMC_HASH_BLOCK];
        copy_start(sum, first, sizeof first);
        sum->hash(sum->acc, first, 1, XXH3_kSecret);
        sum->blocks = 1;
    }
    if (ready <= sum->blocks) return;
    sum->hash(sum->acc, sum->bytes + sum->blocks * TMC_HASH_BLOCK, (size_t)(ready - sum->blocks), XXH3_kSecret);
    sum->blocks = ready;
}

static uint64_t merge(const tmc_checksum *sum, size_t secret_offset, uint64_t start) {
    return XXH3_mergeAccs(sum->acc, XXH3_kSecret + secret_offset, start);
}

void tmc_checksum_finish(tmc_checksum *sum, uint8_t checksum[16]) {
    tmc_checksum_advance(sum, sum->size);
    if (!sum->blocks) {
        uint8_t all[TMC_HASH_BLOCK];
        copy_start(sum, all, (size_t)sum->size);
        tmc_digest(all, (size_t)sum->size, checksum);
        return;
    }
    const uint8_t *rest = sum->bytes + sum->blocks * TMC_HASH_BLOCK, *end = sum->bytes + sum->size;
    const size_t secret_end = XXH_SECRET_DEFAULT_SIZE - TMC_HASH_STRIPE;
    hash_stripes(sum->acc, rest, (size_t)(end - rest - 1) / TMC_HASH_STRIPE, XXH3_kSecret);
    XXH3_accumulate_512(sum->acc, end - TMC_HASH_STRIPE, XXH3_kSecret + secret_end - XXH_SECRET_LASTACC_START);
    const XXH128_hash_t hash = {
        merge(sum, XXH_SECRET_MERGEACCS_START, sum->size * XXH_PRIME64_1),
        merge(sum, secret_end - XXH_SECRET_MERGEACCS_START, ~(sum->size * XXH_PRIME64_2)),
    };
    store(hash, checksum);
}

void tmc_file_checksum(const void *bytes, uint64_t size, uint8_t checksum[16]) {
    tmc_checksum sum;
    tmc_checksum_start(&sum, tmc_hash_blocks, bytes, size);
    tmc_checksum_finish(&sum, checksum);
}

void tmc_digest(const void *data, size_t size, uint8_t digest[16]) { store(XXH3_128bits(data, size), digest); }
