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

/* All channels of one tile. The last block reaches back over channels that are done: once more the same values. */
TMC_INLINE void row_tile(const tmc_f32_dwconv_row_args *args, size_t first, size_t pixels, size_t stride) {
    const size_t last = args->channels - VEC_WIDTH;
    for (size_t i = 0; i < args->channels; i += VEC_WIDTH)
        row_block(args, first, i < last ? i : last, pixels, stride, VEC_WIDTH);
}

/* Fours of pixels, then the two or three that are left; returns the first pixel without a neighbour. */
TMC_INLINE size_t row_tiles(const tmc_f32_dwconv_row_args *args, size_t stride) {
    const size_t whole = args->pixels / ROW_PIXELS * ROW_PIXELS;
    for (size_t first = 0; first < whole; first += ROW_PIXELS) row_tile(args, first, ROW_PIXELS, stride);
    switch (args->pixels - whole) {
    case 3: row_tile(args, whole, 3, stride); return whole + 3;
    case 2: row_tile(args, whole, 2, stride); return whole + 2;
    default: return whole;
    }
}

void ROW_NAME(const tmc_f32_dwconv_row_args *args) {
    const size_t stride = args->stride, pixels = args->pixels;
    if (args->channels < VEC_WIDTH) {
        for (size_t p = 0; p < pixels; p++) row_block(args, p, 0, 1, stride, args->channels);
        return;
    }
    const size_t first = stride == 1 ? row_tiles(args, 1) : row_tiles(args, 2);
    if (first < pixels) row_tile(args, first, 1, stride);
}
