/* Activations, arithmetic, comparison, logic, type changes. */
#include <float.h>
#include <math.h>

#include "convert/onnx/lower.h"
#include "convert/onnx/tensor_proto.h"

static tmc_status one_input(onnx_lower *lw, ir_id *x) {
    TMC_TRY(onnx_expect_inputs(lw, 1, 1));
    return onnx_input(lw, 0, x);
}

static tmc_status unary_result(onnx_lower *lw, int32_t kind, float alpha, float beta, ir_id x) {
    tmc_unary_params params = {kind, alpha, beta};
    return onnx_emit_result(lw, TMC_OP_UNARY, &params, &x, 1);
}

tmc_status onnx_lower_unary(onnx_lower *lw) {
    ir_id x;
    TMC_TRY(one_input(lw, &x));
    return unary_result(lw, lw->arg, 0, 0, x);
}

tmc_status onnx_lower_relu(onnx_lower *lw) {
    ir_id x;
    TMC_TRY(one_input(lw, &x));
    return unary_result(lw, TMC_UNARY_CLAMP, 0, INFINITY, x);
}

/* Operators whose only attribute is alpha. */
tmc_status onnx_lower_unary_alpha(onnx_lower *lw) {
    ir_id x;
    float alpha;
    TMC_TRY(one_input(lw, &x));
    TMC_TRY(onnx_attr_float(lw, "alpha", lw->arg == TMC_UNARY_LEAKY_RELU ? 0.01f : 1.0f, &alpha));
    return unary_result(lw, lw->arg, alpha, 0, x);
}

tmc_status onnx_lower_hard_sigmoid(onnx_lower *lw) {
    ir_id x;
    float alpha, beta;
    TMC_TRY(one_input(lw, &x));
    TMC_TRY(onnx_attr_float(lw, "alpha", 0.2f, &alpha));
    TMC_TRY(onnx_attr_float(lw, "beta", 0.5f, &beta));
    return unary_result(lw, TMC_UNARY_HARD_SIGMOID, alpha, beta, x);
}

tmc_status onnx_lower_selu(onnx_lower *lw) {
    ir_id x;
    float alpha, gamma;
    TMC_TRY(one_input(lw, &x));
    TMC_TRY(onnx_attr_float(lw, "alpha", 1.67326319217681884765625f, &alpha));
    TMC_TRY(onnx_attr_float(lw, "gamma", 1.05070102214813232421875f, &gamma));
    return unary_result(lw, TMC_UNARY_SELU, alpha, gamma, x);
}

tmc_status onnx_lower_gelu(onnx_lower *lw) {
    static const char *const modes[] = {"none", "tanh", NULL};
    ir_id x;
    int32_t mode;
    TMC_TRY(one_input(lw, &x));
    TMC_TRY(onnx_attr_choice(lw, "approximate", modes, 0, &mode));
    return unary_result(lw, mode ? TMC_UNARY_GELU_TANH : TMC_UNARY_GELU, 0, 0, x);
}

/* -------------------------------------------------------------------------------------------------------- clip */

/* The default bounds of opset 6 are the largest floats; as infinities they let an overflow be seen further on. */
static float unbounded(float bound) { return fabsf(bound) >= FLT_MAX ? copysignf(INFINITY, bound) : bound; }

static tmc_status clip_between_tensors(onnx_lower *lw, ir_id x, ir_id lo, ir_id hi) {
    ir_id y = x;
    if (lo != IR_NONE) TMC_TRY(onnx_binary(lw, TMC_BINARY_MAX, y, lo, &y));
    if (hi != IR_NONE) TMC_TRY(onnx_binary(lw, TMC_BINARY_MIN, y, hi, &y));
    onnx_set_output(lw, 0, y);
    return TMC_OK;
}

