#include "ops/strided.h"

/* y[i * groups + g] = x[g * (C / groups) + i]: the last axis seen as [groups, C / groups], transposed. */
static void describe(const tmc_op_node *node, tmc_strided *box) {
    const tmc_block_params *p = node->params;
    const tmc_tensor_desc *in = node->inputs[0];
    const ptrdiff_t element = (ptrdiff_t)box->element, channels = in->dims[in->rank - 1];
    const ptrdiff_t groups = p->block, members = channels / groups;
    tmc_strided_push(box, tmc_dims_product(in->dims, 0, in->rank - 1), channels * element, channels * element);
    tmc_strided_push(box, (size_t)members, element, groups * element);
    tmc_strided_push(box, (size_t)groups, members * element, element);
}

TMC_DEFINE_MOVE(channel_shuffle, describe);
