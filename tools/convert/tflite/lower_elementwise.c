/* Activations, arithmetic, comparison, logic, types. */
#include <math.h>
#include <stdlib.h>

#include "convert/tflite/lower.h"

static tmc_status one_input(tflite_lower *lw, ir_id *x) {
    TMC_TRY(tflite_expect(lw, 1, 1, 1));
    return tflite_input(lw, 0, x);
}

static tmc_status unary_result(tflite_lower *lw, int32_t kind, float alpha, float beta) {
    ir_id x;
    const tmc_unary_params params = {kind, alpha, beta};
    TMC_TRY(one_input(lw, &x));
    return tflite_emit_result(lw, TMC_OP_UNARY, &params, &x, 1);
}

tmc_status tflite_lower_unary(tflite_lower *lw) { return unary_result(lw, lw->arg, 0, 0); }

/* `arg` is the upper bound, 0 for none; the lower bound is 0, or -1 where RELU_N1_TO_1 says so. */
tmc_status tflite_lower_clamp(tflite_lower *lw) {
    const float hi = lw->arg ? (float)abs(lw->arg) : INFINITY;
    return unary_result(lw, TMC_UNARY_CLAMP, lw->arg < 0 ? -1 : 0, hi);
}

tmc_status tflite_lower_elu(tflite_lower *lw) { return unary_result(lw, TMC_UNARY_ELU, 1, 0); }

tmc_status tflite_lower_leaky_relu(tflite_lower *lw) {
    float alpha;
    TMC_TRY(tflite_opt_f32(lw, LEAKY_ALPHA, &alpha));
    return unary_result(lw, TMC_UNARY_LEAKY_RELU, alpha, 0);
}

tmc_status tflite_lower_gelu(tflite_lower *lw) {
    bool approximate;
    TMC_TRY(tflite_opt_bool(lw, GELU_APPROXIMATE, &approximate));
    return unary_result(lw, approximate ? TMC_UNARY_GELU_TANH : TMC_UNARY_GELU, 0, 0);
}

tmc_status tflite_lower_rsqrt(tflite_lower *lw) {
    ir_id x;
    const tmc_unary_params reciprocal = {TMC_UNARY_RECIPROCAL, 0, 0};
    TMC_TRY(one_input(lw, &x));
    TMC_TRY(emit_unary(&lw->e, TMC_UNARY_SQRT, 0, 0, x, &x));
    return tflite_emit_result(lw, TMC_OP_UNARY, &reciprocal, &x, 1);
}

tmc_status tflite_lower_square(tflite_lower *lw) {
    ir_id inputs[2];
    const tmc_binary_params params = {TMC_BINARY_MUL, emit_no_activation()};
    TMC_TRY(one_input(lw, &inputs[0]));
    inputs[1] = inputs[0];
    return tflite_emit_result(lw, TMC_OP_BINARY, &params, inputs, 2);
}

/* ------------------------------------------------------------------------------------------------------- binary */

static tmc_status two_inputs(tflite_lower *lw, ir_id inputs[2]) {
    TMC_TRY(tflite_expect(lw, 2, 2, 1));
    TMC_TRY(tflite_input(lw, 0, &inputs[0]));
    return tflite_input(lw, 1, &inputs[1]);
}

/* The four with a fused activation. */
tmc_status tflite_lower_binary(tflite_lower *lw) {
    ir_id in[2], y;
    tmc_act_params act;
    TMC_TRY(two_inputs(lw, in));
    TMC_TRY(tflite_opt_activation(lw, BINARY_ACTIVATION, &act));
    if (!isinf(act.lo) && tflite_desc(lw, in[0])->dtype != TMC_F32)
        return tflite_refuse(lw, "fused_activation_function", "an activation of integers is not supported");
    TMC_TRY(emit_binary(&lw->e, (tmc_binary_kind)lw->arg, act, in[0], in[1], &y));
    return tflite_set_output(lw, 0, y);
}

