#define QS8_BITS 128
#define QS8_VNNI 0
#include "kernels/x86/qs8_vec.h"

#define QS8_MR 4
#define QS8_NR 8
#define QS8_HEIGHTS TMC_QS8_HEIGHTS(4, 0, 0, 0)
#define QS8_NAME tmc_qs8_gemm_4x8__sse41
#include "kernels/qs8_gemm_vec.inl"
