/* Operators that only relabel or repeat: reshape and its relatives, transpose, expand, tile, blocks. */
#include <string.h>

#include "convert/onnx/lower.h"

/* ------------------------------------------------------------------------------------------------------ reshape */

/* A value that was computed from a shape should follow another input shape, so it becomes "copy the input's axis" where
 * it equals that axis, and "what remains" where it is the only other one. A literal stays a literal. Whether the guess
 * holds is checked by a second import at another shape (onnx_import.c). */
static tmc_status reshape_target(onnx_lower *lw, const tmc_tensor_desc *x, const onnx_ints *target, bool allow_zero,
                                 int32_t *dims) {
    uint32_t inferred = 0, pending = 0, last_pending = 0;
    if (target->count > TMC_MAX_RANK)
        return onnx_refuse(lw, "shape", "rank %u is over %d", target->count, TMC_MAX_RANK);
    for (uint32_t i = 0; i < target->count; i++) {
        int64_t value = target->values[i];
        bool has_axis = (int32_t)i < x->rank;
        if (value < -1) return tmc_fail_field(lw->err, TMC_E_RANGE, "shape", "dimension %lld", (long long)value);
        if (value == 0 && allow_zero)
            return onnx_refuse(lw, "allowzero", "an output without elements is not supported");
        if (value == 0 && !has_axis)
            return tmc_fail_field(lw->err, TMC_E_SHAPE, "shape", "dimension %u copies an axis that is not there", i);
        TMC_TRY(onnx_to_i32(lw, "shape", value, &dims[i]));
        inferred += value == -1;
        if (value < 1 || !(target->derived >> i & 1)) continue;
        if (has_axis && value == x->dims[i])
            dims[i] = 0;
        else
            pending++, last_pending = i;
    }
    if (inferred > 1) return tmc_fail_field(lw->err, TMC_E_SHAPE, "shape", "more than one dimension of -1");
    if (pending == 1 && !inferred) dims[last_pending] = -1;
    return TMC_OK;
}

tmc_status onnx_lower_reshape(onnx_lower *lw) {
    ir_id x, y;
    onnx_ints target;
    bool allow_zero;
    int32_t dims[TMC_MAX_RANK];
    TMC_TRY(onnx_expect_inputs(lw, 2, 2));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_input_ints(lw, 1, "shape", &target));
    TMC_TRY(onnx_attr_bool(lw, "allowzero", false, &allow_zero));
    const tmc_tensor_desc desc = *onnx_desc(lw, x);
    TMC_TRY(reshape_target(lw, &desc, &target, allow_zero, dims));
    TMC_TRY(onnx_reshape(lw, x, (int32_t)target.count, dims, &y));
    onnx_set_output(lw, 0, y);
    return TMC_OK;
}

tmc_status onnx_lower_flatten(onnx_lower *lw) {
    ir_id x, y;
    int64_t axis;
    TMC_TRY(onnx_expect_inputs(lw, 1, 1));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_attr_int(lw, "axis", 1, &axis));
    const tmc_tensor_desc desc = *onnx_desc(lw, x);
    if (axis < -desc.rank || axis > desc.rank)
        return tmc_fail_field(lw->err, TMC_E_RANGE, "axis", "axis %lld of rank %d", (long long)axis, desc.rank);
    if (axis < 0) axis += desc.rank;
    int32_t dims[2] = {axis == 0 ? 1 : axis == 1 ? 0 : -1, -1};
    if (axis > 1) dims[1] = (int32_t)tmc_dims_product(desc.dims, (int32_t)axis, desc.rank);
    TMC_TRY(onnx_reshape(lw, x, 2, dims, &y));
    onnx_set_output(lw, 0, y);
    return TMC_OK;
}

tmc_status onnx_lower_squeeze(onnx_lower *lw) {
    ir_id x, y;
    onnx_ints axes;
    int32_t mask, map[TMC_MAX_RANK], count = 0;
    TMC_TRY(onnx_expect_inputs(lw, 1, lw->opset < 13 ? 1 : 2));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_ints_since(lw, "axes", 13, 1, &axes));
    const tmc_tensor_desc desc = *onnx_desc(lw, x);
    TMC_TRY(onnx_axes_mask(lw, &axes, desc.rank, &mask));
    for (int32_t i = 0; i < desc.rank; i++) {
        bool drop = axes.present ? mask >> i & 1 : desc.dims[i] == 1;
        if (drop && desc.dims[i] != 1)
            return tmc_fail_field(lw->err, TMC_E_SHAPE, "axes", "axis %d has %d elements, not 1", i, desc.dims[i]);
        if (!drop) map[count++] = i;
    }
    TMC_TRY(onnx_reshape_axes(lw, x, count, map, &y));
    onnx_set_output(lw, 0, y);
    return TMC_OK;
}

tmc_status onnx_lower_unsqueeze(onnx_lower *lw) {
    ir_id x, y;
    onnx_ints axes;
    int32_t mask, map[TMC_MAX_RANK], next = 0;
    TMC_TRY(onnx_expect_inputs(lw, 1, lw->opset < 13 ? 1 : 2));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_ints_since(lw, "axes", 13, 1, &axes));
    if (!axes.present) return tmc_fail_field(lw->err, TMC_E_FORMAT, "axes", "axes are missing");
    int32_t rank = onnx_desc(lw, x)->rank + (int32_t)axes.count;
    if (rank > TMC_MAX_RANK) return onnx_refuse(lw, "axes", "rank %d is over %d", rank, TMC_MAX_RANK);
    TMC_TRY(onnx_axes_mask(lw, &axes, rank, &mask));
    for (int32_t i = 0; i < rank; i++) map[i] = mask >> i & 1 ? -1 : next++;
    TMC_TRY(onnx_reshape_axes(lw, x, rank, map, &y));
    onnx_set_output(lw, 0, y);
    return TMC_OK;
}

