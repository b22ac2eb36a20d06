#include "kernels/vec/vec_sse41.h"

#include "kernels/f32_softmax.inl"
