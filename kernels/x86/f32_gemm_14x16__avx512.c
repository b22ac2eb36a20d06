#include "kernels/vec/vec_avx512.h"

#define GEMM_MR 14
#define GEMM_NR 16
#define GEMM_NAME tmc_f32_gemm_14x16__avx512
#include "kernels/f32_gemm_vec.inl"
