#include "ops/strided.h"

static void describe(const tmc_op_node *node, tmc_strided *box) {
    const tmc_tensor_desc *in = node->inputs[0], *out = node->outputs[0];
    ptrdiff_t src[TMC_MAX_RANK], dst[TMC_MAX_RANK];
    tmc_strided_steps(in, src);
    tmc_strided_steps(out, dst);
    for (int32_t a = 0; a < out->rank; a++) {
        const int32_t from = a - (out->rank - in->rank); /* axes match from the last on */
        const bool repeats = from < 0 || in->dims[from] == 1;
        tmc_strided_push(box, (size_t)out->dims[a], repeats ? 0 : src[from], dst[a]);
    }
}

TMC_DEFINE_MOVE(expand, describe)
