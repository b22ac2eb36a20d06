#include "kernels/vec/vec_neon.h"

#define GEMV_PANELS 4
#define GEMV_NAME tmc_f32_gemv_4x16__neon
#include "kernels/f32_gemv_vec.inl"
