/* Packed weights: the order in which kernels read them, so that a mapped file needs no copy.
 *
 * TMC_PACK_F32_PANELS. A matrix product y[m][n] = bias[n] + sum_k x[m][k] * w[n][k] has its N columns cut into panels,
 * first floor(N / 16) of width 16, then the remainder r = N % 16: r > 12 one of 16; r in 9..12 one of 8 and one of 4;
 * r in 5..8 one of 8; r in 1..4 one of 4. Columns past N are zero. A panel of width P is (1 + K) rows of P floats: row
 * 0 the bias (zero where there is none), row 1 + k the weights of input k:
 *
 *      n ->   0    1    ...  P-1
 *      row 0  b0   b1        bP-1
 *      row 1  w0,0 w1,0      wP-1,0      k = 0
 *      ...
 *      row K  w0,K-1         wP-1,K-1    k = K-1
 *
 * k runs kernel (z,) y, kernel x, input channel, the last fastest. A grouped convolution has its groups one after the
 * other, each with its own panels, each starting at a multiple of 64 bytes; the last one is not filled up.
 *
 * A transposed convolution has, within each group, one product per phase, one after the other without gaps. Phase
 * r = (o + pad_begin) % stride of an axis holds the output positions o of that residue; its taps are the kernel
 * positions t with (t * dilation) % stride == r, ascending, and may be none, which leaves the bias row. The phases of
 * the axes combine in row-major order.
 *
 * A depthwise convolution has one column per channel and one k per tap. Its C columns are cut into ceil(C / 16) panels
 * of 16. The last one ends at channel C: it repeats channels of the panel before it instead of zeros, so that kernels
 * need no partial vectors. Below 16 channels there is one panel with zeros behind them. The weights of a panel lie side
 * by side: those of a dense tensor are 4 * C bytes apart, which for many C is a multiple of the cache's sets.
 *
 * TMC_PACK_F32_WINOGRAD_2X2 and _4X4. The same panels of a 3x3 convolution of stride 1 that is computed by Winograd's
 * algorithm with tiles of so many outputs (docs/winograd.md), but k runs input channel, kernel y, kernel x: the nine
 * taps of a channel lie side by side, since they are transformed together. */
#ifndef TMC_FORMAT_PACKING_H
#define TMC_FORMAT_PACKING_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "format/layout.h"

/* Width of the panel that starts at column `n` < `total`: 16, 8 or 4. */
static inline size_t tmc_panel_width(size_t total, size_t n) {
    size_t left = total - n;
    return left > 12 ? 16 : left > 4 ? 8 : 4;
}

/* Columns after rounding up to whole panels. */
static inline size_t tmc_panel_columns_up(size_t total) { return (total + 3) & ~(size_t)3; }

/* Floats of all panels of a product, and before the panel that starts at column `n`. */
size_t tmc_panels_floats(size_t total_n, size_t k);
static inline size_t tmc_panel_offset(size_t n, size_t k) {
    return n * (k + 1); /* panels before it are full: their widths sum to n */
}

/* Depthwise panels: their width, the columns of all together, and the first channel of the panel that starts at column
 * `n`; n * (1 + taps) floats lie before it. */
#define TMC_DEPTHWISE_WIDTH 16
static inline size_t tmc_depthwise_columns(size_t channels) { return (channels + 15) & ~(size_t)15; }
static inline size_t tmc_depthwise_channel(size_t channels, size_t n) {
    return n + TMC_DEPTHWISE_WIDTH <= channels || channels < TMC_DEPTHWISE_WIDTH ? n : channels - TMC_DEPTHWISE_WIDTH;
}

/* One axis of a phase: `count` taps first, first + step, ... Plain convolutions have the one phase of stride 1. */
typedef struct tmc_phase {
    size_t first, step, count;
} tmc_phase;

tmc_phase tmc_phase_of(size_t kernel, size_t stride, size_t dilation, size_t residue);

/* A whole weight tensor, dense [groups * columns, kernel[0..2], channels]. conv: stride and dilation 1 whatever the
 * operator's; fully_connected: kernel 1 too; conv_transpose: the operator's. All members at least 1. */
typedef struct tmc_pack_shape {
    size_t groups, columns, channels; /* columns: output channels of a group */
    size_t kernel[3], stride[3], dilation[3];
} tmc_pack_shape;

/* Floats from the start of one group to the next, a multiple of 16, and of the whole, in 64 bits: the product may be
 * over SIZE_MAX on a small machine and is for the caller to check. Dense weights are below 2^31 bytes. */
uint64_t tmc_pack_group_floats(const tmc_pack_shape *shape);
uint64_t tmc_pack_floats(const tmc_pack_shape *shape);

/* Pixels along a side of the output tile of a Winograd packing, 2 or 4; 0 for any other packing. */
static inline size_t tmc_winograd_tile(uint32_t packing) {
    return packing == TMC_PACK_F32_WINOGRAD_2X2 ? 2 : packing == TMC_PACK_F32_WINOGRAD_4X4 ? 4 : 0;
}

/* Positions along a side of the transformed kernel and of the input tile. */
static inline size_t tmc_winograd_alpha(size_t tile) { return tile + 2; }

/* Packs dense weights and their bias (or NULL) into tmc_pack_floats floats. */
void tmc_pack_weights(float *dst, const tmc_pack_shape *shape, const float *w, const float *bias);

/* The part of tmc_pack_weights for one panel of one group, in every phase: parts are independent, for threads.
 * `column` is the panel's first column in its group. */
void tmc_pack_weights_part(float *dst, const tmc_pack_shape *shape, size_t group, size_t column, const float *w,
                           const float *bias);

/* Packs w, where the weight of column n and input k is w[n * n_stride + k * k_stride]; `bias` may be NULL.
 * dst holds tmc_panels_floats(n, k) floats. */
void tmc_pack_panels(float *dst, const float *w, size_t n, size_t k, size_t n_stride, size_t k_stride,
                     const float *bias);

/* Packs dense depthwise weights [taps][channels] into tmc_depthwise_columns(channels) * (1 + taps) floats. */
void tmc_pack_depthwise(float *dst, const float *w, size_t channels, size_t taps, const float *bias);

#endif
