/* Reductions in float. The order of additions follows from the shape alone (docs/kernels-math.md): columns where the
 * innermost axis is kept, rows where it is reduced. */
#include <math.h>

#include "ops/chunk.h"
#include "ops/qs8.h"
#include "ops/reduce_axes.h"
#include "ops/reduce_int.h"

/* A row is taken in pieces of this many elements, a multiple of the 16 partial sums, with a look at the cancel flag
 * after each. */
#define ROW_PIECE (1u << 20)

static int kernel_kind(int32_t kind) {
    switch (kind) {
    case TMC_REDUCE_MAX: return TMC_F32_REDUCE_MAX;
    case TMC_REDUCE_MIN: return TMC_F32_REDUCE_MIN;
    case TMC_REDUCE_PROD: return TMC_F32_REDUCE_PROD;
    case TMC_REDUCE_L1: return TMC_F32_REDUCE_SUM_ABS;
    case TMC_REDUCE_L2:
    case TMC_REDUCE_SUM_SQUARE: return TMC_F32_REDUCE_SUM_SQUARE;
    case TMC_REDUCE_LOG_SUM_EXP: return TMC_F32_REDUCE_SUM_EXP;
    default: return TMC_F32_REDUCE_SUM;
    }
}

static size_t output_count(const tmc_reduce_axes *a) { return a->kept.count * (a->inner_reduced ? 1 : a->inner); }

/* Scratch, log_sum_exp only: what each output's elements are reduced by before exp. */
static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err) {
    if (node->inputs[0]->dtype == TMC_I8) return tmc_qs8_mean_prepare(node, kernels, threads, setup, err);
    const tmc_reduce_params *p = node->params;
    if (node->inputs[0]->dtype != TMC_F32) return TMC_OK;
    tmc_reduce_axes axes = tmc_reduce_axes_of(node->inputs[0], (uint32_t)p->axes);
    int kind = kernel_kind(p->kind);
    const tmc_f32_math_kernels *math = &kernels->math;
    setup->kernel = axes.inner_reduced ? math->reduce_row[kind].name : math->reduce_columns[kind].name;
    setup->isa = axes.inner_reduced ? math->reduce_row[kind].isa : math->reduce_columns[kind].isa;
    if (p->kind == TMC_REDUCE_LOG_SUM_EXP) setup->scratch_bytes = output_count(&axes) * sizeof(float);
    return TMC_OK;
}

typedef struct {
    tmc_reduce_axes axes;
    const tmc_f32_math_kernels *math;
    tmc_exec *exec;
    int32_t kind;
    size_t col_block, kept_block; /* columns; kept outer positions of a task */
    const float *x;
    float *y, *shift; /* shift: log_sum_exp only, else NULL */
} job;

/* The element-wise end of a reduction. */
static void finish(const job *j, size_t first, size_t count) {
    float *y = j->y + first;
    float n = (float)j->axes.per_output;
    switch (j->kind) {
    case TMC_REDUCE_MEAN:
        for (size_t i = 0; i < count; i++) y[i] = y[i] / n;
        break;
    case TMC_REDUCE_L2: j->math->unary[TMC_F32_UNARY_SQRT].run(count, y, y, 0, 0); break;
    case TMC_REDUCE_LOG_SUM: j->math->unary[TMC_F32_UNARY_LOG].run(count, y, y, 0, 0); break;
    case TMC_REDUCE_LOG_SUM_EXP:
        j->math->unary[TMC_F32_UNARY_LOG].run(count, y, y, 0, 0);
        for (size_t i = 0; i < count; i++) y[i] = y[i] + j->shift[first + i];
        break;
    default: break;
    }
}

/* acc[c] of columns [col, col + cols) behind `base`. */
static void columns(const job *j, int kind, size_t base, size_t cols, const float *m, float *acc) {
    const tmc_loops *r = &j->axes.reduced;
    int32_t last = r->rank - 1;
    size_t rows = last >= 0 ? r->dims[last] : 1, stride = last >= 0 ? r->strides[last] : 0;
    float identity = tmc_f32_reduce_identity(kind);
    for (size_t c = 0; c < cols; c++) acc[c] = identity;
    for (size_t i = 0; i < r->count; i += rows)
        j->math->reduce_columns[kind].run(rows, cols, stride, j->x + base + tmc_loops_offset(r, i), m, acc);
}

