#include "convert/emit.h"

#include <stdlib.h>
#include <string.h>

#include "convert/fold.h"
#include "convert/integers.h"
#include "convert/memory.h"

/* Larger results are left to the passes: a broadcast constant would only make the file larger. */
#define FOLD_MAX_BYTES (1u << 20)

static const tmc_tensor_desc *desc_of(const emitter *e, ir_id id) { return &e->graph->tensors[id].desc; }

/* -------------------------------------------------------------------------------------------------------- nodes */

static bool all_constant(const emitter *e, const ir_id *inputs, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (inputs[i] != IR_NONE && !ir_is_constant(e->graph, inputs[i])) return false;
    return true;
}

tmc_status emit_pay(const emitter *e, uint64_t bytes) {
    if (!e->budget) return TMC_OK;
    if (bytes > *e->budget)
        return tmc_fail(e->err, TMC_E_LIMIT, "the constants of the model are many times the size of the file");
    *e->budget -= bytes;
    return TMC_OK;
}

static tmc_status pay_tensors(const emitter *e, const ir_id *tensors, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (tensors[i] != IR_NONE) TMC_TRY(emit_pay(e, tmc_tensor_bytes(desc_of(e, tensors[i]))));
    return TMC_OK;
}

static bool worth_folding(const emitter *e, const ir_id *outputs, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (tmc_tensor_bytes(desc_of(e, outputs[i])) > FOLD_MAX_BYTES) return false;
    return true;
}

tmc_status emit_nodes(const emitter *e, uint16_t op, const void *params, const ir_id *inputs, uint32_t input_count,
                      ir_id *outputs, uint32_t output_count) {
    uint32_t node = e->graph->node_count;
    const bool constant = all_constant(e, inputs, input_count); /* before `outputs` is written, which may be `inputs` */
    if (constant) TMC_TRY(pay_tensors(e, inputs, input_count));
    TMC_TRY(ir_add_node(e->graph, e->name, op, params, inputs, input_count, outputs, output_count, e->err));
    if (!constant || !worth_folding(e, outputs, output_count)) return TMC_OK;
    TMC_TRY(pay_tensors(e, outputs, output_count));
    tmc_error ignored; /* what cannot be evaluated here remains a node, and fails or works like any other */
    tmc_error_init(&ignored);
    (void)ir_fold_node(e->graph, node, &ignored);
    return TMC_OK;
}

tmc_status emit_node(const emitter *e, uint16_t op, const void *params, const ir_id *inputs, uint32_t input_count,
                     ir_id *out) {
    return emit_nodes(e, op, params, inputs, input_count, out, 1);
}

tmc_status emit_unary(const emitter *e, tmc_unary_kind kind, float alpha, float beta, ir_id x, ir_id *out) {
    tmc_unary_params params = {kind, alpha, beta};
    return emit_node(e, TMC_OP_UNARY, &params, &x, 1, out);
}

tmc_status emit_binary(const emitter *e, tmc_binary_kind kind, tmc_act_params act, ir_id x, ir_id y, ir_id *out) {
    tmc_binary_params params = {kind, act};
    ir_id inputs[2] = {x, y};
    return emit_node(e, TMC_OP_BINARY, &params, inputs, 2, out);
}

tmc_status emit_cast(const emitter *e, ir_id x, tmc_dtype dtype, ir_id *out) {
    *out = x;
    if (desc_of(e, x)->dtype == dtype) return TMC_OK;
    tmc_cast_params params = {dtype};
    return emit_node(e, TMC_OP_CAST, &params, &x, 1, out);
}

tmc_status emit_reduce(const emitter *e, tmc_reduce_kind kind, ir_id x, int32_t axes, bool keep_dims, ir_id *out) {
    tmc_reduce_params params = {kind, axes, keep_dims};
    return emit_node(e, TMC_OP_REDUCE, &params, &x, 1, out);
}

tmc_status emit_quantize(const emitter *e, ir_id x, const tmc_quantization *quantization, ir_id *out) {
    const tmc_no_params none = {0};
    return ir_add_quantized_node(e->graph, e->name, TMC_OP_QUANTIZE, &none, &x, 1, quantization, out, 1, e->err);
}

tmc_status emit_dequantize(const emitter *e, ir_id x, ir_id *out) {
    const tmc_no_params none = {0};
    return ir_add_node(e->graph, e->name, TMC_OP_DEQUANTIZE, &none, &x, 1, out, 1, e->err);
}

/* ---------------------------------------------------------------------------------------------------- constants */

ir_id emit_constant(const emitter *e, tmc_dtype dtype, int32_t rank, const int32_t *dims, const void *data) {
    tmc_tensor_desc desc = {.dtype = (uint8_t)dtype, .rank = rank};
    if (rank) memcpy(desc.dims, dims, (size_t)rank * sizeof *dims);
    return ir_add_constant(e->graph, e->name, &desc, data);
}

