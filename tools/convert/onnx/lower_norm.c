/* Normalisation: batch (as it is at inference), instance, group, layer and local response. */
#include <math.h>
#include <stdlib.h>

#include "convert/memory.h"
#include "convert/onnx/lower.h"

/* To channels-last, the node with its per-channel operands, and back. */
static tmc_status emit_per_channel(onnx_lower *lw, uint16_t op, const void *params, ir_id x, ir_id scale, ir_id shift) {
    ir_id last, y, out;
    TMC_TRY(onnx_to_channels_last(lw, x, &last));
    ir_id inputs[3] = {last, scale, shift};
    TMC_TRY(onnx_emit(lw, op, params, inputs, 3, &y));
    TMC_TRY(onnx_to_channels_first(lw, y, &out));
    onnx_set_output(lw, 0, out);
    return TMC_OK;
}

static tmc_status check_channels(onnx_lower *lw, const char *what, ir_id id, int32_t channels) {
    const tmc_tensor_desc *desc = onnx_desc(lw, id);
    if (desc->dtype != TMC_F32) return onnx_refuse(lw, what, "type %s, expected f32", tmc_dtype_name(desc->dtype));
    if (desc->rank == 1 && desc->dims[0] == channels) return TMC_OK;
    return tmc_fail_field(lw->err, TMC_E_SHAPE, what, "'%s' is not a list of %d values", what, channels);
}

/* -------------------------------------------------------------------------------------------------------- batch */

enum { BN_X, BN_SCALE, BN_SHIFT, BN_MEAN, BN_VARIANCE, BN_INPUTS };

/* Folded in double, rounded once: the constants are as good as float can hold. */
static void fold_batch_norm(onnx_lower *lw, const float *const p[BN_INPUTS], int32_t channels, float epsilon,
                            ir_id *scale, ir_id *shift) {
    float *a = x_alloc_array((size_t)channels, sizeof *a), *b = x_alloc_array((size_t)channels, sizeof *b);
    for (int32_t c = 0; c < channels; c++) {
        double factor = p[BN_SCALE][c] / sqrt((double)p[BN_VARIANCE][c] + epsilon);
        a[c] = (float)factor;
        b[c] = (float)(p[BN_SHIFT][c] - p[BN_MEAN][c] * factor);
    }
    *scale = onnx_vector(lw, a, channels);
    *shift = onnx_vector(lw, b, channels);
    free(a);
    free(b);
}

static tmc_status compute_batch_norm(onnx_lower *lw, const ir_id *in, float epsilon, ir_id *scale, ir_id *shift) {
    ir_id t;
    TMC_TRY(onnx_binary(lw, TMC_BINARY_ADD, in[BN_VARIANCE], onnx_float(lw, epsilon), &t));
    TMC_TRY(onnx_unary(lw, TMC_UNARY_SQRT, 0, 0, t, &t));
    TMC_TRY(onnx_binary(lw, TMC_BINARY_DIV, in[BN_SCALE], t, scale));
    TMC_TRY(onnx_binary(lw, TMC_BINARY_MUL, in[BN_MEAN], *scale, &t));
    return onnx_binary(lw, TMC_BINARY_SUB, in[BN_SHIFT], t, shift);
}

tmc_status onnx_lower_batch_norm(onnx_lower *lw) {
    static const char *const names[BN_INPUTS] = {"X", "scale", "B", "mean", "var"};
    ir_id in[BN_INPUTS], scale, shift;
    const float *values[BN_INPUTS];
    bool training, spatial, constant = true;
    float epsilon;
    TMC_TRY(onnx_expect_inputs(lw, BN_INPUTS, BN_INPUTS));
    TMC_TRY(onnx_attr_float(lw, "epsilon", 1e-5f, &epsilon));
    TMC_TRY(onnx_attr_bool(lw, "training_mode", false, &training));
    TMC_TRY(onnx_attr_bool(lw, "spatial", true, &spatial));
    onnx_ignore_attr(lw, "momentum");
    if (training) return onnx_refuse(lw, "training_mode", "training_mode=1: export the model for inference");
    if (!spatial) return onnx_refuse(lw, "spatial", "spatial=0 is not supported");
    for (int i = 0; i < BN_INPUTS; i++) TMC_TRY(onnx_input(lw, (size_t)i, &in[i]));
    const tmc_tensor_desc desc = *onnx_desc(lw, in[BN_X]);
    if (desc.rank < 2) return onnx_refuse(lw, "X", "rank %d has no channel axis", desc.rank);
    for (int i = BN_SCALE; i < BN_INPUTS; i++) {
        TMC_TRY(check_channels(lw, names[i], in[i], desc.dims[1]));
        values[i] = onnx_constant_floats(lw, in[i]);
        constant = constant && values[i];
    }
    if (constant)
        fold_batch_norm(lw, values, desc.dims[1], epsilon, &scale, &shift);
    else
        TMC_TRY(compute_batch_norm(lw, in, epsilon, &scale, &shift));
    tmc_act_params params = onnx_no_activation();
    return emit_per_channel(lw, TMC_OP_SCALE_SHIFT, &params, in[BN_X], scale, shift);
}

