#include "kernels/vec/vec_avx2.h"

#define GEMM_MR 6
#define GEMM_NR 16
#define GEMM_NAME tmc_f32_gemm_6x16__avx2
#include "kernels/f32_gemm_vec.inl"
