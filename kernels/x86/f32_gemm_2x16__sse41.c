#include "kernels/vec/vec_sse41.h"

#define GEMM_MR 2
#define GEMM_NR 16
#define GEMM_NAME tmc_f32_gemm_2x16__sse41
#include "kernels/f32_gemm_vec.inl"
