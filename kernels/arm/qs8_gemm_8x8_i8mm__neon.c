#define QS8_MR 8
#define QS8_NR 8
#define QS8_HEIGHTS TMC_QS8_HEIGHTS(8, 4, 1, 0)
#define QS8_NAME tmc_qs8_gemm_8x8_i8mm__neon
#define QS8_TILES tmc_qs8_gemm_8x8_dot_tiles
#include "kernels/arm/qs8_gemm_i8mm.inl"
