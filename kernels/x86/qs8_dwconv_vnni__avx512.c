#define QS8_BITS 512
#define QS8_VNNI 1
#include "kernels/x86/qs8_dwconv_vec.h"

#define DW_NAME tmc_qs8_dwconv_vnni__avx512
#include "kernels/qs8_dwconv_vec.inl"
