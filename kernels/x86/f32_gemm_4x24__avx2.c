#include "kernels/vec/vec_avx2.h"

#define GEMM_MR 4
#define GEMM_LEAST 4
#define GEMM_NR 16
#define GEMM_NR2 8
#define GEMM_NAME tmc_f32_gemm_4x24__avx2
#include "kernels/f32_gemm_vec.inl"
