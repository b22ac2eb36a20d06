/* dwconv_row on vectors: a tile of four neighbouring pixels, all channels, then the next tile. Within a row of the
 * window each input vector is loaded once and serves every pixel whose window holds it: for pixel p the input columns
 * come in ascending order, so its taps do too. Define ROW_KW and ROW_NAME first. */
#include "kernels/f32_conv_list.h"
#include "kernels/f32_unroll.h"

#define ROW_PIXELS 4

TMC_INLINE vecf row_load(const float *p, size_t count) {
    return count == VEC_WIDTH ? vec_load(p) : vec_load_head(p, count);
}

/* `pixels` outputs, channels [i, i + count), count <= VEC_WIDTH. */
TMC_INLINE void row_block(const tmc_f32_dwconv_row_args *args, size_t first, size_t i, size_t pixels, size_t stride,
                          size_t count) {
    const size_t channels = args->channels;
    const float *w = args->w + i;
    vecf acc[ROW_PIXELS];
    vecf bias = row_load(args->bias + i, count);
    TMC_UNROLL
    for (size_t p = 0; p < pixels; p++) acc[p] = bias;
    for (size_t y = 0; y < args->kernel_h; y++, w += ROW_KW * channels) {
        const float *x = args->rows[y] + first * stride * channels + i;
        vecf wv[ROW_KW];
        TMC_UNROLL
        for (size_t k = 0; k < ROW_KW; k++) wv[k] = row_load(w + k * channels, count);
        TMC_UNROLL
        for (size_t column = 0; column < (pixels - 1) * stride + ROW_KW; column++) {
            vecf xv = row_load(x + column * channels, count);
            TMC_UNROLL
            for (size_t p = 0; p < pixels; p++)
                if (column >= p * stride && column - p * stride < ROW_KW)
                    acc[p] = vec_fma(xv, wv[column - p * stride], acc[p]);
        }
    }
    const vecf lo = vec_set(args->lo), hi = vec_set(args->hi);
    float *c = args->c + first * channels + i;
    TMC_UNROLL
    for (size_t p = 0; p < pixels; p++) {
        vecf v = vec_min(hi, vec_max(lo, acc[p]));
        if (count == VEC_WIDTH)
            vec_store(c + p * channels, v);
        else
            vec_store_head(c + p * channels, v, count);
    }
}

TMC_INLINE void row_tile(const tmc_f32_dwconv_row_args *args, size_t first, size_t pixels, size_t stride) {
    size_t i = 0;
    for (; i + VEC_WIDTH <= args->channels; i += VEC_WIDTH) row_block(args, first, i, pixels, stride, VEC_WIDTH);
    if (i < args->channels) row_block(args, first, i, pixels, stride, args->channels - i);
}

TMC_INLINE void row_all(const tmc_f32_dwconv_row_args *args, size_t stride) {
    size_t first = 0;
    for (; first + ROW_PIXELS <= args->pixels; first += ROW_PIXELS) row_tile(args, first, ROW_PIXELS, stride);
    switch (args->pixels - first) {
    case 3: row_tile(args, first, 3, stride); break;
    case 2: row_tile(args, first, 2, stride); break;
    case 1: row_tile(args, first, 1, stride); break;
    default: break;
    }
}

void ROW_NAME(const tmc_f32_dwconv_row_args *args) {
    if (args->stride == 1)
        row_all(args, 1);
    else
        row_all(args, 2);
}
