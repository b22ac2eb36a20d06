#include <math.h>

#include "kernels/f32_conv_list.h"

void tmc_f32_dwconv_1p__ref(const tmc_f32_dwconv_args *args) {
    for (size_t i = 0; i < args->channels; i++) {
        float acc = args->bias ? args->bias[i] : args->c[i];
        for (size_t t = 0; t < args->taps; t++) acc = fmaf(args->a[t][i], args->w[t * args->channels + i], acc);
        args->c[i] = tmc_f32_clamp(acc, args->lo, args->hi);
    }
}
