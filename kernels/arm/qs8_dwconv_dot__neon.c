#define DW_DOT 1
#include "kernels/arm/qs8_dwconv_vec.h"

#define DW_NAME tmc_qs8_dwconv_dot__neon
#include "kernels/qs8_dwconv_vec.inl"
