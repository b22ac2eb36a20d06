#include "kernels/vec/vec_ref.h"

#define UNARY_KINDS TMC_F32_UNARY_KERNELS
#include "kernels/f32_unary.inl"
