/* arg_max and arg_min: where along an axis the largest or smallest element is; of equal ones the first, or the last.
 * A NaN wins over everything, the first one over others: it must not vanish from a decision. */
#include "ops/chunk.h"
#include "ops/op.h"

static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err) {
    (void)node, (void)kernels, (void)threads, (void)setup, (void)err;
    return TMC_OK;
}

/* x as [outer, n, inner], searched along n. */
typedef struct {
    size_t outer, n, inner;
    uint8_t dtype;
    bool min, last;
    const void *x;
    int64_t *y;
} job;

static int64_t search_f32(const job *j, const float *x) {
    size_t at = 0;
    float best = j->min ? -x[0] : x[0];
    for (size_t i = 0; i < j->n; i++) {
        float v = j->min ? -x[i * j->inner] : x[i * j->inner];
        if (v != v) return (int64_t)i;
        if (v > best || (j->last && v == best)) {
            best = v;
            at = i;
        }
    }
    return (int64_t)at;
}

static int64_t integer_at(const job *j, size_t at) {
    return j->dtype == TMC_I32 ? ((const int32_t *)j->x)[at] : ((const int64_t *)j->x)[at];
}

static int64_t search_integers(const job *j, size_t first) {
    size_t at = 0;
    int64_t best = integer_at(j, first);
    for (size_t i = 1; i < j->n; i++) {
        int64_t v = integer_at(j, first + i * j->inner);
        if ((j->min ? v < best : v > best) || (j->last && v == best)) {
            best = v;
            at = i;
        }
    }
    return (int64_t)at;
}

static void task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    tmc_chunk c = tmc_chunk_at(j->outer * j->inner, tmc_chunk_items(j->n), index);
    for (size_t i = c.begin; i < c.begin + c.count; i++) {
        size_t first = i / j->inner * j->n * j->inner + i % j->inner;
        j->y[i] = j->dtype == TMC_F32 ? search_f32(j, (const float *)j->x + first) : search_integers(j, first);
    }
}

static tmc_status run(const tmc_op_run *run) {
    const tmc_arg_params *p = run->node->params;
    const tmc_tensor_desc *x = run->node->inputs[0];
    job j = {tmc_dims_product(x->dims, 0, p->axis),
             (size_t)x->dims[p->axis],
             tmc_dims_product(x->dims, p->axis + 1, x->rank),
             x->dtype,
             run->node->op == TMC_OP_ARG_MIN,
             p->select_last != 0,
             run->inputs[0],
             run->outputs[0]};
    return tmc_exec_loop(run->exec, tmc_chunk_count(j.outer * j.inner, tmc_chunk_items(j.n)), task, &j);
}

TMC_DEFINE_OP(arg_max, prepare, run)
TMC_DEFINE_OP(arg_min, prepare, run)
