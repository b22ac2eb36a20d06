#include "lib/naive_winograd.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define A NAIVE_WINOGRAD_ALPHA

static const float p = 0.6875f, q = 1.5f;

static void input_axis(tmc_isa isa, size_t tile, const float d[A], float v[A]) {
    if (tile == 2) {
        v[0] = d[2] - d[0];
        v[1] = d[1] + d[2];
        v[2] = d[2] - d[1];
        v[3] = d[3] - d[1];
        return;
    }
    const float even_p = level_fma(isa, d[2], -p * p, d[4]), odd_p = level_fma(isa, d[1], -p * p, d[3]);
    const float even_q = level_fma(isa, d[2], -q * q, d[4]), odd_q = level_fma(isa, d[1], -q * q, d[3]);
    v[0] = level_fma(isa, d[0], p * p * q * q, level_fma(isa, d[2], -p * p - q * q, d[4]));
    v[1] = level_fma(isa, odd_q, p, even_q);
    v[2] = level_fma(isa, odd_q, -p, even_q);
    v[3] = level_fma(isa, odd_p, q, even_p);
    v[4] = level_fma(isa, odd_p, -q, even_p);
    v[5] = level_fma(isa, d[1], p * p * q * q, level_fma(isa, d[3], -p * p - q * q, d[5]));
}

/* The positive factors of G's rows: of 1, s and s^2 for each point s > 0, then of the point 0. */
static const float rows2[1][3] = {{0.5f, 0.5f, 0.5f}};
static const float rows4[2][3] = {{-0x1.30bc4ep-1f, -0x1.a302eap-2f, -0x1.201202p-2f},
                                  {0x1.001002p-3f, 0x1.801802p-3f, 0x1.201202p-2f}};

static void weights_axis(tmc_isa isa, size_t tile, const float g[3], float u[A]) {
    u[0] = g[0] * (tile == 2 ? -1.0f : 0x1.e1709ap-1f);
    for (size_t i = 0; i < tile / 2; i++) {
        const float *row = tile == 2 ? rows2[i] : rows4[i];
        const float even = level_fma(isa, g[2], row[2], g[0] * row[0]), odd = g[1] * row[1];
        u[1 + 2 * i] = even + odd;
        u[2 + 2 * i] = even - odd;
    }
    u[tile + 1] = g[2];
}

/* `bias` is NULL in the first of the two stages. */
static void output_axis(tmc_isa isa, size_t tile, const float m[A], const float *bias, float y[4]) {
    if (tile == 2) {
        y[0] = m[0] + m[1] + m[2];
        y[1] = m[1] - m[2] + m[3];
        if (bias) y[0] += *bias, y[1] += *bias;
        return;
    }
    const float even_p = m[1] + m[2], odd_p = m[1] - m[2], even_q = m[3] + m[4], odd_q = m[3] - m[4];
    y[0] = m[0] + even_p + even_q;
    if (bias) y[0] += *bias;
    y[1] = level_fma(isa, odd_q, q, bias ? level_fma(isa, odd_p, p, *bias) : odd_p * p);
    y[2] = level_fma(isa, even_q, q * q, bias ? level_fma(isa, even_p, p * p, *bias) : even_p * (p * p));
    y[3] = level_fma(isa, odd_q, q * q * q, level_fma(isa, odd_p, p * p * p, bias ? m[5] + *bias : m[5]));
}

void naive_winograd_input(tmc_isa isa, size_t tile, const float *d, float *v) {
    const size_t alpha = tile + 2;
    float rows[A][A], in[A] = {0}, out[A];
    for (size_t y = 0; y < alpha; y++) input_axis(isa, tile, d + y * alpha, rows[y]);
    for (size_t x = 0; x < alpha; x++) {
        for (size_t y = 0; y < alpha; y++) in[y] = rows[y][x];
        input_axis(isa, tile, in, out);
        for (size_t y = 0; y < alpha; y++) v[y * alpha + x] = out[y];
    }
}

void naive_winograd_weights(tmc_isa isa, size_t tile, const float *g, float *u) {
    float columns[3][A], in[3];
    for (size_t x = 0; x < 3; x++) {
        for (size_t y = 0; y < 3; y++) in[y] = g[y * 3 + x];
        weights_axis(isa, tile, in, columns[x]);
    }
    for (size_t y = 0; y < tile + 2; y++) {
        for (size_t x = 0; x < 3; x++) in[x] = columns[x][y];
        weights_axis(isa, tile, in, u + y * (tile + 2));
    }
}

void naive_winograd_output(tmc_isa isa, size_t tile, const float *m, float bias, float *y) {
    const size_t alpha = tile + 2;
    float rows[A][4], in[A] = {0}, out[4];
    for (size_t i = 0; i < alpha; i++) output_axis(isa, tile, m + i * alpha, NULL, rows[i]);
    for (size_t x = 0; x < tile; x++) {
        for (size_t i = 0; i < alpha; i++) in[i] = rows[i][x];
        output_axis(isa, tile, in, &bias, out);
        for (size_t i = 0; i < tile; i++) y[i * tile + x] = out[i];
    }
}

