/* QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear, ConvInteger, MatMulInteger.
 *
 * An 8-bit tensor that a QuantizeLinear makes with one scale is a quantised tensor of ours, uint8 moved by 128.
 * Everything else that is computed with integers is computed with floats that hold them. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "convert/integers.h"
#include "convert/memory.h"
#include "convert/onnx/context.h"
#include "convert/onnx/quantize.h"
#include "convert/onnx/tensor_proto.h"

/* -------------------------------------------------------------------------------------------- scales and zero points
 */

static bool is_8_bit(uint8_t dtype) { return dtype == TMC_I8 || dtype == TMC_U8; }

static int32_t integer_at(const void *data, uint8_t dtype, size_t i) {
    switch (dtype) {
    case TMC_I8: return ((const int8_t *)data)[i];
    case TMC_U8: return ((const uint8_t *)data)[i];
    default: return ((const int32_t *)data)[i];
    }
}

static tmc_status read_constant(onnx_lower *lw, size_t index, const char *what, const ir_tensor **out) {
    ir_id id;
    *out = NULL;
    TMC_TRY(onnx_optional_input(lw, index, &id));
    if (id == IR_NONE) return TMC_OK;
    *out = &lw->graph->tensors[id];
    if (!(*out)->data) return onnx_refuse(lw, what, "must be known at conversion: it depends on the model's inputs");
    if ((*out)->desc.rank > 1) return onnx_refuse(lw, what, "blocked quantisation is not supported");
    return TMC_OK;
}

tmc_status onnx_read_scale(onnx_lower *lw, size_t scale, size_t zero, onnx_scale *out) {
    const ir_tensor *s, *z;
    *out = (onnx_scale){0};
    TMC_TRY(read_constant(lw, scale, "scale", &s));
    TMC_TRY(read_constant(lw, zero, "zero_point", &z));
    if (!s) return tmc_fail_field(lw->err, TMC_E_GRAPH, "scale", "missing");
    if (s->desc.dtype != TMC_F32) return onnx_refuse(lw, "scale", "only float scales are supported");
    out->count = (uint32_t)tmc_tensor_elements(&s->desc);
    out->scales = s->data;
    for (uint32_t i = 0; i < out->count; i++)
        if (!isnormal(out->scales[i]) || out->scales[i] < 0)
            return tmc_fail_field(lw->err, TMC_E_QUANT, "scale",
                                  "scale %u is zero, negative, subnormal, infinite or NaN, expected a positive number",
                                  i);
    if (!z) return TMC_OK;
    out->zeros = z->data;
    out->zero_type = z->desc.dtype;
    if (!is_8_bit(out->zero_type) && out->zero_type != TMC_I32)
        return onnx_refuse(lw, "zero_point", "type %s is not supported", tmc_dtype_name(out->zero_type));
    if (tmc_tensor_elements(&z->desc) != out->count)
        return tmc_fail_field(lw->err, TMC_E_QUANT, "zero_point", "%zu zero points for %u scales",
                              tmc_tensor_elements(&z->desc), out->count);
    return TMC_OK;
}

static int32_t zero_at(const onnx_scale *s, uint32_t i) { return s->zeros ? integer_at(s->zeros, s->zero_type, i) : 0; }

tmc_status onnx_one_quantization(onnx_lower *lw, const onnx_scale *s, bool is_unsigned, tmc_quantization *out) {
    if (s->count != 1) return onnx_refuse(lw, "scale", "a scale for each channel is supported for constants only");
    *out = (tmc_quantization){s->scales[0], zero_at(s, 0) - (is_unsigned ? 128 : 0), 0};
    if (out->zero_point < -128 || out->zero_point > 127)
        return tmc_fail_field(lw->err, TMC_E_QUANT, "zero_point", "%d is outside the type", zero_at(s, 0));
    return TMC_OK;
}

/* The axis of several scales: their number must be the axis' length. */
static tmc_status scale_axis(onnx_lower *lw, const tmc_tensor_desc *x, const onnx_scale *s, int64_t axis,
                             int32_t *out) {
    *out = 0;
    if (s->count == 1) return TMC_OK;
    TMC_TRY(onnx_axis(lw, axis, x->rank, out));
    if ((uint32_t)x->dims[*out] == s->count) return TMC_OK;
    return tmc_fail_field(lw->err, TMC_E_QUANT, "scale", "%u scales for %d channels", s->count, x->dims[*out]);
}

