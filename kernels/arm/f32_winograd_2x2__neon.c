#include "kernels/vec/vec_neon.h"

#define WINOGRAD_M 2
#include "kernels/f32_winograd.inl"
