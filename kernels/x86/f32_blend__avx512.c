#include "kernels/vec/vec_avx512.h"

#include "kernels/f32_blend.inl"
