#define GEMM_NR 4
#define GEMM_NAME tmc_f32_gemm_4x4__ref
#include "kernels/f32_gemm_ref.inl"
