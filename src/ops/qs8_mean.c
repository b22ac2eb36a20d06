#include "ops/chunk.h"
#include "ops/qs8.h"
#include "ops/reduce_axes.h"

typedef struct {
    tmc_reduce_axes axes;
    tmc_qs8_pool_fn kernel;
    tmc_qs8_pool_args args; /* all but the data */
    size_t channels, kept_block, block;
} job;

/* The reduced axes as a window: one or two loops over whole rows of kept elements, or one over rows that are reduced
 * themselves. */
static bool window_of(const tmc_reduce_axes *axes, tmc_qs8_pool_args *args) {
    const tmc_loops *r = &axes->reduced;
    const int32_t last = r->rank - 1, most = axes->inner_reduced ? 1 : 2;
    args->taps_y = args->taps_x = 1;
    if (r->rank > most) return false;
    if (axes->inner_reduced) {
        args->taps_x = axes->inner, args->x_step = 1;
        if (last == 0) args->taps_y = r->dims[0], args->y_step = r->strides[0];
        return true;
    }
    if (last >= 0) args->taps_x = r->dims[last], args->x_step = r->strides[last];
    if (last == 1) args->taps_y = r->dims[0], args->y_step = r->strides[0];
    return true;
}

static bool job_of(const tmc_op_node *node, const tmc_kernels *kernels, job *j) {
    const tmc_reduce_params *p = node->params;
    const tmc_quantization *x = &node->inputs[0]->quantization, *y = &node->outputs[0]->quantization;
    j->axes = tmc_reduce_axes_of(node->inputs[0], (uint32_t)p->axes);
    j->kernel = kernels->qs8_math.average_pool.run;
    j->channels = j->axes.inner_reduced ? 1 : j->axes.inner;
    j->args = (tmc_qs8_pool_args){
        .pixels = 1,
        .a_zero = x->zero_point,
        .zero_point = y->zero_point,
        .multiplier = (float)((double)x->scale / y->scale / (double)j->axes.per_output),
    };
    return window_of(&j->axes, &j->args);
}

tmc_status tmc_qs8_mean_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                tmc_op_setup *setup, tmc_error *err) {
    (void)threads;
    const tmc_reduce_params *p = node->params;
    job j;
    if (p->kind != TMC_REDUCE_MEAN) return tmc_op_no_i8(node, err);
    if (!job_of(node, kernels, &j))
        return tmc_fail_field(err, TMC_E_UNSUPPORTED, "axes",
                              "a mean of i8 over axes that are not neighbours; dequantize its input");
    setup->kernel = kernels->qs8_math.average_pool.name;
    setup->isa = kernels->qs8_math.average_pool.isa;
    return TMC_OK;
}

static void task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const size_t blocks = tmc_chunk_count(j->channels, j->block);
    const tmc_chunk k = tmc_chunk_at(j->axes.kept.count, j->kept_block, index / blocks);
    const tmc_chunk c = tmc_chunk_at(j->channels, j->block, index % blocks);
    for (size_t i = k.begin; i < k.begin + k.count; i++) {
        tmc_qs8_pool_args args = j->args;
        args.channels = c.count;
        args.a += tmc_loops_offset(&j->axes.kept, i) + c.begin;
        args.c += i * j->channels + c.begin;
        j->kernel(&args);
    }
}

tmc_status tmc_qs8_mean_run(const tmc_op_run *run) {
    job j;
    if (!job_of(run->node, run->kernels, &j)) return tmc_fail(run->err, TMC_E_INTERNAL, "mean was not prepared");
    j.args.a = run->inputs[0];
    j.args.c = run->outputs[0];
    /* Columns in whole cache lines, so that no two tasks write one. */
    j.block = tmc_min_size(j.channels, tmc_round_up(tmc_chunk_items(j.axes.per_output), 64));
    j.kept_block = tmc_chunk_items(j.axes.per_output * j.block);
    const size_t tasks = tmc_chunk_count(j.axes.kept.count, j.kept_block) * tmc_chunk_count(j.channels, j.block);
    return tmc_exec_loop(run->exec, tasks, task, &j);
}
