#include "ops/chunk.h"
#include "ops/op.h"

static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err) {
    (void)node, (void)threads, (void)err;
    setup->in_place_mask = 1;
    setup->kernel = kernels->math.scale_shift.name;
    setup->isa = kernels->math.scale_shift.isa;
    return TMC_OK;
}

typedef struct {
    tmc_f32_scale_shift_fn kernel;
    size_t rows, channels;
    const float *x, *scale, *shift;
    float *y;
    tmc_act_params act;
} job;

static void task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    tmc_chunk c = tmc_chunk_at(j->rows, tmc_chunk_items(j->channels), index);
    size_t offset = c.begin * j->channels;
    j->kernel(c.count, j->channels, j->x + offset, j->scale, j->shift, j->y + offset, j->act.lo, j->act.hi);
}

static tmc_status run(const tmc_op_run *run) {
    const tmc_tensor_desc *x = run->node->inputs[0];
    const tmc_act_params *act = run->node->params;
    job j = {run->kernels->math.scale_shift.run,
             tmc_dims_product(x->dims, 0, x->rank - 1),
             (size_t)x->dims[x->rank - 1],
             run->inputs[0],
             run->inputs[1],
             run->inputs[2],
             run->outputs[0],
             *act};
    return tmc_exec_loop(run->exec, tmc_chunk_count(j.rows, tmc_chunk_items(j.channels)), task, &j);
}

const tmc_op_functions tmc_op_scale_shift = {prepare, run};
