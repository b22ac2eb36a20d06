/* Vectors of 4 floats with SSE4.1, which has no fused multiply-add: here vec_fma multiplies and adds, with two
 * roundings. So this level alone does not give the bits of the others. See vec.md for the meaning of each operation. */
#ifndef TMC_KERNELS_VEC_SSE41_H
#define TMC_KERNELS_VEC_SSE41_H

#include <smmintrin.h>
#include <stddef.h>
#include <stdint.h>

#define VEC_WIDTH 4
#define VEC_ISA sse41
#include "kernels/vec/vec_symbol.h"

typedef __m128 vecf;
typedef __m128i veci; /* int32 lanes */
typedef __m128i vecm; /* a mask: all ones or all zeros per lane */

static inline vecf vec_load(const float *p) { return _mm_loadu_ps(p); }
static inline void vec_store(float *p, vecf a) { _mm_storeu_ps(p, a); }
static inline vecf vec_set(float a) { return _mm_set1_ps(a); }
static inline vecf vec_zero(void) { return _mm_setzero_ps(); }

/* First n lanes, 0 <= n < 4; the others read as 0 and are not touched in memory. */
static inline vecm vec_head_mask(size_t n) {
    static const int32_t lanes[8] = {-1, -1, -1, -1};
    return _mm_loadu_si128((const __m128i *)(lanes + 4 - n));
}
static inline vecf vec_load_head(const float *p, size_t n) {
    if (n == 0) return vec_zero();
    if (n == 1) return _mm_load_ss(p);
    vecf pair = _mm_loadl_pi(vec_zero(), (const __m64 *)p);
    return n == 2 ? pair : _mm_movelh_ps(pair, _mm_load_ss(p + 2));
}
static inline void vec_store_head(float *p, vecf a, size_t n) {
    if (n > 1) {
        _mm_storel_pi((__m64 *)p, a);
        if (n > 2) _mm_store_ss(p + 2, _mm_movehl_ps(a, a));
    } else if (n > 0) {
        _mm_store_ss(p, a);
    }
}

static inline vecf vec_add(vecf a, vecf b) { return _mm_add_ps(a, b); }
static inline vecf vec_sub(vecf a, vecf b) { return _mm_sub_ps(a, b); }
static inline vecf vec_mul(vecf a, vecf b) { return _mm_mul_ps(a, b); }
static inline vecf vec_div(vecf a, vecf b) { return _mm_div_ps(a, b); }
static inline vecf vec_sqrt(vecf a) { return _mm_sqrt_ps(a); }
static inline vecf vec_fma(vecf a, vecf b, vecf c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
static inline vecf vec_fnma(vecf a, vecf b, vecf c) { return _mm_sub_ps(c, _mm_mul_ps(a, b)); } /* c - a b */
static inline float vec_fma_one(float a, float b, float c) { return a * b + c; }

/* a < b ? a : b and a > b ? a : b: the second operand where either is NaN or both are zero. */
static inline vecf vec_min(vecf a, vecf b) { return _mm_min_ps(a, b); }
static inline vecf vec_max(vecf a, vecf b) { return _mm_max_ps(a, b); }

/* Exact, with the sign of a zero result kept. */
static inline vecf vec_floor(vecf a) { return _mm_floor_ps(a); }
static inline vecf vec_ceil(vecf a) { return _mm_ceil_ps(a); }
static inline vecf vec_rint(vecf a) { return _mm_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

static inline vecm vec_lt(vecf a, vecf b) { return _mm_castps_si128(_mm_cmplt_ps(a, b)); }
static inline vecm vec_le(vecf a, vecf b) { return _mm_castps_si128(_mm_cmple_ps(a, b)); }
static inline vecm vec_eq(vecf a, vecf b) { return _mm_castps_si128(_mm_cmpeq_ps(a, b)); }
/* Three plain operations: blendv takes as many and its mask in XMM0 only. */
static inline vecf vec_select(vecm mask, vecf yes, vecf no) {
    const vecf m = _mm_castsi128_ps(mask);
    return _mm_or_ps(_mm_and_ps(m, yes), _mm_andnot_ps(m, no));
}
static inline vecf vec_select_sign(vecf a, vecf yes, vecf no) {
    return vec_select(_mm_srai_epi32(_mm_castps_si128(a), 31), yes, no);
}
static inline veci veci_keep(vecm mask, veci a) { return _mm_and_si128(mask, a); }

static inline veci vec_bits(vecf a) { return _mm_castps_si128(a); }
static inline vecf vec_from_bits(veci a) { return _mm_castsi128_ps(a); }
static inline veci veci_set(int32_t a) { return _mm_set1_epi32(a); }
static inline veci veci_add(veci a, veci b) { return _mm_add_epi32(a, b); }
static inline veci veci_sub(veci a, veci b) { return _mm_sub_epi32(a, b); }
static inline veci veci_and(veci a, veci b) { return _mm_and_si128(a, b); }
static inline veci veci_or(veci a, veci b) { return _mm_or_si128(a, b); }
static inline veci veci_xor(veci a, veci b) { return _mm_xor_si128(a, b); }
#define veci_shl(a, n) _mm_slli_epi32(a, n)
#define veci_sar(a, n) _mm_srai_epi32(a, n) /* arithmetic */
static inline vecf vec_from_int(veci a) { return _mm_cvtepi32_ps(a); }
static inline veci vec_to_int_even(vecf a) { return _mm_cvtps_epi32(a); } /* |a| < 2^31, ties to even */

#endif
