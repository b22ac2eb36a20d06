#include <immintrin.h>

#include "kernels/hash.h"

#define PRIME32_1 ((int)0x9E3779B1u)

static inline __m256i load(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)(const void *)p); }

/* acc + data with its halves exchanged + low 32 bits of (data ^ secret) * its high 32 bits, by 64-bit lanes. */
static inline __m256i take(__m256i acc, __m256i data, __m256i secret) {
    const __m256i key = _mm256_xor_si256(data, secret);
    const __m256i product = _mm256_mul_epu32(key, _mm256_srli_epi64(key, 32));
    return _mm256_add_epi64(product, _mm256_add_epi64(acc, _mm256_shuffle_epi32(data, _MM_SHUFFLE(1, 0, 3, 2))));
}

/* (acc ^ acc >> 47 ^ secret) * PRIME32_1 by 64-bit lanes. */
static inline __m256i scramble(__m256i acc, __m256i secret) {
    const __m256i prime = _mm256_set1_epi32(PRIME32_1);
    const __m256i key = _mm256_xor_si256(_mm256_xor_si256(acc, _mm256_srli_epi64(acc, 47)), secret);
    const __m256i high = _mm256_mul_epu32(_mm256_srli_epi64(key, 32), prime);
    return _mm256_add_epi64(_mm256_mul_epu32(key, prime), _mm256_slli_epi64(high, 32));
}

void tmc_hash_blocks__avx2(uint64_t acc[8], const uint8_t *blocks, size_t count, const uint8_t *secret) {
    uint8_t *a = (uint8_t *)acc;
    __m256i low = load(a), high = load(a + 32);
    for (; count; count--) {
        for (size_t i = 0; i < TMC_HASH_BLOCK / TMC_HASH_STRIPE; i++, blocks += TMC_HASH_STRIPE) {
            low = take(low, load(blocks), load(secret + 8 * i));
            high = take(high, load(blocks + 32), load(secret + 8 * i + 32));
        }
        low = scramble(low, load(secret + 128));
        high = scramble(high, load(secret + 160));
    }
    _mm256_storeu_si256((__m256i *)(void *)a, low);
    _mm256_storeu_si256((__m256i *)(void *)(a + 32), high);
    /* gcc leaves it out with -Os; upper halves in use slow down all SSE code that the thread runs from here on. */
    _mm256_zeroupper();
}
