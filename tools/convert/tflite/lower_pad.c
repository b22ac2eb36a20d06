/* PAD, PADV2, MIRROR_PAD. */
#include <stdlib.h>

#include "convert/memory.h"
#include "convert/tflite/lower.h"

static tmc_status read_pads(tflite_lower *lw, ir_id x, tmc_pad_params *params) {
    tflite_ints pads;
    const int32_t rank = tflite_desc(lw, x)->rank;
    TMC_TRY(tflite_input_ints(lw, 1, "paddings", &pads));
    if (pads.count != 2 * (uint32_t)rank)
        return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "paddings", "%u values for rank %d", pads.count, rank);
    for (int32_t i = 0; i < rank; i++) {
        TMC_TRY(tflite_to_i32(lw, "paddings", pads.values[2 * i], &params->begin[i]));
        TMC_TRY(tflite_to_i32(lw, "paddings", pads.values[2 * i + 1], &params->end[i]));
    }
    return TMC_OK;
}

tmc_status tflite_lower_pad(tflite_lower *lw) {
    ir_id x;
    tmc_pad_params params = {.mode = TMC_PAD_CONSTANT};
    TMC_TRY(tflite_expect(lw, 2, 3, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(read_pads(lw, x, &params));
    if (tflite_has_input(lw, 2)) TMC_TRY(tflite_input_float(lw, 2, "constant_values", &params.value));
    return tflite_emit_result(lw, TMC_OP_PAD, &params, &x, 1);
}

/* Mirrored with the edge itself: 2 1 | 1 2 3 | 3 2. We have no such mode, so elements are picked one by one. */
static tmc_status mirror_axis(tflite_lower *lw, ir_id x, int32_t axis, int32_t begin, int32_t end, ir_id *out) {
    const int32_t dim = tflite_desc(lw, x)->dims[axis];
    const tmc_axis_params params = {axis};
    *out = x;
    if (begin == 0 && end == 0) return TMC_OK;
    if (begin < 0 || end < 0 || begin > dim || end > dim)
        return tmc_fail_field(lw->e.err, TMC_E_RANGE, "paddings", "%d and %d around %d elements", begin, end, dim);
    const int64_t count = (int64_t)begin + dim + end;
    if (count > INT32_MAX) return tmc_fail_field(lw->e.err, TMC_E_LIMIT, "paddings", "over 2^31 elements");
    const int32_t length = (int32_t)count;
    TMC_TRY(emit_pay(&lw->e, (uint64_t)count * sizeof(int32_t)));
    int32_t *picked = x_alloc_array((size_t)length, sizeof *picked);
    for (int32_t i = 0; i < length; i++) {
        const int32_t at = i - begin;
        picked[i] = at < 0 ? -1 - at : at < dim ? at : dim - 1 - (at - dim);
    }
    ir_id inputs[2] = {x, emit_constant(&lw->e, TMC_I32, 1, &length, picked)};
    free(picked);
    return emit_node(&lw->e, TMC_OP_GATHER, &params, inputs, 2, out);
}

tmc_status tflite_lower_mirror_pad(tflite_lower *lw) {
    ir_id x;
    int8_t mode;
    tmc_pad_params params = {.mode = TMC_PAD_REFLECT};
    TMC_TRY(tflite_expect(lw, 2, 2, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(tflite_opt_choice(lw, MIRROR_PAD_MODE, &mode));
    TMC_TRY(read_pads(lw, x, &params));
    if (mode == TFLITE_MIRROR_REFLECT) return tflite_emit_result(lw, TMC_OP_PAD, &params, &x, 1);
    if (mode != TFLITE_MIRROR_SYMMETRIC) return tflite_refuse(lw, "mode", "mode %d is not supported", mode);
    for (int32_t i = 0, rank = tflite_desc(lw, x)->rank; i < rank; i++)
        TMC_TRY(mirror_axis(lw, x, i, params.begin[i], params.end[i], &x));
    return tflite_set_output(lw, 0, x);
}
