/* qs8_gemm in portable C: the specification of the family. */
#include <math.h>
#include <string.h>

#include "kernels/qs8_gemm_list.h"

static int8_t requantize(int32_t acc, float multiplier, const tmc_qs8_gemm_args *args) {
    float y = rintf((float)acc * multiplier);
    y = y < args->lo ? args->lo : y;
    y = y > args->hi ? args->hi : y;
    return (int8_t)((int32_t)y + args->zero_point);
}

void tmc_qs8_gemm__ref(const tmc_qs8_gemm_args *args, size_t nr) {
    const char *header = args->panel;
    const int8_t *weights = (const int8_t *)header + TMC_QS8_PANEL_HEADER * nr;
    for (size_t row = 0; row < args->rows; row++) {
        const int8_t *a = (const int8_t *)args->a + (ptrdiff_t)row * args->a_step;
        for (size_t n = 0; n < args->columns; n++) {
            int32_t acc;
            float multiplier;
            memcpy(&acc, header + 4 * n, sizeof acc);
            memcpy(&multiplier, header + 8 * nr + 4 * n, sizeof multiplier);
            const int8_t *w = weights + 4 * n;
            for (size_t y = 0; y < args->taps_y; y++)
                for (size_t x = 0; x < args->taps_x; x++) {
                    const int8_t *tap = a + (ptrdiff_t)y * args->y_step + (ptrdiff_t)x * args->x_step;
                    for (size_t k = 0; k < args->kc; k += 4, w += 4 * nr)
                        acc += tap[k] * w[0] + tap[k + 1] * w[1] + tap[k + 2] * w[2] + tap[k + 3] * w[3];
                }
            args->c[(ptrdiff_t)row * args->c_step + (ptrdiff_t)n] = requantize(acc, multiplier, args);
        }
    }
}

void tmc_qs8_gemm_4x16__ref(const tmc_qs8_gemm_args *args) { tmc_qs8_gemm__ref(args, 16); }

void tmc_qs8_gemm_4x8__ref(const tmc_qs8_gemm_args *args) { tmc_qs8_gemm__ref(args, 8); }

void tmc_qs8_gemm_4x4__ref(const tmc_qs8_gemm_args *args) { tmc_qs8_gemm__ref(args, 4); }
