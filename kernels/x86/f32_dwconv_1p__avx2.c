#include "kernels/vec/vec_avx2.h"

#define DWCONV_NAME tmc_f32_dwconv_1p__avx2
#include "kernels/f32_dwconv_vec.inl"