/* An infinite maximum must not be subtracted from itself: log_sum_exp is that infinity then. */
static void limit_shift(float *shift, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (isinf(shift[i])) shift[i] = 0.0f;
}

static void columns_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const tmc_reduce_axes *a = &j->axes;
    size_t col_blocks = tmc_chunk_count(a->inner, j->col_block);
    tmc_chunk k = tmc_chunk_at(a->kept.count, j->kept_block, index / col_blocks);
    tmc_chunk c = tmc_chunk_at(a->inner, j->col_block, index % col_blocks);
    for (size_t i = k.begin; i < k.begin + k.count; i++) {
        size_t base = tmc_loops_offset(&a->kept, i) + c.begin, out = i * a->inner + c.begin;
        float *shift = j->shift ? j->shift + out : NULL;
        if (shift) {
            columns(j, TMC_F32_REDUCE_MAX, base, c.count, NULL, shift);
            limit_shift(shift, c.count);
        }
        columns(j, kernel_kind(j->kind), base, c.count, shift, j->y + out);
        finish(j, out, c.count);
    }
}

static float row(const job *j, int kind, size_t base, float m) {
    const tmc_reduce_axes *a = &j->axes;
    float partial[16];
    for (int i = 0; i < 16; i++) partial[i] = tmc_f32_reduce_identity(kind);
    for (size_t r = 0; r < a->reduced.count; r++) {
        const float *x = j->x + base + tmc_loops_offset(&a->reduced, r);
        for (size_t i = 0; i < a->inner; i += ROW_PIECE) {
            j->math->reduce_row[kind].run(tmc_min_size(ROW_PIECE, a->inner - i), x + i, m, partial);
            if (a->inner - i > ROW_PIECE && tmc_exec_poll(j->exec) != TMC_OK) return 0.0f;
        }
    }
    return tmc_f32_reduce_tree(kind, partial);
}

static void rows_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    tmc_chunk k = tmc_chunk_at(j->axes.kept.count, j->kept_block, index);
    for (size_t i = k.begin; i < k.begin + k.count; i++) {
        size_t base = tmc_loops_offset(&j->axes.kept, i);
        float m = 0.0f;
        if (j->shift) {
            j->shift[i] = row(j, TMC_F32_REDUCE_MAX, base, 0.0f);
            limit_shift(&j->shift[i], 1);
            m = j->shift[i];
        }
        j->y[i] = row(j, kernel_kind(j->kind), base, m);
    }
    finish(j, k.begin, k.count);
}

static tmc_status run(const tmc_op_run *run) {
    const tmc_reduce_params *p = run->node->params;
    const tmc_tensor_desc *x = run->node->inputs[0];
    job j = {.axes = tmc_reduce_axes_of(x, (uint32_t)p->axes),
             .math = &run->kernels->math,
             .exec = run->exec,
             .kind = p->kind,
             .x = run->inputs[0],
             .y = run->outputs[0],
             .shift = p->kind == TMC_REDUCE_LOG_SUM_EXP ? run->scratch : NULL};
    if (x->dtype == TMC_I8) return tmc_qs8_mean_run(run);
    if (x->dtype != TMC_F32)
        return tmc_reduce_int(&j.axes, p->kind, x->dtype, run->inputs[0], run->outputs[0], run->exec);
    if (j.axes.inner_reduced) {
        j.kept_block = tmc_chunk_items(j.axes.per_output);
        return tmc_exec_loop(run->exec, tmc_chunk_count(j.axes.kept.count, j.kept_block), rows_task, &j);
    }
    /* Columns in whole cache lines, so that no two tasks write one. */
    j.col_block = tmc_min_size(j.axes.inner, tmc_round_up(tmc_chunk_items(j.axes.per_output), 64));
    j.kept_block = tmc_chunk_items(j.axes.per_output * j.col_block);
    size_t tasks = tmc_chunk_count(j.axes.kept.count, j.kept_block) * tmc_chunk_count(j.axes.inner, j.col_block);
    return tmc_exec_loop(run->exec, tasks, columns_task, &j);
}

TMC_DEFINE_OP(reduce, prepare, run)
