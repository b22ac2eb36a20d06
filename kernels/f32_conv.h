/* Kernels for multiply-accumulate and window operators on f32: contracts of the families gemm, gemv, dwconv,
 * dwconv_row, max_pool and average_pool. docs/kernels.md has the pictures.
 *
 * Every kernel reads only the floats that its arguments name, writes only the columns or channels that exist, and gives
 * the bits of its portable twin in kernels/ref. One multiply-accumulate output is one chain of FMAs in ascending k. The
 * clamp is t = x < lo ? lo : x; y = t > hi ? hi : t, which keeps a NaN; -inf and inf make it the identity. */
#ifndef TMC_KERNELS_F32_CONV_H
#define TMC_KERNELS_F32_CONV_H

#include <stdbool.h>
#include <stddef.h>

#include "tmcnn/tmcnn.h"

/* gemm: C[row][n] = clamp(start + sum over tap, k of a[tap, row][k] * w[tap * kc + k][n]) for one tile and one panel
 * (src/format/packing.h). A long sum may be cut anywhere between two k: the first call starts from the bias row, the
 * others from the running sum in C, all but the last with an infinite clamp. That changes no bit. */
typedef struct tmc_f32_gemm_args {
    size_t rows;           /* 1..mr */
    size_t columns;        /* 1..nr: columns of the panel that exist in C */
    size_t taps;           /* >= 0 */
    size_t kc;             /* >= 1 floats behind each pointer */
    const float *const *a; /* a[tap * a_stride + row], row < rows */
    size_t a_stride;       /* >= rows */
    const float *w;        /* taps * kc rows of nr floats */
    const float *bias;     /* row of nr floats, or NULL: start from C */
    float *const *c;       /* c[row] + c_offset is the tile's first column */
    size_t c_offset;
    float lo, hi;
} tmc_f32_gemm_args;

typedef void (*tmc_f32_gemm_fn)(const tmc_f32_gemm_args *args);

typedef struct tmc_f32_gemm_kernel {
    tmc_f32_gemm_fn fn;
    size_t mr, nr;
    const char *name; /* symbol without "tmc_" */
    tmc_isa isa;
} tmc_f32_gemm_kernel;

/* gemv: one row against `panels` full panels of 16 columns at once, each with its bias row first:
 * c[16 * i + n] = clamp(w[i * panel_stride + n] + sum over k of a[k] * w[i * panel_stride + (1 + k) * 16 + n]). */
typedef struct tmc_f32_gemv_args {
    size_t panels, k, panel_stride; /* panels 1..kernel's panels; k >= 1; stride in floats */
    const float *a, *w;
    float *c;
    float lo, hi;
} tmc_f32_gemv_args;

typedef void (*tmc_f32_gemv_fn)(const tmc_f32_gemv_args *args);

typedef struct tmc_f32_gemv_kernel {
    tmc_f32_gemv_fn fn;
    size_t panels; /* at most, per call */
    const char *name;
    tmc_isa isa;
} tmc_f32_gemv_kernel;

/* dwconv: one output pixel of a depthwise convolution, any window:
 * c[i] = clamp(bias[i] + sum over tap of a[tap][i] * w[tap * channels + i]). */
typedef struct tmc_f32_dwconv_args {
    size_t taps, channels; /* both >= 1 */
    const float *const *a; /* a[tap]: `channels` floats */
    const float *w;
    const float *bias; /* NULL: start from the running sum in c */
    float *c;
    float lo, hi;
} tmc_f32_dwconv_args;

typedef void (*tmc_f32_dwconv_fn)(const tmc_f32_dwconv_args *args);

typedef struct tmc_f32_dwconv_kernel {
    tmc_f32_dwconv_fn fn;
    const char *name;
    tmc_isa isa;
} tmc_f32_dwconv_kernel;

/* dwconv_row: `pixels` neighbours of one output row whose windows of kernel_h x kw lie wholly inside the input rows,
 * dilation 1, stride 1 or 2; kw is the kernel's own:
 * c[p * channels + i] = clamp(bias[i] + sum over y, x of
 *     rows[y][(p * stride + x) * channels + i] * w[(y * kw + x) * channels + i]). */
typedef struct tmc_f32_dwconv_row_args {
    size_t pixels, channels, kernel_h; /* all >= 1 */
    size_t stride;                     /* 1 or 2 */
    const float *const *rows;          /* rows[y]: ((pixels - 1) * stride + kw) * channels floats */
    const float *w, *bias;
    float *c;
    float lo, hi;
} tmc_f32_dwconv_row_args;

typedef void (*tmc_f32_dwconv_row_fn)(const tmc_f32_dwconv_row_args *args);

typedef struct tmc_f32_dwconv_row_kernel {
    tmc_f32_dwconv_row_fn fn;
    size_t kw, pixels; /* window width; pixels that share one load of the weights */
    const char *name;
    tmc_isa isa;
} tmc_f32_dwconv_row_kernel;

/* Pools: one output pixel, taps in ascending order, valid ones only.
 *   max_pool      acc = a[0][i]; then acc = acc != acc ? acc : acc > x ? acc : x, so that a NaN stays; c[i] = acc
 *   average_pool  acc = a[0][i]; then acc = acc + x; c[i] = acc / divisor
 * With `resume` the chain goes on from c[i]; a sum that will be resumed is stored with divisor 1, which is exact. */
typedef struct tmc_f32_pool_args {
    size_t taps, channels; /* both >= 1 */
    const float *const *a; /* a[tap]: `channels` floats */
    float *c;
    float divisor; /* average_pool only */
    bool resume;
} tmc_f32_pool_args;

typedef void (*tmc_f32_pool_fn)(const tmc_f32_pool_args *args);

typedef struct tmc_f32_pool_kernel {
    tmc_f32_pool_fn fn;
    const char *name;
    tmc_isa isa;
} tmc_f32_pool_kernel;

/* The families of one instruction set. */
typedef struct tmc_f32_conv_kernels {
    tmc_f32_gemm_kernel gemm[3]; /* panel widths 16, 8, 4 */
    tmc_f32_gemv_kernel gemv;
    tmc_f32_dwconv_kernel dwconv;
    tmc_f32_dwconv_row_kernel dwconv_row[2]; /* kw 3, 5 */
    tmc_f32_pool_kernel max_pool, average_pool;
} tmc_f32_conv_kernels;

/* Fills every entry. `isa` is a level that this CPU has. */
void tmc_f32_conv_select(tmc_isa isa, tmc_f32_conv_kernels *kernels);

/* gemm[] index of a panel width. */
static inline size_t tmc_f32_gemm_index(size_t width) { return width == 16 ? 0 : width == 8 ? 1 : 2; }

#endif
