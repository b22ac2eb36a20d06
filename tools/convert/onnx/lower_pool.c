/* Pooling over windows and over all positions. */
#include <string.h>

#include "convert/onnx/window.h"

/* To channels-last, the pool, and back. */
static tmc_status emit_pool(onnx_lower *lw, uint16_t op, const tmc_pool_params *params, ir_id x) {
    ir_id last, y, out;
    TMC_TRY(onnx_to_channels_last(lw, x, &last));
    TMC_TRY(onnx_emit(lw, op, params, &last, 1, &y));
    TMC_TRY(onnx_to_channels_first(lw, y, &out));
    onnx_set_output(lw, 0, out);
    return TMC_OK;
}

static tmc_status read_pool(onnx_lower *lw, ir_id *x, tmc_pool_params *params) {
    onnx_window window;
    int32_t auto_pad;
    bool ceil_mode;
    TMC_TRY(onnx_expect_inputs(lw, 1, 1));
    TMC_TRY(onnx_input(lw, 0, x));
    const tmc_tensor_desc desc = *onnx_desc(lw, *x);
    TMC_TRY(onnx_window_read(lw, &desc, NULL, &window));
    TMC_TRY(onnx_window_read_pads(lw, &window, &auto_pad));
    TMC_TRY(onnx_window_same_pads(lw, &window, &desc, auto_pad));
    TMC_TRY(onnx_attr_bool(lw, "ceil_mode", false, &ceil_mode));
    memset(params, 0, sizeof *params);
    params->spatial = window.spatial;
    memcpy(params->kernel, window.kernel, sizeof params->kernel);
    memcpy(params->stride, window.stride, sizeof params->stride);
    memcpy(params->dilation, window.dilation, sizeof params->dilation);
    memcpy(params->pad_begin, window.pad_begin, sizeof params->pad_begin);
    memcpy(params->pad_end, window.pad_end, sizeof params->pad_end);
    params->ceil_mode = ceil_mode && !window.automatic;
    return TMC_OK;
}

tmc_status onnx_lower_max_pool(onnx_lower *lw) {
    tmc_pool_params params;
    ir_id x;
    TMC_TRY(read_pool(lw, &x, &params));
    onnx_ignore_attr(lw, "storage_order"); /* of the indices only, and those are refused where they are read */
    return emit_pool(lw, TMC_OP_MAX_POOL, &params, x);
}

tmc_status onnx_lower_average_pool(onnx_lower *lw) {
    tmc_pool_params params;
    bool include;
    ir_id x;
    TMC_TRY(read_pool(lw, &x, &params));
    TMC_TRY(onnx_attr_bool(lw, "count_include_pad", false, &include));
    params.count_include_pad = include;
    return emit_pool(lw, TMC_OP_AVERAGE_POOL, &params, x);
}

static tmc_status refuse_norm(onnx_lower *lw, int64_t p) {
    return onnx_refuse(lw, "p", "p=%lld: only 1 and 2 are supported", (long long)p);
}

tmc_status onnx_lower_lp_pool(onnx_lower *lw) {
    tmc_pool_params params;
    int64_t p;
    ir_id x;
    TMC_TRY(read_pool(lw, &x, &params));
    TMC_TRY(onnx_attr_int(lw, "p", 2, &p));
    if (p != 1 && p != 2) return refuse_norm(lw, p);
    params.p = (int32_t)p;
    return emit_pool(lw, TMC_OP_LP_POOL, &params, x);
}

/* A reduction follows any input size, where a pool's window would be fixed at conversion. */
static tmc_status reduce_positions(onnx_lower *lw, ir_id x, tmc_reduce_kind kind) {
    int32_t rank = onnx_desc(lw, x)->rank;
    ir_id last, y, out;
    if (rank < 3) return onnx_refuse(lw, "input", "rank %d has no spatial axes", rank);
    TMC_TRY(onnx_to_channels_last(lw, x, &last));
    TMC_TRY(onnx_reduce(lw, kind, last, onnx_all_axes(rank - 1) & ~1, true, &y));
    TMC_TRY(onnx_to_channels_first(lw, y, &out));
    onnx_set_output(lw, 0, out);
    return TMC_OK;
}

tmc_status onnx_lower_global_pool(onnx_lower *lw) {
    ir_id x;
    TMC_TRY(onnx_expect_inputs(lw, 1, 1));
    TMC_TRY(onnx_input(lw, 0, &x));
    return reduce_positions(lw, x, (tmc_reduce_kind)lw->arg);
}

tmc_status onnx_lower_global_lp_pool(onnx_lower *lw) {
    int64_t p;
    ir_id x;
    TMC_TRY(onnx_expect_inputs(lw, 1, 1));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_attr_int(lw, "p", 2, &p));
    if (p == 1) return reduce_positions(lw, x, TMC_REDUCE_L1);
    if (p == 2) return reduce_positions(lw, x, TMC_REDUCE_L2);
    return refuse_norm(lw, p);
}
