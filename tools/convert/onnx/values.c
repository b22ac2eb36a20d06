/* The model's names: what each stands for, and the constants behind inputs that steer a lowering. */
#include <stdlib.h>
#include <string.h>

#include "convert/memory.h"
#include "convert/onnx/context.h"

static uint32_t hash_name(const char *name) {
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *name; name++) hash = (hash ^ (uint8_t)*name) * 16777619u;
    return hash;
}

static uint32_t *find_slot(const onnx_context *ctx, const char *name) {
    uint32_t mask = ctx->table_size - 1, slot = hash_name(name) & mask;
    while (ctx->table[slot] != UINT32_MAX && strcmp(ctx->values[ctx->table[slot]].name, name) != 0)
        slot = (slot + 1) & mask;
    return &ctx->table[slot];
}

static void grow_table(onnx_context *ctx) {
    if (2 * (ctx->value_count + 1) <= ctx->table_size) return;
    ctx->table_size = ctx->table_size ? 2 * ctx->table_size : 256;
    free(ctx->table);
    ctx->table = x_alloc_array(ctx->table_size, sizeof *ctx->table);
    memset(ctx->table, 0xff, ctx->table_size * sizeof *ctx->table);
    for (uint32_t i = 0; i < ctx->value_count; i++) *find_slot(ctx, ctx->values[i].name) = i;
}

onnx_value *onnx_find_value(const onnx_context *ctx, const char *name) {
    if (!ctx->table_size) return NULL;
    uint32_t index = *find_slot(ctx, name);
    return index == UINT32_MAX ? NULL : &ctx->values[index];
}

tmc_status onnx_define_value(onnx_context *ctx, const char *name, onnx_value_kind kind, ir_id id, onnx_value **out) {
    if (!name || !*name) return tmc_fail(ctx->err, TMC_E_GRAPH, "a graph input or initializer has no name");
    if (onnx_find_value(ctx, name)) return tmc_fail(ctx->err, TMC_E_GRAPH, "'%s' is defined twice", name);
    grow_table(ctx);
    ctx->values = x_grow(ctx->values, &ctx->value_capacity, ctx->value_count + 1, sizeof *ctx->values);
    *find_slot(ctx, name) = ctx->value_count;
    onnx_value *value = &ctx->values[ctx->value_count++];
    *value = (onnx_value){.name = name, .kind = kind, .id = id};
    if (out) *out = value;
    return TMC_OK;
}

void onnx_context_clear(onnx_context *ctx) {
    free(ctx->values);
    free(ctx->table);
    free(ctx->derived);
}

/* ------------------------------------------------------------------------------------------------------- inputs */

onnx_value *onnx_value_of_input(const onnx_lower *lw, size_t index) {
    /* The driver has checked that every input is defined. */
    return !lw->operands && onnx_has_input(lw, index) ? onnx_find_value(lw->ctx, lw->node->input[index]) : NULL;
}

size_t onnx_input_count(const onnx_lower *lw) { return lw->operands ? lw->operand_count : lw->node->n_input; }

bool onnx_has_input(const onnx_lower *lw, size_t index) {
    if (lw->operands) return index < lw->operand_count && lw->operands[index] != IR_NONE;
    return index < lw->node->n_input && lw->node->input[index][0];
}

tmc_status onnx_input_stored(onnx_lower *lw, size_t index, ir_id *out) {
    if (lw->operands && onnx_has_input(lw, index)) {
        *out = lw->operands[index];
        return TMC_OK;
    }
    const onnx_value *value = onnx_value_of_input(lw, index);
    if (!value) return tmc_fail(lw->err, TMC_E_GRAPH, "input %zu is missing", index);
    if (value->kind == ONNX_VALUE_EMPTY)
        return onnx_refuse(lw, "input", "'%s' has no elements: empty tensors are not supported", value->name);
    *out = value->id;
    return TMC_OK;
}

/* An operator that moves elements gets floats; its result has the scale and zero point of its inputs again. */
static tmc_status read_moved(onnx_lower *lw, const onnx_value *value, ir_id *out) {
    const tmc_quantization q = onnx_desc(lw, *out)->quantization;
    if (!lw->moves)
        return onnx_refuse(
            lw, "input", "'%s' is quantised: only DequantizeLinear and operators that move elements read its integers",
            value->name);
    if (lw->requantise && (!tmc_quantization_equal(&q, &lw->result) || lw->result_unsigned != value->is_unsigned))
        return onnx_refuse(lw, "input", "inputs that are quantised by different scales are not supported");
    lw->requantise = true;
    lw->result = q;
    lw->result_unsigned = value->is_unsigned;
    return onnx_dequantize(lw, *out, out);
}

tmc_status onnx_input(onnx_lower *lw, size_t index, ir_id *out) {
    TMC_TRY(onnx_input_stored(lw, index, out));
    if (lw->operands || !tmc_quantization_is_set(&onnx_desc(lw, *out)->quantization)) return TMC_OK;
    return read_moved(lw, onnx_value_of_input(lw, index), out);
}

tmc_status onnx_optional_input(onnx_lower *lw, size_t index, ir_id *out) {
    *out = IR_NONE;
    return onnx_has_input(lw, index) ? onnx_input(lw, index, out) : TMC_OK;
}

tmc_status onnx_expect_inputs(onnx_lower *lw, size_t min, size_t max) {
    const size_t count = onnx_input_count(lw);
    if (count < min || count > max)
        return tmc_fail(lw->err, TMC_E_GRAPH, "%zu inputs, expected %zu to %zu", count, min, max);
    return TMC_OK;
}