static float clamp(const tmc_conv_params *params, float x) {
    const float t = x < params->act.lo ? params->act.lo : x;
    return t > params->act.hi ? params->act.hi : t;
}

/* Channel c of the pixels of the tile whose first output is (y0, x0). */
static void load_tile(size_t tile, const tmc_conv_params *params, const tmc_tensor_desc *desc, const float *x, size_t n,
                      size_t y0, size_t x0, size_t c, float *d) {
    const size_t alpha = tile + 2;
    for (size_t i = 0; i < alpha * alpha; i++) {
        const int64_t iy = (int64_t)(y0 + i / alpha) - params->pad_begin[1];
        const int64_t ix = (int64_t)(x0 + i % alpha) - params->pad_begin[2];
        const bool inside = iy >= 0 && iy < desc->dims[1] && ix >= 0 && ix < desc->dims[2];
        d[i] = inside ? x[((n * (size_t)desc->dims[1] + (size_t)iy) * (size_t)desc->dims[2] + (size_t)ix) *
                              (size_t)desc->dims[3] +
                          c]
                      : 0.0f;
    }
}

static size_t output_index(const tmc_tensor_desc *desc, size_t n, size_t y, size_t x, size_t o) {
    return ((n * (size_t)desc->dims[1] + y) * (size_t)desc->dims[2] + x) * (size_t)desc->dims[3] + o;
}

void naive_winograd_conv(tmc_isa isa, size_t tile, const tmc_conv_params *params, const tmc_tensor_desc *x_desc,
                         const float *x, const float *g, const float *bias, const tmc_tensor_desc *y_desc, float *y) {
    const size_t positions = (tile + 2) * (tile + 2), channels = (size_t)x_desc->dims[3];
    const size_t h = (size_t)y_desc->dims[1], w = (size_t)y_desc->dims[2];
    const size_t outputs = (size_t)y_desc->dims[3];
    float d[A * A], m[A * A], out[16], *v = malloc(channels * positions * sizeof *v);
    float *u = malloc(outputs * channels * positions * sizeof *u); /* [outputs][channels][positions] */
    if (!v || !u) abort();
    for (size_t i = 0; i < outputs * channels; i++) {
        for (size_t k = 0; k < 9; k++) d[k] = g[(i / channels * 9 + k) * channels + i % channels];
        naive_winograd_weights(isa, tile, d, u + i * positions);
    }
    for (size_t n = 0; n < (size_t)y_desc->dims[0]; n++)
        for (size_t y0 = 0; y0 < h; y0 += tile)
            for (size_t x0 = 0; x0 < w; x0 += tile) {
                for (size_t c = 0; c < channels; c++) {
                    load_tile(tile, params, x_desc, x, n, y0, x0, c, d);
                    naive_winograd_input(isa, tile, d, v + c * positions);
                }
                for (size_t o = 0; o < outputs; o++) {
                    memset(m, 0, sizeof m);
                    for (size_t c = 0; c < channels; c++)
                        for (size_t i = 0; i < positions; i++)
                            m[i] = level_fma(isa, v[c * positions + i], u[(o * channels + c) * positions + i], m[i]);
                    naive_winograd_output(isa, tile, m, bias ? bias[o] : 0.0f, out);
                    for (size_t i = 0; i < tile * tile; i++)
                        if (y0 + i / tile < h && x0 + i % tile < w)
                            y[output_index(y_desc, n, y0 + i / tile, x0 + i % tile, o)] = clamp(params, out[i]);
                }
            }
    free(v);
    free(u);
}

/* |B^T|, |A^T| and |G| of the interpolation points. */
static void absolute_matrices(size_t tile, double b[A][A], double a[4][A], double g[A][3]) {
    static const double b2[4][4] = {{1, 0, 1, 0}, {0, 1, 1, 0}, {0, 1, 1, 0}, {0, 1, 0, 1}};
    static const double a2[2][4] = {{1, 1, 1, 0}, {0, 1, 1, 1}};
    const double s = (double)p, t = (double)q, ss = s * s, tt = t * t;
    const double b4[6][6] = {{ss * tt, 0, ss + tt, 0, 1, 0}, {0, s * tt, tt, s, 1, 0}, {0, s * tt, tt, s, 1, 0},
                             {0, t * ss, ss, t, 1, 0},       {0, t * ss, ss, t, 1, 0}, {0, ss * tt, 0, ss + tt, 0, 1}};
    const double a4[4][6] = {
        {1, 1, 1, 1, 1, 0}, {0, s, s, t, t, 0}, {0, ss, ss, tt, tt, 0}, {0, s * ss, s * ss, t * tt, t * tt, 1}};
    const double h = 2 * ss * (tt - ss), r = 2 * tt * (tt - ss);
    static const double g2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}, {0, 0, 1}};
    const double g4[6][3] = {{1 / (ss * tt), 0, 0},  {1 / h, s / h, ss / h}, {1 / h, s / h, ss / h},
                             {1 / r, t / r, tt / r}, {1 / r, t / r, tt / r}, {0, 0, 1}};
    const size_t alpha = tile + 2;
    for (size_t i = 0; i < alpha; i++)
        for (size_t k = 0; k < 3; k++) g[i][k] = tile == 2 ? g2[i][k] : g4[i][k];
    for (size_t i = 0; i < alpha; i++)
        for (size_t k = 0; k < alpha; k++) b[i][k] = tile == 2 ? b2[i][k] : b4[i][k];
    for (size_t i = 0; i < tile; i++)
        for (size_t k = 0; k < alpha; k++) a[i][k] = tile == 2 ? a2[i][k] : a4[i][k];
}

