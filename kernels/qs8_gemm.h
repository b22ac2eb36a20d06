/* Matrix products on int8 (family qs8_gemm): docs/kernels.md. Panels as src/format/packing_i8.h has them:
 *
 *     P int32 bias, P int32 bias_u (bias - 128 * sum of the column), P float multiplier, [K4 / 4][P][4] int8 weights
 *
 *     acc           = bias[n] + sum over tap, k of a[tap, row][k] * w[k][n]                 exact, in any order
 *     C[row][n]     = clamp(rint(float(acc) * multiplier[n]), lo, hi) + zero_point          ties to even
 *
 * Kernels read only what the arguments name (whole panels, whole groups of four k), write only the columns that exist,
 * and give the bytes of kernels/ref.
 *
 * A level with a dot product of bytes takes panels and activations as they are. A `wide` one multiplies int16: `widen`
 * makes them from int8 activations, `widen_panel` from a panel, in groups of two k with the same header. */
#ifndef TMC_KERNELS_QS8_GEMM_H
#define TMC_KERNELS_QS8_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/features.h"
#include "tmcnn/tmcnn.h"

/* Rows and taps lie evenly in memory: tap (y, x) of row r at a + r * a_step + y * y_step + x * x_step, in bytes. The
 * weights of all taps follow each other without gaps. */
typedef struct tmc_qs8_gemm_args {
    size_t rows;           /* >= 1 */
    size_t columns;        /* 1..nr: columns of the panel that exist in C */
    size_t taps_y, taps_x; /* >= 0 */
    size_t kc;             /* bytes behind each tap, a multiple of 4: int8, or int16 of wide levels */
    const void *a;
    ptrdiff_t a_step, y_step, x_step;
    const void *panel, *panel2; /* the second one of kernels of two panels */
    int8_t *c;                  /* row r: c + r * c_step */
    ptrdiff_t c_step;
    float lo, hi; /* integers: the output's bounds less its zero point, within -255..255 */
    int32_t zero_point;
    const char *next; /* what is needed soon, or NULL: the i-th group of k asks the caches for the line at */
    size_t next_step; /* next + i * next_step; never read */
} tmc_qs8_gemm_args;

typedef void (*tmc_qs8_gemm_fn)(const tmc_qs8_gemm_args *args);

typedef struct tmc_qs8_gemm_kernel {
    tmc_qs8_gemm_fn fn; /* NULL: this level gains nothing from such a kernel (gemv, two panels) */
    size_t mr;          /* rows of a tile */
    size_t nr;          /* 16, 8, 4; two panels: 32 */
    const char *name;   /* symbol without "tmc_" and the level at the end */
    tmc_isa isa;
} tmc_qs8_gemm_kernel;

#define TMC_QS8_PANEL_HEADER 12 /* bytes per column before the weights */
#define TMC_QS8_GEMM_KERNELS 4

typedef struct tmc_qs8_gemm_kernels {
    tmc_qs8_gemm_kernel gemm[TMC_QS8_GEMM_KERNELS]; /* by tmc_qs8_gemm_index */
    /* Of wide levels, else all NULL. gemv: one row of int16 with one tap, a panel of 16 as it is in the file. */
    tmc_qs8_gemm_kernel gemv;
    void (*widen)(int16_t *to, const int8_t *from, size_t count);
    void (*widen_panel)(void *to, const void *panel, size_t width, size_t k4); /* to: width * (12 + 2 * k4) bytes */
} tmc_qs8_gemm_kernels;

/* Fills the table for a level that this CPU has and those of its features (base/features.h) that may be used. */
void tmc_qs8_gemm_select(tmc_isa isa, uint32_t features, tmc_qs8_gemm_kernels *kernels);

static inline size_t tmc_qs8_gemm_index(size_t width) { return width == 16 ? 0 : width == 8 ? 1 : width == 4 ? 2 : 3; }

static inline bool tmc_qs8_gemm_is_wide(const tmc_qs8_gemm_kernels *kernels) { return kernels->widen_panel != NULL; }

#endif
