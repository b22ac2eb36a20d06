/* Shapes and moves: RESHAPE, SQUEEZE, EXPAND_DIMS, SHAPE, TRANSPOSE, TILE, BROADCAST_TO, REVERSE_V2, and blocks. */
#include <string.h>

#include "convert/tflite/window.h"

/* ------------------------------------------------------------------------------------------------------ reshape */

/* The target is the second input, or an option in old files. */
static tmc_status reshape_target(tflite_lower *lw, tflite_ints *target) {
    fb_reader reader = lw->model->reader;
    fb_vector vector;
    reader.err = lw->e.err;
    TMC_TRY(tflite_input_ints(lw, 1, "shape", target));
    if (target->present || !lw->op->options.at) return TMC_OK;
    TMC_TRY(fb_vector_field(&reader, &lw->op->options, RESHAPE_NEW_SHAPE, 4, "new_shape", &vector));
    target->present = vector.at != 0;
    target->count = vector.count;
    for (uint32_t i = 0; i < vector.count && i < TFLITE_MAX_LIST; i++)
        target->values[i] = fb_vector_i32(&reader, &vector, i);
    return TMC_OK;
}

/* A number that the model computed from a shape: the result's axis is open, and as long as the input's. It is written
 * as "copy that axis". A number that the model states will differ at the next trial of other dims (vary.h). */
static bool follows_input(const tflite_lower *lw, ir_id x, uint32_t axis, int32_t dim) {
    const tflite_tensor *record = &lw->model->tensors[lw->op->outputs[0]];
    const tmc_tensor_desc *desc = tflite_desc(lw, x);
    return record->open[axis] && (int32_t)axis < desc->rank && desc->dims[axis] == dim;
}

tmc_status tflite_lower_reshape(tflite_lower *lw) {
    ir_id x;
    tflite_ints target;
    int32_t dims[TMC_MAX_RANK];
    TMC_TRY(tflite_expect(lw, 1, 2, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(reshape_target(lw, &target));
    if (!target.present) return tmc_fail_field(lw->e.err, TMC_E_FORMAT, "shape", "a reshape without a target");
    if (target.count > TMC_MAX_RANK)
        return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "shape", "rank %u, at most %d is supported", target.count,
                              TMC_MAX_RANK);
    for (uint32_t i = 0; i < target.count; i++) {
        /* Our 0 copies an axis, TFLite's has no elements. */
        if (target.values[i] == 0 || target.values[i] < -1)
            return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "shape", "dim %u is %lld", i, (long long)target.values[i]);
        TMC_TRY(tflite_to_i32(lw, "shape", target.values[i], &dims[i]));
        if (follows_input(lw, x, i, dims[i])) dims[i] = 0;
    }
    TMC_TRY(emit_reshape(&lw->e, x, (int32_t)target.count, dims, &x));
    return tflite_set_output(lw, 0, x);
}

static tmc_status squeezed_axes(tflite_lower *lw, const tmc_tensor_desc *x, uint32_t *mask) {
    fb_reader reader = lw->model->reader;
    fb_vector vector = {0};
    reader.err = lw->e.err;
    *mask = 0;
    if (lw->op->options.at)
        TMC_TRY(fb_vector_field(&reader, &lw->op->options, SQUEEZE_DIMS, 4, "squeeze_dims", &vector));
    for (uint32_t i = 0; i < vector.count; i++) {
        int32_t axis;
        TMC_TRY(tflite_axis(lw, fb_vector_i32(&reader, &vector, i), x->rank, &axis));
        if (x->dims[axis] != 1)
            return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "squeeze_dims", "axis %d is %d, not 1", axis, x->dims[axis]);
        *mask |= 1u << axis;
    }
    for (int32_t i = 0; vector.count == 0 && i < x->rank; i++)
        if (x->dims[i] == 1) *mask |= 1u << i;
    return TMC_OK;
}

