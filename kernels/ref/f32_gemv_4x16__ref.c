#include <math.h>

#include "kernels/f32_conv_list.h"

void tmc_f32_gemv_4x16__ref(const tmc_f32_gemv_args *args) {
    for (size_t i = 0; i < args->panels; i++) {
        const float *w = args->w + i * args->panel_stride;
        for (size_t n = 0; n < 16; n++) {
            float acc = w[n];
            for (size_t k = 0; k < args->k; k++) acc = fmaf(args->a[k], w[(1 + k) * 16 + n], acc);
            args->c[i * 16 + n] = tmc_f32_clamp(acc, args->lo, args->hi);
        }
    }
}
