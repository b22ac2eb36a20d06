#include "ops/strided.h"

static void describe(const tmc_op_node *node, tmc_strided *box) {
    const tmc_shape_params *p = node->params;
    const tmc_tensor_desc *in = node->inputs[0];
    ptrdiff_t src[TMC_MAX_RANK], dst[TMC_MAX_RANK];
    tmc_strided_steps(in, src);
    tmc_strided_steps(node->outputs[0], dst);
    for (int32_t a = 0; a < in->rank; a++) {
        tmc_strided_push(box, (size_t)p->dims[a], 0, dst[a] * in->dims[a]);
        tmc_strided_push(box, (size_t)in->dims[a], src[a], dst[a]);
    }
}

TMC_DEFINE_MOVE(tile, describe)
