#include "ops/chunk.h"
#include "ops/op.h"

static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err) {
    (void)node, (void)threads, (void)err;
    setup->in_place_mask = 1;
    setup->kernel = kernels->qs8_math.table.name;
    setup->isa = kernels->qs8_math.table.isa;
    return TMC_OK;
}

/* Rows of `count` elements; dense tensors are one row, and only that one is cut into tasks. */
typedef struct {
    const int8_t *x, *table;
    int8_t *y;
    size_t rows, count, x_pitch, y_pitch, rows_per_task;
    tmc_qs8_table_fn kernel;
} job;

static void task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const tmc_chunk c = tmc_chunk_at(j->count, TMC_TASK_ELEMENTS, index);
    j->kernel(c.count, j->x + c.begin, j->y + c.begin, j->table);
}

static void rows_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const tmc_chunk c = tmc_chunk_at(j->rows, j->rows_per_task, index);
    for (size_t r = c.begin; r < c.begin + c.count; r++)
        j->kernel(j->count, j->x + r * j->x_pitch, j->y + r * j->y_pitch, j->table);
}

static tmc_status run(const tmc_op_run *run) {
    const tmc_tensor_desc *in = run->node->inputs[0], *out = run->node->outputs[0];
    job j = {run->inputs[0], run->inputs[1], run->outputs[0], .kernel = run->kernels->qs8_math.table.run};
    j.count = tmc_tensor_elements(in);
    if (!in->pitch && !out->pitch)
        return tmc_exec_loop(run->exec, tmc_chunk_count(j.count, TMC_TASK_ELEMENTS), task, &j);
    j.rows = j.count / (size_t)in->dims[in->rank - 1];
    j.count = (size_t)in->dims[in->rank - 1];
    j.x_pitch = tmc_tensor_pitch(in);
    j.y_pitch = tmc_tensor_pitch(out);
    j.rows_per_task = tmc_div_up(TMC_TASK_ELEMENTS, j.count);
    return tmc_exec_loop(run->exec, tmc_chunk_count(j.rows, j.rows_per_task), rows_task, &j);
}

TMC_DEFINE_OP(table, prepare, run)