bool onnx_input_is_empty(const onnx_lower *lw, size_t index, tmc_tensor_desc *desc) {
    const onnx_value *value = onnx_value_of_input(lw, index);
    if (!value || value->kind != ONNX_VALUE_EMPTY) return false;
    if (desc) *desc = value->desc;
    return true;
}

/* The constant behind an input; NULL where it is absent or has no elements. */
static tmc_status steering_input(onnx_lower *lw, size_t index, const char *what, const ir_tensor **out) {
    const onnx_value *value = onnx_value_of_input(lw, index);
    *out = NULL;
    if (!value || value->kind == ONNX_VALUE_EMPTY) return TMC_OK;
    const ir_tensor *tensor = &lw->graph->tensors[value->id];
    if (!tensor->data)
        return onnx_refuse(lw, what, "input '%s' must be known at conversion: it depends on the model's inputs", what);
    if (tensor->desc.rank > 1)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, what, "rank %d, expected a list", tensor->desc.rank);
    size_t count = tmc_tensor_elements(&tensor->desc);
    if (count > ONNX_MAX_LIST)
        return tmc_fail_field(lw->err, TMC_E_LIMIT, what, "%zu values, at most %d are supported", count, ONNX_MAX_LIST);
    *out = tensor;
    return TMC_OK;
}

tmc_status onnx_input_ints(onnx_lower *lw, size_t index, const char *what, onnx_ints *out) {
    const ir_tensor *tensor;
    memset(out, 0, sizeof *out);
    TMC_TRY(steering_input(lw, index, what, &tensor));
    out->present = onnx_has_input(lw, index);
    if (!tensor) return TMC_OK;
    if (tensor->desc.dtype != TMC_I64 && tensor->desc.dtype != TMC_I32)
        return tmc_fail_field(lw->err, TMC_E_DTYPE, what, "type %s, expected integers",
                              tmc_dtype_name(tensor->desc.dtype));
    out->count = (uint32_t)tmc_tensor_elements(&tensor->desc);
    for (uint32_t i = 0; i < out->count; i++)
        out->values[i] =
            tensor->desc.dtype == TMC_I64 ? ((const int64_t *)tensor->data)[i] : ((const int32_t *)tensor->data)[i];
    out->derived = onnx_derived(lw, (ir_id)(tensor - lw->graph->tensors));
    return TMC_OK;
}

tmc_status onnx_input_floats(onnx_lower *lw, size_t index, const char *what, onnx_floats *out) {
    const ir_tensor *tensor;
    memset(out, 0, sizeof *out);
    TMC_TRY(steering_input(lw, index, what, &tensor));
    out->present = onnx_has_input(lw, index);
    if (!tensor) return TMC_OK;
    if (tensor->desc.dtype != TMC_F32)
        return tmc_fail_field(lw->err, TMC_E_DTYPE, what, "type %s, expected f32", tmc_dtype_name(tensor->desc.dtype));
    out->count = (uint32_t)tmc_tensor_elements(&tensor->desc);
    memcpy(out->values, tensor->data, out->count * sizeof(float));
    out->derived = onnx_derived(lw, (ir_id)(tensor - lw->graph->tensors));
    return TMC_OK;
}

tmc_status onnx_input_scalar(onnx_lower *lw, size_t index, const char *what, float fallback, float *out) {
    const ir_tensor *tensor;
    TMC_TRY(steering_input(lw, index, what, &tensor));
    *out = fallback;
    if (!tensor) return TMC_OK;
    if (tmc_tensor_elements(&tensor->desc) != 1)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, what, "%zu values, expected one",
                              tmc_tensor_elements(&tensor->desc));
    double value;
    switch (tensor->desc.dtype) {
    case TMC_F32: *out = *(const float *)tensor->data; return TMC_OK;
    case TMC_I32: value = *(const int32_t *)tensor->data; break;
    case TMC_I64: value = (double)*(const int64_t *)tensor->data; break;
    case TMC_I8: value = *(const int8_t *)tensor->data; break;
    default: value = *(const uint8_t *)tensor->data; break;
    }
    if (value > 16777216.0 || value < -16777216.0)
        return onnx_refuse(lw, what, "an integer beyond 2^24 cannot be stored exactly");
    *out = (float)value;
    return TMC_OK;
}

tmc_status onnx_ints_since(onnx_lower *lw, const char *name, int64_t since, size_t index, onnx_ints *out) {
    return lw->opset < since ? onnx_attr_ints(lw, name, out) : onnx_input_ints(lw, index, name, out);
}

/* ------------------------------------------------------------------------------------------------------ outputs */

bool onnx_wants_output(const onnx_lower *lw, size_t index) {
    return index < lw->node->n_output && lw->node->output[index][0];
}

/* The driver has checked that the name is new and defined the value as missing. */
void onnx_set_output(onnx_lower *lw, size_t index, ir_id id) {
    if (!onnx_wants_output(lw, index)) return;
    const bool requantise = lw->requantise && onnx_desc(lw, id)->dtype == TMC_F32;
    if (lw->output_status == TMC_OK && requantise) lw->output_status = onnx_quantize(lw, id, &lw->result, &id);
    if (lw->output_status == TMC_OK && lw->to_i32) lw->output_status = onnx_cast(lw, id, TMC_I32, &id);
    onnx_value *value = onnx_find_value(lw->ctx, lw->node->output[index]);
    value->kind = ONNX_VALUE_TENSOR;
    value->id = id;
    value->is_unsigned = requantise && lw->result_unsigned;
}

void onnx_set_empty_output(onnx_lower *lw, size_t index, const tmc_tensor_desc *desc) {
    if (!onnx_wants_output(lw, index)) return;
    onnx_value *value = onnx_find_value(lw->ctx, lw->node->output[index]);
    value->kind = ONNX_VALUE_EMPTY;
    value->desc = *desc;
}