/* Scales, or zero points as floats, in the shape that broadcasts along the axis. */
static ir_id broadcast_list(onnx_lower *lw, const onnx_scale *s, bool zeros, int32_t axis, int32_t rank) {
    int32_t dims[TMC_MAX_RANK] = {1, 1, 1, 1, 1, 1};
    float *values = x_alloc_array(s->count, sizeof *values);
    for (uint32_t i = 0; i < s->count; i++) values[i] = zeros ? (float)zero_at(s, i) : s->scales[i];
    dims[axis] = (int32_t)s->count;
    const ir_id id = onnx_constant(lw, TMC_F32, s->count == 1 ? 0 : rank, dims, values);
    free(values);
    return id;
}

/* ------------------------------------------------------------------------------------------------------- dequantising
 */

/* The stored integers of any tensor, as floats. */
static tmc_status integers_as_floats(onnx_lower *lw, size_t index, ir_id *out) {
    const onnx_value *value = onnx_value_of_input(lw, index);
    const bool is_unsigned = value && value->is_unsigned;
    TMC_TRY(onnx_input_stored(lw, index, out));
    const tmc_quantization q = onnx_desc(lw, *out)->quantization;
    if (!tmc_quantization_is_set(&q)) return onnx_cast(lw, *out, TMC_F32, out);
    TMC_TRY(onnx_dequantize(lw, *out, out));
    TMC_TRY(onnx_binary(lw, TMC_BINARY_DIV, *out, onnx_float(lw, q.scale), out));
    TMC_TRY(onnx_unary(lw, TMC_UNARY_ROUND, 0, 0, *out, out));
    return onnx_binary(lw, TMC_BINARY_ADD, *out, onnx_float(lw, (float)(q.zero_point + (is_unsigned ? 128 : 0))), out);
}

