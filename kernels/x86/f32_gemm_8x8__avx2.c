#include "kernels/vec/vec_avx2.h"

#define GEMM_MR 8
#define GEMM_NR 8
#define GEMM_NAME tmc_f32_gemm_8x8__avx2
#include "kernels/f32_gemm_vec.inl"
