/* Depthwise convolution on int8: the family qs8_dwconv. docs/kernels-int8.md has the picture.
 *
 * One or two output rows, some panels of 16 channels (TMC_PACK_I8_DEPTHWISE of src/format/packing_i8.h). For output row
 * r and each channel i of the panels that start at columns [begin, end)
 *
 *     acc = bias[i] + sum over y, x of in(r + y, p * stride - pad + x * dilation)[i] * w[y][x][i]        in int32
 *     c[r][p * c_pitch + i] = clamp(rint(float(acc) * multiplier[i]), lo, hi) + zero_point
 *
 * where in(t, column) is a[(t - first) * row_step + column * a_pitch], or `padding` for a row outside [first, last) and
 * for a column that the rows have not. The clamp comes before the conversion to int32; rint is ties to even. Sums of
 * integers may be taken in any order, so every level gives the same bits. Only the bytes of the tensor are read, only
 * the channels of the panels are written. */
#ifndef TMC_KERNELS_QS8_DWCONV_H
#define TMC_KERNELS_QS8_DWCONV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/features.h"
#include "tmcnn/tmcnn.h"

typedef struct tmc_qs8_dwconv_args {
    size_t c_rows;             /* 2: the second window lies one row lower; tmc_qs8_dwconv_pairs says where */
    size_t pixels;             /* of a row */
    size_t kernel_h, kernel_w; /* all these >= 1 */
    size_t stride, dilation;   /* along the row */
    size_t pad;                /* columns before the row that the first window covers */
    size_t columns;            /* of the input rows */
    size_t channels;           /* of all panels */
    size_t begin, end;         /* whole panels */
    size_t first, last;        /* rows of the window that lie on the image, of both windows together */
    const int8_t *a;           /* window row `first`, column 0, channel 0; any row if there is none */
    ptrdiff_t row_step;        /* bytes from one row of the window to the next */
    size_t a_pitch, c_pitch;   /* bytes from one pixel to the next, >= channels */
    const void *w;             /* all panels; multiple of 4 */
    int8_t *c[2];              /* first pixel, channel 0 */
    float lo, hi;              /* integers, less the zero point: within -128 - zero_point .. 127 - zero_point */
    int32_t zero_point;
    int8_t padding;
} tmc_qs8_dwconv_args;

typedef void (*tmc_qs8_dwconv_fn)(const tmc_qs8_dwconv_args *args);

typedef struct tmc_qs8_dwconv_kernel {
    tmc_qs8_dwconv_fn fn;
    const char *name; /* symbol without "tmc_" and the level at the end */
    tmc_isa isa;
} tmc_qs8_dwconv_kernel;

/* Windows that kernels walk along the row, each input column once; any other is gathered tap by tap. */
static inline bool tmc_qs8_dwconv_walks(size_t kernel_h, size_t kernel_w, size_t stride, size_t dilation,
                                        size_t channels) {
    const bool small = kernel_w == 3 && kernel_h <= 4, large = kernel_w == 5 && kernel_h > 4 && kernel_h <= 8;
    return (small || large) && stride <= 2 && dilation == 1 && channels >= 16;
}

/* Two output rows at once: the second window lies one row below the first, for which a group of four has room. */
static inline bool tmc_qs8_dwconv_pairs(size_t kernel_h, size_t kernel_w, size_t stride, size_t dilation,
                                        size_t channels) {
    return tmc_qs8_dwconv_walks(kernel_h, kernel_w, stride, dilation, channels) && stride == 1 && kernel_h % 4 != 0;
}

/* For a level that this CPU has and those of its features (base/features.h) that may be used. */
void tmc_qs8_dwconv_select(tmc_isa isa, uint32_t features, tmc_qs8_dwconv_kernel *kernel);

#endif
