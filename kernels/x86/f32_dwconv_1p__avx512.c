#include "kernels/vec/vec_avx512.h"

#define DWCONV_NAME tmc_f32_dwconv_1p__avx512
#include "kernels/f32_dwconv_vec.inl"
