/* Mean and variance in two passes. Sums of ROW_BLOCK elements are taken in float in the order of
 * docs/kernels-math.md and added up in double: a long row costs no precision and a short one no time. */
#include <math.h>

#include "ops/chunk.h"
#include "ops/op.h"

#define ROW_BLOCK 4096u

static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err) {
    (void)node, (void)threads, (void)err;
    setup->in_place_mask = 1;
    setup->kernel = kernels->math.norm_row.name;
    setup->isa = kernels->math.norm_row.isa;
    return TMC_OK;
}

typedef struct {
    const tmc_f32_math_kernels *math;
    size_t rows, n;
    float epsilon;
    const float *x, *scale, *shift;
    float *y;
} job;

static float mean_of(const job *j, int kind, const float *x, float m) {
    double sum = 0;
    for (size_t i = 0; i < j->n; i += ROW_BLOCK) {
        float partial[16] = {0};
        j->math->reduce_row[kind].run(tmc_min_size(ROW_BLOCK, j->n - i), x + i, m, partial);
        sum += (double)tmc_f32_reduce_tree(kind, partial);
    }
    return (float)(sum / (double)j->n);
}

static void task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    tmc_chunk c = tmc_chunk_at(j->rows, tmc_chunk_items(j->n), index);
    for (size_t r = c.begin; r < c.begin + c.count; r++) {
        const float *x = j->x + r * j->n;
        float mean = mean_of(j, TMC_F32_REDUCE_SUM, x, 0.0f);
        float variance = mean_of(j, TMC_F32_REDUCE_SUM_SQUARE_DIFF, x, mean);
        float rstd = 1.0f / sqrtf(variance + j->epsilon);
        j->math->norm_row.run(j->n, x, mean, rstd, j->scale, j->shift, j->y + r * j->n);
    }
}

static tmc_status run(const tmc_op_run *run) {
    const tmc_norm_params *p = run->node->params;
    const tmc_tensor_desc *x = run->node->inputs[0];
    job j = {&run->kernels->math,
             tmc_dims_product(x->dims, 0, p->axis),
             tmc_dims_product(x->dims, p->axis, x->rank),
             p->epsilon,
             run->inputs[0],
             run->inputs[1],
             run->node->input_count > 2 ? run->inputs[2] : NULL,
             run->outputs[0]};
    return tmc_exec_loop(run->exec, tmc_chunk_count(j.rows, tmc_chunk_items(j.n)), task, &j);
}

TMC_DEFINE_OP(layer_norm, prepare, run)
