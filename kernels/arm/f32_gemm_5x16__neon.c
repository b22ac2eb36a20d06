#include "kernels/vec/vec_neon.h"

#define GEMM_MR 5
#define GEMM_NR 16
#define GEMM_NAME tmc_f32_gemm_5x16__neon
#define VEC_FMA_LANE vfmaq_laneq_f32
#include "kernels/f32_gemm_vec.inl"
