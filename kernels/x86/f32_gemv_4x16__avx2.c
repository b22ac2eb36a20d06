#include "kernels/vec/vec_avx2.h"

#define GEMV_PANELS 4
#define GEMV_NAME tmc_f32_gemv_4x16__avx2
#include "kernels/f32_gemv_vec.inl"
