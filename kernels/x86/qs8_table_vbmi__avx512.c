#include <immintrin.h>

#include "kernels/qs8_math_list.h"

/* Index bytes without their sign bit read 128 entries; the sign bit chooses the half of the table. */
static inline __m512i lookup(const __m512i t[4], __m512i x) {
    const __m512i low = _mm512_permutex2var_epi8(t[0], x, t[1]), high = _mm512_permutex2var_epi8(t[2], x, t[3]);
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), high, low);
}

void tmc_qs8_table_vbmi__avx512(size_t n, const int8_t *x, int8_t *y, const int8_t table[256]) {
    __m512i t[4];
    for (size_t i = 0; i < 4; i++) t[i] = _mm512_loadu_si512(table + 64 * i);
    for (; n >= 64; n -= 64, x += 64, y += 64) _mm512_storeu_si512(y, lookup(t, _mm512_loadu_si512(x)));
    const __mmask64 rest = n ? ~(__mmask64)0 >> (64 - n) : 0;
    _mm512_mask_storeu_epi8(y, rest, lookup(t, _mm512_maskz_loadu_epi8(rest, x)));
}
