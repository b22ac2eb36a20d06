#include "kernels/vec/vec_sse41.h"

#define UNARY_KINDS(X) TMC_F32_UNARY_GATES(X) TMC_F32_UNARY_CURVES(X) TMC_F32_UNARY_FUSED(X)
#include "kernels/f32_unary.inl"
