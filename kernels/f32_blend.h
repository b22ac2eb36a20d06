/* Kernels that interpolate along one axis of an f32 tensor: the family blend.
 *
 * An axis of `in` rows of x becomes one of `outputs` rows of y, each a weighted sum of `taps` input rows:
 *
 *     acc = x[index[o * taps] * x_stride + i] * weight[o * taps]
 *     acc = fma(x[index[o * taps + t] * x_stride + i], weight[o * taps + t], acc)     t = 1 .. taps - 1
 *     y[o * y_stride + i] = acc                                                       i < inner
 *
 * in this order for every instruction set. Indices lie inside the axis; only the rows that they name are read. y does
 * not overlap x. */
#ifndef TMC_KERNELS_F32_BLEND_H
#define TMC_KERNELS_F32_BLEND_H

#include <stddef.h>
#include <stdint.h>

#include "tmcnn/tmcnn.h"

typedef struct tmc_f32_blend_args {
    size_t outputs, inner;     /* both >= 1 */
    size_t x_stride, y_stride; /* floats from one row to the next, >= inner */
    size_t taps;               /* 2 or 4 */
    const int32_t *index;      /* outputs * taps */
    const float *weight;       /* outputs * taps */
    const float *x;
    float *y;
} tmc_f32_blend_args;

typedef void (*tmc_f32_blend_fn)(const tmc_f32_blend_args *args);

typedef struct tmc_f32_blend_kernel {
    tmc_f32_blend_fn fn;
    const char *name; /* symbol without "tmc_" and the level at the end */
    tmc_isa isa;
} tmc_f32_blend_kernel;

/* `isa` is a level that this CPU has. */
void tmc_f32_blend_select(tmc_isa isa, tmc_f32_blend_kernel *kernel);

#endif
