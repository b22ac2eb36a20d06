/* MAX_POOL_2D and AVERAGE_POOL_2D: padding never takes part, in ours neither. */
#include <math.h>

#include "convert/tflite/window.h"

static tmc_status lower_pool(tflite_lower *lw, uint16_t op) {
    ir_id x, y;
    tflite_window window = {.dilation = {1, 1}};
    tmc_act_params act;
    tmc_pool_params params = {.spatial = 2};
    TMC_TRY(tflite_expect(lw, 1, 1, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    const tmc_tensor_desc desc = *tflite_desc(lw, x);
    TMC_TRY(tflite_require_rank4(lw, "input", &desc));
    TMC_TRY(tflite_opt_i32(lw, POOL_FILTER_H, 0, &window.kernel[0]));
    TMC_TRY(tflite_opt_i32(lw, POOL_FILTER_W, 0, &window.kernel[1]));
    TMC_TRY(tflite_opt_i32(lw, POOL_STRIDE_H, 0, &window.stride[0]));
    TMC_TRY(tflite_opt_i32(lw, POOL_STRIDE_W, 0, &window.stride[1]));
    TMC_TRY(tflite_opt_activation(lw, POOL_ACTIVATION, &act));
    TMC_TRY(tflite_window_pads(lw, POOL_PADDING, &desc, &window));
    tflite_window_store(window.kernel, 1, params.kernel);
    tflite_window_store(window.stride, 1, params.stride);
    tflite_window_store(window.dilation, 1, params.dilation);
    tflite_window_store(window.pad_begin, 0, params.pad_begin);
    tflite_window_store(window.pad_end, 0, params.pad_end);
    TMC_TRY(emit_node(&lw->e, op, &params, &x, 1, &y));
    if (!isinf(act.lo)) TMC_TRY(emit_unary(&lw->e, TMC_UNARY_CLAMP, act.lo, act.hi, y, &y));
    return tflite_set_output(lw, 0, y);
}

tmc_status tflite_lower_max_pool(tflite_lower *lw) { return lower_pool(lw, TMC_OP_MAX_POOL); }

tmc_status tflite_lower_average_pool(tflite_lower *lw) { return lower_pool(lw, TMC_OP_AVERAGE_POOL); }
