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

/* gemm: C[row][n] = clamp(start + sum over tap, k of a[tap, row][k] * w[tap * kc + k][n]) for a block of rows and one
 * panel (src/format/packing.h) or two neighbours; the kernel cuts the rows into tiles of its own height. A long sum may
 * be cut anywhere between two k: the first call starts from the bias row, the others from the running sum in C, all but
 * the last with an infinite clamp. That changes no bit.
 *
 * Rows are named one by one (a_step and c_step 0) or, where they lie evenly in memory, by the first one and the steps
 * (neither 0). */
typedef struct tmc_f32_gemm_args {
    size_t rows;             /* >= 1 */
    size_t columns;          /* 1..nr: columns of the panel that exist in C */
    size_t taps;             /* >= 0 */
    size_t kc;               /* >= 1 floats behind each pointer */
    const float *const *a;   /* a_step 0: a[tap * a_stride + row], a_stride >= rows */
    size_t a_stride;         /* else: a[tap * a_stride] + row * a_step, a_stride >= 1 */
    const float *w;          /* taps * kc rows of the panel */
    const float *bias;       /* the panel's bias row, or NULL: start from C */
    const float *w2, *bias2; /* of the second panel */
    float *const *c; /* c_step 0: c[row] + c_offset is the row's first column; else c[0] + row * c_step + c_offset */
    size_t c_offset;
    float lo, hi;
    ptrdiff_t a_step, c_step; /* floats */
    const void *next;         /* what is needed soon, or NULL: the i-th k of the call asks the caches for the line at */
    size_t next_step;         /* next + i * next_step, each line about once; never read */
} tmc_f32_gemm_args;

typedef void (*tmc_f32_gemm_fn)(const tmc_f32_gemm_args *args);

typedef struct tmc_f32_gemm_kernel {
    tmc_f32_gemm_fn fn;
    size_t mr;        /* rows of a tile; 0: this level gains nothing from such a kernel (two panels only) */
    size_t nr;        /* 16, 8, 4; two panels: 24 (16 + 8), 12 (8 + 4) */
    const char *name; /* symbol without "tmc_" and the level at the end */
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

/* dwconv: one output pixel of a depthwise convolution, any window, weights in panels (src/format/packing.h):
 * c[i] = clamp(bias[i] + sum over tap of a[tap][i] * w[tap][i]). Taps may be cut anywhere: `first` > 0 starts from the
 * running sum in c. */
typedef struct tmc_f32_dwconv_args {
    size_t first, taps, all_taps; /* this call does taps [first, first + taps) of all; taps >= 1 */
    size_t channels;              /* >= 1 */
    const float *const *a;        /* a[tap - first]: `channels` floats */
    const float *w;               /* all panels */
    float *c;
    float lo, hi;
} tmc_f32_dwconv_args;

typedef void (*tmc_f32_dwconv_fn)(const tmc_f32_dwconv_args *args);

typedef struct tmc_f32_dwconv_kernel {
    tmc_f32_dwconv_fn fn;
    const char *name;
    tmc_isa isa;
} tmc_f32_dwconv_kernel;

/* dwconv_row: one or two output rows of a depthwise convolution, some of its panels. Windows are kernel_h x kw, the
 * kernel's own kw, dilation 1 along the row; for output row r and each channel i of the panels that start at columns
 * [begin, end)
 *     c[r][p * c_pitch + i] = clamp(bias[i] + sum over y, x of in(y, p * stride - pad + x)[i] * w[y * kw + x][i])
 * where in(y, column) is rows[r][y] + column * a_pitch, or zeros if rows[r][y] is NULL or the row has no such column.
 */
enum { TMC_F32_DWCONV_ROW_MAX_H = 8, TMC_F32_DWCONV_ROW_MIN_CHANNELS = 16 };

typedef struct tmc_f32_dwconv_row_args {
    size_t c_rows;               /* 1 or 2 */
    size_t pixels, kernel_h;     /* of a row, at least the kernel's; 1 to ...MAX_H */
    size_t stride;               /* 1 or 2 */
    size_t pad;                  /* columns before the row that the first window covers, <= kw / 2 */
    size_t columns;              /* of the input rows; the last window reaches at most kw / 2 past them */
    size_t channels;             /* of all panels, at least ...MIN_CHANNELS */
    size_t begin, end;           /* whole panels */
    const float *const *rows[2]; /* rows[r][y]: first column, channel 0 */
    size_t a_pitch, c_pitch;     /* floats from one pixel to the next, >= channels */
    const float *w;              /* all panels */
    const float *zeros;          /* `channels` zeros */
    float *c[2];                 /* first pixel, channel 0 */
    float lo, hi;
} tmc_f32_dwconv_row_args;

typedef void (*tmc_f32_dwconv_row_fn)(const tmc_f32_dwconv_row_args *args);

typedef struct tmc_f32_dwconv_row_kernel {
    tmc_f32_dwconv_row_fn fn;
    size_t pixels, kw; /* of a tile; window width */
    const char *name;
    tmc_isa isa;
} tmc_f32_dwconv_row_kernel;

/* Pools: neighbouring output pixels whose windows have the same taps; taps in ascending order, valid ones only. Tap
 * (y, x) of pixel p is t = a + p * a_step + y * y_step + x * x_step.
 *   max_pool      acc = t(0,0)[i]; then acc = acc != acc ? acc : acc > t[i] ? acc : t[i], so that a NaN stays
 *   average_pool  acc = t(0,0)[i]; then acc = acc + t[i]; at the end acc / divisor
 * c[p * c_step + i] = acc. */
typedef struct tmc_f32_pool_args {
    size_t pixels, taps_y, taps_x, channels; /* all >= 1 */
    const float *a;
    size_t a_step, y_step, x_step, c_step; /* floats */
    float *c;
    float divisor; /* average_pool only */
} tmc_f32_pool_args;

typedef void (*tmc_f32_pool_fn)(const tmc_f32_pool_args *args);

typedef struct tmc_f32_pool_kernel {
    tmc_f32_pool_fn fn;
    const char *name;
    tmc_isa isa;
} tmc_f32_pool_kernel;

#define TMC_F32_GEMM_KERNELS 5

/* The families of one instruction set. */
typedef struct tmc_f32_conv_kernels {
    tmc_f32_gemm_kernel gemm[TMC_F32_GEMM_KERNELS]; /* by tmc_f32_gemm_index: panels 16, 8, 4; pairs 24, 12 */
    tmc_f32_gemv_kernel gemv;
    tmc_f32_dwconv_kernel dwconv;
    tmc_f32_dwconv_row_kernel dwconv_row[2][2]; /* kw 3, 5; tiles of 4, and of 7 or again of 4 */
    tmc_f32_pool_kernel max_pool, average_pool;
} tmc_f32_conv_kernels;

/* Fills every entry. `isa` is a level that this CPU has. */
void tmc_f32_conv_select(tmc_isa isa, tmc_f32_conv_kernels *kernels);

/* gemm[] index of a panel width or the sum of two. */
static inline size_t tmc_f32_gemm_index(size_t width) {
    return width == 16 ? 0 : width == 8 ? 1 : width == 4 ? 2 : width == 24 ? 3 : 4;
}

#endif
