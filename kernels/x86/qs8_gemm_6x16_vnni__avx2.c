#define QS8_BITS 256
#define QS8_VNNI 1
#include "kernels/x86/qs8_vec.h"

#define QS8_MR 6
#define QS8_NR 16
#define QS8_HEIGHTS TMC_QS8_HEIGHTS(6, 4, 0, 0)
#define QS8_NAME tmc_qs8_gemm_6x16_vnni__avx2
#include "kernels/qs8_gemm_vec.inl"