static ir_id dequantize_constant(onnx_lower *lw, ir_id x, const onnx_scale *s, int32_t axis) {
    const tmc_tensor_desc desc = *onnx_desc(lw, x);
    const size_t count = tmc_tensor_elements(&desc);
    const size_t run = s->count > 1 ? tmc_dims_product(desc.dims, axis + 1, desc.rank) : count;
    const ir_tensor *t = &lw->graph->tensors[x];
    int32_t *values = x_alloc_array(count, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = (int32_t)((uint32_t)integer_at(t->data, desc.dtype, i) -
                              (uint32_t)zero_at(s, (uint32_t)(i / run % s->count)));
    const ir_id id = integers_add(lw->graph, t->name, &desc, values, desc.dtype == TMC_I32 || s->zero_type == TMC_I32,
                                  s->scales, s->count, axis);
    free(values);
    return id;
}

/* A model's input that nothing has read yet becomes a quantised tensor; uint8 is then given moved by 128. */
static bool quantise_input(onnx_lower *lw, size_t index, ir_id x, const onnx_scale *s) {
    ir_tensor *t = &lw->graph->tensors[x];
    onnx_value *value = onnx_value_of_input(lw, index);
    tmc_quantization q;
    if (!t->is_input || t->is_output || t->user_count || !is_8_bit(t->desc.dtype) || s->count != 1 || !value)
        return false;
    const bool is_unsigned = t->desc.dtype == TMC_U8;
    if (onnx_one_quantization(lw, s, is_unsigned, &q) != TMC_OK) return false;
    value->is_unsigned = is_unsigned;
    t->desc.dtype = t->alt.dtype = TMC_I8;
    ir_set_quantization(lw->graph, x, &q, NULL);
    return true;
}

static bool same_quantization(const onnx_scale *s, const tmc_quantization *q, bool is_unsigned) {
    return s->count == 1 && s->scales[0] == q->scale && zero_at(s, 0) - (is_unsigned ? 128 : 0) == q->zero_point;
}

tmc_status onnx_dequantized(onnx_lower *lw, size_t index, size_t scale, size_t zero, int64_t axis, ir_id *out) {
    onnx_scale s;
    int32_t along;
    ir_id x, y;
    TMC_TRY(onnx_input_stored(lw, index, &x));
    TMC_TRY(onnx_read_scale(lw, scale, zero, &s));
    const tmc_tensor_desc desc = *onnx_desc(lw, x);
    if (!is_8_bit(desc.dtype) && desc.dtype != TMC_I32)
        return onnx_refuse(lw, "x", "type %s is not supported", tmc_dtype_name(desc.dtype));
    TMC_TRY(scale_axis(lw, &desc, &s, axis, &along));
    if (ir_is_constant(lw->graph, x)) {
        *out = dequantize_constant(lw, x, &s, along);
        return TMC_OK;
    }
    const bool quantised = tmc_quantization_is_set(&desc.quantization) || quantise_input(lw, index, x, &s);
    if (quantised &&
        same_quantization(&s, &onnx_desc(lw, x)->quantization, onnx_value_of_input(lw, index)->is_unsigned))
        return onnx_dequantize(lw, x, out);
    TMC_TRY(integers_as_floats(lw, index, &y));
    const ir_id zeros = broadcast_list(lw, &s, true, along, desc.rank);
    TMC_TRY(onnx_binary(lw, TMC_BINARY_SUB, y, zeros, &y));
    return onnx_binary(lw, TMC_BINARY_MUL, y, broadcast_list(lw, &s, false, along, desc.rank), out);
}

/* A scale that the model computes: one number, or as many as broadcast. All in floats. */
static bool scale_is_computed(const onnx_lower *lw, size_t scale, size_t zero) {
    const onnx_value *s = onnx_value_of_input(lw, scale), *z = onnx_value_of_input(lw, zero);
    if (s && s->kind == ONNX_VALUE_TENSOR && !ir_is_constant(lw->graph, s->id)) return true;
    return z && z->kind == ONNX_VALUE_TENSOR && !ir_is_constant(lw->graph, z->id);
}

static tmc_status read_computed(onnx_lower *lw, ir_id *scale, ir_id *zero) {
    TMC_TRY(onnx_input(lw, 1, scale));
    *zero = IR_NONE;
    if (onnx_has_input(lw, 2)) TMC_TRY(integers_as_floats(lw, 2, zero));
    if (onnx_desc(lw, *scale)->dtype != TMC_F32 || tmc_tensor_elements(onnx_desc(lw, *scale)) != 1)
        return onnx_refuse(lw, "scale", "a computed scale for each channel is not supported");
    return TMC_OK;
}

static tmc_status dequantize_by_computed(onnx_lower *lw) {
    ir_id y, scale, zero;
    TMC_TRY(read_computed(lw, &scale, &zero));
    TMC_TRY(integers_as_floats(lw, 0, &y));
    if (zero != IR_NONE) TMC_TRY(onnx_binary(lw, TMC_BINARY_SUB, y, zero, &y));
    TMC_TRY(onnx_binary(lw, TMC_BINARY_MUL, y, scale, &y));
    onnx_set_output(lw, 0, y);
    return TMC_OK;
}

static tmc_status quantize_by_computed(onnx_lower *lw) {
    ir_id x, y, scale, zero;
    const onnx_value *z = onnx_value_of_input(lw, 2);
    const tmc_dtype type = z ? (tmc_dtype)onnx_desc(lw, z->id)->dtype : TMC_U8;
    const float lo = type == TMC_U8 ? 0 : -128;
    if (!is_8_bit((uint8_t)type)) return onnx_refuse(lw, "zero_point", "only int8 and uint8 are supported");
    TMC_TRY(read_computed(lw, &scale, &zero));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_cast(lw, x, TMC_F32, &x));
    TMC_TRY(onnx_binary(lw, TMC_BINARY_DIV, x, scale, &y));
    TMC_TRY(onnx_unary(lw, TMC_UNARY_ROUND, 0, 0, y, &y));
    if (zero != IR_NONE) TMC_TRY(onnx_binary(lw, TMC_BINARY_ADD, y, zero, &y));
    TMC_TRY(onnx_unary(lw, TMC_UNARY_CLAMP, lo, lo + 255, y, &y));
    TMC_TRY(onnx_cast(lw, y, type, &y));
    onnx_set_output(lw, 0, y);
    return TMC_OK;
}

static tmc_status read_axis(onnx_lower *lw, int64_t *axis) {
    int64_t block;
    TMC_TRY(onnx_attr_int(lw, "axis", 1, axis));
    TMC_TRY(onnx_attr_int(lw, "block_size", 0, &block));
    return block ? onnx_refuse(lw, "block_size", "blocked quantisation is not supported") : TMC_OK;
}

tmc_status onnx_lower_dequantize_linear(onnx_lower *lw) {
    int64_t axis;
    ir_id y;
    TMC_TRY(onnx_expect_inputs(lw, 2, 3));
    TMC_TRY(read_axis(lw, &axis));
    if (scale_is_computed(lw, 1, 2)) return dequantize_by_computed(lw);
    TMC_TRY(onnx_dequantized(lw, 0, 1, 2, axis, &y));
    onnx_set_output(lw, 0, y);
    return TMC_OK;
}

/* --------------------------------------------------------------------------------------------------------- quantising
 */

/* rint(x / s) + z within the type, as the library's quantize and ONNX say. */
static int32_t quantised(float x, float scale, int32_t zero, bool is_unsigned) {
    const float lo = (float)((is_unsigned ? 0 : -128) - zero), t = rintf(x / scale);
    if (isnan(t)) return zero;
    return (int32_t)(t < lo ? lo : t > lo + 255.0f ? lo + 255.0f : t) + zero;
}

