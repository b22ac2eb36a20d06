/* Adding nodes and constants to the converter's graph, with a record of what was computed from shapes. */
#include <stdlib.h>
#include <string.h>

#include "convert/memory.h"
#include "convert/onnx/context.h"

static emitter emitter_of(const onnx_lower *lw) {
    return (emitter){.graph = lw->graph, .name = lw->name, .err = lw->err};
}

/* -------------------------------------------------------------------------------- values computed from shapes */

static uint64_t *derived_slot(onnx_context *ctx, ir_id id) {
    if (id >= ctx->derived_capacity) {
        uint32_t old = ctx->derived_capacity;
        ctx->derived = x_grow(ctx->derived, &ctx->derived_capacity, id + 1, sizeof *ctx->derived);
        memset(ctx->derived + old, 0, (ctx->derived_capacity - old) * sizeof *ctx->derived);
    }
    return &ctx->derived[id];
}

void onnx_mark_derived(onnx_lower *lw, ir_id id, uint64_t mask) { *derived_slot(lw->ctx, id) = mask; }

uint64_t onnx_derived(const onnx_lower *lw, ir_id id) { return *derived_slot(lw->ctx, id); }

/* A concatenation of lists keeps track of each value; all else is derived as soon as one input is. */
static uint64_t result_derived(const onnx_lower *lw, uint16_t op, const ir_id *inputs, uint32_t input_count) {
    uint64_t mask = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < input_count; i++) {
        if (inputs[i] == IR_NONE) continue;
        uint64_t derived = onnx_derived(lw, inputs[i]);
        if (op != TMC_OP_CONCAT) {
            if (derived) return UINT64_MAX;
            continue;
        }
        size_t count = tmc_tensor_elements(onnx_desc(lw, inputs[i]));
        if (count < 64) derived &= ((uint64_t)1 << count) - 1;
        if (at < 64) mask |= derived << at;
        at += count;
    }
    return mask;
}

/* -------------------------------------------------------------------------------------------------------- nodes */

tmc_status onnx_emit_outputs(onnx_lower *lw, uint16_t op, const void *params, const ir_id *inputs, uint32_t input_count,
                             ir_id *outputs, uint32_t output_count) {
    const emitter b = emitter_of(lw);
    const uint64_t derived = result_derived(lw, op, inputs, input_count); /* `outputs` may be `inputs` */
    TMC_TRY(emit_nodes(&b, op, params, inputs, input_count, outputs, output_count));
    if (!ir_is_constant(lw->graph, outputs[0])) return TMC_OK;
    for (uint32_t i = 0; i < output_count; i++) onnx_mark_derived(lw, outputs[i], derived);
    return TMC_OK;
}

tmc_status onnx_emit(onnx_lower *lw, uint16_t op, const void *params, const ir_id *inputs, uint32_t input_count,
                     ir_id *out) {
    return onnx_emit_outputs(lw, op, params, inputs, input_count, out, 1);
}

tmc_status onnx_emit_result(onnx_lower *lw, uint16_t op, const void *params, const ir_id *inputs,
                            uint32_t input_count) {
    ir_id out;
    TMC_TRY(onnx_emit(lw, op, params, inputs, input_count, &out));
    onnx_set_output(lw, 0, out);
    return TMC_OK;
}

tmc_status onnx_unary(onnx_lower *lw, tmc_unary_kind kind, float alpha, float beta, ir_id x, ir_id *out) {
    tmc_unary_params params = {kind, alpha, beta};
    return onnx_emit(lw, TMC_OP_UNARY, &params, &x, 1, out);
}

tmc_status onnx_binary(onnx_lower *lw, tmc_binary_kind kind, ir_id a, ir_id b, ir_id *out) {
    tmc_binary_params params = {kind, onnx_no_activation()};
    ir_id inputs[2] = {a, b};
    return onnx_emit(lw, TMC_OP_BINARY, &params, inputs, 2, out);
}

tmc_status onnx_cast(onnx_lower *lw, ir_id x, tmc_dtype dtype, ir_id *out) {
    *out = x;
    if (onnx_desc(lw, x)->dtype == dtype) return TMC_OK;
    tmc_cast_params params = {dtype};
    return onnx_emit(lw, TMC_OP_CAST, &params, &x, 1, out);
}

tmc_status onnx_reduce(onnx_lower *lw, tmc_reduce_kind kind, ir_id x, int32_t axes, bool keep_dims, ir_id *out) {
    tmc_reduce_params params = {kind, axes, keep_dims};
    return onnx_emit(lw, TMC_OP_REDUCE, &params, &x, 1, out);
}

tmc_status onnx_quantize(onnx_lower *lw, ir_id x, const tmc_quantization *quantization, ir_id *out) {
    const emitter b = emitter_of(lw);
    return emit_quantize(&b, x, quantization, out);
}

