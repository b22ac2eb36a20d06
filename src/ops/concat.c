#include "ops/strided.h"

/* An input that the planner placed inside the output is there already (src/plan/views.h). */
static tmc_status run(const tmc_op_run *r) {
    const tmc_axis_params *p = r->node->params;
    const tmc_tensor_desc *out = r->node->outputs[0];
    ptrdiff_t dst[TMC_MAX_RANK], offset = 0;
    tmc_strided_steps(out, dst);
    for (uint32_t i = 0; i < r->node->input_count; i++) {
        const tmc_tensor_desc *in = r->node->inputs[i];
        ptrdiff_t src[TMC_MAX_RANK];
        tmc_strided box = {.element = tmc_dtype_size(in->dtype), .dst_offset = offset};
        tmc_strided_steps(in, src);
        for (int32_t a = 0; a < in->rank; a++) tmc_strided_push(&box, (size_t)in->dims[a], src[a], dst[a]);
        if ((const char *)r->outputs[0] + offset != r->inputs[i])
            TMC_TRY(tmc_strided_copy(&box, r->outputs[0], r->inputs[i], r->exec));
        offset += in->dims[p->axis] * dst[p->axis];
    }
    return TMC_OK;
}

TMC_DEFINE_OP(concat, tmc_prepare_nothing, run)
