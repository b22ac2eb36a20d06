/* Adding nodes and constants to the converter's graph. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "convert/fold.h"
#include "convert/memory.h"
#include "convert/onnx/context.h"

/* Larger results are left to the passes: a broadcast constant would only make the file larger. */
#define FOLD_MAX_BYTES (1u << 20)

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

static bool all_constant(const onnx_lower *lw, const ir_id *inputs, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (inputs[i] != IR_NONE && !ir_is_constant(lw->graph, inputs[i])) return false;
    return true;
}

static bool worth_folding(const onnx_lower *lw, const ir_id *outputs, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (tmc_tensor_bytes(onnx_desc(lw, outputs[i])) > FOLD_MAX_BYTES) return false;
    return true;
}

tmc_status onnx_emit_outputs(onnx_lower *lw, uint16_t op, const void *params, const ir_id *inputs, uint32_t input_count,
                             ir_id *outputs, uint32_t output_count) {
    uint32_t node = lw->graph->node_count;
    TMC_TRY(ir_add_node(lw->graph, lw->name, op, params, inputs, input_count, outputs, output_count, lw->err));
    if (!all_constant(lw, inputs, input_count) || !worth_folding(lw, outputs, output_count)) return TMC_OK;
    tmc_error ignored; /* what cannot be evaluated here remains a node, and fails or works like any other */
    tmc_error_init(&ignored);
    if (ir_fold_node(lw->graph, node, &ignored) != TMC_OK) return TMC_OK;
    uint64_t derived = result_derived(lw, op, inputs, input_count);
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

/* ---------------------------------------------------------------------------------------------------- constants */

ir_id onnx_constant(onnx_lower *lw, tmc_dtype dtype, int32_t rank, const int32_t *dims, const void *data) {
    tmc_tensor_desc desc = {.dtype = (uint8_t)dtype, .rank = rank};
    if (rank) memcpy(desc.dims, dims, (size_t)rank * sizeof *dims);
    return ir_add_constant(lw->graph, lw->name, &desc, data);
}

ir_id onnx_float(onnx_lower *lw, float value) { return onnx_constant(lw, TMC_F32, 0, NULL, &value); }

ir_id onnx_vector(onnx_lower *lw, const float *values, int32_t count) {
    return onnx_constant(lw, TMC_F32, 1, &count, values);
}

const float *onnx_constant_floats(const onnx_lower *lw, ir_id id) {
    return ir_is_constant(lw->graph, id) && onnx_desc(lw, id)->dtype == TMC_F32 ? lw->graph->tensors[id].data : NULL;
}

/* ------------------------------------------------------------------------------------------ moving and relabelling */

static bool is_identity(const int32_t *perm, int32_t rank) {
    for (int32_t i = 0; i < rank; i++)
        if (perm[i] != i) return false;
    return true;
}

/* Rows of the output's last axis are gathered from the input with that axis' stride. */
static void permute(const tmc_tensor_desc *in, const tmc_tensor_desc *out, const int32_t *perm, const uint8_t *src,
                    uint8_t *dst) {
    size_t size = tmc_dtype_size(in->dtype), stride[TMC_MAX_RANK], index[TMC_MAX_RANK] = {0};
    int32_t rank = in->rank;
    for (int32_t i = 0; i < rank; i++) stride[i] = size * tmc_dims_product(in->dims, perm[i] + 1, rank);
    size_t row = (size_t)out->dims[rank - 1], rows = tmc_tensor_elements(out) / row, at = 0;
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < row; i++, dst += size) memcpy(dst, src + at + i * stride[rank - 1], size);
        for (int32_t a = rank - 2; a >= 0; a--) { /* next row: an odometer over the outer axes */
            at += stride[a];
            if (++index[a] < (size_t)out->dims[a]) break;
            at -= stride[a] * index[a];
            index[a] = 0;
        }
    }
}

static tmc_status transpose_constant(onnx_lower *lw, ir_id x, const tmc_shape_params *params, ir_id *out) {
    tmc_tensor_desc in = *onnx_desc(lw, x), result;
    const tmc_tensor_desc *inputs = &in;
    tmc_infer_args args = {TMC_OP_TRANSPOSE, params, 1, 1, &inputs, &result, lw->err};
    TMC_TRY(tmc_infer(&args));
    uint8_t *data = x_alloc(tmc_tensor_bytes(&result));
    permute(&in, &result, params->dims, lw->graph->tensors[x].data, data);
    *out = ir_add_constant(lw->graph, lw->graph->tensors[x].name, &result, data);
    free(data);
    onnx_mark_derived(lw, *out, onnx_derived(lw, x) ? UINT64_MAX : 0);
    return TMC_OK;
}

tmc_status onnx_transpose(onnx_lower *lw, ir_id x, const int32_t *perm, ir_id *out) {
    tmc_shape_params params = {.rank = onnx_desc(lw, x)->rank};
    *out = x;
    if (is_identity(perm, params.rank)) return TMC_OK;
    memcpy(params.dims, perm, (size_t)params.rank * sizeof *perm);
    if (ir_is_constant(lw->graph, x)) return transpose_constant(lw, x, &params, out);
    return onnx_emit(lw, TMC_OP_TRANSPOSE, &params, &x, 1, out);
}

tmc_status onnx_reshape(onnx_lower *lw, ir_id x, int32_t rank, const int32_t *dims, ir_id *out) {
    tmc_shape_params params = {.rank = rank};
    if (rank) memcpy(params.dims, dims, (size_t)rank * sizeof *dims);
    if (!ir_is_constant(lw->graph, x)) return onnx_emit(lw, TMC_OP_RESHAPE, &params, &x, 1, out);
    tmc_tensor_desc in = *onnx_desc(lw, x), result;
    const tmc_tensor_desc *inputs = &in;
    tmc_infer_args args = {TMC_OP_RESHAPE, &params, 1, 1, &inputs, &result, lw->err};
    TMC_TRY(tmc_infer(&args));
    *out = ir_add_constant(lw->graph, lw->graph->tensors[x].name, &result, lw->graph->tensors[x].data);
    onnx_mark_derived(lw, *out, onnx_derived(lw, x));
    return TMC_OK;
}

tmc_status onnx_reshape_axes(onnx_lower *lw, ir_id x, int32_t rank, const int32_t *map, ir_id *out) {
    const tmc_tensor_desc *in = onnx_desc(lw, x);
    int32_t dims[TMC_MAX_RANK], moved = 0, last_moved = 0;
    if (rank > TMC_MAX_RANK) return onnx_refuse(lw, "rank", "rank %d is over %d", rank, TMC_MAX_RANK);
    for (int32_t i = 0; i < rank; i++) {
        dims[i] = map[i] < 0 ? 1 : map[i] == i ? 0 : in->dims[map[i]];
        if (map[i] >= 0 && map[i] != i) moved++, last_moved = i;
    }
    if (moved == 1) dims[last_moved] = -1;
    return onnx_reshape(lw, x, rank, dims, out);
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
