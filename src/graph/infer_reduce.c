#include "graph/infer.h"

static tmc_status check_flag(const tmc_infer_args *args, const char *field, int32_t value) {
    if (value == 0 || value == 1) return TMC_OK;
    return tmc_fail_field(args->err, TMC_E_RANGE, field, "%s is %d, expected 0 or 1", field, value);
}

/* Integer sums that need a square root or a logarithm have no integer result. */
static bool takes(int32_t kind, uint8_t dtype) {
    if (dtype == TMC_F32 || (dtype == TMC_I8 && kind == TMC_REDUCE_MEAN)) return true;
    if (dtype != TMC_I32 && dtype != TMC_I64) return false;
    return kind == TMC_REDUCE_SUM || kind == TMC_REDUCE_MEAN || kind == TMC_REDUCE_MAX || kind == TMC_REDUCE_MIN ||
           kind == TMC_REDUCE_PROD;
}

/* x's shape with the axes of the mask at 1, or without them. */
static void drop_axes(const tmc_tensor_desc *x, uint32_t mask, int32_t keep_dims, tmc_tensor_desc *y) {
    for (int32_t i = 0; i < x->rank; i++) {
        bool reduced = mask >> i & 1;
        if (!reduced || keep_dims) y->dims[y->rank++] = reduced ? 1 : x->dims[i];
    }
}

static tmc_status infer_reduce(const tmc_infer_args *args) {
    const tmc_reduce_params *p = args->params;
    const tmc_tensor_desc *x = args->inputs[0];
    if (p->kind <= 0 || p->kind >= TMC_REDUCE_END)
        return tmc_fail_field(args->err, TMC_E_UNSUPPORTED, "kind", "reduce kind %d is unknown", p->kind);
    if (!takes(p->kind, x->dtype))
        return tmc_fail_field(args->err, TMC_E_DTYPE, "dtype", "reduce %s does not take %s", tmc_reduce_name(p->kind),
                              tmc_dtype_name((tmc_dtype)x->dtype));
    if (p->axes < 0 || p->axes >> x->rank)
        return tmc_fail_field(args->err, TMC_E_RANGE, "axes", "axis mask %x has axes outside rank %d",
                              (unsigned)p->axes, x->rank);
    TMC_TRY(check_flag(args, "keep_dims", p->keep_dims));
    args->outputs[0].dtype = x->dtype;
    drop_axes(x, (uint32_t)p->axes, p->keep_dims, &args->outputs[0]);
    return TMC_OK;
}

static tmc_status infer_arg(const tmc_infer_args *args) {
    const tmc_arg_params *p = args->params;
    const tmc_tensor_desc *x = args->inputs[0];
    if (x->dtype != TMC_F32 && x->dtype != TMC_I32 && x->dtype != TMC_I64)
        return tmc_fail_field(args->err, TMC_E_DTYPE, "dtype", "x is %s, expected f32, i32 or i64",
                              tmc_dtype_name((tmc_dtype)x->dtype));
    if (x->rank < 1) return tmc_fail_field(args->err, TMC_E_SHAPE, "rank", "a scalar has no axis to search");
    if (p->axis < 0 || p->axis >= x->rank)
        return tmc_fail_field(args->err, TMC_E_RANGE, "axis", "axis %d, expected 0 to %d", p->axis, x->rank - 1);
    TMC_TRY(check_flag(args, "keep_dims", p->keep_dims));
    TMC_TRY(check_flag(args, "select_last", p->select_last));
    args->outputs[0].dtype = TMC_I64;
    drop_axes(x, 1u << p->axis, p->keep_dims, &args->outputs[0]);
    return TMC_OK;
}

tmc_status tmc_infer_reduce(const tmc_infer_args *args) {
    return args->op == TMC_OP_REDUCE ? infer_reduce(args) : infer_arg(args);
}
