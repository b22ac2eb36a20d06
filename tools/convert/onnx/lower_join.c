/* Joining and cutting: concat, split, slice, pad, gather. */
#include <stdlib.h>
#include <string.h>

#include "convert/emit.h"
#include "convert/memory.h"
#include "convert/onnx/lower.h"
#include "graph/slice.h"

static tmc_status emit_concat(onnx_lower *lw, const ir_id *inputs, uint32_t count, int64_t axis) {
    tmc_axis_params params;
    TMC_TRY(onnx_axis(lw, axis, onnx_desc(lw, inputs[0])->rank, &params.axis));
    if (count > 1) return onnx_emit_result(lw, TMC_OP_CONCAT, &params, inputs, count);
    onnx_set_output(lw, 0, inputs[0]);
    return TMC_OK;
}

tmc_status onnx_lower_concat(onnx_lower *lw) {
    int64_t axis;
    tmc_tensor_desc empty;
    TMC_TRY(onnx_expect_inputs(lw, 1, 65535));
    if (!onnx_has_attr(lw, "axis")) return tmc_fail_field(lw->err, TMC_E_FORMAT, "axis", "attribute is missing");
    TMC_TRY(onnx_attr_int(lw, "axis", 0, &axis));
    ir_id *inputs = x_alloc_array(onnx_input_count(lw), sizeof *inputs);
    tmc_status status = TMC_OK;
    uint32_t count = 0;
    for (size_t i = 0; status == TMC_OK && i < onnx_input_count(lw); i++)
        if (!onnx_input_is_empty(lw, i, &empty)) status = onnx_input(lw, i, &inputs[count++]);
    if (status == TMC_OK && count) status = emit_concat(lw, inputs, count, axis);
    if (status == TMC_OK && !count) onnx_set_empty_output(lw, 0, &empty);
    free(inputs);
    return status;
}

/* -------------------------------------------------------------------------------------------------------- split */

static tmc_status equal_sizes(onnx_lower *lw, int32_t dim, uint32_t parts, int32_t *sizes) {
    int32_t chunk = (int32_t)(((int64_t)dim + parts - 1) / parts), left = dim;
    if (lw->opset < 18 && dim % (int32_t)parts)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, "split", "%d elements do not split into %u equal parts", dim,
                              parts);
    for (uint32_t i = 0; i < parts; i++) {
        sizes[i] = left < chunk ? left : chunk;
        left -= sizes[i];
    }
    return TMC_OK;
}

static tmc_status split_sizes(onnx_lower *lw, int32_t dim, uint32_t parts, int32_t *sizes) {
    onnx_ints given;
    int64_t wanted;
    TMC_TRY(onnx_ints_since(lw, "split", 13, 1, &given));
    TMC_TRY(onnx_attr_int(lw, "num_outputs", parts, &wanted));
    if ((given.present && given.count != parts) || wanted != parts)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, "split", "the number of sizes is not that of the outputs");
    if (!given.present) return equal_sizes(lw, dim, parts, sizes);
    for (uint32_t i = 0; i < parts; i++) {
        if (given.values[i] == 0) return onnx_refuse(lw, "split", "a part without elements is not supported");
        TMC_TRY(onnx_to_i32(lw, "split", given.values[i], &sizes[i]));
    }
    return TMC_OK;
}

tmc_status onnx_lower_split(onnx_lower *lw) {
    ir_id x, outputs[ONNX_MAX_LIST];
    int64_t axis;
    tmc_split_params params = {0};
    size_t parts = lw->node->n_output;
    TMC_TRY(onnx_expect_inputs(lw, 1, lw->opset < 13 ? 1 : 2));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_attr_int(lw, "axis", 0, &axis));
    if (parts < 1 || parts > ONNX_MAX_LIST) return onnx_refuse(lw, "split", "%zu outputs, at most 64", parts);
    const tmc_tensor_desc desc = *onnx_desc(lw, x);
    TMC_TRY(onnx_axis(lw, axis, desc.rank, &params.axis));
    TMC_TRY(split_sizes(lw, desc.dims[params.axis], (uint32_t)parts, params.sizes));
    if (parts == 1 && params.sizes[0] == desc.dims[params.axis])
        outputs[0] = x;
    else
        TMC_TRY(onnx_emit_outputs(lw, TMC_OP_SPLIT, &params, &x, 1, outputs, (uint32_t)parts));
    for (size_t i = 0; i < parts; i++) onnx_set_output(lw, i, outputs[i]);
    return TMC_OK;
}

/* -------------------------------------------------------------------------------------------------------- slice */

static int32_t saturate(int64_t value) {
    return (int32_t)(value < INT32_MIN ? INT32_MIN : value > INT32_MAX ? INT32_MAX : value);
}

