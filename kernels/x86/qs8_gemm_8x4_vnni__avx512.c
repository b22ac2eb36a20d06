#define QS8_BITS 128
#define QS8_VNNI 1
#include "kernels/x86/qs8_vec.h"

#define QS8_MR 8
#define QS8_NR 4
#define QS8_HEIGHTS TMC_QS8_HEIGHTS(8, 4, 0, 0)
#define QS8_NAME tmc_qs8_gemm_8x4_vnni__avx512
#include "kernels/qs8_gemm_vec.inl"
