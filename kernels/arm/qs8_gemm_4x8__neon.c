#define QS8_MR 4
#define QS8_NR 8
#define QS8_NAME tmc_qs8_gemm_4x8__neon
#include "kernels/arm/qs8_gemm_mull.inl"
