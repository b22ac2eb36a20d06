/* Packed weights: the order in which kernels read them, so that a mapped file needs no copy.
 *
 * TMC_PACK_F32_PANELS. A matrix product y[m][n] = bias[n] + sum_k x[m][k] * w[n][k] has its N columns cut into panels,
 * first floor(N / 16) of width 16, then the remainder r = N % 16: r > 12 one of 16; r in 9..12 one of 8 and one of 4;
 * r in 5..8 one of 8; r in 1..4 one of 4. Columns past N are zero. A panel of width P is (1 + K) rows of P floats: row 0
 * the bias (zero where there is none), row 1 + k the weights of input k:
 *
 *      n ->   0    1    ...  P-1
 *      row 0  b0   b1        bP-1
 *      row 1  w0,0 w1,0      wP-1,0      k = 0
 *      ...
 *      row K  w0,K-1         wP-1,K-1    k = K-1
 *
 * k runs kernel y, kernel x, input channel, the last fastest. A grouped convolution has its groups one after the other,
 * each with its own panels, each group starting at a multiple of 64 bytes. A transposed convolution has its phases one
 * after the other (phase = (oy + pad) % stride per axis, in row-major order of the phases); each phase is a product over the
 * taps that reach it, in ascending kernel order of the input offsets as docs/format.md says. */
#ifndef TMC_FORMAT_PACKING_H
#define TMC_FORMAT_PACKING_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Width of the panel that starts at column `n` < `total`: 16, 8 or 4. */
static inline size_t tmc_panel_width(size_t total, size_t n) {
    size_t left = total - n;
    return left > 12 ? 16 : left > 4 ? 8 : 4;
}

/* Floats before the panel that starts at column `n` (a column where a panel starts, or total for the whole). */
size_t tmc_panels_floats(size_t total_n, size_t k);
static inline size_t tmc_panel_offset(size_t n, size_t k) {
    return n * (k + 1); /* panels before it are full: their widths sum to n */
}

/* Packs w, where the weight of column n and input k is w[n * n_stride + k * k_stride]; `bias` may be NULL.
 * dst holds tmc_panels_floats(n, k) floats. */
void tmc_pack_panels(float *dst, const float *w, size_t n, size_t k, size_t n_stride, size_t k_stride,
                     const float *bias);

#endif
