#include <math.h>

#include "ops/broadcast.h"
#include "ops/qs8.h"

tmc_qs8_bounds tmc_qs8_bounds_of(const tmc_act_params *act, const tmc_quantization *q) {
    const float least = (float)(-128 - q->zero_point), most = (float)(127 - q->zero_point);
    const float lo = rintf(act->lo / q->scale), hi = rintf(act->hi / q->scale);
    return (tmc_qs8_bounds){lo < least ? least : lo > most ? most : lo, hi < least ? least : hi > most ? most : hi};
}

/* Everything of a call but rows, columns and data. */
static tmc_qs8_binary_args args_of(const tmc_op_node *node) {
    const tmc_binary_params *p = node->params;
    const tmc_quantization *a = &node->inputs[0]->quantization, *b = &node->inputs[1]->quantization;
    const tmc_quantization *y = &node->outputs[0]->quantization;
    const tmc_qs8_bounds bounds = tmc_qs8_bounds_of(&p->act, y);
    tmc_qs8_binary_args args = {.a_zero = a->zero_point,
                                .b_zero = b->zero_point,
                                .zero_point = y->zero_point,
                                .lo = bounds.lo,
                                .hi = bounds.hi,
                                .a_multiplier = (float)((double)a->scale / y->scale),
                                .b_multiplier = (float)((double)b->scale / y->scale)};
    if (p->kind == TMC_BINARY_SUB) args.b_multiplier = -args.b_multiplier;
    if (p->kind == TMC_BINARY_MUL) args.a_multiplier = (float)((double)a->scale * b->scale / y->scale);
    return args;
}

tmc_status tmc_qs8_binary_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                  tmc_op_setup *setup, tmc_error *err) {
    (void)threads;
    const tmc_binary_params *p = node->params;
    const bool mul = p->kind == TMC_BINARY_MUL;
    if (!mul && p->kind != TMC_BINARY_ADD && p->kind != TMC_BINARY_SUB) return tmc_op_no_i8(node, err);
    for (uint32_t i = 0; i < 2; i++)
        if (tmc_tensor_same_shape(node->inputs[i], node->outputs[0])) setup->in_place_mask |= 1u << i;
    setup->kernel = mul ? kernels->qs8_math.mul.name : kernels->qs8_math.add.name;
    setup->isa = mul ? kernels->qs8_math.mul.isa : kernels->qs8_math.add.isa;
    return TMC_OK;
}

typedef struct {
    tmc_qs8_binary_fn kernel;
    tmc_qs8_binary_args args;
} job;

static void block(void *context, const tmc_broadcast_block *g) {
    const job *j = context;
    tmc_qs8_binary_args args = j->args;
    args.rows = g->rows;
    args.cols = g->cols;
    args.a += g->in[0];
    args.b += g->in[1];
    args.y += g->out;
    args.a_row = g->row[0], args.a_col = g->col[0];
    args.b_row = g->row[1], args.b_col = g->col[1];
    args.y_row = g->out_row;
    j->kernel(&args);
}

tmc_status tmc_qs8_binary_run(const tmc_op_run *run) {
    const tmc_binary_params *p = run->node->params;
    const tmc_qs8_math_kernels *math = &run->kernels->qs8_math;
    tmc_broadcast b;
    tmc_broadcast_init(&b, run->node->outputs[0], run->node->inputs, 2);
    job j = {p->kind == TMC_BINARY_MUL ? math->mul.run : math->add.run, args_of(run->node)};
    j.args.a = run->inputs[0];
    j.args.b = run->inputs[1];
    j.args.y = run->outputs[0];
    return tmc_broadcast_run(&b, run->exec, block, &j);
}
