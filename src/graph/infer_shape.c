#include "base/checked.h"
#include "graph/infer.h"

static tmc_status check_rank(const tmc_infer_args *args, const tmc_shape_params *p) {
    if (p->rank < 0 || p->rank > TMC_MAX_RANK)
        return tmc_fail_field(args->err, TMC_E_SHAPE, "rank", "rank %d, expected 0 to %d", p->rank, TMC_MAX_RANK);
    for (int32_t a = p->rank; a < TMC_MAX_RANK; a++) {
        if (p->dims[a]) return tmc_fail_field(args->err, TMC_E_RANGE, "dims", "unused entry %d is not 0", a);
    }
    return TMC_OK;
}

static tmc_status set_product(const tmc_infer_args *args, int32_t axis, int64_t a, int64_t b, int32_t *dim) {
    if (a * b > INT32_MAX) /* both are dims of 31 bits */
        return tmc_fail_field(args->err, TMC_E_LIMIT, "dims", "dim %d would be %lld", axis, (long long)(a * b));
    *dim = (int32_t)(a * b);
    return TMC_OK;
}

static tmc_status fail_elements(const tmc_infer_args *args, uint64_t have) {
    char from[96];
    tmc_tensor_shape_text(args->inputs[0], from, sizeof from);
    return tmc_fail_field(args->err, TMC_E_SHAPE, "dims", "the %llu elements of %s do not fill the target shape",
                          (unsigned long long)have, from);
}

static tmc_status infer_reshape(const tmc_infer_args *args, const tmc_shape_params *p) {
    const tmc_tensor_desc *in = args->inputs[0];
    tmc_tensor_desc *out = &args->outputs[0];
    uint64_t have = tmc_tensor_elements(in), known = 1;
    int32_t inferred = -1;
    out->dtype = in->dtype;
    out->rank = p->rank;
    for (int32_t a = 0; a < p->rank; a++) {
        int32_t dim = p->dims[a];
        if (dim == -1) {
            if (inferred >= 0)
                return tmc_fail_field(args->err, TMC_E_SHAPE, "dims", "entries %d and %d are both -1", inferred, a);
            inferred = a;
            continue;
        }
        if (dim == 0) {
            if (a >= in->rank)
                return tmc_fail_field(args->err, TMC_E_SHAPE, "dims", "entry %d is 0, but the input has rank %d", a,
                                      in->rank);
            dim = in->dims[a];
        }
        if (dim < 0) return tmc_fail_field(args->err, TMC_E_SHAPE, "dims", "entry %d is %d", a, dim);
        if (!tmc_mul_u64(known, (uint64_t)dim, &known)) return fail_elements(args, have);
        out->dims[a] = dim;
    }
    if (inferred >= 0) {
        out->dims[inferred] = (int32_t)(have / known); /* a tensor has less than 2^31 elements */
        known *= have / known;
    }
    return known == have ? TMC_OK : fail_elements(args, have);
}

static tmc_status infer_expand(const tmc_infer_args *args, const tmc_shape_params *p) {
    tmc_tensor_desc target = {.rank = p->rank};
    for (int32_t a = 0; a < p->rank; a++) {
        if (p->dims[a] < 1)
            return tmc_fail_field(args->err, TMC_E_SHAPE, "dims", "entry %d is %d, expected at least 1", a, p->dims[a]);
        target.dims[a] = p->dims[a];
    }
    args->outputs[0].dtype = args->inputs[0]->dtype;
    return tmc_tensor_broadcast(args->inputs[0], &target, &args->outputs[0], args->err);
}

static tmc_status infer_tile(const tmc_infer_args *args, const tmc_shape_params *p) {
    tmc_tensor_desc *out = &args->outputs[0];
    *out = *args->inputs[0];
    if (p->rank != out->rank)
        return tmc_fail_field(args->err, TMC_E_SHAPE, "rank", "%d repeats for an input of rank %d", p->rank, out->rank);
    for (int32_t a = 0; a < p->rank; a++) {
        if (p->dims[a] < 1)
            return tmc_fail_field(args->err, TMC_E_RANGE, "dims", "repeats of axis %d are %d, expected at least 1", a,
                                  p->dims[a]);
        TMC_TRY(set_product(args, a, out->dims[a], p->dims[a], &out->dims[a]));
    }
    return TMC_OK;
}

