/* dwconv on vectors: blocks of four vectors of channels, so that a tap's pointer is fetched once for all of them; then
 * single vectors, then the rest. Define DWCONV_NAME first. */
#include "kernels/f32_conv_list.h"
#include "kernels/f32_unroll.h"

#define BLOCK_NV 4

/* Channels [i, i + nv * VEC_WIDTH), or `count` < VEC_WIDTH channels when count is not 0. */
TMC_INLINE void dwconv_block(const tmc_f32_dwconv_args *args, size_t i, size_t nv, size_t count) {
    const float *start = args->bias ? args->bias : args->c;
    vecf acc[BLOCK_NV];
    TMC_UNROLL
    for (size_t v = 0; v < nv; v++)
        acc[v] = count ? vec_load_head(start + i, count) : vec_load(start + i + v * VEC_WIDTH);
    const float *w = args->w + i;
    const size_t channels = args->channels, taps = args->taps;
    for (size_t t = 0; t < taps; t++, w += channels) {
        const float *a = args->a[t] + i;
        TMC_UNROLL
        for (size_t v = 0; v < nv; v++) {
            vecf x = count ? vec_load_head(a, count) : vec_load(a + v * VEC_WIDTH);
            vecf y = count ? vec_load_head(w, count) : vec_load(w + v * VEC_WIDTH);
            acc[v] = vec_fma(x, y, acc[v]);
        }
    }
    const vecf lo = vec_set(args->lo), hi = vec_set(args->hi);
    TMC_UNROLL
    for (size_t v = 0; v < nv; v++) {
        vecf y = vec_min(hi, vec_max(lo, acc[v]));
        if (count)
            vec_store_head(args->c + i, y, count);
        else
            vec_store(args->c + i + v * VEC_WIDTH, y);
    }
}

void DWCONV_NAME(const tmc_f32_dwconv_args *args) {
    size_t i = 0, channels = args->channels;
    for (; i + BLOCK_NV * VEC_WIDTH <= channels; i += BLOCK_NV * VEC_WIDTH) dwconv_block(args, i, BLOCK_NV, 0);
    for (; i + VEC_WIDTH <= channels; i += VEC_WIDTH) dwconv_block(args, i, 1, 0);
    if (i < channels) dwconv_block(args, i, 1, channels - i);
}
