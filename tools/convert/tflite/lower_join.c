/* Joining and cutting: CONCATENATION, PACK, SPLIT, UNPACK, SLICE, STRIDED_SLICE, GATHER. */
#include <stdlib.h>

#include "convert/memory.h"
#include "convert/tflite/lower.h"

/* *inputs: all of them, to be freed. */
static tmc_status all_inputs(tflite_lower *lw, ir_id **inputs) {
    TMC_TRY(tflite_expect(lw, 1, 65535, 1));
    *inputs = x_alloc_array(lw->op->input_count, sizeof **inputs);
    for (uint32_t i = 0; i < lw->op->input_count; i++) {
        tmc_status status = tflite_input(lw, i, &(*inputs)[i]);
        if (status == TMC_OK) continue;
        free(*inputs);
        *inputs = NULL;
        return status;
    }
    return TMC_OK;
}

static tmc_status concat(tflite_lower *lw, const ir_id *inputs, int32_t axis, ir_id *out) {
    tmc_axis_params params;
    TMC_TRY(tflite_axis(lw, axis, tflite_desc(lw, inputs[0])->rank, &params.axis));
    *out = inputs[0];
    return lw->op->input_count == 1 ? TMC_OK
                                    : emit_node(&lw->e, TMC_OP_CONCAT, &params, inputs, lw->op->input_count, out);
}

tmc_status tflite_lower_concat(tflite_lower *lw) {
    ir_id *inputs, y = IR_NONE;
    int32_t axis;
    int8_t activation;
    TMC_TRY(tflite_opt_i32(lw, CONCAT_AXIS, 0, &axis));
    TMC_TRY(tflite_opt_choice(lw, CONCAT_ACTIVATION, &activation));
    if (activation) return tflite_refuse(lw, "fused_activation_function", "TFLite knows no activation here");
    TMC_TRY(all_inputs(lw, &inputs));
    tmc_status status = concat(lw, inputs, axis, &y);
    free(inputs);
    return status == TMC_OK ? tflite_set_output(lw, 0, y) : status;
}

/* A new axis of 1 in front of axis `at`. */
static tmc_status insert_axis(tflite_lower *lw, ir_id x, int32_t at, ir_id *out) {
    int32_t rank = tflite_desc(lw, x)->rank, map[TMC_MAX_RANK + 1];
    for (int32_t i = 0; i <= rank; i++) map[i] = i < at ? i : i == at ? -1 : i - 1;
    return emit_reshape_axes(&lw->e, x, rank + 1, map, out);
}

static tmc_status remove_axis(tflite_lower *lw, ir_id x, int32_t at, ir_id *out) {
    int32_t rank = tflite_desc(lw, x)->rank, map[TMC_MAX_RANK] = {0};
    for (int32_t i = 0; i + 1 < rank; i++) map[i] = i < at ? i : i + 1;
    return emit_reshape_axes(&lw->e, x, rank - 1, map, out);
}

static tmc_status pack(tflite_lower *lw, ir_id *inputs, int32_t axis, ir_id *out) {
    int32_t at;
    TMC_TRY(tflite_axis(lw, axis, tflite_desc(lw, inputs[0])->rank + 1, &at));
    const int32_t rank = tflite_desc(lw, inputs[0])->rank;
    for (uint32_t i = 0; i < lw->op->input_count; i++) {
        if (tflite_desc(lw, inputs[i])->rank != rank)
            return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "values", "tensors of different ranks");
        TMC_TRY(insert_axis(lw, inputs[i], at, &inputs[i]));
    }
    return concat(lw, inputs, at, out);
}

tmc_status tflite_lower_pack(tflite_lower *lw) {
    ir_id *inputs, y = IR_NONE;
    int32_t axis;
    TMC_TRY(tflite_opt_i32(lw, PACK_AXIS, 0, &axis));
    TMC_TRY(all_inputs(lw, &inputs));
    tmc_status status = pack(lw, inputs, axis, &y);
    free(inputs);
    return status == TMC_OK ? tflite_set_output(lw, 0, y) : status;
}

/* -------------------------------------------------------------------------------------------------------- split */

static tmc_status emit_split(tflite_lower *lw, ir_id x, const tmc_split_params *params, ir_id *parts) {
    const uint32_t count = lw->op->output_count;
    parts[0] = x;
    if (count == 1 && params->sizes[0] == tflite_desc(lw, x)->dims[params->axis]) return TMC_OK;
    return emit_nodes(&lw->e, TMC_OP_SPLIT, params, &x, 1, parts, count);
}

