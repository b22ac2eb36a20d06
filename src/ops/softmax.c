#include "ops/chunk.h"
#include "ops/op.h"

/* Columns of one task: whole cache lines. */
#define COLUMN_BLOCK 64u

/* x as [outer, n, inner], softmax over n. */
typedef struct {
    const tmc_kernels *kernels;
    size_t outer, n, inner;
    const float *x;
    float *y;
    int log;
} job;

static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err) {
    (void)threads, (void)err;
    const tmc_softmax_params *p = node->params;
    const tmc_tensor_desc *x = node->inputs[0];
    bool rows = tmc_dims_product(x->dims, p->axis + 1, x->rank) == 1;
    setup->in_place_mask = 1;
    setup->kernel = rows ? kernels->math.softmax_rows.name : kernels->math.softmax_columns.name;
    setup->isa = rows ? kernels->math.softmax_rows.isa : kernels->math.softmax_columns.isa;
    return TMC_OK;
}

static void rows_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    tmc_chunk c = tmc_chunk_at(j->outer, tmc_chunk_items(j->n), index);
    j->kernels->math.softmax_rows.run(c.count, j->n, j->x + c.begin * j->n, j->y + c.begin * j->n, j->log);
}

static void columns_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    size_t blocks = tmc_chunk_count(j->inner, COLUMN_BLOCK);
    tmc_chunk c = tmc_chunk_at(j->inner, COLUMN_BLOCK, index % blocks);
    size_t offset = index / blocks * j->n * j->inner + c.begin;
    j->kernels->math.softmax_columns.run(j->n, c.count, j->inner, j->x + offset, j->y + offset, j->log);
}

static tmc_status run(const tmc_op_run *run) {
    const tmc_softmax_params *p = run->node->params;
    const tmc_tensor_desc *x = run->node->inputs[0];
    job j = {run->kernels,
             tmc_dims_product(x->dims, 0, p->axis),
             (size_t)x->dims[p->axis],
             tmc_dims_product(x->dims, p->axis + 1, x->rank),
             run->inputs[0],
             run->outputs[0],
             p->log};
    if (j.inner == 1) return tmc_exec_loop(run->exec, tmc_chunk_count(j.outer, tmc_chunk_items(j.n)), rows_task, &j);
    return tmc_exec_loop(run->exec, j.outer * tmc_chunk_count(j.inner, COLUMN_BLOCK), columns_task, &j);
}

TMC_DEFINE_OP(softmax, prepare, run)