tmc_status tflite_lower_squeeze(tflite_lower *lw) {
    ir_id x;
    uint32_t mask;
    int32_t map[TMC_MAX_RANK], rank = 0;
    TMC_TRY(tflite_expect(lw, 1, 1, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    const tmc_tensor_desc desc = *tflite_desc(lw, x);
    TMC_TRY(squeezed_axes(lw, &desc, &mask));
    for (int32_t i = 0; i < desc.rank; i++)
        if (!(mask >> i & 1)) map[rank++] = i;
    TMC_TRY(emit_reshape_axes(&lw->e, x, rank, map, &x));
    return tflite_set_output(lw, 0, x);
}

tmc_status tflite_lower_expand_dims(tflite_lower *lw) {
    ir_id x;
    int64_t at;
    int32_t axis, map[TMC_MAX_RANK + 1];
    TMC_TRY(tflite_expect(lw, 2, 2, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(tflite_input_int(lw, 1, "axis", &at));
    const int32_t rank = tflite_desc(lw, x)->rank + 1;
    TMC_TRY(tflite_axis(lw, at, rank, &axis));
    for (int32_t i = 0; i < rank; i++) map[i] = i < axis ? i : i == axis ? -1 : i - 1;
    TMC_TRY(emit_reshape_axes(&lw->e, x, rank, map, &x));
    return tflite_set_output(lw, 0, x);
}

tmc_status tflite_lower_shape(tflite_lower *lw) {
    ir_id x, y;
    tmc_dtype type;
    TMC_TRY(tflite_expect(lw, 1, 1, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(tflite_output_type(lw, 0, &type));
    const tmc_tensor_desc desc = *tflite_desc(lw, x);
    if (desc.rank == 0) return tflite_refuse(lw, "input", "the shape of a scalar has no elements");
    y = emit_constant(&lw->e, TMC_I32, 1, &desc.rank, desc.dims);
    TMC_TRY(emit_cast(&lw->e, y, type, &y));
    return tflite_set_output(lw, 0, y);
}

/* -------------------------------------------------------------------------------------------------------- moves */

/* One number for each axis of x. */
static tmc_status list_of_axes(tflite_lower *lw, uint32_t index, const char *what, ir_id x, tflite_ints *list) {
    TMC_TRY(tflite_input_ints(lw, index, what, list));
    if (list->count == (uint32_t)tflite_desc(lw, x)->rank) return TMC_OK;
    return tmc_fail_field(lw->e.err, TMC_E_SHAPE, what, "%u values for rank %d", list->count, tflite_desc(lw, x)->rank);
}

tmc_status tflite_lower_transpose(tflite_lower *lw) {
    ir_id x;
    tflite_ints perm;
    int32_t axes[TMC_MAX_RANK];
    uint32_t seen = 0;
    TMC_TRY(tflite_expect(lw, 2, 2, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(list_of_axes(lw, 1, "perm", x, &perm));
    for (uint32_t i = 0; i < perm.count; i++) {
        TMC_TRY(tflite_axis(lw, perm.values[i], (int32_t)perm.count, &axes[i]));
        if (seen >> axes[i] & 1) return tmc_fail_field(lw->e.err, TMC_E_RANGE, "perm", "axis %d twice", axes[i]);
        seen |= 1u << axes[i];
    }
    TMC_TRY(emit_transpose(&lw->e, x, axes, &x));
    return tflite_set_output(lw, 0, x);
}

tmc_status tflite_lower_tile(tflite_lower *lw) {
    ir_id x;
    tflite_ints repeats;
    tmc_shape_params params = {0};
    TMC_TRY(tflite_expect(lw, 2, 2, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(list_of_axes(lw, 1, "multiples", x, &repeats));
    params.rank = (int32_t)repeats.count;
    for (uint32_t i = 0; i < repeats.count; i++)
        TMC_TRY(tflite_to_i32(lw, "multiples", repeats.values[i], &params.dims[i]));
    return tflite_emit_result(lw, TMC_OP_TILE, &params, &x, 1);
}

tmc_status tflite_lower_broadcast_to(tflite_lower *lw) {
    ir_id x;
    tflite_ints shape;
    tmc_shape_params params = {0};
    TMC_TRY(tflite_expect(lw, 2, 2, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(tflite_input_ints(lw, 1, "shape", &shape));
    if (shape.count > TMC_MAX_RANK)
        return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "shape", "rank %u, at most %d", shape.count, TMC_MAX_RANK);
    params.rank = (int32_t)shape.count;
    for (uint32_t i = 0; i < shape.count; i++) TMC_TRY(tflite_to_i32(lw, "shape", shape.values[i], &params.dims[i]));
    return tflite_emit_result(lw, TMC_OP_EXPAND, &params, &x, 1);
}

tmc_status tflite_lower_reverse(tflite_lower *lw) {
    ir_id x;
    tflite_ints axes;
    tmc_slice_params params = emit_whole_slice();
    TMC_TRY(tflite_expect(lw, 2, 2, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(tflite_input_ints(lw, 1, "axis", &axes));
    for (uint32_t i = 0; i < axes.count; i++) {
        int32_t axis;
        TMC_TRY(tflite_axis(lw, axes.values[i], tflite_desc(lw, x)->rank, &axis));
        params.begin[axis] = INT32_MAX;
        params.end[axis] = INT32_MIN;
        params.step[axis] = -1;
    }
    return tflite_emit_result(lw, TMC_OP_SLICE, &params, &x, 1);
}

/* ------------------------------------------------------------------------------------------------------- blocks */

static tmc_status move_blocks(tflite_lower *lw, uint16_t op) {
    ir_id x;
    tmc_block_params params = {.mode = 0}; /* depth_to_space: TMC_BLOCK_DCR */
    TMC_TRY(tflite_expect(lw, 1, 1, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(tflite_opt_i32(lw, BLOCK_SIZE, 0, &params.block));
    return tflite_emit_result(lw, op, &params, &x, 1);
}

tmc_status tflite_lower_depth_to_space(tflite_lower *lw) { return move_blocks(lw, TMC_OP_DEPTH_TO_SPACE); }

tmc_status tflite_lower_space_to_depth(tflite_lower *lw) { return move_blocks(lw, TMC_OP_SPACE_TO_DEPTH); }

typedef struct batch_blocks {
    ir_id x;
    int32_t factor[2], begin[2], end[2]; /* height, width */
} batch_blocks;

static tmc_status read_batch_blocks(tflite_lower *lw, const char *what, batch_blocks *b) {
    tflite_ints factor, pads;
    TMC_TRY(tflite_expect(lw, 3, 3, 1));
    TMC_TRY(tflite_input(lw, 0, &b->x));
    TMC_TRY(tflite_input_ints(lw, 1, "block_shape", &factor));
    TMC_TRY(tflite_input_ints(lw, 2, what, &pads));
    if (tflite_desc(lw, b->x)->rank != 4 || factor.count != 2 || pads.count != 4)
        return tflite_refuse(lw, "block_shape", "only blocks of height and width of a tensor of rank 4 are supported");
    for (int i = 0; i < 2; i++) {
        TMC_TRY(tflite_to_i32(lw, "block_shape", factor.values[i], &b->factor[i]));
        TMC_TRY(tflite_to_i32(lw, what, pads.values[2 * i], &b->begin[i]));
        TMC_TRY(tflite_to_i32(lw, what, pads.values[2 * i + 1], &b->end[i]));
        if (b->factor[i] < 1 || b->begin[i] < 0 || b->end[i] < 0)
            return tmc_fail_field(lw->e.err, TMC_E_RANGE, what, "block %d with %d and %d", b->factor[i], b->begin[i],
                                  b->end[i]);
    }
    return TMC_OK;
}

static tmc_status regroup(tflite_lower *lw, ir_id x, const int32_t split[6], const int32_t perm[6],
                          const int32_t joined[4], ir_id *out) {
    TMC_TRY(emit_reshape(&lw->e, x, 6, split, &x));
    TMC_TRY(emit_transpose(&lw->e, x, perm, &x));
    return emit_reshape(&lw->e, x, 4, joined, out);
}

static tmc_status does_not_divide(tflite_lower *lw, int32_t dim, int32_t factor) {
    return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "block_shape", "%d elements do not divide into blocks of %d", dim,
                          factor);
}

/* [N, H, W, C] padded, as [N, H/f, f, W/g, g, C], to [f g N, H/f, W/g, C]. */
tmc_status tflite_lower_space_to_batch(tflite_lower *lw) {
    static const int32_t perm[6] = {2, 4, 0, 1, 3, 5};
    batch_blocks b;
    ir_id y;
    tmc_pad_params pad = {.mode = TMC_PAD_CONSTANT};
    TMC_TRY(read_batch_blocks(lw, "paddings", &b));
    for (int i = 0; i < 2; i++) {
        pad.begin[1 + i] = b.begin[i];
        pad.end[1 + i] = b.end[i];
    }
    TMC_TRY(emit_node(&lw->e, TMC_OP_PAD, &pad, &b.x, 1, &y));
    const tmc_tensor_desc x = *tflite_desc(lw, y);
    for (int i = 0; i < 2; i++)
        if (x.dims[1 + i] % b.factor[i]) return does_not_divide(lw, x.dims[1 + i], b.factor[i]);
    const int32_t h = x.dims[1] / b.factor[0], w = x.dims[2] / b.factor[1];
    const int32_t split[6] = {x.dims[0], h, b.factor[0], w, b.factor[1], x.dims[3]};
    const int32_t joined[4] = {-1, h, w, x.dims[3]};
    TMC_TRY(regroup(lw, y, split, perm, joined, &y));
    return tflite_set_output(lw, 0, y);
}

/* The reverse, then the crops. */
tmc_status tflite_lower_batch_to_space(tflite_lower *lw) {
    static const int32_t perm[6] = {2, 3, 0, 4, 1, 5};
    batch_blocks b;
    ir_id y;
    tmc_slice_params crop = emit_whole_slice();
    TMC_TRY(read_batch_blocks(lw, "crops", &b));
    const tmc_tensor_desc x = *tflite_desc(lw, b.x);
    if (x.dims[0] % b.factor[0]) return does_not_divide(lw, x.dims[0], b.factor[0]);
    const int32_t rows = x.dims[0] / b.factor[0];
    if (rows % b.factor[1]) return does_not_divide(lw, rows, b.factor[1]);
    int64_t size[2];
    for (int i = 0; i < 2; i++) {
        size[i] = (int64_t)x.dims[1 + i] * b.factor[i];
        if ((int64_t)b.begin[i] + b.end[i] >= size[i])
            return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "crops", "crops leave nothing");
        crop.begin[1 + i] = b.begin[i];
        crop.end[1 + i] = b.end[i] ? -b.end[i] : INT32_MAX;
    }
    const int32_t split[6] = {b.factor[0], b.factor[1], rows / b.factor[1], x.dims[1], x.dims[2], x.dims[3]};
    int32_t joined[4] = {rows / b.factor[1], 0, 0, x.dims[3]};
    TMC_TRY(tflite_to_i32(lw, "block_shape", size[0], &joined[1]));
    TMC_TRY(tflite_to_i32(lw, "block_shape", size[1], &joined[2]));
    TMC_TRY(regroup(lw, b.x, split, perm, joined, &y));
    return tflite_emit_result(lw, TMC_OP_SLICE, &crop, &y, 1);
}