static tmc_status count_parts(tflite_lower *lw) {
    if (lw->op->output_count >= 1 && lw->op->output_count <= TFLITE_MAX_LIST) return TMC_OK;
    return tflite_refuse(lw, "num_splits", "%u outputs, expected 1 to %d", lw->op->output_count, TFLITE_MAX_LIST);
}

static tmc_status equal_parts(tflite_lower *lw, ir_id x, tmc_split_params *params) {
    const int32_t dim = tflite_desc(lw, x)->dims[params->axis], count = (int32_t)lw->op->output_count;
    if (dim % count)
        return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "num_splits", "%d elements do not split into %d equal parts", dim,
                              count);
    for (int32_t i = 0; i < count; i++) params->sizes[i] = dim / count;
    return TMC_OK;
}

static tmc_status set_parts(tflite_lower *lw, const ir_id *parts) {
    for (uint32_t i = 0; i < lw->op->output_count; i++) TMC_TRY(tflite_set_output(lw, i, parts[i]));
    return TMC_OK;
}

tmc_status tflite_lower_split(tflite_lower *lw) {
    ir_id x, parts[TFLITE_MAX_LIST];
    int64_t axis;
    tmc_split_params params = {0};
    TMC_TRY(count_parts(lw));
    TMC_TRY(tflite_expect(lw, 2, 2, lw->op->output_count));
    TMC_TRY(tflite_input_int(lw, 0, "axis", &axis));
    TMC_TRY(tflite_input(lw, 1, &x));
    TMC_TRY(tflite_axis(lw, axis, tflite_desc(lw, x)->rank, &params.axis));
    TMC_TRY(equal_parts(lw, x, &params));
    TMC_TRY(emit_split(lw, x, &params, parts));
    return set_parts(lw, parts);
}

/* One size may be -1: the rest. */
static tmc_status given_sizes(tflite_lower *lw, const tflite_ints *sizes, int32_t dim, tmc_split_params *params) {
    int64_t rest = dim;
    for (uint32_t i = 0; i < sizes->count; i++) rest -= sizes->values[i] == -1 ? 0 : sizes->values[i];
    for (uint32_t i = 0; i < sizes->count; i++) {
        const int64_t size = sizes->values[i] == -1 ? rest : sizes->values[i];
        if (size == 0) return tflite_refuse(lw, "size_splits", "a part without elements is not supported");
        TMC_TRY(tflite_to_i32(lw, "size_splits", size, &params->sizes[i]));
    }
    return TMC_OK;
}

tmc_status tflite_lower_split_v(tflite_lower *lw) {
    ir_id x, parts[TFLITE_MAX_LIST];
    int64_t axis;
    tflite_ints sizes;
    tmc_split_params params = {0};
    TMC_TRY(count_parts(lw));
    TMC_TRY(tflite_expect(lw, 3, 3, lw->op->output_count));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(tflite_input_ints(lw, 1, "size_splits", &sizes));
    TMC_TRY(tflite_input_int(lw, 2, "axis", &axis));
    TMC_TRY(tflite_axis(lw, axis, tflite_desc(lw, x)->rank, &params.axis));
    if (sizes.count != lw->op->output_count)
        return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "size_splits", "%u sizes for %u outputs", sizes.count,
                              lw->op->output_count);
    TMC_TRY(given_sizes(lw, &sizes, tflite_desc(lw, x)->dims[params.axis], &params));
    TMC_TRY(emit_split(lw, x, &params, parts));
    return set_parts(lw, parts);
}

tmc_status tflite_lower_unpack(tflite_lower *lw) {
    ir_id x, parts[TFLITE_MAX_LIST];
    int32_t axis;
    tmc_split_params params = {0};
    TMC_TRY(count_parts(lw));
    TMC_TRY(tflite_expect(lw, 1, 1, lw->op->output_count));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(tflite_opt_i32(lw, UNPACK_AXIS, 0, &axis));
    TMC_TRY(tflite_axis(lw, axis, tflite_desc(lw, x)->rank, &params.axis));
    if ((uint32_t)tflite_desc(lw, x)->dims[params.axis] != lw->op->output_count)
        return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "num", "%u outputs for %d elements", lw->op->output_count,
                              tflite_desc(lw, x)->dims[params.axis]);
    TMC_TRY(equal_parts(lw, x, &params));
    TMC_TRY(emit_split(lw, x, &params, parts));
    for (uint32_t i = 0; i < lw->op->output_count; i++) TMC_TRY(remove_axis(lw, parts[i], params.axis, &parts[i]));
    return set_parts(lw, parts);
}

