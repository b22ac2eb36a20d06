#include "ops/strided.h"

static void describe(const tmc_op_node *node, tmc_strided *box) {
    const tmc_shape_params *p = node->params;
    const tmc_tensor_desc *out = node->outputs[0];
    ptrdiff_t src[TMC_MAX_RANK], dst[TMC_MAX_RANK];
    tmc_strided_steps(node->inputs[0], src);
    tmc_strided_steps(out, dst);
    for (int32_t a = 0; a < out->rank; a++) tmc_strided_push(box, (size_t)out->dims[a], src[p->dims[a]], dst[a]);
}

TMC_DEFINE_MOVE(transpose, describe)
