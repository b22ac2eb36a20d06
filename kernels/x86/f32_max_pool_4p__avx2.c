#include "kernels/vec/vec_avx2.h"

#define POOL_NAME tmc_f32_max_pool_4p__avx2
#define POOL_STEP(acc, x) vec_select(vec_eq(acc, acc), vec_max(acc, x), acc)
#define POOL_END(acc, args) (acc)
#include "kernels/f32_pool_vec.inl"
