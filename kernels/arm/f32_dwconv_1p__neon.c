#include "kernels/vec/vec_neon.h"

#define DWCONV_NAME tmc_f32_dwconv_1p__neon
#include "kernels/f32_dwconv_vec.inl"
