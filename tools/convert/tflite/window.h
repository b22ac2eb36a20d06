/* Windows of convolutions and pools, height and width, by TFLite's padding rule. */
#ifndef TMC_CONVERT_TFLITE_WINDOW_H
#define TMC_CONVERT_TFLITE_WINDOW_H

#include "convert/tflite/lower.h"

typedef struct tflite_window {
    int32_t kernel[2], stride[2], dilation[2], pad_begin[2], pad_end[2]; /* height, width */
} tflite_window;

/* Padding by the option in `slot`: VALID pads nothing; SAME gives ceil(in / stride) outputs and puts the odd pixel
 * behind. `x` is [N,H,W,C]; kernel, stride and dilation are set. Errors: E_RANGE (numbers below 1), E_SHAPE,
 * E_UNSUPPORTED (padding). */
tmc_status tflite_window_pads(tflite_lower *lw, uint32_t slot, const tmc_tensor_desc *x, tflite_window *window);

/* What SAME adds along one axis. */
int64_t tflite_same_total(int64_t in, int64_t kernel, int64_t stride, int64_t dilation);

tmc_status tflite_require_rank4(tflite_lower *lw, const char *what, const tmc_tensor_desc *desc); /* E_SHAPE */

/* A slot pair of the parameters for depth, height and width. */
static inline void tflite_window_store(const int32_t from[2], int32_t depth, int32_t to[3]) {
    to[0] = depth;
    to[1] = from[0];
    to[2] = from[1];
}

#endif
