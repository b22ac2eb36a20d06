#include "ops/chunk.h"
#include "ops/op.h"

static const tmc_f32_unary_kernel *find_kernel(const tmc_kernels *kernels, int32_t kind) {
    switch (kind) {
#define X(NAME, name)                                                                                                  \
    case TMC_UNARY_##NAME: return &kernels->math.unary[TMC_F32_UNARY_##NAME];
        TMC_F32_UNARY_KERNELS(X)
#undef X
    default: return NULL;
    }
}

static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err) {
    (void)threads;
    const tmc_unary_params *p = node->params;
    setup->in_place_mask = 1;
    if (node->inputs[0]->dtype != TMC_F32) return TMC_OK;
    const tmc_f32_unary_kernel *kernel = find_kernel(kernels, p->kind);
    if (!kernel) return tmc_fail(err, TMC_E_UNSUPPORTED, "unary %s has no f32 kernel", tmc_unary_name(p->kind));
    setup->kernel = kernel->name;
    setup->isa = kernel->isa;
    return TMC_OK;
}

typedef struct {
    const void *x;
    void *y;
    size_t count;
    int32_t kind;
    float alpha, beta;
    tmc_f32_unary_fn kernel;
} job;

static void f32_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    tmc_chunk c = tmc_chunk_at(j->count, TMC_TASK_ELEMENTS, index);
    j->kernel(c.count, (const float *)j->x + c.begin, (float *)j->y + c.begin, j->alpha, j->beta);
}

/* In 64 bits; what does not fit the type wraps when it is stored. */
static int64_t apply(int32_t kind, int64_t a) {
    int64_t negated = (int64_t)(0 - (uint64_t)a);
    switch (kind) {
    case TMC_UNARY_NEG: return negated;
    case TMC_UNARY_ABS: return a < 0 ? negated : a;
    default: return (a > 0) - (a < 0);
    }
}

static void i32_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    tmc_chunk c = tmc_chunk_at(j->count, TMC_TASK_ELEMENTS, index);
    const int32_t *x = (const int32_t *)j->x + c.begin;
    int32_t *y = (int32_t *)j->y + c.begin;
    for (size_t i = 0; i < c.count; i++) y[i] = (int32_t)(uint32_t)apply(j->kind, x[i]);
}

static void i64_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    tmc_chunk c = tmc_chunk_at(j->count, TMC_TASK_ELEMENTS, index);
    const int64_t *x = (const int64_t *)j->x + c.begin;
    int64_t *y = (int64_t *)j->y + c.begin;
    for (size_t i = 0; i < c.count; i++) y[i] = apply(j->kind, x[i]);
}

static void not_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    tmc_chunk c = tmc_chunk_at(j->count, TMC_TASK_ELEMENTS, index);
    const uint8_t *x = (const uint8_t *)j->x + c.begin;
    uint8_t *y = (uint8_t *)j->y + c.begin;
    for (size_t i = 0; i < c.count; i++) y[i] = !x[i];
}

static tmc_task_fn task_of(uint8_t dtype) {
    switch (dtype) {
    case TMC_F32: return f32_task;
    case TMC_I32: return i32_task;
    case TMC_I64: return i64_task;
    default: return not_task;
    }
}

static tmc_status run(const tmc_op_run *run) {
    const tmc_unary_params *p = run->node->params;
    const tmc_tensor_desc *x = run->node->inputs[0];
    job j = {run->inputs[0], run->outputs[0], tmc_tensor_elements(x), p->kind, p->alpha, p->beta, NULL};
    if (x->dtype == TMC_F32) j.kernel = find_kernel(run->kernels, p->kind)->run;
    return tmc_exec_loop(run->exec, tmc_chunk_count(j.count, TMC_TASK_ELEMENTS), task_of(x->dtype), &j);
}

const tmc_op_functions tmc_op_unary = {prepare, run};
