/* One pixel of a pool on vectors. Define POOL_NAME, POOL_STEP(acc, x) and POOL_END(acc, args) first. */
#include "kernels/f32_conv_list.h"
#include "kernels/f32_unroll.h"

#define BLOCK_NV 4

TMC_INLINE void pool_block(const tmc_f32_pool_args *args, size_t i, size_t nv, size_t count) {
    const float *start = args->resume ? args->c : args->a[0];
    vecf acc[BLOCK_NV];
    TMC_UNROLL
    for (size_t v = 0; v < nv; v++)
        acc[v] = count ? vec_load_head(start + i, count) : vec_load(start + i + v * VEC_WIDTH);
    for (size_t t = args->resume ? 0 : 1; t < args->taps; t++) {
        const float *a = args->a[t] + i;
        TMC_UNROLL
        for (size_t v = 0; v < nv; v++) {
            vecf x = count ? vec_load_head(a, count) : vec_load(a + v * VEC_WIDTH);
            acc[v] = POOL_STEP(acc[v], x);
        }
    }
    TMC_UNROLL
    for (size_t v = 0; v < nv; v++) {
        vecf y = POOL_END(acc[v], args);
        if (count)
            vec_store_head(args->c + i, y, count);
        else
            vec_store(args->c + i + v * VEC_WIDTH, y);
    }
}

void POOL_NAME(const tmc_f32_pool_args *args) {
    size_t i = 0, channels = args->channels;
    for (; i + BLOCK_NV * VEC_WIDTH <= channels; i += BLOCK_NV * VEC_WIDTH) pool_block(args, i, BLOCK_NV, 0);
    for (; i + VEC_WIDTH <= channels; i += VEC_WIDTH) pool_block(args, i, 1, 0);
    if (i < channels) pool_block(args, i, 1, channels - i);
}
