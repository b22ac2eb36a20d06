#include "graph/scalar.h"
#include "ops/strided.h"

/* The input goes into the middle first. Then, from the last axis to the first, the padding of an axis is made from the
 * output itself: full along the axes behind it, which are complete by then, the middle only along those before it. */
typedef struct {
    const tmc_op_run *run;
    const tmc_pad_params *params;
    const tmc_tensor_desc *in, *out;
    ptrdiff_t src[TMC_MAX_RANK], dst[TMC_MAX_RANK];
    _Alignas(TMC_MAX_ELEMENT) uint8_t value[TMC_MAX_ELEMENT];
} pad_job;

static tmc_status copy_middle(const pad_job *j) {
    tmc_strided box = {.element = tmc_dtype_size(j->in->dtype)};
    for (int32_t a = 0; a < j->in->rank; a++) {
        box.dst_offset += j->params->begin[a] * j->dst[a];
        tmc_strided_push(&box, (size_t)j->in->dims[a], j->src[a], j->dst[a]);
    }
    return tmc_strided_copy(&box, j->run->outputs[0], j->run->inputs[0], j->run->exec);
}

/* Output index that the first padded element repeats, and the step to those of the next. */
typedef struct {
    ptrdiff_t first, step;
} pad_source;

static pad_source find_source(int32_t mode, ptrdiff_t begin, ptrdiff_t dim, bool at_end) {
    switch (mode) {
    case TMC_PAD_REFLECT: return (pad_source){at_end ? begin + dim - 2 : 2 * begin, -1};
    case TMC_PAD_EDGE: return (pad_source){at_end ? begin + dim - 1 : begin, 0};
    default: return (pad_source){at_end ? begin : dim, 1}; /* wrap */
    }
}

static tmc_status fill_side(const pad_job *j, int32_t axis, bool at_end) {
    const tmc_pad_params *p = j->params;
    const int32_t count = at_end ? p->end[axis] : p->begin[axis];
    if (count == 0) return TMC_OK;
    const bool constant = p->mode == TMC_PAD_CONSTANT;
    const ptrdiff_t begin = p->begin[axis], dim = j->in->dims[axis];
    const pad_source source = find_source(p->mode, begin, dim, at_end);
    tmc_strided box = {.element = tmc_dtype_size(j->in->dtype)};
    box.dst_offset = (at_end ? begin + dim : 0) * j->dst[axis];
    box.src_offset = constant ? 0 : source.first * j->dst[axis];
    for (int32_t a = 0; a < j->in->rank; a++) {
        ptrdiff_t step = constant ? 0 : j->dst[a];
        if (a == axis) {
            tmc_strided_push(&box, (size_t)count, step * source.step, j->dst[a]);
        } else if (a > axis) {
            tmc_strided_push(&box, (size_t)j->out->dims[a], step, j->dst[a]);
        } else {
            box.dst_offset += p->begin[a] * j->dst[a];
            box.src_offset += p->begin[a] * step;
            tmc_strided_push(&box, (size_t)j->in->dims[a], step, j->dst[a]);
        }
    }
    const void *from = constant ? (const void *)j->value : j->run->outputs[0];
    return tmc_strided_copy(&box, j->run->outputs[0], from, j->run->exec);
}

static tmc_status run(const tmc_op_run *r) {
    pad_job j = {.run = r, .params = r->node->params, .in = r->node->inputs[0], .out = r->node->outputs[0]};
    tmc_strided_steps(j.in, j.src);
    tmc_strided_steps(j.out, j.dst);
    if (j.params->mode == TMC_PAD_CONSTANT) tmc_scalar_for_tensor(j.in, j.params->value, j.value);
    TMC_TRY(copy_middle(&j));
    for (int32_t a = j.in->rank - 1; a >= 0; a--) {
        TMC_TRY(fill_side(&j, a, false));
        TMC_TRY(fill_side(&j, a, true));
    }
    return TMC_OK;
}

TMC_DEFINE_OP(pad, tmc_prepare_nothing, run)