static ir_id quantize_constant(onnx_lower *lw, ir_id x, const onnx_scale *s, int32_t axis, bool is_unsigned) {
    const tmc_tensor_desc desc = *onnx_desc(lw, x);
    const size_t count = tmc_tensor_elements(&desc);
    const size_t run = s->count > 1 ? tmc_dims_product(desc.dims, axis + 1, desc.rank) : count;
    const float *data = lw->graph->tensors[x].data;
    uint8_t *bytes = x_alloc(count);
    for (size_t i = 0; i < count; i++) {
        const uint32_t c = (uint32_t)(i / run % s->count);
        bytes[i] = (uint8_t)quantised(data[i], s->scales[c], zero_at(s, c), is_unsigned);
    }
    const ir_id id = onnx_constant(lw, is_unsigned ? TMC_U8 : TMC_I8, desc.rank, desc.dims, bytes);
    free(bytes);
    return id;
}

/* Several scales for a computed tensor: by floats. */
static tmc_status quantize_along_axis(onnx_lower *lw, ir_id x, const onnx_scale *s, int32_t axis, bool is_unsigned,
                                      ir_id *y) {
    const int32_t rank = onnx_desc(lw, x)->rank;
    const float lo = is_unsigned ? 0 : -128;
    TMC_TRY(onnx_binary(lw, TMC_BINARY_DIV, x, broadcast_list(lw, s, false, axis, rank), y));
    TMC_TRY(onnx_unary(lw, TMC_UNARY_ROUND, 0, 0, *y, y));
    TMC_TRY(onnx_binary(lw, TMC_BINARY_ADD, *y, broadcast_list(lw, s, true, axis, rank), y));
    TMC_TRY(onnx_unary(lw, TMC_UNARY_CLAMP, lo, lo + 255, *y, y));
    return onnx_cast(lw, *y, is_unsigned ? TMC_U8 : TMC_I8, y);
}

static tmc_status result_type(onnx_lower *lw, const onnx_scale *s, bool *is_unsigned) {
    int64_t type;
    TMC_TRY(onnx_attr_int(lw, "output_dtype", 0, &type));
    const int32_t given = type >= 0 && type <= 64 ? (int32_t)type : -1;
    const tmc_dtype dtype = s->zeros ? (tmc_dtype)s->zero_type : given == 0 ? TMC_U8 : onnx_dtype(given);
    *is_unsigned = dtype == TMC_U8;
    if (!is_8_bit((uint8_t)dtype) || (given && onnx_dtype(given) != dtype))
        return onnx_refuse(lw, "output_dtype", "only int8 and uint8 are supported");
    return TMC_OK;
}

tmc_status onnx_lower_quantize_linear(onnx_lower *lw) {
    onnx_scale s;
    int64_t axis;
    int32_t along;
    bool is_unsigned;
    ir_id x, y;
    TMC_TRY(onnx_expect_inputs(lw, 2, 3));
    TMC_TRY(read_axis(lw, &axis));
    onnx_ignore_attr(lw, "saturate"); /* of 8-bit floats, which are refused */
    if (scale_is_computed(lw, 1, 2)) return quantize_by_computed(lw);
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_read_scale(lw, 1, 2, &s));
    TMC_TRY(result_type(lw, &s, &is_unsigned));
    TMC_TRY(onnx_cast(lw, x, TMC_F32, &x));
    const tmc_tensor_desc desc = *onnx_desc(lw, x);
    TMC_TRY(scale_axis(lw, &desc, &s, axis, &along));
    if (ir_is_constant(lw->graph, x)) {
        onnx_set_output(lw, 0, quantize_constant(lw, x, &s, along, is_unsigned));
    } else if (s.count > 1) {
        TMC_TRY(quantize_along_axis(lw, x, &s, along, is_unsigned, &y));
        onnx_set_output(lw, 0, y);
    } else {
        TMC_TRY(onnx_one_quantization(lw, &s, is_unsigned, &lw->result));
        lw->requantise = true;
        lw->result_unsigned = is_unsigned;
        onnx_set_output(lw, 0, x);
    }
    return TMC_OK;
}

