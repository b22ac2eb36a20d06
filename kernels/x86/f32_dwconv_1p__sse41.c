#include "kernels/vec/vec_sse41.h"

#define DWCONV_NAME tmc_f32_dwconv_1p__sse41
#include "kernels/f32_dwconv_vec.inl"
