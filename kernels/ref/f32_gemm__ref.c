/* gemm in portable C: the specification of the family. */
#include <math.h>

#include "kernels/f32_conv_ref.h"

void tmc_f32_gemm__ref(const tmc_f32_gemm_args *args, size_t nr) {
    for (size_t row = 0; row < args->rows; row++) {
        float *c = (args->c_step ? args->c[0] + (ptrdiff_t)row * args->c_step : args->c[row]) + args->c_offset;
        for (size_t n = 0; n < args->columns; n++) {
            float acc = args->bias ? args->bias[n] : c[n];
            for (size_t tap = 0; tap < args->taps; tap++) {
                const float *const *rows = args->a + tap * args->a_stride;
                const float *a = args->a_step ? rows[0] + (ptrdiff_t)row * args->a_step : rows[row];
                const float *w = args->w + tap * args->kc * nr + n;
                for (size_t k = 0; k < args->kc; k++) acc = fmaf(a[k], w[k * nr], acc);
            }
            c[n] = tmc_f32_clamp(acc, args->lo, args->hi);
        }
    }
}
