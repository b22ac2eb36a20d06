#include <string.h>

#include "graph/infer.h"
#include "graph/scalar.h"
#include "graph/slice.h"

static tmc_status check_axis(const tmc_infer_args *args, int32_t axis, int32_t rank) {
    if (rank < 1) return tmc_fail_field(args->err, TMC_E_SHAPE, "rank", "a scalar has no axis to work on");
    if (axis < 0 || axis >= rank)
        return tmc_fail_field(args->err, TMC_E_RANGE, "axis", "axis %d, expected 0 to %d", axis, rank - 1);
    return TMC_OK;
}

static tmc_status set_dim(const tmc_infer_args *args, int32_t axis, int64_t size, int32_t *dim) {
    if (size > INT32_MAX)
        return tmc_fail_field(args->err, TMC_E_LIMIT, "dims", "dim %d would be %lld", axis, (long long)size);
    *dim = (int32_t)size;
    return TMC_OK;
}

static tmc_status infer_concat(const tmc_infer_args *args) {
    const tmc_axis_params *p = args->params;
    const tmc_tensor_desc *first = args->inputs[0];
    tmc_tensor_desc *out = &args->outputs[0];
    TMC_TRY(check_axis(args, p->axis, first->rank));
    *out = *first;
    int64_t sum = 0; /* at most 65535 dims of 31 bits: no overflow */
    for (uint32_t i = 0; i < args->input_count; i++) {
        const tmc_tensor_desc *in = args->inputs[i];
        if (in->dtype != first->dtype)
            return tmc_fail_field(args->err, TMC_E_DTYPE, "inputs", "input %u is %s, input 0 is %s", i,
                                  tmc_dtype_name((tmc_dtype)in->dtype), tmc_dtype_name((tmc_dtype)first->dtype));
        if (in->rank != first->rank)
            return tmc_fail_field(args->err, TMC_E_SHAPE, "inputs", "input %u has rank %d, input 0 has %d", i, in->rank,
                                  first->rank);
        for (int32_t a = 0; a < in->rank; a++) {
            if (a == p->axis || in->dims[a] == first->dims[a]) continue;
            return tmc_fail_field(args->err, TMC_E_SHAPE, "inputs",
                                  "dim %d of input %u is %d, of input 0 %d; only axis %d may differ", a, i, in->dims[a],
                                  first->dims[a], p->axis);
        }
        sum += in->dims[p->axis];
    }
    if (sum > INT32_MAX)
        return tmc_fail_field(args->err, TMC_E_SHAPE, "axis", "the joined dim %d would be %lld", p->axis,
                              (long long)sum);
    out->dims[p->axis] = (int32_t)sum;
    return TMC_OK;
}

static tmc_status infer_split(const tmc_infer_args *args) {
    const tmc_split_params *p = args->params;
    const tmc_tensor_desc *in = args->inputs[0];
    TMC_TRY(check_axis(args, p->axis, in->rank));
    int64_t sum = 0;
    for (uint32_t i = 0; i < sizeof p->sizes / sizeof *p->sizes; i++) {
        if (i >= args->output_count) {
            if (p->sizes[i])
                return tmc_fail_field(args->err, TMC_E_SHAPE, "sizes", "size %u is %d, but there are %u outputs", i,
                                      p->sizes[i], args->output_count);
            continue;
        }
        if (p->sizes[i] < 1)
            return tmc_fail_field(args->err, TMC_E_SHAPE, "sizes", "size %u is %d, expected at least 1", i,
                                  p->sizes[i]);
        sum += p->sizes[i];
        args->outputs[i] = *in;
        args->outputs[i].dims[p->axis] = p->sizes[i];
    }
    if (sum != in->dims[p->axis])
        return tmc_fail_field(args->err, TMC_E_SHAPE, "sizes", "sizes add up to %lld, dim %d is %d", (long long)sum,
                              p->axis, in->dims[p->axis]);
    return TMC_OK;
}

