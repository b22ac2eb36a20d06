/* Inputs, outputs and options of an operator. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/integers.h"
#include "convert/memory.h"
#include "convert/tflite/context.h"

/* ---------------------------------------------------------------------------------------------------- constants */

tmc_dtype tflite_dtype(int32_t type) {
    switch (type) {
#define X(value, NAME, name, dtype, bits)                                                                              \
    case value: return (tmc_dtype)dtype;
        TFLITE_TYPE_LIST(X)
#undef X
    default: return (tmc_dtype)0;
    }
}

static float half_to_float(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = half >> 10 & 31, mantissa = half & 0x3ffu;
    uint32_t bits = sign | (exponent + 112) << 23 | mantissa << 13;
    float value;
    if (exponent == 31) bits = sign | 0x7f800000u | mantissa << 13;
    if (exponent == 0) {
        value = (float)mantissa * 0x1p-24f;
        return sign ? -value : value;
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The graph's element for one of the file: halves become floats, which is exact, and truth is 1. */
static void *converted(const tflite_tensor *record, size_t count) {
    if (record->type == TFLITE_FLOAT16) {
        float *values = x_alloc_array(count, sizeof *values);
        for (size_t i = 0; i < count; i++)
            values[i] = half_to_float((uint16_t)(record->data[2 * i] | record->data[2 * i + 1] << 8));
        return values;
    }
    uint8_t *bytes = x_memdup(record->data, record->data_bytes);
    if (record->type == TFLITE_BOOL)
        for (size_t i = 0; i < count; i++) bytes[i] = bytes[i] != 0;
    return bytes;
}

/* q - z of a quantised constant of 8 bits; a zero point for each channel. */
static int32_t *differences(const tflite_tensor *record, const tmc_tensor_desc *desc) {
    const tflite_quantization *q = &record->quantization;
    const size_t count = tmc_tensor_elements(desc);
    const size_t run = q->count > 1 ? tmc_dims_product(desc->dims, q->dimension + 1, desc->rank) : count;
    int32_t *values = x_alloc_array(count, sizeof *values);
    for (size_t i = 0; i < count; i++) {
        const int32_t stored = record->type == TFLITE_INT8 ? (int8_t)record->data[i] : record->data[i];
        values[i] = stored - (int32_t)q->zero_point[i / run % q->count];
    }
    return values;
}

static ir_id add_integers(tflite_context *ctx, const tflite_tensor *record, const tmc_tensor_desc *desc) {
    const tflite_quantization *q = &record->quantization;
    int32_t *values = differences(record, desc);
    const ir_id id = integers_add(ctx->graph, record->name, desc, values, false, q->scale, q->count, q->dimension);
    free(values);
    return id;
}

bool tflite_is_quantised(const tflite_tensor *record) {
    return record->quantization.count && (record->type == TFLITE_INT8 || record->type == TFLITE_UINT8);
}

tmc_status tflite_load_constant(tflite_context *ctx, uint32_t tensor, tmc_error *err) {
    const tflite_tensor *record = &ctx->model->tensors[tensor];
    const emitter e = {.err = err, .budget = &ctx->constant_bytes_left};
    tmc_tensor_desc desc = {.dtype = (uint8_t)tflite_dtype(record->type), .rank = record->rank};
    if (record->type == TFLITE_FLOAT16 || tflite_is_quantised(record)) desc.dtype = TMC_F32;
    memcpy(desc.dims, record->dims, sizeof desc.dims);
    TMC_TRY(tmc_tensor_check(&desc, err));
    TMC_TRY(emit_pay(&e, tmc_tensor_bytes(&desc)));
    if (tflite_is_quantised(record)) {
        ctx->values[tensor] = (tflite_value){TFLITE_VALUE_TENSOR, add_integers(ctx, record, &desc), IR_NONE};
        return TMC_OK;
    }
    void *data = converted(record, tmc_tensor_elements(&desc));
    const ir_id id = ir_add_constant(ctx->graph, record->name, &desc, data);
    ctx->values[tensor] = (tflite_value){TFLITE_VALUE_TENSOR, id, IR_NONE};
    free(data);
    return TMC_OK;
}

/* ------------------------------------------------------------------------------------------------------- inputs */

tmc_status tflite_expect(tflite_lower *lw, uint32_t inputs_min, uint32_t inputs_max, uint32_t outputs) {
    if (lw->op->input_count < inputs_min || lw->op->input_count > inputs_max)
        return tmc_fail(lw->e.err, TMC_E_GRAPH, "%u inputs, expected %u to %u", lw->op->input_count, inputs_min,
                        inputs_max);
    if (lw->op->output_count != outputs)
        return tmc_fail(lw->e.err, TMC_E_GRAPH, "%u outputs, expected %u", lw->op->output_count, outputs);
    return TMC_OK;
}

bool tflite_has_input(const tflite_lower *lw, uint32_t index) {
    return index < lw->op->input_count && lw->op->inputs[index] >= 0;
}

const tflite_tensor *tflite_input_record(const tflite_lower *lw, uint32_t index) {
    return &lw->model->tensors[lw->op->inputs[index]];
}

tmc_status tflite_input(tflite_lower *lw, uint32_t index, ir_id *out) {
    if (!tflite_has_input(lw, index)) return tmc_fail(lw->e.err, TMC_E_GRAPH, "input %u is missing", index);
    const uint32_t tensor = (uint32_t)lw->op->inputs[index];
    tflite_value *value = &lw->ctx->values[tensor];
    /* The driver has checked that what is not set is a constant. */
    if (value->kind == TFLITE_VALUE_UNSET) TMC_TRY(tflite_load_constant(lw->ctx, tensor, lw->e.err));
    *out = value->id;
    if (!tmc_quantization_is_set(&tflite_desc(lw, value->id)->quantization)) return TMC_OK;
    if (value->real == IR_NONE) {
        ir_id real;
        TMC_TRY(emit_dequantize(&lw->e, value->id, &real));
        lw->ctx->values[tensor].real = real;
    }
    *out = lw->ctx->values[tensor].real;
    return TMC_OK;
}

/* Integers count in units of the product of two scales, whatever the file says of their own. */
static float bias_scale(const tflite_tensor *record, const tflite_tensor *x, const tflite_tensor *w, uint32_t c) {
    if (tflite_is_quantised(x) && tflite_is_quantised(w))
        return (float)((double)x->quantization.scale[0] * w->quantization.scale[w->quantization.count > 1 ? c : 0]);
    return record->quantization.scale[record->quantization.count > 1 ? c : 0];
}

tmc_status tflite_bias(tflite_lower *lw, uint32_t index, uint32_t x, uint32_t w, ir_id *out) {
    TMC_TRY(tflite_optional_input(lw, index, out));
    if (*out == IR_NONE || tflite_desc(lw, *out)->dtype != TMC_I32) return TMC_OK;
    const tflite_tensor *record = tflite_input_record(lw, index), *x_record = tflite_input_record(lw, x),
                        *w_record = tflite_input_record(lw, w);
    const bool quantised = tflite_is_quantised(x_record) && tflite_is_quantised(w_record);
    if (!ir_is_constant(lw->e.graph, *out) || !(quantised || record->quantization.count))
        return tflite_refuse(lw, "bias", "a bias of plain integers is not supported");
    const tmc_tensor_desc desc = *tflite_desc(lw, *out);
    const uint32_t count = (uint32_t)tmc_tensor_elements(&desc), given = quantised ? w_record->quantization.count : 1;
    if (given > 1 && given != count)
        return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "bias", "%u values for %u scales", count, given);
    const tmc_tensor_desc list = {.dtype = TMC_F32, .rank = 1, .dims = {(int32_t)count}};
    TMC_TRY(emit_pay(&lw->e, tmc_tensor_bytes(&list)));
    float *scales = x_alloc_array(count, sizeof *scales);
    for (uint32_t c = 0; c < count; c++) scales[c] = bias_scale(record, x_record, w_record, c);
    *out = integers_add(lw->e.graph, record->name, &list, lw->e.graph->tensors[*out].data, true, scales, count, 0);
    free(scales);
    return TMC_OK;
}

tmc_status tflite_optional_input(tflite_lower *lw, uint32_t index, ir_id *out) {
    *out = IR_NONE;
    return tflite_has_input(lw, index) ? tflite_input(lw, index, out) : TMC_OK;
}

static bool has_no_elements(const tflite_tensor *record) {
    for (int32_t i = 0; i < record->rank; i++)
        if (record->dims[i] == 0) return true;
    return false;
}

/* The constant behind a steering input; NULL where it has no elements, such as the target shape of a scalar. */
static tmc_status steering_input(tflite_lower *lw, uint32_t index, const char *what, const ir_tensor **out) {
    ir_id id;
    *out = NULL;
    if (tflite_has_input(lw, index) && lw->ctx->values[lw->op->inputs[index]].kind == TFLITE_VALUE_UNSET &&
        has_no_elements(tflite_input_record(lw, index)))
        return TMC_OK;
    TMC_TRY(tflite_input(lw, index, &id));
    const ir_tensor *tensor = &lw->e.graph->tensors[id];
    if (!tensor->data)
        return tflite_refuse(lw, what, "input '%s' must be known at conversion: it depends on the model's inputs",
                             what);
    *out = tensor;
    return TMC_OK;
}

tmc_status tflite_input_ints(tflite_lower *lw, uint32_t index, const char *what, tflite_ints *out) {
    const ir_tensor *tensor;
    memset(out, 0, sizeof *out);
    if (!tflite_has_input(lw, index)) return TMC_OK;
    out->present = true;
    out->rank = tflite_input_record(lw, index)->rank;
    TMC_TRY(steering_input(lw, index, what, &tensor));
    if (!tensor) return TMC_OK;
    if (tensor->desc.dtype != TMC_I64 && tensor->desc.dtype != TMC_I32)
        return tmc_fail_field(lw->e.err, TMC_E_DTYPE, what, "type %s, expected integers",
                              tmc_dtype_name((tmc_dtype)tensor->desc.dtype));
    const size_t count = tmc_tensor_elements(&tensor->desc);
    if (count > TFLITE_MAX_LIST)
        return tmc_fail_field(lw->e.err, TMC_E_LIMIT, what, "%zu values, at most %d are supported", count,
                              TFLITE_MAX_LIST);
    out->rank = tensor->desc.rank;
    out->count = (uint32_t)count;
    for (uint32_t i = 0; i < out->count; i++)
        out->values[i] =
            tensor->desc.dtype == TMC_I64 ? ((const int64_t *)tensor->data)[i] : ((const int32_t *)tensor->data)[i];
    return TMC_OK;
}

static tmc_status not_one_value(tflite_lower *lw, const char *what) {
    return tmc_fail_field(lw->e.err, TMC_E_SHAPE, what, "input '%s' is not one value", what);
}

tmc_status tflite_input_int(tflite_lower *lw, uint32_t index, const char *what, int64_t *out) {
    tflite_ints ints;
    TMC_TRY(tflite_input_ints(lw, index, what, &ints));
    if (ints.count != 1) return not_one_value(lw, what);
    *out = ints.values[0];
    return TMC_OK;
}

tmc_status tflite_input_float(tflite_lower *lw, uint32_t index, const char *what, float *out) {
    const ir_tensor *tensor;
    TMC_TRY(steering_input(lw, index, what, &tensor));
    if (!tensor || tmc_tensor_elements(&tensor->desc) != 1) return not_one_value(lw, what);
    if (tensor->desc.dtype != TMC_F32)
        return tmc_fail_field(lw->e.err, TMC_E_DTYPE, what, "type %s, expected f32",
                              tmc_dtype_name((tmc_dtype)tensor->desc.dtype));
    *out = *(const float *)tensor->data;
    return TMC_OK;
}

/* ------------------------------------------------------------------------------------------------------ outputs */

static const tflite_tensor *output_record(const tflite_lower *lw, uint32_t index) {
    return &lw->model->tensors[lw->op->outputs[index]];
}

tmc_status tflite_set_inner_output(tflite_lower *lw, uint32_t index, ir_id id) {
    const tflite_tensor *record = output_record(lw, index);
    if (tflite_is_quantised(record) && tflite_desc(lw, id)->dtype == TMC_F32) {
        const tmc_quantization q = tflite_activation_quantization(record);
        TMC_TRY(emit_quantize(&lw->e, id, &q, &id));
    }
    lw->ctx->values[lw->op->outputs[index]] = (tflite_value){TFLITE_VALUE_TENSOR, id, IR_NONE};
    return TMC_OK;
}

tmc_quantization tflite_activation_quantization(const tflite_tensor *record) {
    const int32_t moved = record->type == TFLITE_UINT8 ? 128 : 0;
    return (tmc_quantization){record->quantization.scale[0], (int32_t)record->quantization.zero_point[0] - moved, 0};
}

static bool shape_as_declared(const tflite_tensor *record, const tmc_tensor_desc *desc) {
    if (record->rank_unknown) return true;
    if (record->rank != desc->rank) return false;
    for (int32_t i = 0; i < desc->rank; i++)
        if (!record->open[i] && record->dims[i] != desc->dims[i]) return false;
    return true;
}

tmc_status tflite_set_output(tflite_lower *lw, uint32_t index, ir_id id) {
    const tflite_tensor *record = output_record(lw, index);
    const tmc_tensor_desc *desc = tflite_desc(lw, id);
    const bool half = record->type == TFLITE_FLOAT16 && ir_is_constant(lw->e.graph, id);
    const bool to_quantise = tflite_is_quantised(record) && desc->dtype == TMC_F32;
    if (!half && !to_quantise && desc->dtype != tflite_dtype(record->type))
        return tmc_fail_field(lw->e.err, TMC_E_DTYPE, "type", "the result is %s, the model says %s",
                              tmc_dtype_name((tmc_dtype)desc->dtype), tflite_type_name(record->type));
    if (!lw->ctx->resized && !shape_as_declared(record, desc)) {
        char found[80];
        tmc_tensor_shape_text(desc, found, sizeof found);
        return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "shape", "the result is %s, the model says another shape", found);
    }
    return tflite_set_inner_output(lw, index, id);
}

