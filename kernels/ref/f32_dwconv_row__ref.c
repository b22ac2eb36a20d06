/* dwconv_row in portable C: the specification. */
#include <math.h>

#include "format/packing.h"
#include "kernels/f32_conv_ref.h"

/* Channel i of pixel p of row r; w: its bias, then its weights. */
static float output(const tmc_f32_dwconv_row_args *args, size_t r, size_t p, size_t i, const float *w, size_t kw) {
    float acc = *w;
    for (size_t y = 0; y < args->kernel_h; y++) {
        const float *row = args->rows[r][y];
        for (size_t x = p * args->stride; x < p * args->stride + kw; x++) {
            const bool inside = row && x >= args->pad && x - args->pad < args->columns;
            acc = fmaf(inside ? row[(x - args->pad) * args->a_pitch + i] : 0.0f, *(w += TMC_DEPTHWISE_WIDTH), acc);
        }
    }
    return tmc_f32_clamp(acc, args->lo, args->hi);
}

void tmc_f32_dwconv_row__ref(const tmc_f32_dwconv_row_args *args, size_t kw) {
    for (size_t r = 0; r < args->c_rows; r++)
        for (size_t p = 0; p < args->pixels; p++)
            for (size_t n = args->begin; n < args->end; n += TMC_DEPTHWISE_WIDTH) {
                const size_t channel = tmc_depthwise_channel(args->channels, n);
                const float *w = args->w + n * (1 + args->kernel_h * kw);
                for (size_t i = 0; i < TMC_DEPTHWISE_WIDTH; i++)
                    args->c[r][p * args->c_pitch + channel + i] = output(args, r, p, channel + i, w + i, kw);
            }
}
