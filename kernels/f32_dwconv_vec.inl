/* dwconv on vectors: blocks of four vectors of channels, so that a tap's pointer is fetched once for all of them; then
 * panel by panel. Define DWCONV_NAME first. */
#include "format/packing.h"
#include "kernels/f32_conv_list.h"
#include "kernels/f32_unroll.h"

#define BLOCK_NV 4

/* `nv` vectors from channel i on, whose panel or panels start at w; or one of `count` < VEC_WIDTH channels when count
 * is not 0. */
TMC_INLINE void dwconv_block(const tmc_f32_dwconv_args *args, const float *w, size_t i, size_t nv, size_t count) {
    const size_t width = TMC_DEPTHWISE_WIDTH, panel = (1 + args->all_taps) * width;
    vecf acc[BLOCK_NV];
    TMC_UNROLL
    for (size_t v = 0; v < nv; v++) {
        const size_t n = v * VEC_WIDTH;
        const float *start = args->first ? args->c + i + n : w + n / width * panel + n % width;
        acc[v] = count ? vec_load_head(start, count) : vec_load(start);
    }
    w += args->first * width;
    for (size_t t = 0; t < args->taps; t++) {
        const float *a = args->a[t] + i;
        w += width;
        TMC_UNROLL
        for (size_t v = 0; v < nv; v++) {
            const size_t n = v * VEC_WIDTH;
            const float *wv = w + n / width * panel + n % width;
            vecf x = count ? vec_load_head(a, count) : vec_load(a + n);
            vecf y = count ? vec_load_head(wv, count) : vec_load(wv);
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

/* One panel or what is left of it: the last one repeats channels, but a running sum in c may be added to once only. */
TMC_INLINE void dwconv_panel(const tmc_f32_dwconv_args *args, size_t n) {
    const size_t end = n + TMC_DEPTHWISE_WIDTH < args->channels ? n + TMC_DEPTHWISE_WIDTH : args->channels;
    const float *w = args->w + n * (1 + args->all_taps) - tmc_depthwise_channel(args->channels, n);
    for (; n + VEC_WIDTH <= end; n += VEC_WIDTH) dwconv_block(args, w + n, n, 1, 0);
    if (n < end) dwconv_block(args, w + n, n, 1, end - n);
}

void DWCONV_NAME(const tmc_f32_dwconv_args *args) {
    size_t n = 0;
    for (; n + BLOCK_NV * VEC_WIDTH <= args->channels; n += BLOCK_NV * VEC_WIDTH)
        dwconv_block(args, args->w + n * (1 + args->all_taps), n, BLOCK_NV, 0);
    for (; n < args->channels; n += TMC_DEPTHWISE_WIDTH) dwconv_panel(args, n);
}