static tmc_status infer_slice(const tmc_infer_args *args) {
    const tmc_slice_params *p = args->params;
    tmc_tensor_desc *out = &args->outputs[0];
    *out = *args->inputs[0];
    for (int32_t a = 0; a < TMC_MAX_RANK; a++) {
        if (a >= out->rank) {
            if (p->begin[a] != 0 || p->end[a] != INT32_MAX || p->step[a] != 1)
                return tmc_fail_field(args->err, TMC_E_RANGE, "begin", "axis %d is sliced, but the input has rank %d",
                                      a, out->rank);
            continue;
        }
        if (p->step[a] == 0) return tmc_fail_field(args->err, TMC_E_RANGE, "step", "step of axis %d is 0", a);
        tmc_slice_range range = tmc_slice_resolve(out->dims[a], p->begin[a], p->end[a], p->step[a]);
        if (range.count < 1)
            return tmc_fail_field(args->err, TMC_E_SHAPE, "end", "axis %d: %d:%d:%d of %d elements is empty", a,
                                  p->begin[a], p->end[a], p->step[a], out->dims[a]);
        out->dims[a] = (int32_t)range.count;
    }
    return TMC_OK;
}

/* Largest padding on one side that the mode has elements for. */
static int32_t pad_limit(int32_t mode, int32_t dim) {
    return mode == TMC_PAD_REFLECT ? dim - 1 : mode == TMC_PAD_WRAP ? dim : INT32_MAX;
}

static tmc_status infer_pad(const tmc_infer_args *args) {
    const tmc_pad_params *p = args->params;
    tmc_tensor_desc *out = &args->outputs[0];
    *out = *args->inputs[0];
    if (p->mode < TMC_PAD_CONSTANT || p->mode > TMC_PAD_WRAP)
        return tmc_fail_field(args->err, TMC_E_UNSUPPORTED, "mode", "unknown padding mode %d", p->mode);
    uint8_t element[TMC_MAX_ELEMENT];
    if (p->mode == TMC_PAD_CONSTANT && !tmc_scalar_for_tensor(out, p->value, element))
        return tmc_fail_field(args->err, TMC_E_RANGE, "value", "the padding value is not exact in %s",
                              tmc_dtype_name((tmc_dtype)out->dtype));
    for (int32_t a = 0; a < TMC_MAX_RANK; a++) {
        int32_t limit = a < out->rank ? pad_limit(p->mode, out->dims[a]) : 0;
        if (p->begin[a] < 0 || p->end[a] < 0 || p->begin[a] > limit || p->end[a] > limit)
            return tmc_fail_field(args->err, TMC_E_RANGE, "begin", "axis %d: padding %d and %d, expected 0 to %d", a,
                                  p->begin[a], p->end[a], limit);
        if (a < out->rank) TMC_TRY(set_dim(args, a, (int64_t)out->dims[a] + p->begin[a] + p->end[a], &out->dims[a]));
    }
    return TMC_OK;
}

static tmc_status infer_gather(const tmc_infer_args *args) {
    const tmc_axis_params *p = args->params;
    const tmc_tensor_desc *data = args->inputs[0], *indices = args->inputs[1];
    tmc_tensor_desc *out = &args->outputs[0];
    TMC_TRY(check_axis(args, p->axis, data->rank));
    if (indices->dtype != TMC_I32 && indices->dtype != TMC_I64)
        return tmc_fail_field(args->err, TMC_E_DTYPE, "indices", "indices are %s, expected i32 or i64",
                              tmc_dtype_name((tmc_dtype)indices->dtype));
    int32_t rank = data->rank - 1 + indices->rank, n = 0;
    if (rank > TMC_MAX_RANK)
        return tmc_fail_field(args->err, TMC_E_SHAPE, "rank", "the output would have rank %d, the limit is %d", rank,
                              TMC_MAX_RANK);
    out->dtype = data->dtype;
    out->rank = rank;
    for (int32_t a = 0; a < p->axis; a++) out->dims[n++] = data->dims[a];
    for (int32_t a = 0; a < indices->rank; a++) out->dims[n++] = indices->dims[a];
    for (int32_t a = p->axis + 1; a < data->rank; a++) out->dims[n++] = data->dims[a];
    return TMC_OK;
}

tmc_status tmc_infer_join(const tmc_infer_args *args) {
    switch (args->op) {
    case TMC_OP_CONCAT: return infer_concat(args);
    case TMC_OP_SPLIT: return infer_split(args);
    case TMC_OP_SLICE: return infer_slice(args);
    case TMC_OP_PAD: return infer_pad(args);
    default: return infer_gather(args);
    }
}
