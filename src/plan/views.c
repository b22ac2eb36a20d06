#include "plan/views.h"

#include <string.h>

#include "graph/slice.h"

void tmc_views_clear(tmc_plan *plan, tmc_plan_work *work) {
    for (uint32_t t = 0; t < plan->view->tensor_count; t++) {
        plan->descs[t].pitch = 0;
        work->views[t] = (tmc_tensor_view){.whole = t};
    }
    memset(work->still, 0, plan->node_count);
}

/* work->needed becomes: every running node that touches the tensor goes by its pitch. */
static void find_pitch_takers(const tmc_plan *plan, tmc_plan_work *work) {
    for (uint32_t t = 0; t < plan->view->tensor_count; t++) work->needed[t] = 1;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const tmc_step *node = &plan->nodes[i];
        const bool writes = tmc_op_writes_pitch(&node->op);
        for (uint32_t k = 0; k < node->op.input_count; k++)
            if (node->tensors[k] != TMC_FILE_NONE && !tmc_op_reads_pitch(&node->op, k))
                work->needed[node->tensors[k]] = 0;
        for (uint32_t k = 0; !writes && k < node->op.output_count; k++)
            work->needed[node->tensors[node->op.input_count + k]] = 0;
    }
}

/* Lays `part` over elements from `first` along `axis` of `whole`. Returns false where it has to stay apart. */
static bool place(tmc_plan *plan, tmc_plan_work *work, uint32_t part, uint32_t whole, int32_t axis, size_t first) {
    tmc_tensor_desc *p = &plan->descs[part];
    const tmc_tensor_desc *w = &plan->descs[whole];
    const int32_t last = w->rank - 1;
    if (plan->view->tensors[part].role != TMC_ROLE_ACTIVATION || work->output[part] != TMC_FILE_NONE ||
        work->views[part].whole != part)
        return false;
    if (axis != last && tmc_dims_product(p->dims, 0, axis) != 1) return false;
    const size_t rows = tmc_dims_product(p->dims, 0, last), pitch = tmc_tensor_pitch(w);
    const bool dense = rows == 1 || pitch == (size_t)p->dims[last];
    if (!dense && !work->needed[part]) return false;
    const size_t step = axis == last ? 1 : tmc_dims_product(w->dims, axis + 1, last) * pitch;
    if (!dense) p->pitch = (int32_t)pitch;
    work->views[part] = (tmc_tensor_view){.whole = work->views[whole].whole,
                                          .start = work->views[whole].start + first * step * tmc_dtype_size(w->dtype)};
    return true;
}

/* Lays `parts`, one behind the other along `axis`, over `whole`: the inputs of a concat, the outputs of a split. */
static uint32_t place_parts(tmc_plan *plan, tmc_plan_work *work, uint32_t step, const uint32_t *parts, uint32_t count,
                            uint32_t whole, int32_t axis) {
    size_t first = 0;
    uint32_t placed = 0;
    for (uint32_t i = 0; i < count; i++) {
        placed += place(plan, work, parts[i], whole, axis, first);
        first += (size_t)plan->descs[parts[i]].dims[axis];
    }
    work->still[step] = placed == count;
    return placed;
}

static uint32_t place_concat(tmc_plan *plan, tmc_plan_work *work, uint32_t step) {
    const tmc_step *node = &plan->nodes[step];
    const uint32_t count = node->op.input_count;
    const tmc_axis_params *p = node->op.params;
    return place_parts(plan, work, step, node->tensors, count, node->tensors[count], p->axis);
}

static uint32_t place_split(tmc_plan *plan, tmc_plan_work *work, uint32_t step) {
    const tmc_step *node = &plan->nodes[step];
    const tmc_split_params *p = node->op.params;
    return place_parts(plan, work, step, node->tensors + 1, node->op.output_count, node->tensors[0], p->axis);
}

/* A slice with step 1 that leaves all axes but one whole is the output of a split. */
static uint32_t place_slice(tmc_plan *plan, tmc_plan_work *work, uint32_t step) {
    const tmc_step *node = &plan->nodes[step];
    const tmc_slice_params *p = node->op.params;
    const tmc_tensor_desc *in = node->op.inputs[0], *out = node->op.outputs[0];
    int32_t axis = -1;
    for (int32_t a = 0; a < in->rank; a++) {
        if (in->dims[a] == out->dims[a] && p->step[a] > 0) continue;
        if (axis >= 0 || p->step[a] != 1) return 0;
        axis = a;
    }
    if (axis < 0) return 0;
    const tmc_slice_range range = tmc_slice_resolve(in->dims[axis], p->begin[axis], p->end[axis], 1);
    work->still[step] = place(plan, work, node->tensors[1], node->tensors[0], axis, (size_t)range.first);
    return work->still[step];
}

uint32_t tmc_views_choose(tmc_plan *plan, tmc_plan_work *work) {
    uint32_t placed = 0;
    tmc_views_clear(plan, work);
    find_pitch_takers(plan, work);
    /* From the end: a concat's output has its final place before its inputs get theirs. */
    for (uint32_t i = plan->node_count; i-- > 0;)
        if (plan->nodes[i].op.op == TMC_OP_CONCAT) placed += place_concat(plan, work, i);
    /* From the start, for the same reason, where the whole is the input. */
    for (uint32_t i = 0; i < plan->node_count; i++) {
        if (plan->nodes[i].op.op == TMC_OP_SPLIT) placed += place_split(plan, work, i);
        if (plan->nodes[i].op.op == TMC_OP_SLICE) placed += place_slice(plan, work, i);
    }
    return placed;
}
