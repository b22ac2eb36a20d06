#include "kernels/vec/vec_neon.h"

#include "kernels/f32_unary.inl"
