#include "kernels/vec/vec_neon.h"

#define GEMM_MR 8
#define GEMM_NR 8
#define GEMM_NAME tmc_f32_gemm_8x8__neon
#define VEC_FMA_LANE vfmaq_laneq_f32
#include "kernels/f32_gemm_vec.inl"
