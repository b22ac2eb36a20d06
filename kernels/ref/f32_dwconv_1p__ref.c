#include <math.h>

#include "format/packing.h"
#include "kernels/f32_conv_list.h"

/* Channel i; w: its bias, then its weights. */
static float output(const tmc_f32_dwconv_args *args, size_t i, const float *w) {
    float acc = args->first ? args->c[i] : *w;
    w += args->first * TMC_DEPTHWISE_WIDTH;
    for (size_t t = 0; t < args->taps; t++) acc = fmaf(args->a[t][i], *(w += TMC_DEPTHWISE_WIDTH), acc);
    return tmc_f32_clamp(acc, args->lo, args->hi);
}

void tmc_f32_dwconv_1p__ref(const tmc_f32_dwconv_args *args) {
    for (size_t i = 0; i < args->channels; i++) {
        const size_t n = i - i % TMC_DEPTHWISE_WIDTH; /* where the last panel repeats channels, they are done once */
        const size_t place = i - tmc_depthwise_channel(args->channels, n);
        args->c[i] = output(args, i, args->w + n * (1 + args->all_taps) + place);
    }
}
