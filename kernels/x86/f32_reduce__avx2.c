#include "kernels/vec/vec_avx2.h"

#define REDUCE_KINDS TMC_F32_REDUCE_KERNELS
#include "kernels/f32_reduce.inl"
