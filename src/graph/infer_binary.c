#include "graph/infer.h"

static bool is_comparison(int32_t kind) { return kind >= TMC_BINARY_EQUAL && kind <= TMC_BINARY_GREATER_EQUAL; }

static bool takes(int32_t kind, uint8_t dtype) {
    switch (kind) {
    case TMC_BINARY_POW:
    case TMC_BINARY_PRELU: return dtype == TMC_F32;
    case TMC_BINARY_AND:
    case TMC_BINARY_OR:
    case TMC_BINARY_XOR: return dtype == TMC_BOOL;
    case TMC_BINARY_EQUAL:
        if (dtype == TMC_BOOL) return true;
        break;
    case TMC_BINARY_ADD:
    case TMC_BINARY_SUB:
    case TMC_BINARY_MUL:
        if (dtype == TMC_I8) return true;
        break;
    default: break;
    }
    return dtype == TMC_F32 || dtype == TMC_I32 || dtype == TMC_I64;
}

static tmc_status same_dtype(const tmc_infer_args *args, uint32_t i, uint32_t k) {
    uint8_t a = args->inputs[i]->dtype, b = args->inputs[k]->dtype;
    if (a == b) return TMC_OK;
    return tmc_fail_field(args->err, TMC_E_DTYPE, "dtype", "input %u is %s, input %u is %s; they must be the same", i,
                          tmc_dtype_name((tmc_dtype)a), k, tmc_dtype_name((tmc_dtype)b));
}

static tmc_status infer_select(const tmc_infer_args *args) {
    const tmc_tensor_desc *condition = args->inputs[0], *a = args->inputs[1], *b = args->inputs[2];
    tmc_tensor_desc ab = *a;
    if (condition->dtype != TMC_BOOL)
        return tmc_fail_field(args->err, TMC_E_DTYPE, "dtype", "the condition is %s, expected bool",
                              tmc_dtype_name((tmc_dtype)condition->dtype));
    TMC_TRY(same_dtype(args, 1, 2));
    TMC_TRY(tmc_tensor_broadcast(a, b, &ab, args->err));
    args->outputs[0] = ab;
    return tmc_tensor_broadcast(condition, &ab, &args->outputs[0], args->err);
}

tmc_status tmc_infer_binary(const tmc_infer_args *args) {
    if (args->op == TMC_OP_SELECT) return infer_select(args);
    const tmc_binary_params *p = args->params;
    const tmc_tensor_desc *a = args->inputs[0], *b = args->inputs[1];
    if (p->kind <= 0 || p->kind >= TMC_BINARY_END)
        return tmc_fail_field(args->err, TMC_E_UNSUPPORTED, "kind", "binary kind %d is unknown", p->kind);
    TMC_TRY(same_dtype(args, 0, 1));
    if (!takes(p->kind, a->dtype))
        return tmc_fail_field(args->err, TMC_E_DTYPE, "dtype", "binary %s does not take %s", tmc_binary_name(p->kind),
                              tmc_dtype_name((tmc_dtype)a->dtype));
    bool clamped = (a->dtype == TMC_F32 || a->dtype == TMC_I8) && !is_comparison(p->kind);
    if (clamped && !(p->act.lo <= p->act.hi))
        return tmc_fail_field(args->err, TMC_E_RANGE, "act",
                              "the lower bound of the clamp must not be over the upper one, and neither may be NaN");
    args->outputs[0] = *a;
    if (is_comparison(p->kind)) args->outputs[0].dtype = TMC_BOOL;
    return tmc_tensor_broadcast(a, b, &args->outputs[0], args->err);
}
