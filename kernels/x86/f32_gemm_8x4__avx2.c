#include "kernels/x86/vec_fma128.h"

#define GEMM_MR 8
#define GEMM_NR 4
#define GEMM_NAME tmc_f32_gemm_8x4__avx2
#include "kernels/f32_gemm_vec.inl"