static tmc_status binary_result(tflite_lower *lw, int32_t kind) {
    ir_id in[2];
    const tmc_binary_params params = {kind, emit_no_activation()};
    TMC_TRY(two_inputs(lw, in));
    return tflite_emit_result(lw, TMC_OP_BINARY, &params, in, 2);
}

/* Everything else with two inputs; NOT_EQUAL is `arg` 0. */
tmc_status tflite_lower_compare(tflite_lower *lw) {
    ir_id in[2], y;
    const tmc_unary_params negate = {TMC_UNARY_NOT, 0, 0};
    if (lw->arg) return binary_result(lw, lw->arg);
    TMC_TRY(two_inputs(lw, in));
    TMC_TRY(emit_binary(&lw->e, TMC_BINARY_EQUAL, emit_no_activation(), in[0], in[1], &y));
    return tflite_emit_result(lw, TMC_OP_UNARY, &negate, &y, 1);
}

tmc_status tflite_lower_prelu(tflite_lower *lw) { return binary_result(lw, TMC_BINARY_PRELU); }

tmc_status tflite_lower_squared_difference(tflite_lower *lw) {
    ir_id in[2], squared[2];
    const tmc_binary_params params = {TMC_BINARY_MUL, emit_no_activation()};
    TMC_TRY(two_inputs(lw, in));
    TMC_TRY(emit_binary(&lw->e, TMC_BINARY_SUB, emit_no_activation(), in[0], in[1], &squared[0]));
    squared[1] = squared[0];
    return tflite_emit_result(lw, TMC_OP_BINARY, &params, squared, 2);
}

tmc_status tflite_lower_floor_div(tflite_lower *lw) {
    ir_id in[2], y;
    const tmc_unary_params round_down = {TMC_UNARY_FLOOR, 0, 0};
    TMC_TRY(two_inputs(lw, in));
    if (tflite_desc(lw, in[0])->dtype != TMC_F32) return tflite_refuse(lw, "input", "of integers it is not supported");
    TMC_TRY(emit_binary(&lw->e, TMC_BINARY_DIV, emit_no_activation(), in[0], in[1], &y));
    return tflite_emit_result(lw, TMC_OP_UNARY, &round_down, &y, 1);
}

tmc_status tflite_lower_select(tflite_lower *lw) {
    ir_id inputs[3];
    const tmc_no_params none = {0};
    TMC_TRY(tflite_expect(lw, 3, 3, 1));
    for (uint32_t i = 0; i < 3; i++) TMC_TRY(tflite_input(lw, i, &inputs[i]));
    const tmc_tensor_desc condition = *tflite_desc(lw, inputs[0]), a = *tflite_desc(lw, inputs[1]);
    /* The older SELECT takes one condition per row; broadcasting would align it with the columns. */
    if (lw->arg && condition.rank != a.rank && condition.rank != 0)
        return tflite_refuse(lw, "condition", "a condition per row is not supported");
    return tflite_emit_result(lw, TMC_OP_SELECT, &none, inputs, 3);
}

/* -------------------------------------------------------------------------------------------------------- types */

tmc_status tflite_lower_cast(tflite_lower *lw) {
    ir_id x;
    tmc_dtype to;
    TMC_TRY(one_input(lw, &x));
    TMC_TRY(tflite_output_type(lw, 0, &to));
    if (tflite_input_record(lw, 0)->quantization.count)
        return tflite_refuse(lw, "input", "a cast of quantised numbers is not supported"); /* LiteRT: of the integers */
    TMC_TRY(emit_cast(&lw->e, x, to, &x));
    return tflite_set_output(lw, 0, x);
}

/* DEQUANTIZE and QUANTIZE: inputs are floats when they are read, and outputs are quantised when they are set. */
tmc_status tflite_lower_dequantize(tflite_lower *lw) {
    ir_id x;
    TMC_TRY(one_input(lw, &x));
    return tflite_set_output(lw, 0, x);
}
