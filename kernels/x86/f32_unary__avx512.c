#include "kernels/vec/vec_avx512.h"

#define UNARY_KINDS TMC_F32_UNARY_GATES
#include "kernels/f32_unary.inl"
