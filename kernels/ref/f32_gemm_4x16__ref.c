#define GEMM_NR 16
#define GEMM_NAME tmc_f32_gemm_4x16__ref
#include "kernels/f32_gemm_ref.inl"
