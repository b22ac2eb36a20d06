#include "kernels/vec/vec_avx512.h"

#define GEMV_NAME tmc_f32_gemv_4x16__avx512
#include "kernels/f32_gemv_vec.inl"
