#define QS8_BITS 512
#define QS8_VNNI 1
#include "kernels/x86/qs8_vec.h"

#define QS8_MR 14
#define QS8_NR 16
#define QS8_HEIGHTS TMC_QS8_HEIGHTS(14, 7, 4, 0)
#define QS8_NAME tmc_qs8_gemm_14x16_vnni__avx512
#include "kernels/qs8_gemm_vec.inl"