typedef struct slice_lists {
    onnx_ints starts, ends, axes, steps;
} slice_lists;

static tmc_status read_slice(onnx_lower *lw, slice_lists *s) {
    TMC_TRY(onnx_expect_inputs(lw, lw->opset < 10 ? 1 : 3, lw->opset < 10 ? 1 : 5));
    TMC_TRY(onnx_ints_since(lw, "starts", 10, 1, &s->starts));
    TMC_TRY(onnx_ints_since(lw, "ends", 10, 2, &s->ends));
    TMC_TRY(onnx_ints_since(lw, "axes", 10, 3, &s->axes));
    TMC_TRY(onnx_input_ints(lw, 4, "steps", &s->steps));
    if (s->starts.count != s->ends.count || (s->axes.present && s->axes.count != s->starts.count) ||
        (s->steps.present && s->steps.count != s->starts.count))
        return tmc_fail_field(lw->err, TMC_E_SHAPE, "starts", "starts, ends, axes and steps differ in length");
    return TMC_OK;
}

/* Lists that exporters cut out of a shape may well have no elements. */
static bool slice_is_empty(const tmc_tensor_desc *x, const tmc_slice_params *params, tmc_tensor_desc *empty) {
    bool none = false;
    *empty = *x;
    for (int32_t i = 0; i < x->rank; i++) {
        if (params->step[i] == 0) return false; /* an error, left to the shape inference */
        tmc_slice_range range = tmc_slice_resolve(x->dims[i], params->begin[i], params->end[i], params->step[i]);
        empty->dims[i] = range.count > 0 ? (int32_t)range.count : 0;
        none = none || range.count <= 0;
    }
    return none;
}

tmc_status onnx_lower_slice(onnx_lower *lw) {
    ir_id x;
    slice_lists s;
    tmc_slice_params params = emit_whole_slice();
    uint32_t seen = 0;
    TMC_TRY(read_slice(lw, &s));
    TMC_TRY(onnx_input(lw, 0, &x));
    const tmc_tensor_desc desc = *onnx_desc(lw, x);
    for (uint32_t i = 0; i < s.starts.count; i++) {
        int32_t axis;
        TMC_TRY(onnx_axis(lw, s.axes.present ? s.axes.values[i] : i, desc.rank, &axis));
        if (seen >> axis & 1) return tmc_fail_field(lw->err, TMC_E_RANGE, "axes", "axis %d is given twice", axis);
        seen |= 1u << axis;
        params.step[axis] = s.steps.present ? saturate(s.steps.values[i]) : 1;
        params.begin[axis] = saturate(s.starts.values[i]);
        params.end[axis] = saturate(s.ends.values[i]);
        /* An end that was computed from this axis' length means the edge at every length. */
        if ((s.ends.derived >> i & 1) && s.ends.values[i] == desc.dims[axis] && params.step[axis] > 0)
            params.end[axis] = INT32_MAX;
    }
    tmc_tensor_desc empty;
    if (slice_is_empty(&desc, &params, &empty)) {
        onnx_set_empty_output(lw, 0, &empty);
        return TMC_OK;
    }
    return onnx_emit_result(lw, TMC_OP_SLICE, &params, &x, 1);
}

/* ---------------------------------------------------------------------------------------------------------- pad */

typedef struct pad_lists {
    int64_t begin[TMC_MAX_RANK], end[TMC_MAX_RANK];
} pad_lists;

static tmc_status read_pads(onnx_lower *lw, int32_t rank, pad_lists *pads) {
    onnx_ints given, axes;
    int32_t mask;
    memset(pads, 0, sizeof *pads);
    TMC_TRY(onnx_ints_since(lw, "pads", 11, 1, &given));
    TMC_TRY(onnx_input_ints(lw, 3, "axes", &axes));
    TMC_TRY(onnx_axes_mask(lw, &axes, rank, &mask));
    uint32_t count = axes.present ? axes.count : (uint32_t)rank;
    if (given.count != 2 * count)
        return tmc_fail_field(lw->err, TMC_E_SHAPE, "pads", "%u values for %u axes", given.count, count);
    for (uint32_t i = 0; i < count; i++) {
        int32_t axis = (int32_t)i;
        if (axes.present) TMC_TRY(onnx_axis(lw, axes.values[i], rank, &axis));
        pads->begin[axis] = given.values[i];
        pads->end[axis] = given.values[count + i];
    }
    return TMC_OK;
}

