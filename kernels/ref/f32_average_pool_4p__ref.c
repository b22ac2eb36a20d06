#include "kernels/f32_conv_list.h"

static float pool(const tmc_f32_pool_args *args, const float *first) {
    float acc = *first;
    for (size_t y = 0; y < args->taps_y; y++)
        for (size_t x = y == 0; x < args->taps_x; x++) {
            const float *a = first + y * args->y_step + x * args->x_step;
            acc = acc + *a;
        }
    return acc / args->divisor;
}

void tmc_f32_average_pool_4p__ref(const tmc_f32_pool_args *args) {
    for (size_t p = 0; p < args->pixels; p++)
        for (size_t i = 0; i < args->channels; i++)
            args->c[p * args->c_step + i] = pool(args, args->a + p * args->a_step + i);
}
