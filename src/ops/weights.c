#include "ops/weights.h"

#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "graph/packed.h"

tmc_pack_shape tmc_weights_shape(const tmc_op_node *node) {
    return tmc_packed_shape(node->op, node->params, node->inputs[1]);
}

tmc_status tmc_weights_scratch(const tmc_op_node *node, size_t *bytes, tmc_error *err) {
    *bytes = 0;
    if (node->inputs[1]->packing != TMC_PACK_NONE) return TMC_OK;
    uint64_t packed;
    TMC_TRY(tmc_packed_bytes(node->op, node->params, node->inputs[1], &packed, err));
    if (packed > TMC_FILE_MAX_TENSOR_BYTES - TMC_ALIGN)
        return tmc_fail(err, TMC_E_LIMIT, "packed weights would be over %u bytes", TMC_FILE_MAX_TENSOR_BYTES);
    *bytes = tmc_round_up((size_t)packed, TMC_ALIGN);
    return TMC_OK;
}

typedef struct packing_job {
    const tmc_pack_shape *shape;
    const float *w, *bias;
    float *panels;
} packing_job;

/* One task: 16 columns, in one panel or (8 + 4) two. */
static void pack_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const packing_job *job = context;
    const size_t columns = job->shape->columns, parts = tmc_div_up(columns, 16);
    size_t column = index % parts * 16;
    const size_t end = tmc_min_size(column + 16, columns);
    for (; column < end; column += tmc_panel_width(columns, column))
        tmc_pack_weights_part(job->panels, job->shape, index / parts, column, job->w, job->bias);
}

tmc_status tmc_weights_panels(const tmc_op_run *run, const tmc_pack_shape *shape, const float **panels) {
    *panels = run->inputs[1];
    if (run->node->inputs[1]->packing != TMC_PACK_NONE) return TMC_OK;
    *panels = run->scratch;
    packing_job job = {shape, run->inputs[1], run->node->input_count > 2 ? run->inputs[2] : NULL, run->scratch};
    return tmc_exec_loop(run->exec, shape->groups * tmc_div_up(shape->columns, 16), pack_task, &job);
}

tmc_status tmc_weights_depthwise(const tmc_op_run *run, const float **panels) {
    const tmc_tensor_desc *desc = run->node->inputs[1];
    *panels = run->inputs[1];
    if (desc->packing != TMC_PACK_NONE) return TMC_OK;
    *panels = run->scratch;
    tmc_pack_depthwise(run->scratch, run->inputs[1], (size_t)desc->dims[desc->rank - 1],
                       tmc_dims_product(desc->dims, 0, desc->rank - 1),
                       run->node->input_count > 2 ? run->inputs[2] : NULL);
    return TMC_OK;
}

tmc_status tmc_weights_zeros(const tmc_op_run *run, size_t floats, const float **zeros) {
    size_t offset;
    TMC_TRY(tmc_weights_scratch(run->node, &offset, run->err));
    float *start = (float *)run->scratch + offset / sizeof(float);
    memset(start, 0, floats * sizeof(float));
    *zeros = start;
    return TMC_OK;
}