static tmc_status infer_transpose(const tmc_infer_args *args, const tmc_shape_params *p) {
    const tmc_tensor_desc *in = args->inputs[0];
    tmc_tensor_desc *out = &args->outputs[0];
    if (p->rank != in->rank)
        return tmc_fail_field(args->err, TMC_E_RANGE, "rank", "permutation of %d axes for an input of rank %d", p->rank,
                              in->rank);
    out->dtype = in->dtype;
    out->rank = in->rank;
    uint32_t seen = 0;
    for (int32_t a = 0; a < p->rank; a++) {
        int32_t from = p->dims[a];
        if (from < 0 || from >= p->rank || (seen >> from & 1u))
            return tmc_fail_field(args->err, TMC_E_RANGE, "dims", "entry %d is %d: not a permutation of 0 to %d", a,
                                  from, p->rank - 1);
        seen |= 1u << from;
        out->dims[a] = in->dims[from];
    }
    return TMC_OK;
}

static tmc_status check_block(const tmc_infer_args *args, const tmc_block_params *p, int32_t last_mode) {
    if (p->block < 1)
        return tmc_fail_field(args->err, TMC_E_RANGE, "block", "block is %d, expected at least 1", p->block);
    if (p->mode < 0 || p->mode > last_mode)
        return tmc_fail_field(args->err, TMC_E_UNSUPPORTED, "mode", "mode %d, expected 0 to %d", p->mode, last_mode);
    return TMC_OK;
}

static tmc_status check_divides(const tmc_infer_args *args, int32_t axis, int32_t dim, int64_t by) {
    if (dim % by)
        return tmc_fail_field(args->err, TMC_E_RANGE, "block", "dim %d is %d, not a multiple of %lld", axis, dim,
                              (long long)by);
    return TMC_OK;
}

static tmc_status infer_block(const tmc_infer_args *args) {
    const tmc_block_params *p = args->params;
    tmc_tensor_desc *out = &args->outputs[0];
    *out = *args->inputs[0];
    bool to_space = args->op == TMC_OP_DEPTH_TO_SPACE;
    TMC_TRY(check_block(args, p, to_space ? TMC_BLOCK_CRD : 0));
    if (out->rank != 4) return tmc_fail_field(args->err, TMC_E_SHAPE, "rank", "rank %d, expected 4", out->rank);
    int64_t block = p->block, area = block * block; /* 31 bits squared fit in 62 */
    if (to_space) {
        TMC_TRY(check_divides(args, 3, out->dims[3], area));
        for (int32_t a = 1; a < 3; a++) TMC_TRY(set_product(args, a, out->dims[a], block, &out->dims[a]));
        out->dims[3] = (int32_t)(out->dims[3] / area);
        return TMC_OK;
    }
    for (int32_t a = 1; a < 3; a++) {
        TMC_TRY(check_divides(args, a, out->dims[a], block));
        out->dims[a] /= p->block;
    }
    /* The two divisions bound area by H * W, so the product is at most the element count. */
    return set_product(args, 3, out->dims[3], area, &out->dims[3]);
}

static tmc_status infer_shuffle(const tmc_infer_args *args) {
    const tmc_block_params *p = args->params;
    const tmc_tensor_desc *in = args->inputs[0];
    TMC_TRY(check_block(args, p, 0));
    if (in->rank < 1) return tmc_fail_field(args->err, TMC_E_SHAPE, "rank", "a scalar has no channels to shuffle");
    args->outputs[0] = *in;
    if (args->input_count == 1) return check_divides(args, in->rank - 1, in->dims[in->rank - 1], p->block);
    if (p->block != 2)
        return tmc_fail_field(args->err, TMC_E_RANGE, "block", "%d groups of two inputs, expected 2", p->block);
    if (args->inputs[1]->dtype != in->dtype)
        return tmc_fail_field(args->err, TMC_E_DTYPE, "inputs", "the two groups have different types");
    if (!tmc_tensor_same_shape(in, args->inputs[1]))
        return tmc_fail_field(args->err, TMC_E_SHAPE, "inputs", "the two groups have different shapes");
    return set_product(args, in->rank - 1, in->dims[in->rank - 1], 2, &args->outputs[0].dims[in->rank - 1]);
}

tmc_status tmc_infer_shape(const tmc_infer_args *args) {
    if (args->op == TMC_OP_CHANNEL_SHUFFLE) return infer_shuffle(args);
    if (args->op == TMC_OP_DEPTH_TO_SPACE || args->op == TMC_OP_SPACE_TO_DEPTH) return infer_block(args);
    const tmc_shape_params *p = args->params;
    TMC_TRY(check_rank(args, p));
    switch (args->op) {
    case TMC_OP_RESHAPE: return infer_reshape(args, p);
    case TMC_OP_EXPAND: return infer_expand(args, p);
    case TMC_OP_TILE: return infer_tile(args, p);
    default: return infer_transpose(args, p);
    }
}
