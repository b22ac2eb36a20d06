/* Reductions, ARG_MAX, ARG_MIN, softmax and normalisation. */
#include <math.h>

#include "convert/tflite/lower.h"

/* Axes may be listed twice. */
static tmc_status axes_mask(tflite_lower *lw, uint32_t index, int32_t rank, int32_t *mask) {
    tflite_ints axes;
    TMC_TRY(tflite_input_ints(lw, index, "axis", &axes));
    *mask = 0;
    for (uint32_t i = 0; i < axes.count; i++) {
        int32_t axis;
        TMC_TRY(tflite_axis(lw, axes.values[i], rank, &axis));
        *mask |= 1 << axis;
    }
    return TMC_OK;
}

tmc_status tflite_lower_reduce(tflite_lower *lw) {
    ir_id x, y;
    int32_t mask;
    bool keep_dims;
    TMC_TRY(tflite_expect(lw, 2, 2, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(axes_mask(lw, 1, tflite_desc(lw, x)->rank, &mask));
    TMC_TRY(tflite_opt_bool(lw, REDUCER_KEEP_DIMS, &keep_dims));
    TMC_TRY(emit_reduce(&lw->e, (tmc_reduce_kind)lw->arg, x, mask, keep_dims, &y));
    return tflite_set_output(lw, 0, y);
}

/* The axis goes; of equal elements the first. */
tmc_status tflite_lower_arg(tflite_lower *lw) {
    ir_id x, y;
    int64_t axis;
    tmc_dtype type;
    tmc_arg_params params = {0};
    TMC_TRY(tflite_expect(lw, 2, 2, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(tflite_input_int(lw, 1, "dimension", &axis));
    TMC_TRY(tflite_output_type(lw, 0, &type));
    TMC_TRY(tflite_axis(lw, axis, tflite_desc(lw, x)->rank, &params.axis));
    TMC_TRY(emit_node(&lw->e, (uint16_t)lw->arg, &params, &x, 1, &y));
    TMC_TRY(emit_cast(&lw->e, y, type, &y));
    return tflite_set_output(lw, 0, y);
}

/* Along the last axis; `arg` 1: log-softmax, which has no beta. */
tmc_status tflite_lower_softmax(tflite_lower *lw) {
    ir_id x;
    float beta = 1;
    tmc_softmax_params params = {.log = lw->arg};
    TMC_TRY(tflite_expect(lw, 1, 1, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    if (!lw->arg) TMC_TRY(tflite_opt_f32(lw, SOFTMAX_BETA, &beta));
    if (!isfinite(beta)) return tmc_fail_field(lw->e.err, TMC_E_RANGE, "beta", "not a finite number");
    TMC_TRY(tflite_axis(lw, -1, tflite_desc(lw, x)->rank, &params.axis));
    if (beta != 1) TMC_TRY(emit_binary(&lw->e, TMC_BINARY_MUL, emit_no_activation(), x, emit_float(&lw->e, beta), &x));
    return tflite_emit_result(lw, TMC_OP_SOFTMAX, &params, &x, 1);
}

/* x / max(|x|, 1e-6), the length along the last axis. */
tmc_status tflite_lower_l2_norm(tflite_lower *lw) {
    ir_id x, length, y;
    tmc_act_params act;
    int32_t axis;
    const tmc_act_params none = emit_no_activation();
    TMC_TRY(tflite_expect(lw, 1, 1, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(tflite_opt_activation(lw, L2_NORM_ACTIVATION, &act));
    TMC_TRY(tflite_axis(lw, -1, tflite_desc(lw, x)->rank, &axis));
    TMC_TRY(emit_reduce(&lw->e, TMC_REDUCE_L2, x, 1 << axis, true, &length));
    TMC_TRY(emit_binary(&lw->e, TMC_BINARY_MAX, none, length, emit_float(&lw->e, 1e-6f), &length));
    TMC_TRY(emit_binary(&lw->e, TMC_BINARY_DIV, act, x, length, &y));
    return tflite_set_output(lw, 0, y);
}

/* TFLite's alpha is not divided by the number of channels, ours is. */
tmc_status tflite_lower_lrn(tflite_lower *lw) {
    ir_id x;
    int32_t radius;
    tmc_lrn_params params = {0};
    TMC_TRY(tflite_expect(lw, 1, 1, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(tflite_opt_i32(lw, LRN_RADIUS, 0, &radius));
    TMC_TRY(tflite_opt_f32(lw, LRN_BIAS, &params.bias));
    TMC_TRY(tflite_opt_f32(lw, LRN_ALPHA, &params.alpha));
    TMC_TRY(tflite_opt_f32(lw, LRN_BETA, &params.beta));
    if (radius < 0 || radius > 1 << 20) return tmc_fail_field(lw->e.err, TMC_E_RANGE, "radius", "radius %d", radius);
    params.size = 2 * radius + 1;
    params.alpha *= (float)params.size;
    return tflite_emit_result(lw, TMC_OP_LRN, &params, &x, 1);
}
