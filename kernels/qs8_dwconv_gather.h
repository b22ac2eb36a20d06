/* What the vector kernels of qs8_dwconv have in common for windows that they do not walk. */
#ifndef TMC_KERNELS_QS8_DWCONV_GATHER_H
#define TMC_KERNELS_QS8_DWCONV_GATHER_H

#include "format/packing.h"
#include "kernels/qs8_dwconv_list.h"

/* A pixel: its channels [i, i + count) are those of panel n. */
typedef struct tmc_qs8_dwconv_pixel {
    const tmc_qs8_dwconv_args *args;
    size_t n, i, count;
    ptrdiff_t column; /* of the first tap */
    int8_t padding[TMC_DEPTHWISE_WIDTH];
} tmc_qs8_dwconv_pixel;

typedef void (*tmc_qs8_dwconv_pixel_fn)(const tmc_qs8_dwconv_pixel *pixel, int8_t out[TMC_DEPTHWISE_WIDTH]);

/* Computes pixel by pixel. */
void tmc_qs8_dwconv_gather(const tmc_qs8_dwconv_args *args, tmc_qs8_dwconv_pixel_fn compute);

/* Taps y .. y + 3 of column x of a pixel's window, `count` channels of each. */
void tmc_qs8_dwconv_taps(const tmc_qs8_dwconv_pixel *pixel, size_t y, size_t x, int8_t taps[4][TMC_DEPTHWISE_WIDTH]);

#endif
