/* The operations of kernels/vec that gemm needs, on 4 floats in half an AVX register, for panels of 4 columns. */
#ifndef TMC_KERNELS_X86_VEC_FMA128_H
#define TMC_KERNELS_X86_VEC_FMA128_H

#include <immintrin.h>

#define VEC_WIDTH 4

typedef __m128 vecf;

static inline vecf vec_load(const float *p) { return _mm_loadu_ps(p); }
static inline void vec_store(float *p, vecf a) { _mm_storeu_ps(p, a); }
static inline vecf vec_set(float a) { return _mm_set1_ps(a); }
static inline vecf vec_fma(vecf a, vecf b, vecf c) { return _mm_fmadd_ps(a, b, c); }
static inline vecf vec_min(vecf a, vecf b) { return _mm_min_ps(a, b); }
static inline vecf vec_max(vecf a, vecf b) { return _mm_max_ps(a, b); }

#endif
