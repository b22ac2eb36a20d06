/* Kernels of the element-wise operators and pools on int8. docs/kernels-int8.md has the formulas.
 *
 * Common contract: strides count bytes, n, rows and cols may be 0, any alignment, nothing outside the named elements is
 * read or written. In quantize, table, add and mul y may equal an int8 input exactly; otherwise nothing overlaps. rint
 * is ties to even; every product and sum of floats is rounded by itself. lo and hi are integers, the output's bounds
 * less its zero point; the clamp comes before the conversion to int32. Multipliers are at most 2^100. */
#ifndef TMC_KERNELS_QS8_MATH_H
#define TMC_KERNELS_QS8_MATH_H

#include <stddef.h>
#include <stdint.h>

#include "base/features.h"
#include "tmcnn/tmcnn.h"

/* y[i] = clamp(rint(x[i] / scale), -128 - zero, 127 - zero) + zero; NaN gives zero. */
typedef void (*tmc_qs8_quantize_fn)(size_t n, const float *x, int8_t *y, float scale, int32_t zero_point);
/* y[i] = float(x[i] - zero) * scale. */
typedef void (*tmc_qs8_dequantize_fn)(size_t n, const int8_t *x, float *y, float scale, int32_t zero_point);
/* y[i] = table[x[i] + 128]. */
typedef void (*tmc_qs8_table_fn)(size_t n, const int8_t *x, int8_t *y, const int8_t table[256]);

/* add: y = clamp(rint(float(a - za) * ma + float(b - zb) * mb)) + zero
 * mul: y = clamp(rint(float((a - za) * (b - zb)) * ma)) + zero
 * for element (r, c) at a[r * a_row + c * a_col], b likewise, y[r * y_row + c]; a_col and b_col are 0 or 1. */
typedef struct tmc_qs8_binary_args {
    size_t rows, cols;
    const int8_t *a, *b;
    size_t a_row, b_row, y_row;
    int a_col, b_col;
    int8_t *y;
    int32_t a_zero, b_zero, zero_point;
    float a_multiplier, b_multiplier, lo, hi;
} tmc_qs8_binary_args;
typedef void (*tmc_qs8_binary_fn)(const tmc_qs8_binary_args *args);

/* Neighbouring output pixels whose windows have the same taps, on the input only. Tap (y, x) of pixel p is
 * t = a + p * a_step + y * y_step + x * x_step; there are at most 2^23 of them.
 *   average_pool  c[p * c_step + i] = clamp(rint(float(sum of (t[i] - a_zero)) * multiplier)) + zero
 *   max_pool      c[p * c_step + i] = max of t[i] */
typedef struct tmc_qs8_pool_args {
    size_t pixels, taps_y, taps_x, channels; /* channels >= 1; max_pool: taps >= 1 */
    const int8_t *a;
    size_t a_step, y_step, x_step, c_step;
    int8_t *c;
    int32_t a_zero, zero_point;
    float multiplier;
} tmc_qs8_pool_args;
typedef void (*tmc_qs8_pool_fn)(const tmc_qs8_pool_args *args);

/* X(name, type): every kernel, its function tmc_qs8_<name>__<isa>. */
#define TMC_QS8_MATH_KERNELS(X)                                                                                        \
    X(quantize, quantize)                                                                                              \
    X(dequantize, dequantize)                                                                                          \
    X(table, table)                                                                                                    \
    X(add, binary)                                                                                                     \
    X(mul, binary)                                                                                                     \
    X(average_pool, pool)                                                                                              \
    X(max_pool, pool)

typedef struct tmc_qs8_math_kernels {
#define X(kernel, type)                                                                                                \
    struct {                                                                                                           \
        tmc_qs8_##type##_fn run;                                                                                       \
        const char *name; /* symbol without "tmc_" and the level at the end */                                         \
        tmc_isa isa;                                                                                                   \
    } kernel;
    TMC_QS8_MATH_KERNELS(X)
#undef X
} tmc_qs8_math_kernels;

/* Fills the table for a level that this CPU has and those of its features (base/features.h) that may be used. */
void tmc_qs8_math_select(tmc_isa isa, uint32_t features, tmc_qs8_math_kernels *kernels);

#endif
