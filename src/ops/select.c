#include <string.h>

#include "ops/broadcast.h"
#include "ops/op.h"

static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err) {
    (void)kernels, (void)threads, (void)err;
    for (uint32_t i = 1; i < 3; i++)
        if (tmc_tensor_same_shape(node->inputs[i], node->outputs[0])) setup->in_place_mask |= 1u << i;
    return TMC_OK;
}

typedef struct {
    const uint8_t *condition, *a, *b;
    uint8_t *y;
    size_t element;
} job;

/* Elements of 4 bytes are the common case; memcpy of a constant size is one move. */
static void block_of(const job *j, const tmc_broadcast_block *g, size_t element) {
    for (size_t r = 0; r < g->rows; r++) {
        const uint8_t *condition = j->condition + g->in[0] + r * g->row[0];
        const uint8_t *a = j->a + (g->in[1] + r * g->row[1]) * element;
        const uint8_t *b = j->b + (g->in[2] + r * g->row[2]) * element;
        uint8_t *y = j->y + (g->out + r * g->out_row) * element;
        for (size_t c = 0; c < g->cols; c++) {
            bool yes = condition[g->col[0] ? c : 0] != 0;
            const uint8_t *from = yes ? a + (g->col[1] ? c * element : 0) : b + (g->col[2] ? c * element : 0);
            memmove(y + c * element, from, element); /* in place, source and destination may be the same */
        }
    }
}

static void block(void *context, const tmc_broadcast_block *g) {
    const job *j = context;
    if (j->element == 4) {
        block_of(j, g, 4);
    } else {
        block_of(j, g, j->element);
    }
}

static tmc_status run(const tmc_op_run *run) {
    const tmc_op_node *node = run->node;
    tmc_broadcast b;
    job j = {run->inputs[0], run->inputs[1], run->inputs[2], run->outputs[0], tmc_dtype_size(node->outputs[0]->dtype)};
    tmc_broadcast_init(&b, node->outputs[0], node->inputs, 3);
    return tmc_broadcast_run(&b, run->exec, block, &j);
}

TMC_DEFINE_OP(select, prepare, run)
