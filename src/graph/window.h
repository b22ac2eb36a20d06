/* Windows of convolutions and pools along one axis: the checks and sizes that both families share. */
#ifndef TMC_GRAPH_WINDOW_H
#define TMC_GRAPH_WINDOW_H

#include <stdbool.h>

#include "base/error.h"
#include "graph/op.h"
#include "graph/tensor.h"

/* The numbers of one axis, as the parameters have them. */
typedef struct tmc_window {
    int32_t in, kernel, stride, dilation, pad_begin, pad_end;
} tmc_window;

/* Axis `axis` (0 D, 1 H, 2 W) of parameters; `in` is the tensor's dim, or 1 for an axis that it has not. */
tmc_window tmc_conv_window(const tmc_conv_params *params, int axis, int32_t in);
tmc_window tmc_pool_window(const tmc_pool_params *params, int axis, int32_t in);

/* Dim of a channels-last tensor for axis 0 D, 1 H, 2 W; 1 where the tensor has no such axis. */
static inline int32_t tmc_spatial_dim(const tmc_tensor_desc *x, int32_t spatial, int axis) {
    return axis < 3 - spatial ? 1 : x->dims[1 + axis - (3 - spatial)];
}

/* From first to last tap: (kernel - 1) * dilation + 1, which fits after tmc_window_check. */
static inline int64_t tmc_window_extent(const tmc_window *w) { return (int64_t)(w->kernel - 1) * w->dilation + 1; }

/* `x` is [N, spatial axes, C] with 1 to 3 spatial axes. Errors: E_RANGE (spatial), E_SHAPE, E_DTYPE. */
tmc_status tmc_spatial_check(const tmc_tensor_desc *x, int32_t spatial, tmc_error *err);

/* kernel, stride, dilation at least 1, pads not negative, extent and padded input below 2^31; an axis that the tensor
 * has not (`used` false) must have the neutral values. Errors: E_SHAPE (kernel), E_RANGE, E_LIMIT. */
tmc_status tmc_window_check(const tmc_window *w, bool used, tmc_error *err);

/* Number of window positions of a checked window. E_SHAPE if the window is larger than the padded input. */
tmc_status tmc_window_outputs(const tmc_window *w, bool round_up, int32_t *out, tmc_error *err);

/* lo <= hi, no NaN. E_RANGE. */
tmc_status tmc_act_check(const tmc_act_params *act, tmc_error *err);

/* The types, layout, scales and bias (NULL: none) that weights have beside activations `x`: all f32, or all i8 with an
 * i32 bias. Errors: E_DTYPE, E_UNSUPPORTED, E_QUANT, E_GRAPH, E_SHAPE. */
tmc_status tmc_weights_check(const tmc_tensor_desc *x, const tmc_tensor_desc *w, const tmc_tensor_desc *bias,
                             int32_t channels, tmc_error *err);

/* E_DTYPE unless the input is f32, or is f32 or i8. `name` is the input's in messages. */
tmc_status tmc_require_f32_or_i8(const tmc_tensor_desc *desc, const char *name, tmc_error *err);
tmc_status tmc_require_f32(const tmc_tensor_desc *desc, const char *name, tmc_error *err);

#endif
