#include "graph/slice.h"

#include "ops/strided.h"

static void describe(const tmc_op_node *node, tmc_strided *box) {
    const tmc_slice_params *p = node->params;
    const tmc_tensor_desc *in = node->inputs[0], *out = node->outputs[0];
    ptrdiff_t src[TMC_MAX_RANK], dst[TMC_MAX_RANK];
    tmc_strided_steps(in, src);
    tmc_strided_steps(out, dst);
    for (int32_t a = 0; a < in->rank; a++) {
        const tmc_slice_range range = tmc_slice_resolve(in->dims[a], p->begin[a], p->end[a], p->step[a]);
        box->src_offset += (ptrdiff_t)range.first * src[a];
        /* The step of a single element is never taken, and may be too large to multiply. */
        const ptrdiff_t step = range.count > 1 ? p->step[a] : 1;
        tmc_strided_push(box, (size_t)out->dims[a], step * src[a], dst[a]);
    }
}

TMC_DEFINE_MOVE(slice, describe)
