#include "ops/binary_plain.h"
#include "ops/broadcast.h"
#include "ops/qs8.h"

/* NULL for comparisons and logic. */
static const tmc_f32_binary_kernel *find_kernel(const tmc_kernels *kernels, int32_t kind) {
    switch (kind) {
#define X(NAME, name)                                                                                                  \
    case TMC_BINARY_##NAME: return &kernels->math.binary[TMC_F32_BINARY_##NAME];
        TMC_F32_BINARY_KERNELS(X)
        TMC_F32_BINARY_REF_KERNELS(X)
#undef X
    default: return NULL;
    }
}

static bool has_f32_kernel(const tmc_op_node *node) {
    return node->inputs[0]->dtype == TMC_F32 && node->outputs[0]->dtype == TMC_F32;
}

static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err) {
    if (node->inputs[0]->dtype == TMC_I8) return tmc_qs8_binary_prepare(node, kernels, threads, setup, err);
    const tmc_binary_params *p = node->params;
    for (uint32_t i = 0; i < 2; i++) {
        bool same = tmc_tensor_same_shape(node->inputs[i], node->outputs[0]);
        if (same && node->inputs[i]->dtype == node->outputs[0]->dtype) setup->in_place_mask |= 1u << i;
    }
    if (!has_f32_kernel(node)) return TMC_OK;
    const tmc_f32_binary_kernel *kernel = find_kernel(kernels, p->kind);
    setup->kernel = kernel->name;
    setup->isa = kernel->isa;
    return TMC_OK;
}

typedef struct {
    tmc_f32_binary_fn kernel;
    const float *a, *b;
    float *y;
    tmc_act_params act;
} f32_job;

static void f32_block(void *context, const tmc_broadcast_block *g) {
    const f32_job *j = context;
    tmc_f32_binary_args args = {g->rows,   g->cols,   j->a + g->in[0], j->b + g->in[1], g->row[0], g->row[1],
                                g->col[0], g->col[1], j->y + g->out,   j->act.lo,       j->act.hi};
    if (g->rows == 1 || g->out_row == g->cols) {
        j->kernel(&args);
        return;
    }
    args.rows = 1; /* the kernel's rows are dense in y */
    for (size_t r = 0; r < g->rows; r++) {
        j->kernel(&args);
        args.a += g->row[0];
        args.b += g->row[1];
        args.y += g->out_row;
    }
}

static tmc_status run(const tmc_op_run *run) {
    const tmc_op_node *node = run->node;
    if (node->inputs[0]->dtype == TMC_I8) return tmc_qs8_binary_run(run);
    const tmc_binary_params *p = node->params;
    tmc_broadcast b;
    tmc_broadcast_init(&b, node->outputs[0], node->inputs, 2);
    if (has_f32_kernel(node)) {
        f32_job j = {find_kernel(run->kernels, p->kind)->run, run->inputs[0], run->inputs[1], run->outputs[0], p->act};
        return tmc_broadcast_run(&b, run->exec, f32_block, &j);
    }
    tmc_binary_plain j = {p->kind, node->inputs[0]->dtype, run->inputs[0], run->inputs[1], run->outputs[0], 0};
    TMC_TRY(tmc_broadcast_run(&b, run->exec, tmc_binary_plain_block, &j));
    if (__atomic_load_n(&j.zero_divisor, __ATOMIC_RELAXED))
        return tmc_fail(run->err, TMC_E_RANGE, "%s: an integer is divided by zero", tmc_binary_name(p->kind));
    return TMC_OK;
}

TMC_DEFINE_OP(binary, prepare, run)
