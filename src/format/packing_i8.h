/* Packed int8 weights. Widths and order of the panels, groups and phases are those of format/packing.h; what a panel
 * holds differs.
 *
 * TMC_PACK_I8_PANELS. K inputs (kernel z, y, x, channel, the last fastest) are filled up with zeros at their end to K4,
 * the next multiple of 4. A panel of width P is, without gaps,
 *
 *     int32   bias[P]           b'[n] = b[n] - zx * sum over k of w[n][k]
 *     int32   bias_unsigned[P]  b'[n] - 128 * sum over k of w[n][k]: for activations taken as x + 128
 *     float   multiplier[P]     float(double(sx) * sw[n] / sy)
 *     int8    weights[K4 / 4][P][4]
 *
 * Columns past N: all zero, multiplier 1. Each group starts at a multiple of 64 bytes; the phases of a transposed
 * convolution follow each other in their group, each with its own K and bias.
 *
 * TMC_PACK_I8_DEPTHWISE. Panels of 16 channels (tmc_depthwise_channel), with the same three rows of 16 in front, then
 * weights[kernel z][ceil(kernel y / 4)][kernel x][16][4]: four taps, one below the other, for each channel; zeros past
 * the kernel's last row. */
#ifndef TMC_FORMAT_PACKING_I8_H
#define TMC_FORMAT_PACKING_I8_H

#include <stdbool.h>

#include "format/packing.h"

/* Bytes of a column before its weights. */
#define TMC_I8_COLUMN_HEADER 12u

typedef struct tmc_i8_panel {
    const int32_t *bias, *bias_unsigned;
    const float *multiplier;
    const int8_t *weights;
} tmc_i8_panel;

static inline tmc_i8_panel tmc_i8_panel_at(const void *panel, size_t width) {
    const int32_t *head = (const int32_t *)panel;
    return (tmc_i8_panel){head, head + width, (const float *)(head + 2 * width), (const int8_t *)(head + 3 * width)};
}

/* K4. */
static inline size_t tmc_i8_k(size_t k) { return (k + 3) & ~(size_t)3; }

/* Bytes of all panels of a product, and before the panel that starts at column `n`. */
static inline size_t tmc_i8_panel_offset(size_t n, size_t k) { return n * (TMC_I8_COLUMN_HEADER + tmc_i8_k(k)); }
static inline size_t tmc_i8_panels_bytes(size_t total_n, size_t k) {
    return tmc_i8_panel_offset(tmc_panel_columns_up(total_n), k);
}

/* Bytes from the start of one group to the next, a multiple of 64, and of the whole, in 64 bits: the product may be
 * over SIZE_MAX on a small machine and is for the caller to check. */
uint64_t tmc_i8_group_bytes(const tmc_pack_shape *shape);
uint64_t tmc_i8_bytes(const tmc_pack_shape *shape);

/* Weight bytes of a column of a depthwise panel, and bytes of all panels, in 64 bits as above. `kernel`: z, y, x. */
static inline size_t tmc_i8_depthwise_k(const size_t kernel[3]) { return kernel[0] * tmc_i8_k(kernel[1]) * kernel[2]; }
static inline uint64_t tmc_i8_depthwise_bytes(size_t channels, const size_t kernel[3]) {
    const uint64_t k = (uint64_t)kernel[0] * tmc_i8_k(kernel[1]) * kernel[2];
    return tmc_depthwise_columns(channels) * (TMC_I8_COLUMN_HEADER + k);
}

/* One panel among all of a weight tensor. */
typedef struct tmc_i8_span {
    size_t offset;         /* bytes before it */
    size_t width, columns; /* the columns past `columns` are filled up */
    size_t channel;        /* output channel of column 0 */
    size_t k;              /* products of a column */
    size_t bytes;          /* of a column's weights */
    tmc_phase axis[3];     /* TMC_PACK_I8_PANELS: which taps */
} tmc_i8_span;

/* Calls `visit` for every panel in the order of the file, until it fails. */
typedef tmc_status tmc_i8_visit(void *context, const tmc_i8_span *span);
tmc_status tmc_i8_each_panel(const tmc_pack_shape *shape, tmc_i8_visit *visit, void *context);
tmc_status tmc_i8_each_depthwise(size_t channels, const size_t kernel[3], tmc_i8_visit *visit, void *context);

/* True where neither a sum of k products of int8 nor its bias leaves int32. */
static inline bool tmc_i8_sum_fits(uint64_t k, int64_t bias) {
    return k <= INT32_MAX / (127 * 255) && bias <= INT32_MAX && bias >= -INT32_MAX &&
           (int64_t)k * 127 * 255 + (bias < 0 ? -bias : bias) <= INT32_MAX;
}

/* float(double(sx) * sw / sy), and whether kernels may take it: a positive normal float. */
static inline float tmc_i8_multiplier(float sx, float sw, float sy) { return (float)((double)sx * sw / sy); }
static inline bool tmc_i8_multiplier_is_valid(float m) { return m >= 0x1p-126f && m <= 0x1.fffffep127f; }

/* What is packed: dense weights [groups * columns, kernel, channels], or depthwise [kernel, channels]. */
typedef struct tmc_i8_source {
    const int8_t *weights;
    const int32_t *bias; /* in units of x_scale * scales[n]; NULL: none */
    const float *scales; /* of each output channel */
    float x_scale, y_scale;
    int32_t x_zero_point;
} tmc_i8_source;

/* Packs into tmc_i8_bytes, or tmc_i8_depthwise_bytes, that start at a multiple of 4. E_QUANT where a bias and its
 * products could leave int32, or a multiplier is no normal float. */
tmc_status tmc_i8_pack(void *dst, const tmc_pack_shape *shape, const tmc_i8_source *source, tmc_error *err);
tmc_status tmc_i8_pack_depthwise(void *dst, size_t channels, const size_t kernel[3], const tmc_i8_source *source,
                                 tmc_error *err);

#endif