/* -------------------------------------------------------------------------------------------------------- slice */

static int32_t saturate(int64_t value) {
    return (int32_t)(value < INT32_MIN ? INT32_MIN : value > INT32_MAX ? INT32_MAX : value);
}

static tmc_status list_length(tflite_lower *lw, const char *what, const tflite_ints *list, uint32_t want) {
    if (list->count == want) return TMC_OK;
    return tmc_fail_field(lw->e.err, TMC_E_SHAPE, what, "%u values, expected %u", list->count, want);
}

tmc_status tflite_lower_slice(tflite_lower *lw) {
    ir_id x;
    tflite_ints begin, size;
    tmc_slice_params params = emit_whole_slice();
    TMC_TRY(tflite_expect(lw, 3, 3, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(tflite_input_ints(lw, 1, "begin", &begin));
    TMC_TRY(tflite_input_ints(lw, 2, "size", &size));
    const tmc_tensor_desc desc = *tflite_desc(lw, x);
    TMC_TRY(list_length(lw, "begin", &begin, (uint32_t)desc.rank));
    TMC_TRY(list_length(lw, "size", &size, (uint32_t)desc.rank));
    for (int32_t i = 0; i < desc.rank; i++) {
        const int64_t first = begin.values[i], count = size.values[i];
        if (first < 0 || first > desc.dims[i] || count < -1 || count > desc.dims[i] - first)
            return tmc_fail_field(lw->e.err, TMC_E_RANGE, "begin", "%lld elements from %lld of the %d of axis %d",
                                  (long long)count, (long long)first, desc.dims[i], i);
        params.begin[i] = (int32_t)first;
        if (count != -1) params.end[i] = (int32_t)(first + count);
    }
    return tflite_emit_result(lw, TMC_OP_SLICE, &params, &x, 1);
}

/* The specification of STRIDED_SLICE, entry by entry, becomes a slice per axis and a map of the axes that remain. */
typedef struct strided {
    tflite_ints begin, end, step;
    int32_t begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_mask;
    bool offset; /* ends count from the begins */
    tmc_slice_params slice;
    int32_t map[TFLITE_MAX_LIST], rank; /* as emit_reshape_axes */
} strided;

static tmc_status read_strided(tflite_lower *lw, strided *s) {
    TMC_TRY(tflite_input_ints(lw, 1, "begin", &s->begin));
    TMC_TRY(tflite_input_ints(lw, 2, "end", &s->end));
    TMC_TRY(tflite_input_ints(lw, 3, "strides", &s->step));
    TMC_TRY(tflite_opt_i32(lw, SLICE_BEGIN_MASK, 0, &s->begin_mask));
    TMC_TRY(tflite_opt_i32(lw, SLICE_END_MASK, 0, &s->end_mask));
    TMC_TRY(tflite_opt_i32(lw, SLICE_ELLIPSIS_MASK, 0, &s->ellipsis_mask));
    TMC_TRY(tflite_opt_i32(lw, SLICE_NEW_AXIS_MASK, 0, &s->new_axis_mask));
    TMC_TRY(tflite_opt_i32(lw, SLICE_SHRINK_MASK, 0, &s->shrink_mask));
    TMC_TRY(tflite_opt_bool(lw, SLICE_OFFSET, &s->offset));
    TMC_TRY(list_length(lw, "end", &s->end, s->begin.count));
    TMC_TRY(list_length(lw, "strides", &s->step, s->begin.count));
    if (s->begin.count > 32) return tflite_refuse(lw, "begin", "%u entries are too many", s->begin.count);
    s->slice = emit_whole_slice();
    return TMC_OK;
}

static bool has_bit(int32_t mask, uint32_t bit) { return (uint32_t)mask >> bit & 1; }

/* One element of the axis, which then goes. */
static tmc_status shrink(tflite_lower *lw, strided *s, uint32_t entry, int32_t axis, int32_t dim) {
    int32_t at;
    TMC_TRY(tflite_axis(lw, has_bit(s->begin_mask, entry) ? 0 : s->begin.values[entry], dim, &at));
    s->slice.begin[axis] = at;
    s->slice.end[axis] = at + 1 < dim ? at + 1 : INT32_MAX;
    return TMC_OK;
}

static tmc_status cut(tflite_lower *lw, strided *s, uint32_t entry, int32_t axis, int32_t dim) {
    const int64_t step = s->step.values[entry], begin = s->begin.values[entry];
    int64_t end = s->end.values[entry];
    if (step == 0) return tmc_fail_field(lw->e.err, TMC_E_RANGE, "strides", "a stride of 0");
    if (has_bit(s->shrink_mask, entry)) return shrink(lw, s, entry, axis, dim);
    if (s->offset) end += begin;
    s->slice.step[axis] = saturate(step);
    s->slice.begin[axis] = has_bit(s->begin_mask, entry) ? (step > 0 ? 0 : INT32_MAX) : saturate(begin);
    s->slice.end[axis] = has_bit(s->end_mask, entry) ? (step > 0 ? INT32_MAX : INT32_MIN) : saturate(end);
    s->map[s->rank++] = axis;
    return TMC_OK;
}

/* Axes that an ellipsis stands for: what the other entries leave. */
static int32_t ellipsis_axes(const strided *s, int32_t rank) {
    int32_t named = 0;
    for (uint32_t i = 0; i < s->begin.count; i++)
        named += !has_bit(s->ellipsis_mask, i) && !has_bit(s->new_axis_mask, i);
    return rank - named;
}

static tmc_status resolve(tflite_lower *lw, strided *s, const tmc_tensor_desc *x) {
    int32_t axis = 0, left = ellipsis_axes(s, x->rank);
    if (left < 0) return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "begin", "more entries than axes");
    for (uint32_t i = 0; i < s->begin.count; i++) {
        if (has_bit(s->ellipsis_mask, i)) {
            for (; left > 0; left--) s->map[s->rank++] = axis++;
        } else if (has_bit(s->new_axis_mask, i)) {
            s->map[s->rank++] = -1;
        } else {
            TMC_TRY(cut(lw, s, i, axis, x->dims[axis]));
            axis++;
        }
    }
    while (axis < x->rank) s->map[s->rank++] = axis++;
    return TMC_OK;
}

tmc_status tflite_lower_strided_slice(tflite_lower *lw) {
    ir_id x;
    strided s = {0};
    TMC_TRY(tflite_expect(lw, 4, 4, 1));
    TMC_TRY(tflite_input(lw, 0, &x));
    TMC_TRY(read_strided(lw, &s));
    const tmc_tensor_desc desc = *tflite_desc(lw, x);
    TMC_TRY(resolve(lw, &s, &desc));
    TMC_TRY(emit_node(&lw->e, TMC_OP_SLICE, &s.slice, &x, 1, &x));
    if (s.shrink_mask || s.new_axis_mask) TMC_TRY(emit_reshape_axes(&lw->e, x, s.rank, s.map, &x));
    return tflite_set_output(lw, 0, x);
}

/* ------------------------------------------------------------------------------------------------------- gather */

static tmc_status check_indices(tflite_lower *lw, ir_id indices, int32_t dim) {
    const ir_tensor *tensor = &lw->e.graph->tensors[indices];
    if (!tensor->data || (tensor->desc.dtype != TMC_I32 && tensor->desc.dtype != TMC_I64)) return TMC_OK;
    TMC_TRY(emit_pay(&lw->e, tensor->data_bytes));
    for (size_t i = 0, n = tmc_tensor_elements(&tensor->desc); i < n; i++) {
        const int64_t index =
            tensor->desc.dtype == TMC_I64 ? ((const int64_t *)tensor->data)[i] : ((const int32_t *)tensor->data)[i];
        if (index < 0 || index >= dim)
            return tmc_fail_field(lw->e.err, TMC_E_RANGE, "indices", "index %lld of %d elements", (long long)index,
                                  dim);
    }
    return TMC_OK;
}

tmc_status tflite_lower_gather(tflite_lower *lw) {
    ir_id inputs[2];
    int32_t axis, batch;
    tmc_axis_params params;
    TMC_TRY(tflite_expect(lw, 2, 2, 1));
    TMC_TRY(tflite_input(lw, 0, &inputs[0]));
    TMC_TRY(tflite_input(lw, 1, &inputs[1]));
    TMC_TRY(tflite_opt_i32(lw, GATHER_AXIS, 0, &axis));
    TMC_TRY(tflite_opt_i32(lw, GATHER_BATCH_DIMS, 0, &batch));
    if (batch) return tflite_refuse(lw, "batch_dims", "batch_dims %d is not supported", batch);
    TMC_TRY(tflite_axis(lw, axis, tflite_desc(lw, inputs[0])->rank, &params.axis));
    TMC_TRY(check_indices(lw, inputs[1], tflite_desc(lw, inputs[0])->dims[params.axis]));
    return tflite_emit_result(lw, TMC_OP_GATHER, &params, inputs, 2);
}
