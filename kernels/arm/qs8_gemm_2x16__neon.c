#define QS8_MR 2
#define QS8_NR 16
#define QS8_NAME tmc_qs8_gemm_2x16__neon
#include "kernels/arm/qs8_gemm_mull.inl"
