#include "kernels/vec/vec_ref.h"

#define WINOGRAD_M 4
#include "kernels/f32_winograd.inl"
