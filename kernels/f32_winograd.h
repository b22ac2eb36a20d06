/* Kernels of Winograd convolutions F(2x2,3x3) and F(4x4,3x3): the family winograd. docs/winograd.md has the matrices,
 * the order of every operation and the error bound.
 *
 * An m x m tile of the output (m = 2, 4) is made of alpha x alpha pixels of the input (alpha = m + 2): the input
 * transform makes alpha * alpha positions of each channel and the weights' transform as many of each channel and
 * column, a matrix product per position (family gemm) sums over the channels, the output transform makes the tile's
 * pixels. The transforms of pixels run along x first, then along y; that of weights along y first.
 *
 * Only the floats that the arguments name are read or written. Every kernel gives the bits of portable C. */
#ifndef TMC_KERNELS_F32_WINOGRAD_H
#define TMC_KERNELS_F32_WINOGRAD_H

#include <stddef.h>

#include "tmcnn/tmcnn.h"

#define TMC_WINOGRAD_MAX_ALPHA 6

/* v[(y * alpha + x) * v_stride + i] = (B^T d B)[y][x] with d[y][x] = a[y * alpha + x][i], for i < channels. */
typedef struct tmc_f32_winograd_input_args {
    size_t channels;       /* >= 1 */
    const float *const *a; /* alpha * alpha pixels of `channels` floats each */
    float *v;
    size_t v_stride; /* floats from one position to the next, >= channels */
} tmc_f32_winograd_input_args;

/* u[(y * alpha + x) * u_stride + i * width + n] = (G g G^T)[y][x] with g[y][x] = g[(i * 9 + y * 3 + x) * width + n],
 * for i < channels, n < width: a panel of taps, in its order in the file, into one of each position. */
typedef struct tmc_f32_winograd_weights_args {
    size_t channels; /* >= 1 */
    size_t width;    /* 16, 8 or 4 */
    const float *g;
    float *u;
    size_t u_stride; /* floats from one position to the next, >= channels * width */
} tmc_f32_winograd_weights_args;

/* c[y * row_stride + x * pixel_stride + n] = clamp((A^T M A)[y][x] + bias[n]) with M[y][x] = m[(y * alpha + x) * width
 * + n], for n < columns, y < rows, x < pixels. */
typedef struct tmc_f32_winograd_output_args {
    size_t columns;      /* >= 1 */
    size_t rows, pixels; /* 1..m each: what of the tile exists */
    const float *m;
    size_t m_stride; /* floats from one position to the next, >= columns */
    const float *bias;
    float *c;
    size_t row_stride, pixel_stride; /* in floats */
    float lo, hi;
} tmc_f32_winograd_output_args;

typedef void (*tmc_f32_winograd_input_fn)(const tmc_f32_winograd_input_args *args);
typedef void (*tmc_f32_winograd_weights_fn)(const tmc_f32_winograd_weights_args *args);
typedef void (*tmc_f32_winograd_output_fn)(const tmc_f32_winograd_output_args *args);

typedef struct tmc_f32_winograd_kernel {
    tmc_f32_winograd_input_fn input;
    tmc_f32_winograd_weights_fn weights;
    tmc_f32_winograd_output_fn output;
    size_t m;
    const char *name; /* f32_winograd_<m>x<m>: the symbols without "tmc_", the step and the level */
    tmc_isa isa;
} tmc_f32_winograd_kernel;

typedef struct tmc_f32_winograd_kernels {
    tmc_f32_winograd_kernel size[2]; /* m = 2, 4 */
} tmc_f32_winograd_kernels;

/* Fills every entry. `isa` is a level that this CPU has. */
void tmc_f32_winograd_select(tmc_isa isa, tmc_f32_winograd_kernels *kernels);

#endif
