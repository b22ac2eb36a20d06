/* FULLY_CONNECTED and BATCH_MATMUL. */
#include "convert/tflite/lower.h"

static tmc_status swap_last_two(tflite_lower *lw, ir_id x, ir_id *out) {
    int32_t rank = tflite_desc(lw, x)->rank, perm[TMC_MAX_RANK];
    if (rank < 2) return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "input", "rank %d, expected a matrix", rank);
    for (int32_t i = 0; i < rank; i++) perm[i] = i;
    perm[rank - 2] = rank - 1;
    perm[rank - 1] = rank - 2;
    return emit_transpose(&lw->e, x, perm, out);
}

/* TFLite takes the input as rows of K elements, whatever its shape; with keep_num_dims the last axis must be a row. */
static tmc_status as_rows(tflite_lower *lw, bool keep_dims, int32_t k, ir_id *x) {
    const int32_t rows[2] = {-1, k};
    const tmc_tensor_desc desc = *tflite_desc(lw, *x);
    const bool fits = desc.rank > 0 && desc.dims[desc.rank - 1] == k;
    if (keep_dims && !fits)
        return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "weights", "rows of %d, the input's last axis is another", k);
    if (keep_dims || (desc.rank == 2 && fits)) return TMC_OK;
    return emit_reshape(&lw->e, *x, 2, rows, x);
}

/* Weights that the model computes cannot be packed. */
static tmc_status multiply(tflite_lower *lw, ir_id x, ir_id w, ir_id bias, tmc_act_params act, ir_id *y) {
    const tmc_fully_connected_params params = {act};
    const tmc_no_params none = {0};
    ir_id inputs[3] = {x, w, bias};
    if (ir_is_constant(lw->e.graph, w))
        return emit_node(&lw->e, TMC_OP_FULLY_CONNECTED, &params, inputs, bias == IR_NONE ? 2 : 3, y);
    TMC_TRY(swap_last_two(lw, w, &inputs[1]));
    TMC_TRY(emit_node(&lw->e, TMC_OP_MATMUL, &none, inputs, 2, y));
    if (bias == IR_NONE) return emit_unary(&lw->e, TMC_UNARY_CLAMP, act.lo, act.hi, *y, y);
    return emit_binary(&lw->e, TMC_BINARY_ADD, act, *y, bias, y);
}

tmc_status tflite_lower_fully_connected(tflite_lower *lw) {
    ir_id x, w, bias, y;
    int8_t format;
    bool keep_dims;
    tmc_act_params act;
    TMC_TRY(tflite_expect(lw, 2, 3, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(tflite_input(lw, 1, &w));
    TMC_TRY(tflite_bias(lw, 2, 0, 1, &bias));
    TMC_TRY(tflite_opt_choice(lw, DENSE_WEIGHTS_FORMAT, &format));
    TMC_TRY(tflite_opt_bool(lw, DENSE_KEEP_DIMS, &keep_dims));
    TMC_TRY(tflite_opt_activation(lw, DENSE_ACTIVATION, &act));
    if (format) return tflite_refuse(lw, "weights_format", "shuffled weights are not supported");
    const tmc_tensor_desc w_desc = *tflite_desc(lw, w);
    if (w_desc.rank != 2) return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "weights", "rank %d, expected 2", w_desc.rank);
    TMC_TRY(as_rows(lw, keep_dims, w_desc.dims[1], &x));
    if (bias != IR_NONE && tflite_desc(lw, bias)->rank != 1)
        TMC_TRY(emit_reshape(&lw->e, bias, 1, &w_desc.dims[0], &bias));
    TMC_TRY(multiply(lw, x, w, bias, act, &y));
    return tflite_set_output(lw, 0, y);
}

/* A constant matrix on the right becomes a fully connected layer in the passes. */
tmc_status tflite_lower_batch_matmul(tflite_lower *lw) {
    ir_id inputs[2];
    bool adjoint[2];
    const tmc_no_params none = {0};
    TMC_TRY(tflite_expect(lw, 2, 2, 1));
    for (uint32_t i = 0; i < 2; i++) {
        TMC_TRY(tflite_input(lw, i, &inputs[i]));
        TMC_TRY(tflite_opt_bool(lw, i ? BATCH_MATMUL_ADJ_Y : BATCH_MATMUL_ADJ_X, &adjoint[i]));
        if (adjoint[i]) TMC_TRY(swap_last_two(lw, inputs[i], &inputs[i]));
    }
    return tflite_emit_result(lw, TMC_OP_MATMUL, &none, inputs, 2);
}