tmc_status onnx_dequantize(onnx_lower *lw, ir_id x, ir_id *out) {
    const emitter b = emitter_of(lw);
    return emit_dequantize(&b, x, out);
}

/* ---------------------------------------------------------------------------------------------------- constants */

ir_id onnx_constant(onnx_lower *lw, tmc_dtype dtype, int32_t rank, const int32_t *dims, const void *data) {
    const emitter b = emitter_of(lw);
    return emit_constant(&b, dtype, rank, dims, data);
}

ir_id onnx_float(onnx_lower *lw, float value) { return onnx_constant(lw, TMC_F32, 0, NULL, &value); }

ir_id onnx_vector(onnx_lower *lw, const float *values, int32_t count) {
    return onnx_constant(lw, TMC_F32, 1, &count, values);
}

const float *onnx_constant_floats(const onnx_lower *lw, ir_id id) {
    const emitter b = emitter_of(lw);
    return emit_constant_floats(&b, id);
}

/* ------------------------------------------------------------------------------------------ moving and relabelling */

/* A constant that was moved is another constant. */
static void keep_derived(onnx_lower *lw, ir_id from, ir_id to, bool in_order) {
    if (from == to || !ir_is_constant(lw->graph, to)) return;
    const uint64_t derived = onnx_derived(lw, from);
    onnx_mark_derived(lw, to, in_order || !derived ? derived : UINT64_MAX);
}

tmc_status onnx_transpose(onnx_lower *lw, ir_id x, const int32_t *perm, ir_id *out) {
    const emitter b = emitter_of(lw);
    TMC_TRY(emit_transpose(&b, x, perm, out));
    keep_derived(lw, x, *out, false);
    return TMC_OK;
}

tmc_status onnx_reshape(onnx_lower *lw, ir_id x, int32_t rank, const int32_t *dims, ir_id *out) {
    const emitter b = emitter_of(lw);
    TMC_TRY(emit_reshape(&b, x, rank, dims, out));
    keep_derived(lw, x, *out, true);
    return TMC_OK;
}

tmc_status onnx_reshape_axes(onnx_lower *lw, ir_id x, int32_t rank, const int32_t *map, ir_id *out) {
    const emitter b = emitter_of(lw);
    TMC_TRY(emit_reshape_axes(&b, x, rank, map, out));
    keep_derived(lw, x, *out, true);
    return TMC_OK;
}

tmc_status onnx_to_channels_last(onnx_lower *lw, ir_id x, ir_id *out) {
    int32_t rank = onnx_desc(lw, x)->rank, perm[TMC_MAX_RANK] = {0, 1};
    for (int32_t i = 1; rank > 2 && i < rank; i++) perm[i] = i + 1 < rank ? i + 1 : 1;
    return onnx_transpose(lw, x, perm, out);
}

tmc_status onnx_to_channels_first(onnx_lower *lw, ir_id x, ir_id *out) {
    int32_t rank = onnx_desc(lw, x)->rank, perm[TMC_MAX_RANK] = {0, 1};
    for (int32_t i = 1; rank > 2 && i < rank; i++) perm[i] = i == 1 ? rank - 1 : i - 1;
    return onnx_transpose(lw, x, perm, out);
}

tmc_status onnx_expand(onnx_lower *lw, ir_id x, int32_t rank, const int32_t *dims, ir_id *out) {
    tmc_shape_params params = {.rank = rank};
    if (rank) memcpy(params.dims, dims, (size_t)rank * sizeof *dims);
    return onnx_emit(lw, TMC_OP_EXPAND, &params, &x, 1, out);
}

/* ------------------------------------------------------------------------------------------------ small numbers */

tmc_status onnx_to_i32(onnx_lower *lw, const char *what, int64_t value, int32_t *out) {
    if (value < INT32_MIN || value > INT32_MAX)
        return tmc_fail_field(lw->err, TMC_E_RANGE, what, "%lld does not fit 32 bits", (long long)value);
    *out = (int32_t)value;
    return TMC_OK;
}

tmc_status onnx_axis(onnx_lower *lw, int64_t axis, int32_t rank, int32_t *out) {
    if (axis < -rank || axis >= rank)
        return tmc_fail_field(lw->err, TMC_E_RANGE, "axis", "axis %lld of a tensor of rank %d", (long long)axis, rank);
    *out = (int32_t)(axis < 0 ? axis + rank : axis);
    return TMC_OK;
}

tmc_status onnx_axes_mask(onnx_lower *lw, const onnx_ints *axes, int32_t rank, int32_t *mask) {
    *mask = 0;
    for (uint32_t i = 0; i < axes->count; i++) {
        int32_t axis = 0;
        TMC_TRY(onnx_axis(lw, axes->values[i], rank, &axis));
        if (*mask >> axis & 1) return tmc_fail_field(lw->err, TMC_E_RANGE, "axes", "axis %d is given twice", axis);
        *mask |= 1 << axis;
    }
    return TMC_OK;
}
