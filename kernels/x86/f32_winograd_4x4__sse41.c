#include "kernels/vec/vec_sse41.h"

#define WINOGRAD_M 4
#include "kernels/f32_winograd.inl"
