#include <math.h>

#include "graph/infer.h"

static tmc_status check_f32(const tmc_infer_args *args) {
    for (uint32_t i = 0; i < args->input_count; i++) {
        if (!args->inputs[i] || args->inputs[i]->dtype == TMC_F32) continue;
        return tmc_fail_field(args->err, TMC_E_DTYPE, "dtype", "input %u is %s, expected f32", i,
                              tmc_dtype_name((tmc_dtype)args->inputs[i]->dtype));
    }
    return TMC_OK;
}

static tmc_status check_rank(const tmc_infer_args *args, int32_t least) {
    if (args->inputs[0]->rank >= least) return TMC_OK;
    return tmc_fail_field(args->err, TMC_E_SHAPE, "rank", "x has rank %d, expected at least %d", args->inputs[0]->rank,
                          least);
}

static tmc_status check_epsilon(const tmc_infer_args *args, float epsilon) {
    if (epsilon > 0 && isfinite(epsilon)) return TMC_OK;
    return tmc_fail_field(args->err, TMC_E_RANGE, "epsilon", "epsilon must be finite and over 0");
}

static tmc_status check_axis(const tmc_infer_args *args, int32_t axis) {
    if (axis >= 0 && axis < args->inputs[0]->rank) return TMC_OK;
    return tmc_fail_field(args->err, TMC_E_RANGE, "axis", "axis %d, expected 0 to %d", axis, args->inputs[0]->rank - 1);
}

/* Input `i` has the shape of x's axes from `axis` on. */
static tmc_status check_trailing(const tmc_infer_args *args, uint32_t i, int32_t axis) {
    const tmc_tensor_desc *x = args->inputs[0], *w = args->inputs[i];
    bool same = w->rank == x->rank - axis;
    for (int32_t k = 0; same && k < w->rank; k++) same = w->dims[k] == x->dims[axis + k];
    if (same) return TMC_OK;
    char sx[96], sw[96];
    tmc_tensor_shape_text(x, sx, sizeof sx);
    tmc_tensor_shape_text(w, sw, sizeof sw);
    return tmc_fail_field(args->err, TMC_E_SHAPE, "inputs", "input %u is %s, expected the dims of x %s from axis %d", i,
                          sw, sx, axis);
}

static tmc_status infer_scale_shift(const tmc_infer_args *args) {
    const tmc_act_params *p = args->params;
    TMC_TRY(check_rank(args, 1));
    if (!(p->lo <= p->hi))
        return tmc_fail_field(args->err, TMC_E_RANGE, "act",
                              "the lower bound of the clamp must not be over the upper one, and neither may be NaN");
    for (uint32_t i = 1; i < 3; i++) TMC_TRY(check_trailing(args, i, args->inputs[0]->rank - 1));
    return TMC_OK;
}

static tmc_status infer_group_norm(const tmc_infer_args *args) {
    const tmc_norm_params *p = args->params;
    const tmc_tensor_desc *x = args->inputs[0];
    TMC_TRY(check_rank(args, 2));
    TMC_TRY(check_epsilon(args, p->epsilon));
    int32_t channels = x->dims[x->rank - 1];
    if (p->groups < 1 || channels % p->groups)
        return tmc_fail_field(args->err, TMC_E_SHAPE, "groups", "%d groups do not divide %d channels", p->groups,
                              channels);
    for (uint32_t i = 1; i < 3; i++) TMC_TRY(check_trailing(args, i, x->rank - 1));
    return TMC_OK;
}

static tmc_status infer_layer_norm(const tmc_infer_args *args) {
    const tmc_norm_params *p = args->params;
    TMC_TRY(check_rank(args, 1));
    TMC_TRY(check_epsilon(args, p->epsilon));
    TMC_TRY(check_axis(args, p->axis));
    TMC_TRY(check_trailing(args, 1, p->axis));
    if (args->input_count > 2 && args->inputs[2]) TMC_TRY(check_trailing(args, 2, p->axis));
    return TMC_OK;
}

static tmc_status infer_lrn(const tmc_infer_args *args) {
    const tmc_lrn_params *p = args->params;
    TMC_TRY(check_rank(args, 1));
    if (p->size < 1) return tmc_fail_field(args->err, TMC_E_RANGE, "size", "size %d, expected at least 1", p->size);
    if (!isfinite(p->alpha) || !isfinite(p->beta) || !isfinite(p->bias))
        return tmc_fail_field(args->err, TMC_E_RANGE, "alpha", "alpha, beta and bias must be finite");
    return TMC_OK;
}

static tmc_status infer_softmax(const tmc_infer_args *args) {
    const tmc_softmax_params *p = args->params;
    TMC_TRY(check_rank(args, 1));
    TMC_TRY(check_axis(args, p->axis));
    if (p->log != 0 && p->log != 1)
        return tmc_fail_field(args->err, TMC_E_RANGE, "log", "log is %d, expected 0 or 1", p->log);
    return TMC_OK;
}

static tmc_status check(const tmc_infer_args *args) {
    switch (args->op) {
    case TMC_OP_SCALE_SHIFT: return infer_scale_shift(args);
    case TMC_OP_GROUP_NORM: return infer_group_norm(args);
    case TMC_OP_LAYER_NORM: return infer_layer_norm(args);
    case TMC_OP_LRN: return infer_lrn(args);
    default: return infer_softmax(args);
    }
}

tmc_status tmc_infer_normalize(const tmc_infer_args *args) {
    TMC_TRY(check_f32(args));
    TMC_TRY(check(args));
    args->outputs[0] = *args->inputs[0];
    return TMC_OK;
}
