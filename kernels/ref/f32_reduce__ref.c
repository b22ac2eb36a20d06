#include "kernels/vec/vec_ref.h"

#include "kernels/f32_reduce.inl"
