#include "kernels/vec/vec_avx2.h"

#define WINOGRAD_M 4
#include "kernels/f32_winograd.inl"
