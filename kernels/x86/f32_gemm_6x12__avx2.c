#include "kernels/vec/vec_avx2.h"

/* Four floats in half a register. */
static inline vecf vec_load4(const float *p) { return _mm256_zextps128_ps256(_mm_loadu_ps(p)); }
static inline void vec_store4(float *p, vecf a) { _mm_storeu_ps(p, _mm256_castps256_ps128(a)); }

#define GEMM_MR 6
#define GEMM_LEAST 6
#define GEMM_NR 8
#define GEMM_NR2 4
#define GEMM_NAME tmc_f32_gemm_6x12__avx2
#include "kernels/f32_gemm_vec.inl"