ir_id emit_float(const emitter *e, float value) { return emit_constant(e, TMC_F32, 0, NULL, &value); }

const float *emit_constant_floats(const emitter *e, ir_id id) {
    return ir_is_constant(e->graph, id) && desc_of(e, id)->dtype == TMC_F32 ? e->graph->tensors[id].data : NULL;
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

static tmc_status transpose_constant(const emitter *e, ir_id x, const tmc_shape_params *params, ir_id *out) {
    tmc_tensor_desc in = *desc_of(e, x), result;
    const tmc_tensor_desc *inputs = &in;
    tmc_infer_args args = {TMC_OP_TRANSPOSE, params, 1, 1, &inputs, &result, e->err, NULL};
    TMC_TRY(tmc_infer(&args));
    TMC_TRY(emit_pay(e, tmc_tensor_bytes(&result)));
    uint8_t *data = x_alloc(tmc_tensor_bytes(&result));
    permute(&in, &result, params->dims, e->graph->tensors[x].data, data);
    *out = ir_add_constant(e->graph, e->graph->tensors[x].name, &result, data);
    free(data);
    integers_permuted(e->graph, x, params->dims, *out);
    return TMC_OK;
}

tmc_status emit_transpose(const emitter *e, ir_id x, const int32_t *perm, ir_id *out) {
    tmc_shape_params params = {.rank = desc_of(e, x)->rank};
    *out = x;
    if (is_identity(perm, params.rank)) return TMC_OK;
    memcpy(params.dims, perm, (size_t)params.rank * sizeof *perm);
    if (ir_is_constant(e->graph, x)) return transpose_constant(e, x, &params, out);
    return emit_node(e, TMC_OP_TRANSPOSE, &params, &x, 1, out);
}

tmc_status emit_reshape(const emitter *e, ir_id x, int32_t rank, const int32_t *dims, ir_id *out) {
    tmc_shape_params params = {.rank = rank};
    if (rank) memcpy(params.dims, dims, (size_t)rank * sizeof *dims);
    if (!ir_is_constant(e->graph, x)) return emit_node(e, TMC_OP_RESHAPE, &params, &x, 1, out);
    tmc_tensor_desc in = *desc_of(e, x), result;
    const tmc_tensor_desc *inputs = &in;
    tmc_infer_args args = {TMC_OP_RESHAPE, &params, 1, 1, &inputs, &result, e->err, NULL};
    TMC_TRY(tmc_infer(&args));
    TMC_TRY(emit_pay(e, tmc_tensor_bytes(&result)));
    *out = ir_add_constant(e->graph, e->graph->tensors[x].name, &result, e->graph->tensors[x].data);
    integers_reshaped(e->graph, x, *out);
    return TMC_OK;
}

tmc_status emit_reshape_axes(const emitter *e, ir_id x, int32_t rank, const int32_t *map, ir_id *out) {
    const tmc_tensor_desc *in = desc_of(e, x);
    int32_t dims[TMC_MAX_RANK], moved = 0, last_moved = 0;
    if (rank > TMC_MAX_RANK)
        return tmc_fail_field(e->err, TMC_E_UNSUPPORTED, "rank", "rank %d is over %d", rank, TMC_MAX_RANK);
    for (int32_t i = 0; i < rank; i++) {
        dims[i] = map[i] < 0 ? 1 : map[i] == i ? 0 : in->dims[map[i]];
        if (map[i] >= 0 && map[i] != i) moved++, last_moved = i;
    }
    if (moved == 1) dims[last_moved] = -1;
    return emit_reshape(e, x, rank, dims, out);
}

/* -------------------------------------------------------------------------------------------------------- output */

/* A file's output is a tensor of its own that a node writes: an input, a constant or another output is copied. */
static tmc_status copy_tensor(const emitter *e, ir_id from, ir_id *out) {
    tmc_shape_params params = {.rank = desc_of(e, from)->rank}; /* dims 0: as in the input */
    return ir_add_node(e->graph, e->name, TMC_OP_RESHAPE, &params, &from, 1, out, 1, e->err);
}

tmc_status emit_output(const emitter *e, ir_id placeholder, ir_id id) {
    if (!ir_can_replace(e->graph, placeholder, id)) TMC_TRY(copy_tensor(e, id, &id));
    ir_replace_uses(e->graph, placeholder, id);
    e->graph->tensors[placeholder].dead = true;
    return TMC_OK;
}

void emit_finish(ir_graph *graph) {
    for (ir_id i = 0; i < graph->tensor_count; i++)
        if (graph->tensors[i].data && ir_use_count(graph, i) == 0) graph->tensors[i].dead = true;
    ir_compact(graph);
}
