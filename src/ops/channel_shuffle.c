/* y[i * groups + g] = x[g * (C / groups) + i]: the last axis seen as [groups, C / groups], transposed. Two inputs are
 * the two groups of their concatenation: then y[2 i] = a[i], y[2 i + 1] = b[i], in one pass over memory. */
#include "ops/strided.h"
#include "ops/tiles.h"

#define TASK_BYTES (64u << 10) /* some 5 us at the speed of the cache */

static void describe(const tmc_op_node *node, tmc_strided *box) {
    const tmc_block_params *p = node->params;
    const tmc_tensor_desc *in = node->inputs[0];
    const ptrdiff_t element = (ptrdiff_t)box->element, channels = in->dims[in->rank - 1];
    const ptrdiff_t groups = p->block, members = channels / groups;
    tmc_strided_push(box, tmc_dims_product(in->dims, 0, in->rank - 1), (ptrdiff_t)tmc_tensor_pitch(in) * element,
                     (ptrdiff_t)tmc_tensor_pitch(node->outputs[0]) * element);
    tmc_strided_push(box, (size_t)members, element, groups * element);
    tmc_strided_push(box, (size_t)groups, members * element, element);
}

static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err) {
    (void)kernels, (void)threads, (void)err;
    return node->input_count == 1 ? tmc_move_prepare(node, describe, setup) : TMC_OK;
}

typedef struct {
    const char *a, *b;
    char *y;
    size_t element, members, a_row, b_row, y_row; /* bytes; members: elements of a row of a */
    size_t rows, rows_per_task;
} job;

static void interleave_task(void *context, size_t task, size_t slot) {
    (void)slot;
    const job *j = context;
    const size_t end = tmc_min_size((task + 1) * j->rows_per_task, j->rows);
    for (size_t r = task * j->rows_per_task; r < end; r++)
        tmc_plane_interleave(j->y + r * j->y_row, j->a + r * j->a_row, j->b + r * j->b_row, j->members, j->element);
}

static tmc_status run(const tmc_op_run *r) {
    if (r->node->input_count == 1) return tmc_move_run(r, describe);
    const tmc_tensor_desc *a = r->node->inputs[0], *b = r->node->inputs[1], *y = r->node->outputs[0];
    job j = {.a = r->inputs[0], .b = r->inputs[1], .y = r->outputs[0], .element = tmc_dtype_size(a->dtype)};
    j.members = (size_t)a->dims[a->rank - 1];
    j.a_row = tmc_tensor_pitch(a) * j.element;
    j.b_row = tmc_tensor_pitch(b) * j.element;
    j.y_row = tmc_tensor_pitch(y) * j.element;
    j.rows = tmc_dims_product(a->dims, 0, a->rank - 1);
    j.rows_per_task = tmc_div_up(TASK_BYTES, 2 * j.members * j.element);
    return tmc_exec_loop(r->exec, tmc_div_up(j.rows, j.rows_per_task), interleave_task, &j);
}

TMC_DEFINE_OP(channel_shuffle, prepare, run)