/* --------------------------------------------------------------------------------------------- instance and group */

static tmc_status read_scaled(onnx_lower *lw, ir_id *x, ir_id *scale, ir_id *shift, float *epsilon) {
    TMC_TRY(onnx_expect_inputs(lw, 3, 3));
    TMC_TRY(onnx_input(lw, 0, x));
    TMC_TRY(onnx_input(lw, 1, scale));
    TMC_TRY(onnx_input(lw, 2, shift));
    TMC_TRY(onnx_attr_float(lw, "epsilon", 1e-5f, epsilon));
    if (onnx_desc(lw, *x)->rank < 3)
        return onnx_refuse(lw, "X", "rank %d has no spatial axes", onnx_desc(lw, *x)->rank);
    return TMC_OK;
}

tmc_status onnx_lower_instance_norm(onnx_lower *lw) {
    ir_id x, scale, shift;
    tmc_norm_params params = {0};
    TMC_TRY(read_scaled(lw, &x, &scale, &shift, &params.epsilon));
    params.groups = onnx_desc(lw, x)->dims[1];
    TMC_TRY(check_channels(lw, "scale", scale, params.groups));
    TMC_TRY(check_channels(lw, "B", shift, params.groups));
    return emit_per_channel(lw, TMC_OP_GROUP_NORM, &params, x, scale, shift);
}

/* One value per group, as opset 18 has it, to one per channel. */
static tmc_status per_channel(onnx_lower *lw, const char *what, ir_id id, int32_t groups, int32_t channels,
                              ir_id *out) {
    int32_t column[2] = {groups, 1}, grid[2] = {groups, channels / groups};
    *out = id;
    if (lw->opset >= 21) return check_channels(lw, what, id, channels);
    TMC_TRY(check_channels(lw, what, id, groups));
    if (groups == channels) return TMC_OK;
    TMC_TRY(onnx_reshape(lw, id, 2, column, out));
    TMC_TRY(onnx_expand(lw, *out, 2, grid, out));
    return onnx_reshape(lw, *out, 1, &channels, out);
}

/* The type of the intermediate sums; float is what we compute in. */
static tmc_status check_stash_type(onnx_lower *lw) {
    int64_t type;
    TMC_TRY(onnx_attr_int(lw, "stash_type", 1, &type));
    return type == 1 ? TMC_OK : onnx_refuse(lw, "stash_type", "stash_type=%lld is not supported", (long long)type);
}

tmc_status onnx_lower_group_norm(onnx_lower *lw) {
    ir_id x, scale, shift;
    int64_t groups;
    tmc_norm_params params = {0};
    TMC_TRY(read_scaled(lw, &x, &scale, &shift, &params.epsilon));
    TMC_TRY(check_stash_type(lw));
    TMC_TRY(onnx_attr_int(lw, "num_groups", 0, &groups));
    int32_t channels = onnx_desc(lw, x)->dims[1];
    if (groups < 1 || groups > channels || channels % groups)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, "num_groups", "%lld groups of %d channels", (long long)groups,
                              channels);
    params.groups = (int32_t)groups;
    TMC_TRY(per_channel(lw, "scale", scale, params.groups, channels, &scale));
    TMC_TRY(per_channel(lw, "bias", shift, params.groups, channels, &shift));
    return emit_per_channel(lw, TMC_OP_GROUP_NORM, &params, x, scale, shift);
}

/* -------------------------------------------------------------------------------------------------------- layer */

