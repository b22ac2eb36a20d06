#define QS8_BITS 256
#define QS8_VNNI 0
#include "kernels/x86/qs8_dwconv_vec.h"

#define DW_NAME tmc_qs8_dwconv__avx2
#include "kernels/qs8_dwconv_vec.inl"
