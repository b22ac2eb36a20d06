#include "ops/broadcast.h"

#include <string.h>

#include "ops/chunk.h"

#define LINE 64                  /* elements: whole cache lines of any type */
#define OUT TMC_BROADCAST_INPUTS /* the output's strides */

/* Steps of an input along the output's axes: axes that it lacks or has with dim 1 repeat. */
static void input_strides(const tmc_tensor_desc *in, const tmc_tensor_desc *out, size_t strides[TMC_MAX_RANK]) {
    size_t step = 1;
    for (int32_t i = out->rank - 1; i >= 0; i--) {
        int32_t k = i - (out->rank - in->rank);
        int32_t dim = k < 0 ? 1 : in->dims[k];
        strides[i] = dim == 1 ? 0 : step;
        step *= k == in->rank - 1 && k >= 0 ? tmc_tensor_pitch(in) : (size_t)dim;
    }
}

/* Axis `inner` continues axis `outer` in every input and in the output. */
static bool can_merge(const tmc_broadcast *b, int32_t outer, size_t strides[][TMC_MAX_RANK], int32_t inner,
                      size_t dim) {
    for (uint32_t k = 0; k <= OUT; k++)
        if (b->strides[k][outer] != strides[k][inner] * dim) return false;
    return true;
}

void tmc_broadcast_init(tmc_broadcast *b, const tmc_tensor_desc *out, const tmc_tensor_desc *const *inputs,
                        uint32_t input_count) {
    size_t strides[TMC_BROADCAST_INPUTS + 1][TMC_MAX_RANK];
    memset(b, 0, sizeof *b);
    memset(strides, 0, sizeof strides);
    b->input_count = input_count;
    for (uint32_t k = 0; k < input_count; k++) input_strides(inputs[k], out, strides[k]);
    input_strides(out, out, strides[OUT]);
    bool pitched = out->pitch != 0;
    for (uint32_t k = 0; k < input_count; k++) pitched |= inputs[k]->pitch != 0;
    for (int32_t i = 0; i < out->rank; i++) {
        size_t dim = (size_t)out->dims[i];
        /* The innermost axis has steps of 0 or 1: one of 1 stays where the axis before it has other steps. */
        if (dim == 1 && !(pitched && i == out->rank - 1)) continue;
        if (b->rank && can_merge(b, b->rank - 1, strides, i, dim)) {
            b->dims[b->rank - 1] *= dim;
        } else {
            b->dims[b->rank++] = dim;
        }
        for (uint32_t k = 0; k <= OUT; k++) b->strides[k][b->rank - 1] = strides[k][i];
    }
    if (b->rank == 0) b->dims[b->rank++] = 1;
    b->rows = 1;
    for (int32_t i = 0; i + 1 < b->rank; i++) b->rows *= b->dims[i];
    b->col_block = tmc_min_size(b->dims[b->rank - 1], TMC_TASK_ELEMENTS);
    b->row_block = tmc_chunk_items(b->dims[b->rank - 1]);
}

typedef struct {
    const tmc_broadcast *b;
    tmc_broadcast_fn fn;
    void *context;
} job;

/* Where row `row` begins in input `k`, or OUT. */
static size_t row_offset(const tmc_broadcast *b, uint32_t k, size_t row) {
    size_t offset = 0;
    for (int32_t i = b->rank - 2; i >= 0; i--) {
        offset += row % b->dims[i] * b->strides[k][i];
        row /= b->dims[i];
    }
    return offset;
}

static void task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const tmc_broadcast *b = j->b;
    size_t cols = b->dims[b->rank - 1];
    size_t col_blocks = tmc_chunk_count(cols, b->col_block);
    tmc_chunk r = tmc_chunk_at(b->rows, b->row_block, index / col_blocks);
    tmc_chunk c = tmc_chunk_at(cols, b->col_block, index % col_blocks);
    size_t inner_rows = b->rank > 1 ? b->dims[b->rank - 2] : 1;
    /* Several rows in one block only where they are whole (col_block is cols) and evenly spaced. */
    for (size_t row = r.begin; row < r.begin + r.count;) {
        tmc_broadcast_block block = {.cols = c.count, .out = row_offset(b, OUT, row) + c.begin};
        block.out_row = b->rank > 1 ? b->strides[OUT][b->rank - 2] : cols;
        block.rows = tmc_min_size(r.begin + r.count - row, inner_rows - row % inner_rows);
        for (uint32_t k = 0; k < b->input_count; k++) {
            block.col[k] = b->strides[k][b->rank - 1] != 0;
            block.in[k] = row_offset(b, k, row) + (block.col[k] ? c.begin : 0);
            block.row[k] = b->rank > 1 ? b->strides[k][b->rank - 2] : 0;
        }
        j->fn(j->context, &block);
        row += block.rows;
    }
}

tmc_status tmc_broadcast_run(const tmc_broadcast *b, tmc_exec *exec, tmc_broadcast_fn fn, void *context) {
    tmc_broadcast shared = *b;
    const size_t cols = b->dims[b->rank - 1];
    if (b->rows > 1)
        shared.row_block = tmc_chunk_share(b->rows, cols, 1, exec->threads);
    else
        shared.col_block = tmc_min_size(b->col_block, tmc_chunk_share(cols, 1, LINE, exec->threads));
    job j = {&shared, fn, context};
    b = &shared;
    size_t tasks = tmc_chunk_count(b->rows, b->row_block) * tmc_chunk_count(b->dims[b->rank - 1], b->col_block);
    return tmc_exec_loop(exec, tasks, task, &j);
}
