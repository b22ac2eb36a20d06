#include "kernels/vec/vec_avx2.h"

#define POOL_NAME tmc_f32_average_pool_4p__avx2
#define POOL_STEP(acc, x) vec_add(acc, x)
#define POOL_END(acc, args) vec_div(acc, vec_set((args)->divisor))
#include "kernels/f32_pool_vec.inl"
