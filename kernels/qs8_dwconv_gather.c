#include "kernels/qs8_dwconv_gather.h"

#include <string.h>

#include "base/checked.h"

/* Up to 16 bytes; all of them without a loop. */
static inline void copy_bytes(int8_t *to, const int8_t *from, size_t count) {
    if (count == TMC_DEPTHWISE_WIDTH) {
        memcpy(to, from, TMC_DEPTHWISE_WIDTH);
        return;
    }
    for (; count >= 4; count -= 4, to += 4, from += 4) memcpy(to, from, 4);
    for (size_t n = 0; n < count; n++) to[n] = from[n];
}

void tmc_qs8_dwconv_taps(const tmc_qs8_dwconv_pixel *pixel, size_t y, size_t x, int8_t taps[4][TMC_DEPTHWISE_WIDTH]) {
    const tmc_qs8_dwconv_args *args = pixel->args;
    const ptrdiff_t column = pixel->column + (ptrdiff_t)(x * args->dilation);
    const int8_t *from = args->a + (ptrdiff_t)pixel->i + column * (ptrdiff_t)args->a_pitch;
    for (size_t end = y + 4; y < end; y++, taps++) {
        const bool taken = (size_t)column < args->columns && y >= args->first && y < args->last;
        copy_bytes(*taps, taken ? from + (ptrdiff_t)(y - args->first) * args->row_step : pixel->padding, pixel->count);
    }
}

void tmc_qs8_dwconv_gather(const tmc_qs8_dwconv_args *args, tmc_qs8_dwconv_pixel_fn compute) {
    tmc_qs8_dwconv_pixel pixel = {.args = args};
    int8_t out[TMC_DEPTHWISE_WIDTH];
    memset(pixel.padding, args->padding, sizeof pixel.padding);
    for (pixel.n = args->begin; pixel.n < args->end; pixel.n += TMC_DEPTHWISE_WIDTH) {
        pixel.i = tmc_depthwise_channel(args->channels, pixel.n);
        pixel.count = tmc_min_size(args->channels - pixel.i, TMC_DEPTHWISE_WIDTH);
        pixel.column = -(ptrdiff_t)args->pad;
        for (size_t p = 0; p < args->pixels; p++, pixel.column += (ptrdiff_t)args->stride) {
            compute(&pixel, out);
            copy_bytes(args->c[0] + p * args->c_pitch + pixel.i, out, pixel.count);
        }
    }
}