tmc_status onnx_lower_clip(onnx_lower *lw) {
    ir_id x, bounds[2] = {IR_NONE, IR_NONE};
    float lo = -INFINITY, hi = INFINITY;
    TMC_TRY(onnx_expect_inputs(lw, 1, lw->opset < 11 ? 1 : 3));
    TMC_TRY(onnx_input(lw, 0, &x));
    if (lw->opset < 11) {
        TMC_TRY(onnx_attr_float(lw, "min", lo, &lo));
        TMC_TRY(onnx_attr_float(lw, "max", hi, &hi));
    } else {
        bool constant = onnx_desc(lw, x)->dtype == TMC_F32;
        for (size_t i = 0; i < 2; i++) {
            TMC_TRY(onnx_optional_input(lw, 1 + i, &bounds[i]));
            if (bounds[i] != IR_NONE) constant = constant && onnx_constant_floats(lw, bounds[i]);
        }
        if (!constant) return clip_between_tensors(lw, x, bounds[0], bounds[1]);
        TMC_TRY(onnx_input_scalar(lw, 1, "min", lo, &lo));
        TMC_TRY(onnx_input_scalar(lw, 2, "max", hi, &hi));
    }
    /* ONNX: where min is over max, everything becomes max. */
    if (lo > hi) lo = hi;
    return unary_result(lw, TMC_UNARY_CLAMP, unbounded(lo), unbounded(hi), x);
}

/* ------------------------------------------------------------------------------------------------------- binary */

static tmc_status two_inputs(onnx_lower *lw, ir_id *a, ir_id *b) {
    TMC_TRY(onnx_expect_inputs(lw, 2, 2));
    TMC_TRY(onnx_input(lw, 0, a));
    return onnx_input(lw, 1, b);
}

static tmc_status binary_result(onnx_lower *lw, int32_t kind, ir_id a, ir_id b) {
    ir_id out;
    TMC_TRY(onnx_binary(lw, (tmc_binary_kind)kind, a, b, &out));
    onnx_set_output(lw, 0, out);
    return TMC_OK;
}

tmc_status onnx_lower_binary(onnx_lower *lw) {
    ir_id a, b;
    TMC_TRY(two_inputs(lw, &a, &b));
    return binary_result(lw, lw->arg, a, b);
}

tmc_status onnx_lower_prelu(onnx_lower *lw) {
    ir_id x, slope;
    TMC_TRY(two_inputs(lw, &x, &slope));
    if (onnx_desc(lw, slope)->rank > onnx_desc(lw, x)->rank)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, "slope", "the slope has more axes than the input");
    return binary_result(lw, TMC_BINARY_PRELU, x, slope);
}

/* The result has the base's type; the power is taken in f32 if either operand is. */
tmc_status onnx_lower_pow(onnx_lower *lw) {
    ir_id base, exponent, y;
    TMC_TRY(two_inputs(lw, &base, &exponent));
    tmc_dtype result = (tmc_dtype)onnx_desc(lw, base)->dtype, type = result;
    if (onnx_desc(lw, exponent)->dtype == TMC_F32) type = TMC_F32;
    TMC_TRY(onnx_cast(lw, base, type, &base));
    TMC_TRY(onnx_cast(lw, exponent, type, &exponent));
    TMC_TRY(onnx_binary(lw, TMC_BINARY_POW, base, exponent, &y));
    TMC_TRY(onnx_cast(lw, y, result, &y));
    onnx_set_output(lw, 0, y);
    return TMC_OK;
}

tmc_status onnx_lower_mod(onnx_lower *lw) {
    ir_id a, b;
    bool fmod_rule;
    TMC_TRY(two_inputs(lw, &a, &b));
    TMC_TRY(onnx_attr_bool(lw, "fmod", false, &fmod_rule));
    bool is_float = onnx_desc(lw, a)->dtype == TMC_F32;
    if (is_float && !fmod_rule)
        return tmc_fail_field(lw->err, TMC_E_DTYPE, "fmod", "fmod=0 is for integers, the input is f32");
    if (!is_float && fmod_rule) return onnx_refuse(lw, "fmod", "fmod=1 of integers is not supported");
    return binary_result(lw, TMC_BINARY_MOD, a, b);
}