static double exact_output(const tmc_conv_params *params, const tmc_tensor_desc *x_desc, const float *x, const float *w,
                           size_t n, size_t y, size_t x0, size_t o) {
    const size_t channels = (size_t)x_desc->dims[3];
    double sum = 0.0;
    for (size_t c = 0; c < channels; c++) {
        float d[A * A]; /* a tile of one pixel has 3 x 3 inputs */
        load_tile(1, params, x_desc, x, n, y, x0, c, d);
        for (size_t i = 0; i < 9; i++) sum += (double)d[i] * (double)w[(o * 9 + i) * channels + c];
    }
    return sum;
}

/* (|B^T| |d| |B|)[k] of each channel of a tile. */
static void absolute_positions(size_t tile, double b[A][A], const tmc_conv_params *params,
                               const tmc_tensor_desc *x_desc, const float *x, size_t n, size_t y0, size_t x0,
                               double *v) {
    const size_t alpha = tile + 2, positions = alpha * alpha;
    for (size_t c = 0; c < (size_t)x_desc->dims[3]; c++) {
        float d[A * A];
        load_tile(tile, params, x_desc, x, n, y0, x0, c, d);
        for (size_t k = 0; k < positions; k++) {
            double sum = 0.0;
            for (size_t l = 0; l < positions; l++)
                sum += b[k / alpha][l / alpha] * b[k % alpha][l % alpha] * fabs((double)d[l]);
            v[c * positions + k] = sum;
        }
    }
}

void naive_winograd_bound(size_t tile, const tmc_conv_params *params, const tmc_tensor_desc *x_desc, const float *x,
                          const float *w, const float *bias, const tmc_tensor_desc *y_desc, double *exact,
                          double *bound) {
    const size_t alpha = tile + 2, positions = alpha * alpha, channels = (size_t)x_desc->dims[3];
    const double roundings = (double)channels + 19, unit = 0x1p-24;
    const size_t outputs = (size_t)y_desc->dims[3];
    double b[A][A], a[4][A], g[A][3], *v = malloc(channels * positions * sizeof *v);
    double *u = calloc(outputs * channels * positions, sizeof *u); /* |G| |w| |G^T|: [outputs][channels][positions] */
    if (!v || !u) abort();
    absolute_matrices(tile, b, a, g);
    for (size_t i = 0; i < outputs * channels * positions; i++) {
        const size_t k = i % positions, c = i / positions % channels, o = i / positions / channels;
        for (size_t t = 0; t < 9; t++)
            u[i] += g[k / alpha][t / 3] * g[k % alpha][t % 3] * fabs((double)w[(o * 9 + t) * channels + c]);
    }
    for (size_t n = 0; n < (size_t)y_desc->dims[0]; n++)
        for (size_t py = 0; py < (size_t)y_desc->dims[1]; py++)
            for (size_t px = 0; px < (size_t)y_desc->dims[2]; px++) {
                if (px % tile == 0) absolute_positions(tile, b, params, x_desc, x, n, py / tile * tile, px, v);
                for (size_t o = 0; o < outputs; o++) {
                    double magnitude = 0.0;
                    for (size_t k = 0; k < positions; k++) {
                        double product = 0.0;
                        for (size_t c = 0; c < channels; c++)
                            product += v[c * positions + k] * u[(o * channels + c) * positions + k];
                        magnitude += a[py % tile][k / alpha] * a[px % tile][k % alpha] * product;
                    }
                    const double offset = bias ? (double)bias[o] : 0.0;
                    const double sum = exact_output(params, x_desc, x, w, n, py, px, o) + offset;
                    const size_t i = output_index(y_desc, n, py, px, o);
                    exact[i] = fmin(fmax(sum, (double)params->act.lo), (double)params->act.hi);
                    bound[i] = roundings * unit / (1 - roundings * unit) * (magnitude + fabs(offset));
                }
            }
    free(v);
    free(u);
}
