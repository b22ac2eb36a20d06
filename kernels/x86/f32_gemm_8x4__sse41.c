#include "kernels/vec/vec_sse41.h"

#define GEMM_MR 8
#define GEMM_NR 4
#define GEMM_NAME tmc_f32_gemm_8x4__sse41
#include "kernels/f32_gemm_vec.inl"
