/* qs8_dwconv in portable C: the specification of the family. */
#include <math.h>

#include "format/packing_i8.h"
#include "kernels/qs8_dwconv_list.h"

static int8_t requantize(int32_t acc, float multiplier, const tmc_qs8_dwconv_args *args) {
    float y = rintf((float)acc * multiplier);
    y = y < args->lo ? args->lo : y;
    y = y > args->hi ? args->hi : y;
    return (int8_t)((int32_t)y + args->zero_point);
}

/* Channel i, lane n of its panel, of pixel p of output row r. */
static int32_t sum(const tmc_qs8_dwconv_args *args, const tmc_i8_panel *panel, size_t n, size_t i, size_t r, size_t p) {
    int32_t acc = panel->bias[n];
    for (size_t y = 0; y < args->kernel_h; y++)
        for (size_t x = 0; x < args->kernel_w; x++) {
            const ptrdiff_t column = (ptrdiff_t)(p * args->stride + x * args->dilation) - (ptrdiff_t)args->pad;
            const bool inside =
                r + y >= args->first && r + y < args->last && column >= 0 && (size_t)column < args->columns;
            const ptrdiff_t row = (ptrdiff_t)(r + y) - (ptrdiff_t)args->first;
            const int32_t in = inside ? args->a[row * args->row_step + column * (ptrdiff_t)args->a_pitch + (ptrdiff_t)i]
                                      : args->padding;
            acc += in * panel->weights[((y / 4 * args->kernel_w + x) * TMC_DEPTHWISE_WIDTH + n) * 4 + y % 4];
        }
    return acc;
}

void tmc_qs8_dwconv__ref(const tmc_qs8_dwconv_args *args) {
    const size_t kernel[3] = {1, args->kernel_h, args->kernel_w};
    const size_t column_bytes = TMC_I8_COLUMN_HEADER + tmc_i8_depthwise_k(kernel);
    for (size_t start = args->begin; start < args->end; start += TMC_DEPTHWISE_WIDTH) {
        const tmc_i8_panel panel = tmc_i8_panel_at((const char *)args->w + start * column_bytes, TMC_DEPTHWISE_WIDTH);
        const size_t first = tmc_depthwise_channel(args->channels, start);
        for (size_t r = 0; r < args->c_rows; r++)
            for (size_t p = 0; p < args->pixels; p++)
                for (size_t n = 0; n < TMC_DEPTHWISE_WIDTH && first + n < args->channels; n++)
                    args->c[r][p * args->c_pitch + first + n] =
                        requantize(sum(args, &panel, n, first + n, r, p), panel.multiplier[n], args);
    }
}
