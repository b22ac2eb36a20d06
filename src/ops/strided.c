#include "ops/strided.h"

#include "ops/tiles.h"

#define TASK_BYTES (256u << 10) /* some 50 us at memory speed, under 5 ms for single bytes on a slow core */

void tmc_strided_push(tmc_strided *box, size_t count, ptrdiff_t src, ptrdiff_t dst) {
    if (count == 1) return;
    if (box->rank) {
        tmc_move_axis *outer = &box->axes[box->rank - 1];
        if (outer->src == (ptrdiff_t)count * src && outer->dst == (ptrdiff_t)count * dst) {
            *outer = (tmc_move_axis){outer->count * count, src, dst};
            return;
        }
    }
    box->axes[box->rank++] = (tmc_move_axis){count, src, dst};
}

void tmc_strided_steps(const tmc_tensor_desc *desc, ptrdiff_t strides[TMC_MAX_RANK]) {
    ptrdiff_t stride = (ptrdiff_t)tmc_dtype_size(desc->dtype);
    for (int32_t a = desc->rank - 1; a >= 0; a--) {
        strides[a] = stride;
        stride *= a == desc->rank - 1 ? (ptrdiff_t)tmc_tensor_pitch(desc) : desc->dims[a];
    }
}

/* The axes as planes (the two that the inner loop works on) and the rest. */
typedef struct {
    const tmc_strided *box;
    char *dst;
    const char *src;
    tmc_move_axis rows, cols, outer[TMC_STRIDED_AXES];
    uint32_t outer_rank;
    tmc_tiles tiles;
} job;

/* The last axis is dense in the destination. Where it jumps in the source, the axis that is dense there makes the plane
 * a transposition, which has both sides in the cache. */
static uint32_t choose_rows(const tmc_strided *box) {
    const ptrdiff_t dense = (ptrdiff_t)box->element;
    const uint32_t last = box->rank - 1;
    if (box->axes[last].src == dense || box->axes[last].src == 0) return last - 1;
    for (uint32_t a = 0; a < last; a++) {
        if (box->axes[a].src == dense) return a;
    }
    return last - 1;
}

/* Returns the number of planes. */
static size_t split_axes(job *j) {
    const tmc_strided *box = j->box;
    size_t planes = 1;
    j->rows = j->cols = (tmc_move_axis){1, 0, 0};
    if (box->rank == 0) return planes;
    j->cols = box->axes[box->rank - 1];
    if (box->rank == 1) return planes;
    const uint32_t rows = choose_rows(box);
    j->rows = box->axes[rows];
    for (uint32_t a = 0; a + 1 < box->rank; a++) {
        if (a == rows) continue;
        j->outer[j->outer_rank++] = box->axes[a];
        planes *= box->axes[a].count;
    }
    return planes;
}

static void copy_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const tmc_tile tile = tmc_tiles_get(&j->tiles, index);
    tmc_move_axis rows = j->rows, cols = j->cols;
    rows.count = tile.count[1];
    cols.count = tile.count[2];
    const ptrdiff_t row = (ptrdiff_t)tile.first[1], col = (ptrdiff_t)tile.first[2];
    for (size_t plane = tile.first[0]; plane < tile.first[0] + tile.count[0]; plane++) {
        ptrdiff_t src = row * rows.src + col * cols.src, dst = row * rows.dst + col * cols.dst;
        size_t rest = plane;
        for (uint32_t a = j->outer_rank; a-- > 0;) {
            const ptrdiff_t at = (ptrdiff_t)(rest % j->outer[a].count);
            rest /= j->outer[a].count;
            src += at * j->outer[a].src;
            dst += at * j->outer[a].dst;
        }
        tmc_plane_copy(j->dst + dst, j->src + src, rows, cols, j->box->element);
    }
}

tmc_status tmc_strided_copy(const tmc_strided *box, void *dst, const void *src, tmc_exec *exec) {
    job j = {.box = box, .dst = (char *)dst + box->dst_offset, .src = (const char *)src + box->src_offset};
    const size_t planes = split_axes(&j);
    j.tiles = tmc_tiles_split(planes, j.rows.count, j.cols.count, TASK_BYTES / box->element);
    return tmc_exec_loop(exec, j.tiles.total, copy_task, &j);
}

static tmc_strided describe_box(const tmc_op_node *node, tmc_move_describe describe) {
    tmc_strided box = {.element = tmc_dtype_size(node->inputs[0]->dtype)};
    describe(node, &box);
    return box;
}

/* The output has as many elements as the input and one step covers both. */
static bool is_identity(const tmc_op_node *node, const tmc_strided *box) {
    const ptrdiff_t dense = (ptrdiff_t)box->element;
    if (box->rank > 1 || tmc_tensor_elements(node->inputs[0]) != tmc_tensor_elements(node->outputs[0])) return false;
    return box->rank == 0 || (box->axes[0].src == dense && box->axes[0].dst == dense);
}

tmc_status tmc_move_prepare(const tmc_op_node *node, tmc_move_describe describe, tmc_op_setup *setup) {
    const tmc_strided box = describe_box(node, describe);
    setup->alias = is_identity(node, &box);
    return TMC_OK;
}

tmc_status tmc_move_run(const tmc_op_run *run, tmc_move_describe describe) {
    const tmc_strided box = describe_box(run->node, describe);
    if (run->outputs[0] == (const char *)run->inputs[0] + box.src_offset) return TMC_OK; /* an alias or a view */
    return tmc_strided_copy(&box, run->outputs[0], run->inputs[0], run->exec);
}

tmc_status tmc_prepare_nothing(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                               tmc_op_setup *setup, tmc_error *err) {
    (void)node, (void)kernels, (void)threads, (void)setup, (void)err;
    return TMC_OK;
}
