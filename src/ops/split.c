#include "ops/strided.h"

/* An output that the planner laid over its part of the input needs no copy (src/plan/views.h). */
static tmc_status run(const tmc_op_run *r) {
    const tmc_split_params *p = r->node->params;
    const tmc_tensor_desc *in = r->node->inputs[0];
    ptrdiff_t src[TMC_MAX_RANK], offset = 0;
    tmc_strided_steps(in, src);
    for (uint32_t i = 0; i < r->node->output_count; i++) {
        const tmc_tensor_desc *out = r->node->outputs[i];
        ptrdiff_t dst[TMC_MAX_RANK];
        tmc_strided box = {.element = tmc_dtype_size(in->dtype), .src_offset = offset};
        tmc_strided_steps(out, dst);
        for (int32_t a = 0; a < out->rank; a++) tmc_strided_push(&box, (size_t)out->dims[a], src[a], dst[a]);
        if ((const char *)r->inputs[0] + offset != r->outputs[i])
            TMC_TRY(tmc_strided_copy(&box, r->outputs[i], r->inputs[0], r->exec));
        offset += out->dims[p->axis] * src[p->axis];
    }
    return TMC_OK;
}

TMC_DEFINE_OP(split, tmc_prepare_nothing, run)
