/* The kernels of qs8_math.h in portable C: their specification. */
#include <math.h>

#include "kernels/qs8_math_list.h"

static int8_t requantize(float v, float lo, float hi, int32_t zero_point) {
    float y = rintf(v);
    y = y < lo ? lo : y;
    y = y > hi ? hi : y;
    return (int8_t)((int32_t)y + zero_point);
}

void tmc_qs8_quantize__ref(size_t n, const float *x, int8_t *y, float scale, int32_t zero_point) {
    const float lo = (float)(-128 - zero_point), hi = (float)(127 - zero_point);
    for (size_t i = 0; i < n; i++) {
        const float v = x[i] / scale;
        y[i] = v != v ? (int8_t)zero_point : requantize(v, lo, hi, zero_point);
    }
}

void tmc_qs8_dequantize__ref(size_t n, const int8_t *x, float *y, float scale, int32_t zero_point) {
    for (size_t i = 0; i < n; i++) y[i] = (float)(x[i] - zero_point) * scale;
}

void tmc_qs8_table__ref(size_t n, const int8_t *x, int8_t *y, const int8_t table[256]) {
    for (size_t i = 0; i < n; i++) y[i] = table[x[i] + 128];
}

static void binary(const tmc_qs8_binary_args *g, int is_mul) {
    for (size_t r = 0; r < g->rows; r++)
        for (size_t c = 0; c < g->cols; c++) {
            const int32_t a = g->a[r * g->a_row + (g->a_col ? c : 0)] - g->a_zero;
            const int32_t b = g->b[r * g->b_row + (g->b_col ? c : 0)] - g->b_zero;
            const float product = (float)(is_mul ? a * b : a) * g->a_multiplier;
            const float v = is_mul ? product : product + (float)b * g->b_multiplier;
            g->y[r * g->y_row + c] = requantize(v, g->lo, g->hi, g->zero_point);
        }
}

void tmc_qs8_add__ref(const tmc_qs8_binary_args *args) { binary(args, 0); }

void tmc_qs8_mul__ref(const tmc_qs8_binary_args *args) { binary(args, 1); }

void tmc_qs8_average_pool__ref(const tmc_qs8_pool_args *g) {
    const float lo = (float)(-128 - g->zero_point), hi = (float)(127 - g->zero_point);
    for (size_t p = 0; p < g->pixels; p++)
        for (size_t i = 0; i < g->channels; i++) {
            int32_t sum = 0;
            for (size_t y = 0; y < g->taps_y; y++)
                for (size_t x = 0; x < g->taps_x; x++)
                    sum += g->a[p * g->a_step + y * g->y_step + x * g->x_step + i] - g->a_zero;
            g->c[p * g->c_step + i] = requantize((float)sum * g->multiplier, lo, hi, g->zero_point);
        }
}

void tmc_qs8_max_pool__ref(const tmc_qs8_pool_args *g) {
    for (size_t p = 0; p < g->pixels; p++)
        for (size_t i = 0; i < g->channels; i++) {
            int8_t most = -128;
            for (size_t y = 0; y < g->taps_y; y++)
                for (size_t x = 0; x < g->taps_x; x++) {
                    const int8_t t = g->a[p * g->a_step + y * g->y_step + x * g->x_step + i];
                    most = t > most ? t : most;
                }
            g->c[p * g->c_step + i] = most;
        }
}
