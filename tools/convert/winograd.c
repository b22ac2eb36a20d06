#include "convert/winograd.h"

#include <math.h>

#include "format/packing.h"

#define MAX_ALPHA 6

/* Rows of G for interpolation at 0, p, -p, (q, -q,) infinity. */
static void rows_of_g(size_t tile, double g[MAX_ALPHA][3]) {
    const double p = tile == 2 ? 1.0 : 0.6875, q = 1.5;
    const double points[MAX_ALPHA] = {0.0, p, -p, q, -q};
    const size_t last = tile + 1;
    for (size_t i = 0; i < last; i++) {
        double divisor = 1.0;
        for (size_t k = 0; k < last; k++)
            if (k != i) divisor *= points[i] - points[k];
        for (size_t k = 0; k < 3; k++) g[i][k] = pow(points[i], (double)k) / divisor;
    }
    g[last][0] = g[last][1] = 0.0;
    g[last][2] = 1.0;
}

bool winograd_weights(size_t tile, size_t outputs, size_t channels, const float *w, float *u) {
    const size_t alpha = tmc_winograd_alpha(tile);
    double g[MAX_ALPHA][3];
    rows_of_g(tile, g);
    for (size_t o = 0; o < outputs; o++, w += 9 * channels) {
        for (size_t y = 0; y < alpha; y++)
            for (size_t x = 0; x < alpha; x++)
                for (size_t c = 0; c < channels; c++) {
                    double sum = 0.0;
                    for (size_t i = 0; i < 9; i++) sum += g[y][i / 3] * g[x][i % 3] * (double)w[i * channels + c];
                    *u = (float)sum;
                    if (!isfinite(*u++)) return false;
                }
    }
    return true;
}
