/* Vectors of 8 floats with AVX2 and FMA. See vec.md for the meaning of each operation. */
#ifndef TMC_KERNELS_VEC_AVX2_H
#define TMC_KERNELS_VEC_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define VEC_WIDTH 8
#define VEC_ISA avx2
#include "kernels/vec/vec_symbol.h"

typedef __m256 vecf;
typedef __m256i veci; /* int32 lanes */
typedef __m256i vecm; /* a mask: all ones or all zeros per lane */

static inline vecf vec_load(const float *p) { return _mm256_loadu_ps(p); }
static inline void vec_store(float *p, vecf a) { _mm256_storeu_ps(p, a); }
static inline vecf vec_set(float a) { return _mm256_set1_ps(a); }
static inline vecf vec_zero(void) { return _mm256_setzero_ps(); }

/* First n lanes, 0 <= n < 8; the others read as 0 and are not touched in memory (masked moves do not fault). */
static inline vecm vec_head_mask(size_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline vecf vec_load_head(const float *p, size_t n) { return _mm256_maskload_ps(p, vec_head_mask(n)); }
static inline void vec_store_head(float *p, vecf a, size_t n) { _mm256_maskstore_ps(p, vec_head_mask(n), a); }

static inline vecf vec_add(vecf a, vecf b) { return _mm256_add_ps(a, b); }
static inline vecf vec_sub(vecf a, vecf b) { return _mm256_sub_ps(a, b); }
static inline vecf vec_mul(vecf a, vecf b) { return _mm256_mul_ps(a, b); }
static inline vecf vec_div(vecf a, vecf b) { return _mm256_div_ps(a, b); }
static inline vecf vec_sqrt(vecf a) { return _mm256_sqrt_ps(a); }
static inline vecf vec_fma(vecf a, vecf b, vecf c) { return _mm256_fmadd_ps(a, b, c); }
static inline vecf vec_fnma(vecf a, vecf b, vecf c) { return _mm256_fnmadd_ps(a, b, c); } /* c - a b */
static inline float vec_fma_one(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

/* a < b ? a : b and a > b ? a : b: the second operand where either is NaN or both are zero. */
static inline vecf vec_min(vecf a, vecf b) { return _mm256_min_ps(a, b); }
static inline vecf vec_max(vecf a, vecf b) { return _mm256_max_ps(a, b); }

/* Exact, with the sign of a zero result kept. */
static inline vecf vec_floor(vecf a) { return _mm256_floor_ps(a); }
static inline vecf vec_ceil(vecf a) { return _mm256_ceil_ps(a); }
static inline vecf vec_rint(vecf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

static inline vecm vec_lt(vecf a, vecf b) { return _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_LT_OQ)); }
static inline vecm vec_le(vecf a, vecf b) { return _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_LE_OQ)); }
static inline vecm vec_eq(vecf a, vecf b) { return _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_EQ_OQ)); }
static inline vecf vec_select(vecm mask, vecf yes, vecf no) {
    return _mm256_blendv_ps(no, yes, _mm256_castsi256_ps(mask));
}
static inline vecf vec_select_sign(vecf a, vecf yes, vecf no) { return _mm256_blendv_ps(no, yes, a); }
static inline veci veci_keep(vecm mask, veci a) { return _mm256_and_si256(mask, a); }

static inline veci vec_bits(vecf a) { return _mm256_castps_si256(a); }
static inline vecf vec_from_bits(veci a) { return _mm256_castsi256_ps(a); }
static inline veci veci_set(int32_t a) { return _mm256_set1_epi32(a); }
static inline veci veci_add(veci a, veci b) { return _mm256_add_epi32(a, b); }
static inline veci veci_sub(veci a, veci b) { return _mm256_sub_epi32(a, b); }
static inline veci veci_and(veci a, veci b) { return _mm256_and_si256(a, b); }
static inline veci veci_or(veci a, veci b) { return _mm256_or_si256(a, b); }
static inline veci veci_xor(veci a, veci b) { return _mm256_xor_si256(a, b); }
#define veci_shl(a, n) _mm256_slli_epi32(a, n)
#define veci_sar(a, n) _mm256_srai_epi32(a, n) /* arithmetic */
static inline vecf vec_from_int(veci a) { return _mm256_cvtepi32_ps(a); }
static inline veci vec_to_int_even(vecf a) { return _mm256_cvtps_epi32(a); } /* |a| < 2^31, ties to even */

#endif
