#include "kernels/f32_conv_list.h"

void tmc_f32_average_pool_1p__ref(const tmc_f32_pool_args *args) {
    for (size_t i = 0; i < args->channels; i++) {
        float acc = args->resume ? args->c[i] : args->a[0][i];
        for (size_t t = args->resume ? 0 : 1; t < args->taps; t++) acc += args->a[t][i];
        args->c[i] = acc / args->divisor;
    }
}