/* Negative padding cuts. Cutting first gives the same result for every mode that ONNX defines it for. */
static tmc_status crop(onnx_lower *lw, ir_id x, int32_t rank, const pad_lists *pads, ir_id *out) {
    tmc_slice_params params = emit_whole_slice();
    bool cuts = false;
    for (int32_t i = 0; i < rank; i++) {
        if (pads->begin[i] < 0) params.begin[i] = pads->begin[i] < -INT32_MAX ? INT32_MAX : (int32_t)-pads->begin[i];
        if (pads->end[i] < 0) params.end[i] = saturate(pads->end[i]);
        cuts = cuts || pads->begin[i] < 0 || pads->end[i] < 0;
    }
    *out = x;
    return cuts ? onnx_emit(lw, TMC_OP_SLICE, &params, &x, 1, out) : TMC_OK;
}

tmc_status onnx_lower_pad(onnx_lower *lw) {
    static const char *const modes[] = {[TMC_PAD_CONSTANT] = "constant",
                                        [TMC_PAD_REFLECT] = "reflect",
                                        [TMC_PAD_EDGE] = "edge",
                                        [TMC_PAD_WRAP] = "wrap",
                                        NULL};
    ir_id x;
    pad_lists pads;
    tmc_pad_params params = {0};
    bool grows = false;
    TMC_TRY(onnx_expect_inputs(lw, 1, lw->opset < 11 ? 1 : 4));
    TMC_TRY(onnx_input(lw, 0, &x));
    TMC_TRY(onnx_attr_choice(lw, "mode", modes, TMC_PAD_CONSTANT, &params.mode));
    if (lw->opset < 11)
        TMC_TRY(onnx_attr_float(lw, "value", 0, &params.value));
    else
        TMC_TRY(onnx_input_scalar(lw, 2, "constant_value", 0, &params.value));
    if (params.mode != TMC_PAD_CONSTANT) params.value = 0;
    int32_t rank = onnx_desc(lw, x)->rank;
    TMC_TRY(read_pads(lw, rank, &pads));
    TMC_TRY(crop(lw, x, rank, &pads, &x));
    for (int32_t i = 0; i < rank; i++) {
        if (pads.begin[i] > 0) TMC_TRY(onnx_to_i32(lw, "pads", pads.begin[i], &params.begin[i]));
        if (pads.end[i] > 0) TMC_TRY(onnx_to_i32(lw, "pads", pads.end[i], &params.end[i]));
        grows = grows || pads.begin[i] > 0 || pads.end[i] > 0;
    }
    if (grows) return onnx_emit_result(lw, TMC_OP_PAD, &params, &x, 1);
    onnx_set_output(lw, 0, x);
    return TMC_OK;
}

/* ------------------------------------------------------------------------------------------------------- gather */

/* Constant indices are checked here, and negative ones counted from the end. */
static tmc_status normalise_indices(onnx_lower *lw, int32_t dim, ir_id *indices) {
    const tmc_tensor_desc desc = *onnx_desc(lw, *indices);
    const void *data = lw->graph->tensors[*indices].data;
    if (!data || (desc.dtype != TMC_I32 && desc.dtype != TMC_I64)) return TMC_OK;
    size_t count = tmc_tensor_elements(&desc);
    int64_t *fixed = x_alloc_array(count, sizeof *fixed);
    bool negative = false;
    tmc_status status = TMC_OK;
    for (size_t i = 0; i < count; i++) {
        int64_t index = desc.dtype == TMC_I64 ? ((const int64_t *)data)[i] : ((const int32_t *)data)[i];
        if (index < -dim || index >= dim) {
            status =
                tmc_fail_field(lw->err, TMC_E_RANGE, "indices", "index %lld of %d elements", (long long)index, dim);
            break;
        }
        negative = negative || index < 0;
        fixed[i] = index < 0 ? index + dim : index;
    }
    if (status == TMC_OK && negative) *indices = onnx_constant(lw, TMC_I64, desc.rank, desc.dims, fixed);
    free(fixed);
    return status;
}

tmc_status onnx_lower_gather(onnx_lower *lw) {
    ir_id inputs[2];
    int64_t axis;
    tmc_axis_params params;
    TMC_TRY(onnx_expect_inputs(lw, 2, 2));
    TMC_TRY(onnx_input(lw, 0, &inputs[0]));
    TMC_TRY(onnx_input(lw, 1, &inputs[1]));
    TMC_TRY(onnx_attr_int(lw, "axis", 0, &axis));
    const tmc_tensor_desc desc = *onnx_desc(lw, inputs[0]);
    TMC_TRY(onnx_axis(lw, axis, desc.rank, &params.axis));
    TMC_TRY(normalise_indices(lw, desc.dims[params.axis], &inputs[1]));
    return onnx_emit_result(lw, TMC_OP_GATHER, &params, inputs, 2);
}