/* uint8 with the scale and zero point of this very tensor. */
tmc_status onnx_lower_dynamic_quantize(onnx_lower *lw) {
    ir_id x, least, most, scale, zero, y;
    TMC_TRY(onnx_expect_inputs(lw, 1, 1));
    TMC_TRY(onnx_input(lw, 0, &x));
    const int32_t axes = onnx_all_axes(onnx_desc(lw, x)->rank);
    TMC_TRY(onnx_reduce(lw, TMC_REDUCE_MIN, x, axes, false, &least));
    TMC_TRY(onnx_reduce(lw, TMC_REDUCE_MAX, x, axes, false, &most));
    TMC_TRY(onnx_unary(lw, TMC_UNARY_CLAMP, -INFINITY, 0, least, &least));
    TMC_TRY(onnx_unary(lw, TMC_UNARY_CLAMP, 0, INFINITY, most, &most));
    TMC_TRY(onnx_binary(lw, TMC_BINARY_SUB, most, least, &scale));
    TMC_TRY(onnx_binary(lw, TMC_BINARY_DIV, scale, onnx_float(lw, 255), &scale));
    TMC_TRY(onnx_unary(lw, TMC_UNARY_CLAMP, FLT_MIN, INFINITY, scale, &scale)); /* all zeros */
    TMC_TRY(onnx_binary(lw, TMC_BINARY_DIV, least, scale, &zero));
    TMC_TRY(onnx_unary(lw, TMC_UNARY_NEG, 0, 0, zero, &zero));
    TMC_TRY(onnx_unary(lw, TMC_UNARY_CLAMP, 0, 255, zero, &zero));
    TMC_TRY(onnx_unary(lw, TMC_UNARY_ROUND, 0, 0, zero, &zero));
    TMC_TRY(onnx_binary(lw, TMC_BINARY_DIV, x, scale, &y));
    TMC_TRY(onnx_unary(lw, TMC_UNARY_ROUND, 0, 0, y, &y));
    TMC_TRY(onnx_binary(lw, TMC_BINARY_ADD, y, zero, &y));
    TMC_TRY(onnx_unary(lw, TMC_UNARY_CLAMP, 0, 255, y, &y));
    TMC_TRY(onnx_cast(lw, y, TMC_U8, &y));
    TMC_TRY(onnx_cast(lw, zero, TMC_U8, &zero));
    onnx_set_output(lw, 0, y);
    onnx_set_output(lw, 1, scale);
    onnx_set_output(lw, 2, zero);
    return TMC_OK;
}

/* ------------------------------------------------------------------------------- products of integers, summed in f32
 */

/* Input less its zero point; several zero points are those of rows (of a matrix on the left) or of `axis`. */
static tmc_status less_zero_point(onnx_lower *lw, size_t index, size_t zero, int32_t axis, ir_id *out) {
    ir_id z;
    TMC_TRY(integers_as_floats(lw, index, out));
    if (!onnx_has_input(lw, zero)) return TMC_OK;
    TMC_TRY(integers_as_floats(lw, zero, &z));
    const tmc_tensor_desc x = *onnx_desc(lw, *out), desc = *onnx_desc(lw, z);
    if (desc.rank > 1) return onnx_refuse(lw, "zero_point", "rank %d is not supported", desc.rank);
    if (tmc_tensor_elements(&desc) > 1) {
        int32_t dims[TMC_MAX_RANK] = {1, 1, 1, 1, 1, 1};
        const int32_t at = axis < 0 ? axis + x.rank : axis;
        if (at < 0 || x.dims[at] != desc.dims[0])
            return tmc_fail_field(lw->err, TMC_E_QUANT, "zero_point", "%d values", desc.dims[0]);
        dims[at] = desc.dims[0];
        TMC_TRY(onnx_reshape(lw, z, x.rank, dims, &z));
    } else if (desc.rank) {
        TMC_TRY(onnx_reshape(lw, z, 0, NULL, &z));
    }
    return onnx_binary(lw, TMC_BINARY_SUB, *out, z, out);
}

/* The sum is exact below 2^24. */
static tmc_status integer_product(onnx_lower *lw, int32_t a_axis, int32_t b_axis, onnx_lower_fn product) {
    ir_id operands[2];
    TMC_TRY(onnx_expect_inputs(lw, 2, 4));
    TMC_TRY(less_zero_point(lw, 0, 2, a_axis, &operands[0]));
    TMC_TRY(less_zero_point(lw, 1, 3, b_axis, &operands[1]));
    lw->operands = operands;
    lw->operand_count = 2;
    lw->to_i32 = true;
    tmc_status status = product(lw);
    lw->operands = NULL;
    return status;
}

tmc_status onnx_lower_conv_integer(onnx_lower *lw) { return integer_product(lw, 1, 0, onnx_lower_conv); }

tmc_status onnx_lower_matmul_integer(onnx_lower *lw) { return integer_product(lw, -2, -1, onnx_lower_matmul); }
