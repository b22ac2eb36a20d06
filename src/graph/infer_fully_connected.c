#include "graph/infer.h"
#include "graph/window.h"

static tmc_status infer_fully_connected(const tmc_infer_args *args) {
    const tmc_fully_connected_params *p = args->params;
    const tmc_tensor_desc *x = args->inputs[0], *w = args->inputs[1];
    const tmc_tensor_desc *b = args->input_count > 2 ? args->inputs[2] : NULL;
    TMC_TRY(tmc_act_check(&p->act, args->err));
    TMC_TRY(tmc_require_f32_or_i8(x, "input", args->err));
    if (x->rank < 1) return tmc_fail_field(args->err, TMC_E_SHAPE, "input", "a scalar, expected rank 1 or more");
    if (w->rank != 2 || w->dims[1] != x->dims[x->rank - 1])
        return tmc_fail_field(args->err, TMC_E_SHAPE, "weights", "expected [N, %d]", x->dims[x->rank - 1]);
    TMC_TRY(tmc_weights_check(x, w, b, w->dims[0], args->err));
    args->outputs[0] = *x;
    args->outputs[0].dims[x->rank - 1] = w->dims[0];
    return TMC_OK;
}

/* The axes before the last two. */
static tmc_tensor_desc batch_of(const tmc_tensor_desc *m) {
    tmc_tensor_desc batch = *m;
    batch.rank = m->rank - 2;
    batch.dims[m->rank - 1] = batch.dims[m->rank - 2] = 0;
    return batch;
}

static tmc_status infer_matmul(const tmc_infer_args *args) {
    const tmc_tensor_desc *a = args->inputs[0], *b = args->inputs[1];
    TMC_TRY(tmc_require_f32(a, "a", args->err));
    TMC_TRY(tmc_require_f32(b, "b", args->err));
    if (a->rank < 2 || b->rank < 2)
        return tmc_fail(args->err, TMC_E_SHAPE, "matrices of rank %d and %d, expected 2 or more", a->rank, b->rank);
    if (a->dims[a->rank - 1] != b->dims[b->rank - 2])
        return tmc_fail(args->err, TMC_E_SHAPE, "inner dims %d and %d differ", a->dims[a->rank - 1],
                        b->dims[b->rank - 2]);
    tmc_tensor_desc batch_a = batch_of(a), batch_b = batch_of(b), *y = &args->outputs[0];
    *y = *a;
    TMC_TRY(tmc_tensor_broadcast(&batch_a, &batch_b, y, args->err));
    y->dims[y->rank] = a->dims[a->rank - 2];
    y->dims[y->rank + 1] = b->dims[b->rank - 1];
    y->rank += 2;
    return TMC_OK;
}

tmc_status tmc_infer_fully_connected(const tmc_infer_args *args) {
    return args->op == TMC_OP_MATMUL ? infer_matmul(args) : infer_fully_connected(args);
}
