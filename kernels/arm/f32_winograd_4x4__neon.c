#include "kernels/vec/vec_neon.h"

#define WINOGRAD_M 4
#include "kernels/f32_winograd.inl"
