#include "kernels/vec/vec_sse41.h"

#define GEMV_PANELS 2
#define GEMV_NAME tmc_f32_gemv_2x16__sse41
#include "kernels/f32_gemv_vec.inl"
