#define QS8_BITS 256
#define QS8_VNNI 1
#include "kernels/x86/qs8_vec.h"

#define QS8_MR 8
#define QS8_NR 8
#define QS8_HEIGHTS TMC_QS8_HEIGHTS(8, 4, 0, 0)
#define QS8_NAME tmc_qs8_gemm_8x8_vnni__avx2
#include "kernels/qs8_gemm_vec.inl"
