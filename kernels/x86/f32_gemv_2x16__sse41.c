#include "kernels/vec/vec_sse41.h"

#define GEMV_NAME tmc_f32_gemv_4x16__sse41
#include "kernels/f32_gemv_vec.inl"
