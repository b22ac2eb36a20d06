/* Vectors of 16 floats with AVX-512 F, VL, BW and DQ. See vec.md for the meaning of each operation. */
#ifndef TMC_KERNELS_VEC_AVX512_H
#define TMC_KERNELS_VEC_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define VEC_WIDTH 16
#define VEC_ISA avx512
#include "kernels/vec/vec_symbol.h"

typedef __m512 vecf;
typedef __m512i veci;   /* int32 lanes */
typedef __mmask16 vecm; /* a mask: one bit per lane */

static inline vecf vec_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void vec_store(float *p, vecf a) { _mm512_storeu_ps(p, a); }
static inline vecf vec_set(float a) { return _mm512_set1_ps(a); }
static inline vecf vec_zero(void) { return _mm512_setzero_ps(); }

/* First n lanes, 0 <= n < 16; the others read as 0 and are not touched in memory (masked moves do not fault). */
static inline vecm vec_head_mask(size_t n) { return (vecm)((1u << n) - 1u); }
static inline vecf vec_load_head(const float *p, size_t n) { return _mm512_maskz_loadu_ps(vec_head_mask(n), p); }
static inline void vec_store_head(float *p, vecf a, size_t n) { _mm512_mask_storeu_ps(p, vec_head_mask(n), a); }

static inline vecf vec_add(vecf a, vecf b) { return _mm512_add_ps(a, b); }
static inline vecf vec_sub(vecf a, vecf b) { return _mm512_sub_ps(a, b); }
static inline vecf vec_mul(vecf a, vecf b) { return _mm512_mul_ps(a, b); }
static inline vecf vec_div(vecf a, vecf b) { return _mm512_div_ps(a, b); }
static inline vecf vec_sqrt(vecf a) { return _mm512_sqrt_ps(a); }
static inline vecf vec_fma(vecf a, vecf b, vecf c) { return _mm512_fmadd_ps(a, b, c); }
static inline vecf vec_fnma(vecf a, vecf b, vecf c) { return _mm512_fnmadd_ps(a, b, c); } /* c - a b */
static inline float vec_fma_one(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

/* a < b ? a : b and a > b ? a : b: the second operand where either is NaN or both are zero. */
static inline vecf vec_min(vecf a, vecf b) { return _mm512_min_ps(a, b); }
static inline vecf vec_max(vecf a, vecf b) { return _mm512_max_ps(a, b); }

/* Exact, with the sign of a zero result kept. */
static inline vecf vec_floor(vecf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
static inline vecf vec_ceil(vecf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
static inline vecf vec_rint(vecf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

static inline vecm vec_lt(vecf a, vecf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
static inline vecm vec_le(vecf a, vecf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
static inline vecm vec_eq(vecf a, vecf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
static inline vecf vec_select(vecm mask, vecf yes, vecf no) { return _mm512_mask_blend_ps(mask, no, yes); }
static inline vecf vec_select_sign(vecf a, vecf yes, vecf no) {
    return vec_select(_mm512_movepi32_mask(_mm512_castps_si512(a)), yes, no);
}
static inline veci veci_keep(vecm mask, veci a) { return _mm512_maskz_mov_epi32(mask, a); }

static inline veci vec_bits(vecf a) { return _mm512_castps_si512(a); }
static inline vecf vec_from_bits(veci a) { return _mm512_castsi512_ps(a); }
static inline veci veci_set(int32_t a) { return _mm512_set1_epi32(a); }
static inline veci veci_add(veci a, veci b) { return _mm512_add_epi32(a, b); }
static inline veci veci_sub(veci a, veci b) { return _mm512_sub_epi32(a, b); }
static inline veci veci_and(veci a, veci b) { return _mm512_and_si512(a, b); }
static inline veci veci_or(veci a, veci b) { return _mm512_or_si512(a, b); }
static inline veci veci_xor(veci a, veci b) { return _mm512_xor_si512(a, b); }
#define veci_shl(a, n) _mm512_slli_epi32(a, n)
#define veci_sar(a, n) _mm512_srai_epi32(a, n) /* arithmetic */
static inline vecf vec_from_int(veci a) { return _mm512_cvtepi32_ps(a); }
static inline veci vec_to_int_even(vecf a) { return _mm512_cvtps_epi32(a); } /* |a| < 2^31, ties to even */

#endif
