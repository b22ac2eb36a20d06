#define QS8_MR 6
#define QS8_NR 16
#define QS8_HEIGHTS TMC_QS8_HEIGHTS(6, 4, 2, 1)
#define QS8_NAME tmc_qs8_gemm_6x16_dot__neon
#define QS8_TILES tmc_qs8_gemm_6x16_dot_tiles
#include "kernels/arm/qs8_gemm_dot.inl"
