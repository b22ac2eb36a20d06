/* dwconv_row in portable C: the specification. Define ROW_KW and ROW_NAME first. */
#include <math.h>

#include "kernels/f32_conv_list.h"

void ROW_NAME(const tmc_f32_dwconv_row_args *args) {
    const size_t channels = args->channels;
    for (size_t p = 0; p < args->pixels; p++) {
        for (size_t i = 0; i < channels; i++) {
            float acc = args->bias[i];
            for (size_t y = 0; y < args->kernel_h; y++)
                for (size_t x = 0; x < ROW_KW; x++)
                    acc = fmaf(args->rows[y][(p * args->stride + x) * channels + i],
                               args->w[(y * ROW_KW + x) * channels + i], acc);
            args->c[p * channels + i] = tmc_f32_clamp(acc, args->lo, args->hi);
        }
    }
}
