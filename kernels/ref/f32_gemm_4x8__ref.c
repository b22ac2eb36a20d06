#define GEMM_NR 8
#define GEMM_NAME tmc_f32_gemm_4x8__ref
#include "kernels/f32_gemm_ref.inl"
