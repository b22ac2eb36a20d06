#include "kernels/vec/vec_sse41.h"

#define REDUCE_KINDS TMC_F32_REDUCE_FUSED
#include "kernels/f32_reduce.inl"
