/* Pools on vectors. A block is four windows at once, whose chains hide each other's latency: four neighbouring pixels,
 * or four vectors of channels of one pixel. Define POOL_NAME, POOL_STEP(acc, x) and POOL_END(acc, args) first. */
#include "kernels/f32_conv_list.h"
#include "kernels/f32_unroll.h"

#define WINDOWS 4

/* `windows` of them, a_step apart from `row` on, into outputs c_step apart: vectors of `count` channels. */
TMC_INLINE void pool_block(const tmc_f32_pool_args *args, const float *row, size_t a_step, float *c, size_t c_step,
                           size_t windows, bool part, size_t count) {
    vecf acc[WINDOWS];
    TMC_UNROLL
    for (size_t t = 0; t < windows; t++) acc[t] = part ? vec_load_head(row, count) : vec_load(row + t * a_step);
    size_t skip = 1; /* the first tap */
    for (size_t y = 0; y < args->taps_y; y++, row += args->y_step, skip = 0) {
        const float *a = row + skip * args->x_step;
        for (size_t x = skip; x < args->taps_x; x++, a += args->x_step) {
            TMC_UNROLL
            for (size_t t = 0; t < windows; t++) {
                const vecf v = part ? vec_load_head(a, count) : vec_load(a + t * a_step);
                acc[t] = POOL_STEP(acc[t], v);
            }
        }
    }
    TMC_UNROLL
    for (size_t t = 0; t < windows; t++) {
        if (part)
            vec_store_head(c, POOL_END(acc[t], args), count);
        else
            vec_store(c + t * c_step, POOL_END(acc[t], args));
    }
}

/* The last block reaches back over pixels and channels that are done: once more the same values. Where there are four
 * of neither, the four windows are one. */
void POOL_NAME(const tmc_f32_pool_args *arguments) {
    const tmc_f32_pool_args args = *arguments;
    if (args.channels < VEC_WIDTH) {
        for (size_t p = 0; p < args.pixels; p++)
            pool_block(&args, args.a + p * args.a_step, 0, args.c + p * args.c_step, 0, 1, true, args.channels);
        return;
    }
    const bool tile = args.pixels >= WINDOWS, wide = !tile && args.channels >= WINDOWS * VEC_WIDTH;
    const size_t a_step = tile ? args.a_step : wide ? VEC_WIDTH : 0;
    const size_t c_step = tile ? args.c_step : wide ? VEC_WIDTH : 0;
    const size_t pixels = tile ? WINDOWS : 1, channels = wide ? WINDOWS * VEC_WIDTH : VEC_WIDTH;
    for (size_t p = 0; p < args.pixels; p += pixels) {
        if (p + pixels > args.pixels) p = args.pixels - pixels;
        for (size_t i = 0; i < args.channels; i += channels) {
            if (i + channels > args.channels) i = args.channels - channels;
            pool_block(&args, args.a + p * args.a_step + i, a_step, args.c + p * args.c_step + i, c_step, WINDOWS,
                       false, VEC_WIDTH);
        }
    }
}
