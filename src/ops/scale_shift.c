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
    tmc_f32_scale_shift_args all;
} job;

static void task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const tmc_chunk c = tmc_chunk_at(j->all.rows, tmc_chunk_items(j->all.channels), index);
    tmc_f32_scale_shift_args args = j->all;
    args.rows = c.count;
    args.x += c.begin * args.x_row;
    args.y += c.begin * args.y_row;
    j->kernel(&args);
}

static tmc_status run(const tmc_op_run *run) {
    const tmc_tensor_desc *x = run->node->inputs[0];
    const tmc_act_params *act = run->node->params;
    job j = {run->kernels->math.scale_shift.run,
             {.rows = tmc_dims_product(x->dims, 0, x->rank - 1),
              .channels = (size_t)x->dims[x->rank - 1],
              .x_row = tmc_tensor_pitch(x),
              .y_row = tmc_tensor_pitch(run->node->outputs[0]),
              .x = run->inputs[0],
              .scale = run->inputs[1],
              .shift = run->inputs[2],
              .y = run->outputs[0],
              .lo = act->lo,
              .hi = act->hi}};
    const size_t tasks = tmc_chunk_count(j.all.rows, tmc_chunk_items(j.all.channels));
    return tmc_exec_loop(run->exec, tasks, task, &j);
}

TMC_DEFINE_OP(scale_shift, prepare, run)