tmc_status tflite_output_type(tflite_lower *lw, uint32_t index, tmc_dtype *out) {
    *out = tflite_dtype(output_record(lw, index)->type);
    if (*out) return TMC_OK;
    return tmc_fail_field(lw->e.err, TMC_E_DTYPE, "type", "%s is not supported",
                          tflite_type_name(output_record(lw, index)->type));
}

tmc_status tflite_emit_result(tflite_lower *lw, uint16_t op, const void *params, const ir_id *inputs,
                              uint32_t input_count) {
    ir_id out;
    TMC_TRY(emit_node(&lw->e, op, params, inputs, input_count, &out));
    return tflite_set_output(lw, 0, out);
}

/* ------------------------------------------------------------------------------------------------------ options */

static fb_reader options_reader(const tflite_lower *lw) {
    fb_reader reader = lw->model->reader;
    reader.err = lw->e.err;
    return reader;
}

tmc_status tflite_opt_choice(tflite_lower *lw, uint32_t slot, int8_t *out) {
    const fb_reader reader = options_reader(lw);
    *out = 0;
    return lw->op->options.at ? fb_i8(&reader, &lw->op->options, slot, 0, out) : TMC_OK;
}

tmc_status tflite_opt_bool(tflite_lower *lw, uint32_t slot, bool *out) {
    int8_t value;
    TMC_TRY(tflite_opt_choice(lw, slot, &value));
    *out = value != 0;
    return TMC_OK;
}

