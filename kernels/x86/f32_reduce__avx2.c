#include "kernels/vec/vec_avx2.h"

#include "kernels/f32_reduce.inl"
