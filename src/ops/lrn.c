#include "ops/chunk.h"
#include "ops/op.h"

/* An element costs a power in double: as much as some 16 of other operators. */
#define ELEMENT_COST 16u

static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err) {
    (void)node, (void)threads, (void)err;
    setup->kernel = kernels->math.lrn.name;
    setup->isa = kernels->math.lrn.isa;
    return TMC_OK;
}

typedef struct {
    tmc_f32_lrn_fn kernel;
    const tmc_lrn_params *params;
    size_t rows, channels;
    const float *x;
    float *y;
} job;

static size_t rows_per_task(size_t channels) { return tmc_chunk_items(channels * ELEMENT_COST); }

static void task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const tmc_lrn_params *p = j->params;
    tmc_chunk c = tmc_chunk_at(j->rows, rows_per_task(j->channels), index);
    size_t offset = c.begin * j->channels;
    j->kernel(c.count, j->channels, j->x + offset, j->y + offset, (size_t)p->size, p->alpha, p->beta, p->bias);
}

static tmc_status run(const tmc_op_run *run) {
    const tmc_tensor_desc *x = run->node->inputs[0];
    job j = {run->kernels->math.lrn.run,   run->node->params, tmc_dims_product(x->dims, 0, x->rank - 1),
             (size_t)x->dims[x->rank - 1], run->inputs[0],    run->outputs[0]};
    return tmc_exec_loop(run->exec, tmc_chunk_count(j.rows, rows_per_task(j.channels)), task, &j);
}

TMC_DEFINE_OP(lrn, prepare, run)
