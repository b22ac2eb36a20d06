#define QS8_MR 8
#define QS8_NR 4
#define QS8_NAME tmc_qs8_gemm_8x4__neon
#include "kernels/arm/qs8_gemm_mull.inl"
