/* Kernel, strides, dilations and padding of the sliding-window operators, from ONNX attributes to D, H, W triples. */
#ifndef TMC_CONVERT_ONNX_WINDOW_H
#define TMC_CONVERT_ONNX_WINDOW_H

#include "convert/onnx/lower.h"

typedef struct onnx_window {
    int32_t spatial;
    int32_t kernel[3], stride[3], dilation[3], pad_begin[3], pad_end[3]; /* right-aligned; unused: 1, 1, 1, 0, 0 */
    bool automatic; /* auto_pad sets the padding, which then reaches the last input exactly */
} onnx_window;

enum { ONNX_AUTO_PAD_NOTSET, ONNX_AUTO_PAD_SAME_UPPER, ONNX_AUTO_PAD_SAME_LOWER, ONNX_AUTO_PAD_VALID };

/* First slot of the triples that is used. */
static inline int32_t onnx_window_first(const onnx_window *window) { return 3 - window->spatial; }

/* Reads kernel_shape, strides and dilations. `x` is [N, C, ...]; `weight_kernel` (spatial values) is the kernel of a
 * weight tensor, against which kernel_shape is checked, or NULL where kernel_shape is mandatory. Errors: E_UNSUPPORTED
 * (rank), E_FORMAT (kernel_shape missing), E_SHAPE, E_RANGE. */
tmc_status onnx_window_read(onnx_lower *lw, const tmc_tensor_desc *x, const int32_t *weight_kernel,
                            onnx_window *window);

/* auto_pad, and pads if it is NOTSET; both together are E_FORMAT. */
tmc_status onnx_window_read_pads(onnx_lower *lw, onnx_window *window, int32_t *auto_pad);

/* Padding of SAME_* so that the output is ceil(input / stride). `x` is [N, C, ...]. */
tmc_status onnx_window_same_pads(onnx_lower *lw, onnx_window *window, const tmc_tensor_desc *x, int32_t auto_pad);

#endif
