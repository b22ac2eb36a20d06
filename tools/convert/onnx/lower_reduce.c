/* Reductions, arg-max and arg-min, softmax. */
#include "convert/onnx/lower.h"

tmc_status onnx_lower_reduce(onnx_lower *lw) {
    ir_id x, y;
    onnx_ints axes;
    bool keep_dims, noop;
    int32_t mask;
    int64_t as_input = lw->arg == TMC_REDUCE_SUM ? 13 : 18;
    TMC_TRY(onnx_expect_inputs(lw, 1, lw->opset < as_input ? 1 : 2));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_ints_since(lw, "axes", as_input, 1, &axes));
    TMC_TRY(onnx_attr_bool(lw, "keepdims", true, &keep_dims));
    TMC_TRY(onnx_attr_bool(lw, "noop_with_empty_axes", false, &noop));
    int32_t rank = onnx_desc(lw, x)->rank;
    TMC_TRY(onnx_axes_mask(lw, &axes, rank, &mask));
    if (axes.count == 0 && !noop) mask = onnx_all_axes(rank);
    TMC_TRY(onnx_reduce(lw, (tmc_reduce_kind)lw->arg, x, mask, keep_dims, &y));
    onnx_set_output(lw, 0, y);
    return TMC_OK;
}

tmc_status onnx_lower_arg(onnx_lower *lw) {
    ir_id x;
    int64_t axis;
    bool keep_dims, last;
    tmc_arg_params params;
    TMC_TRY(onnx_expect_inputs(lw, 1, 1));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_attr_int(lw, "axis", 0, &axis));
    TMC_TRY(onnx_attr_bool(lw, "keepdims", true, &keep_dims));
    TMC_TRY(onnx_attr_bool(lw, "select_last_index", false, &last));
    TMC_TRY(onnx_axis(lw, axis, onnx_desc(lw, x)->rank, &params.axis));
    params.keep_dims = keep_dims;
    params.select_last = last;
    return onnx_emit_result(lw, (uint16_t)lw->arg, &params, &x, 1);
}

/* Before opset 13 all axes from `axis` on are one: [outer, inner], softmax, and back. */
static tmc_status flattened_softmax(onnx_lower *lw, ir_id x, int32_t axis, tmc_softmax_params params) {
    const tmc_tensor_desc desc = *onnx_desc(lw, x);
    int32_t flat[2] = {axis == 0 ? 1 : axis == 1 ? 0 : -1, axis < 2 ? -1 : 0}, back[TMC_MAX_RANK];
    ir_id y;
    if (axis > 1) flat[1] = (int32_t)tmc_dims_product(desc.dims, axis, desc.rank);
    for (int32_t i = 0; i < desc.rank; i++) back[i] = desc.dims[i];
    back[0] = axis == 1 ? 0 : -1; /* what a batch of another size changes */
    params.axis = 1;
    TMC_TRY(onnx_reshape(lw, x, 2, flat, &x));
    TMC_TRY(onnx_emit(lw, TMC_OP_SOFTMAX, &params, &x, 1, &y));
    TMC_TRY(onnx_reshape(lw, y, desc.rank, back, &y));
    onnx_set_output(lw, 0, y);
    return TMC_OK;
}

tmc_status onnx_lower_softmax(onnx_lower *lw) {
    ir_id x;
    int64_t axis;
    tmc_softmax_params params = {.log = lw->arg};
    TMC_TRY(onnx_expect_inputs(lw, 1, 1));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_attr_int(lw, "axis", lw->opset < 13 ? 1 : -1, &axis));
    const tmc_tensor_desc *desc = onnx_desc(lw, x);
    TMC_TRY(onnx_axis(lw, axis, desc->rank, &params.axis));
    if (lw->opset < 13 && tmc_dims_product(desc->dims, params.axis + 1, desc->rank) != 1)
        return flattened_softmax(lw, x, params.axis, params);
    return onnx_emit_result(lw, TMC_OP_SOFTMAX, &params, &x, 1);
}
