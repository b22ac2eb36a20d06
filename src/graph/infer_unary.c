#include <math.h>

#include "graph/infer.h"

static tmc_status check_dtype(const tmc_infer_args *args, int32_t kind, uint8_t dtype) {
    bool integer = dtype == TMC_I32 || dtype == TMC_I64;
    bool ok;
    switch (kind) {
    case TMC_UNARY_NOT: ok = dtype == TMC_BOOL; break;
    case TMC_UNARY_ABS:
    case TMC_UNARY_NEG:
    case TMC_UNARY_SIGN: ok = dtype == TMC_F32 || integer; break;
    default: ok = dtype == TMC_F32; break;
    }
    if (ok) return TMC_OK;
    return tmc_fail_field(args->err, TMC_E_DTYPE, "dtype", "unary %s does not take %s", tmc_unary_name(kind),
                          tmc_dtype_name((tmc_dtype)dtype));
}

/* alpha and beta, as far as the kind uses them. */
static tmc_status check_values(const tmc_infer_args *args, const tmc_unary_params *p) {
    switch (p->kind) {
    case TMC_UNARY_CLAMP:
        if (p->alpha <= p->beta) return TMC_OK; /* false for NaN */
        return tmc_fail_field(args->err, TMC_E_RANGE, "alpha",
                              "clamp: the lower bound must not be over the upper one, and neither may be NaN");
    case TMC_UNARY_LEAKY_RELU:
    case TMC_UNARY_ELU:
    case TMC_UNARY_THRESHOLDED_RELU:
        if (isfinite(p->alpha)) return TMC_OK;
        break;
    case TMC_UNARY_SELU:
    case TMC_UNARY_HARD_SIGMOID:
        if (isfinite(p->alpha) && isfinite(p->beta)) return TMC_OK;
        break;
    case TMC_UNARY_CELU:
        if (p->alpha > 0 && isfinite(p->alpha)) return TMC_OK;
        return tmc_fail_field(args->err, TMC_E_RANGE, "alpha", "celu: alpha must be finite and over 0");
    default: return TMC_OK;
    }
    return tmc_fail_field(args->err, TMC_E_RANGE, "alpha", "%s: alpha and beta must be finite",
                          tmc_unary_name(p->kind));
}

static bool can_cast(int32_t dtype) {
    return dtype == TMC_F32 || dtype == TMC_I32 || dtype == TMC_I64 || dtype == TMC_U8 || dtype == TMC_I8 ||
           dtype == TMC_BOOL;
}

static tmc_status infer_cast(const tmc_infer_args *args) {
    const tmc_cast_params *p = args->params;
    const tmc_tensor_desc *x = args->inputs[0];
    if (!can_cast(x->dtype))
        return tmc_fail_field(args->err, TMC_E_DTYPE, "dtype", "cast does not take %s",
                              tmc_dtype_name((tmc_dtype)x->dtype));
    if (!can_cast(p->dtype))
        return tmc_fail_field(args->err, TMC_E_DTYPE, "dtype", "cast cannot give element type %d", p->dtype);
    args->outputs[0] = *x;
    args->outputs[0].dtype = (uint8_t)p->dtype;
    return TMC_OK;
}

tmc_status tmc_infer_unary(const tmc_infer_args *args) {
    if (args->op == TMC_OP_CAST) return infer_cast(args);
    const tmc_unary_params *p = args->params;
    if (p->kind <= 0 || p->kind >= TMC_UNARY_END)
        return tmc_fail_field(args->err, TMC_E_UNSUPPORTED, "kind", "unary kind %d is unknown", p->kind);
    TMC_TRY(check_dtype(args, p->kind, args->inputs[0]->dtype));
    TMC_TRY(check_values(args, p));
    args->outputs[0] = *args->inputs[0];
    return TMC_OK;
}