/* Min, Max, Sum and Mean of any number of inputs, from left to right. */
tmc_status onnx_lower_variadic(onnx_lower *lw) {
    ir_id y, next;
    bool mean = lw->arg == 0;
    TMC_TRY(onnx_expect_inputs(lw, 1, SIZE_MAX));
    TMC_TRY(onnx_input(lw, 0, &y));
    for (size_t i = 1; i < lw->node->n_input; i++) {
        TMC_TRY(onnx_input(lw, i, &next));
        TMC_TRY(onnx_binary(lw, mean ? TMC_BINARY_ADD : (tmc_binary_kind)lw->arg, y, next, &y));
    }
    if (mean && lw->node->n_input > 1)
        TMC_TRY(onnx_binary(lw, TMC_BINARY_DIV, y, onnx_float(lw, (float)lw->node->n_input), &y));
    onnx_set_output(lw, 0, y);
    return TMC_OK;
}

tmc_status onnx_lower_where(onnx_lower *lw) {
    ir_id inputs[3];
    tmc_no_params params = {0};
    TMC_TRY(onnx_expect_inputs(lw, 3, 3));
    for (size_t i = 0; i < 3; i++) TMC_TRY(onnx_input(lw, i, &inputs[i]));
    return onnx_emit_result(lw, TMC_OP_SELECT, &params, inputs, 3);
}

/* -------------------------------------------------------------------------------------------------------- types */

static tmc_status cast_result(onnx_lower *lw, ir_id x, tmc_dtype dtype) {
    ir_id y;
    TMC_TRY(onnx_cast(lw, x, dtype, &y));
    onnx_set_output(lw, 0, y);
    return TMC_OK;
}

tmc_status onnx_lower_cast(onnx_lower *lw) {
    ir_id x;
    int64_t to;
    TMC_TRY(onnx_attr_int(lw, "to", 0, &to));
    onnx_ignore_attr(lw, "saturate"); /* of 8-bit floats, which are refused */
    int32_t type = to >= 0 && to <= 64 ? (int32_t)to : 0;
    tmc_tensor_desc empty;
    if (onnx_dtype(type) == 0) return onnx_refuse(lw, "to", "a cast to %s is not supported", onnx_dtype_name(type));
    if (onnx_input_is_empty(lw, 0, &empty)) {
        empty.dtype = (uint8_t)onnx_dtype(type);
        onnx_set_empty_output(lw, 0, &empty);
        return TMC_OK;
    }
    TMC_TRY(one_input(lw, &x));
    return cast_result(lw, x, onnx_dtype(type));
}

tmc_status onnx_lower_cast_like(onnx_lower *lw) {
    ir_id x, like;
    TMC_TRY(two_inputs(lw, &x, &like));
    onnx_ignore_attr(lw, "saturate");
    return cast_result(lw, x, (tmc_dtype)onnx_desc(lw, like)->dtype);
}

static tmc_status forward_input(onnx_lower *lw) {
    tmc_tensor_desc empty;
    ir_id x;
    if (onnx_input_is_empty(lw, 0, &empty)) {
        onnx_set_empty_output(lw, 0, &empty);
        return TMC_OK;
    }
    TMC_TRY(onnx_input(lw, 0, &x));
    onnx_set_output(lw, 0, x);
    return TMC_OK;
}

tmc_status onnx_lower_identity(onnx_lower *lw) {
    TMC_TRY(onnx_expect_inputs(lw, 1, 1));
    return forward_input(lw);
}

/* At inference a copy. The mask stays without value and is refused where it is read. */
tmc_status onnx_lower_dropout(onnx_lower *lw) {
    float training;
    TMC_TRY(onnx_expect_inputs(lw, 1, lw->opset < 12 ? 1 : 3));
    onnx_ignore_attr(lw, lw->opset < 12 ? "ratio" : "seed");
    TMC_TRY(onnx_input_scalar(lw, 2, "training_mode", 0, &training));
    if (training != 0) return onnx_refuse(lw, "training_mode", "training_mode=1: export the model for inference");
    return forward_input(lw);
}