/* --------------------------------------------------------------------------------------------- expand and tile */

tmc_status onnx_lower_expand(onnx_lower *lw) {
    ir_id x, y;
    onnx_ints shape;
    int32_t dims[TMC_MAX_RANK];
    TMC_TRY(onnx_expect_inputs(lw, 2, 2));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_input_ints(lw, 1, "shape", &shape));
    const tmc_tensor_desc desc = *onnx_desc(lw, x);
    int32_t given = (int32_t)shape.count, rank = given > desc.rank ? given : desc.rank;
    if (rank > TMC_MAX_RANK) return onnx_refuse(lw, "shape", "rank %d is over %d", rank, TMC_MAX_RANK);
    for (int32_t i = 0; i < rank; i++) {
        int32_t from_x = i - (rank - desc.rank), from_shape = i - (rank - given);
        dims[i] = 1;
        if (from_shape < 0) continue;
        if (shape.values[from_shape] < 1)
            return onnx_refuse(lw, "shape", "dimension %lld is not supported", (long long)shape.values[from_shape]);
        TMC_TRY(onnx_to_i32(lw, "shape", shape.values[from_shape], &dims[i]));
        if (from_x >= 0 && (shape.derived >> from_shape & 1) && dims[i] == desc.dims[from_x]) dims[i] = 1;
    }
    TMC_TRY(onnx_expand(lw, x, rank, dims, &y));
    onnx_set_output(lw, 0, y);
    return TMC_OK;
}

tmc_status onnx_lower_tile(onnx_lower *lw) {
    ir_id x;
    onnx_ints repeats;
    TMC_TRY(onnx_expect_inputs(lw, 2, 2));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_input_ints(lw, 1, "repeats", &repeats));
    tmc_shape_params params = {.rank = onnx_desc(lw, x)->rank};
    if (repeats.count != (uint32_t)params.rank)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, "repeats", "%u values for rank %d", repeats.count, params.rank);
    for (int32_t i = 0; i < params.rank; i++) {
        if (repeats.values[i] < 1) return onnx_refuse(lw, "repeats", "%lld repeats", (long long)repeats.values[i]);
        TMC_TRY(onnx_to_i32(lw, "repeats", repeats.values[i], &params.dims[i]));
    }
    return onnx_emit_result(lw, TMC_OP_TILE, &params, &x, 1);
}

/* -------------------------------------------------------------------------------------------------------- moves */

tmc_status onnx_lower_transpose(onnx_lower *lw) {
    ir_id x, y;
    onnx_ints perm;
    int32_t axes[TMC_MAX_RANK];
    uint32_t seen = 0;
    TMC_TRY(onnx_expect_inputs(lw, 1, 1));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_attr_ints(lw, "perm", &perm));
    int32_t rank = onnx_desc(lw, x)->rank;
    if (perm.present && perm.count != (uint32_t)rank)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, "perm", "%u values for rank %d", perm.count, rank);
    for (int32_t i = 0; i < rank; i++) {
        int64_t axis = perm.present ? perm.values[i] : rank - 1 - i;
        if (axis < 0 || axis >= rank || (seen >> axis & 1))
            return tmc_fail_field(lw->err, TMC_E_RANGE, "perm", "axis %lld is out of range or repeated",
                                  (long long)axis);
        seen |= 1u << axis;
        axes[i] = (int32_t)axis;
    }
    TMC_TRY(onnx_transpose(lw, x, axes, &y));
    onnx_set_output(lw, 0, y);
    return TMC_OK;
}

static tmc_status move_blocks(onnx_lower *lw, uint16_t op, int32_t mode) {
    ir_id x, last, y, out;
    int64_t block;
    tmc_block_params params = {.mode = mode};
    TMC_TRY(onnx_expect_inputs(lw, 1, 1));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_attr_int(lw, "blocksize", 0, &block));
    TMC_TRY(onnx_to_i32(lw, "blocksize", block, &params.block));
    if (onnx_desc(lw, x)->rank != 4)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, "input", "rank %d, expected 4", onnx_desc(lw, x)->rank);
    TMC_TRY(onnx_to_channels_last(lw, x, &last));
    TMC_TRY(onnx_emit(lw, op, &params, &last, 1, &y));
    TMC_TRY(onnx_to_channels_first(lw, y, &out));
    onnx_set_output(lw, 0, out);
    return TMC_OK;
}

tmc_status onnx_lower_depth_to_space(onnx_lower *lw) {
    static const char *const modes[] = {[TMC_BLOCK_DCR] = "DCR", [TMC_BLOCK_CRD] = "CRD", NULL};
    int32_t mode;
    TMC_TRY(onnx_attr_choice(lw, "mode", modes, TMC_BLOCK_DCR, &mode));
    return move_blocks(lw, TMC_OP_DEPTH_TO_SPACE, mode);
}

tmc_status onnx_lower_space_to_depth(onnx_lower *lw) { return move_blocks(lw, TMC_OP_SPACE_TO_DEPTH, 0); }
