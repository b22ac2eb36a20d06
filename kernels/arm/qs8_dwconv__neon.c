#define DW_DOT 0
#include "kernels/arm/qs8_dwconv_vec.h"

#define DW_NAME tmc_qs8_dwconv__neon
#include "kernels/qs8_dwconv_vec.inl"