/* Scale or shift to the full shape of the normalised axes, as the operator wants it. */
static tmc_status normalised_shape(onnx_lower *lw, ir_id id, const tmc_tensor_desc *x, int32_t axis, ir_id *out) {
    int32_t rank = x->rank - axis, dims[TMC_MAX_RANK];
    const tmc_tensor_desc desc = *onnx_desc(lw, id);
    bool same = desc.rank == rank;
    for (int32_t i = 0; i < rank; i++) {
        dims[i] = x->dims[axis + i];
        same = same && desc.dims[i] == dims[i];
    }
    *out = id;
    if (same) return TMC_OK;
    if (desc.rank > rank) return onnx_refuse(lw, "Scale", "rank %d for %d normalised axes", desc.rank, rank);
    return onnx_expand(lw, id, rank, dims, out);
}

/* The optional outputs Mean and InvStdDev. */
static tmc_status layer_statistics(onnx_lower *lw, ir_id x, int32_t axes, float epsilon) {
    ir_id mean, t;
    if (!onnx_wants_output(lw, 1) && !onnx_wants_output(lw, 2)) return TMC_OK;
    TMC_TRY(onnx_reduce(lw, TMC_REDUCE_MEAN, x, axes, true, &mean));
    onnx_set_output(lw, 1, mean);
    if (!onnx_wants_output(lw, 2)) return TMC_OK;
    TMC_TRY(onnx_binary(lw, TMC_BINARY_SUB, x, mean, &t));
    TMC_TRY(onnx_binary(lw, TMC_BINARY_MUL, t, t, &t));
    TMC_TRY(onnx_reduce(lw, TMC_REDUCE_MEAN, t, axes, true, &t));
    TMC_TRY(onnx_binary(lw, TMC_BINARY_ADD, t, onnx_float(lw, epsilon), &t));
    TMC_TRY(onnx_unary(lw, TMC_UNARY_SQRT, 0, 0, t, &t));
    TMC_TRY(onnx_unary(lw, TMC_UNARY_RECIPROCAL, 0, 0, t, &t));
    onnx_set_output(lw, 2, t);
    return TMC_OK;
}

tmc_status onnx_lower_layer_norm(onnx_lower *lw) {
    ir_id x, scale, shift;
    int64_t axis;
    tmc_norm_params params = {0};
    TMC_TRY(onnx_expect_inputs(lw, 2, 3));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_input(lw, 1, &scale));
    TMC_TRY(onnx_optional_input(lw, 2, &shift));
    TMC_TRY(onnx_attr_int(lw, "axis", -1, &axis));
    TMC_TRY(onnx_attr_float(lw, "epsilon", 1e-5f, &params.epsilon));
    TMC_TRY(check_stash_type(lw));
    const tmc_tensor_desc desc = *onnx_desc(lw, x);
    TMC_TRY(onnx_axis(lw, axis, desc.rank, &params.axis));
    TMC_TRY(normalised_shape(lw, scale, &desc, params.axis, &scale));
    if (shift != IR_NONE) TMC_TRY(normalised_shape(lw, shift, &desc, params.axis, &shift));
    ir_id inputs[3] = {x, scale, shift};
    TMC_TRY(onnx_emit_result(lw, TMC_OP_LAYER_NORM, &params, inputs, shift == IR_NONE ? 2 : 3));
    int32_t axes = onnx_all_axes(desc.rank) & ~onnx_all_axes(params.axis);
    return layer_statistics(lw, x, axes, params.epsilon);
}

/* ---------------------------------------------------------------------------------------------------------- lrn */

tmc_status onnx_lower_lrn(onnx_lower *lw) {
    ir_id x, last, y, out;
    int64_t size;
    tmc_lrn_params params;
    TMC_TRY(onnx_expect_inputs(lw, 1, 1));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_attr_int(lw, "size", 0, &size));
    TMC_TRY(onnx_to_i32(lw, "size", size, &params.size));
    TMC_TRY(onnx_attr_float(lw, "alpha", 1e-4f, &params.alpha));
    TMC_TRY(onnx_attr_float(lw, "beta", 0.75f, &params.beta));
    TMC_TRY(onnx_attr_float(lw, "bias", 1, &params.bias));
    TMC_TRY(onnx_to_channels_last(lw, x, &last));
    TMC_TRY(onnx_emit(lw, TMC_OP_LRN, &params, &last, 1, &y));
    TMC_TRY(onnx_to_channels_first(lw, y, &out));
    onnx_set_output(lw, 0, out);
    return TMC_OK;
}