tmc_status tflite_opt_i32(tflite_lower *lw, uint32_t slot, int32_t fallback, int32_t *out) {
    const fb_reader reader = options_reader(lw);
    *out = fallback;
    return lw->op->options.at ? fb_i32(&reader, &lw->op->options, slot, fallback, out) : TMC_OK;
}

tmc_status tflite_opt_f32(tflite_lower *lw, uint32_t slot, float *out) {
    const fb_reader reader = options_reader(lw);
    *out = 0;
    return lw->op->options.at ? fb_f32(&reader, &lw->op->options, slot, 0, out) : TMC_OK;
}

tmc_status tflite_opt_activation(tflite_lower *lw, uint32_t slot, tmc_act_params *out) {
    int8_t kind;
    TMC_TRY(tflite_opt_choice(lw, slot, &kind));
    *out = emit_no_activation();
    switch (kind) {
    case TFLITE_ACT_NONE: return TMC_OK;
    case TFLITE_ACT_RELU: *out = (tmc_act_params){0, INFINITY}; return TMC_OK;
    case TFLITE_ACT_RELU_N1_TO_1: *out = (tmc_act_params){-1, 1}; return TMC_OK;
    case TFLITE_ACT_RELU6: *out = (tmc_act_params){0, 6}; return TMC_OK;
    default: return tflite_refuse(lw, "fused_activation_function", "activation %d is not supported", kind);
    }
}

/* ------------------------------------------------------------------------------------------------ small numbers */

tmc_status tflite_to_i32(tflite_lower *lw, const char *what, int64_t value, int32_t *out) {
    if (value < INT32_MIN || value > INT32_MAX)
        return tmc_fail_field(lw->e.err, TMC_E_RANGE, what, "%lld does not fit 32 bits", (long long)value);
    *out = (int32_t)value;
    return TMC_OK;
}

tmc_status tflite_axis(tflite_lower *lw, int64_t axis, int32_t rank, int32_t *out) {
    if (axis < -rank || axis >= rank)
        return tmc_fail_field(lw->e.err, TMC_E_RANGE, "axis", "axis %lld of a tensor of rank %d", (long long)axis,
                              rank);
    *out = (int32_t)(axis < 0 ? axis + rank : axis);
    return TMC_OK;
}
