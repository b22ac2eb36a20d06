#include "convert/pass_util.h"
#include "convert/passes.h"

static float clamp(float x, tmc_act_params act) {
    const float t = x < act.lo ? act.lo : x;
    return t > act.hi ? act.hi : t;
}

/* A clamp is monotone, so two in a row are the clamp to the second's image of the first's bounds. */
static tmc_act_params chain(tmc_act_params first, tmc_act_params second) {
    return (tmc_act_params){clamp(first.lo, second), clamp(first.hi, second)};
}

/* Clamp after an operator that can clamp its results, or after another clamp. */
static bool fuse(ir_graph *graph, ir_id id) {
    const ir_node *node = &graph->nodes[id];
    const tmc_unary_params *p = node->params;
    const ir_id x = node->inputs[0], producer = graph->tensors[x].producer;
    const tmc_act_params second = {p->alpha, p->beta};
    if (producer == IR_NONE || pass_only_user(graph, x) != id || graph->tensors[x].desc.dtype != TMC_F32) return false;
    const ir_node *first = &graph->nodes[producer];
    if (first->op == TMC_OP_UNARY) {
        tmc_unary_params *q = first->params;
        if (q->kind != TMC_UNARY_CLAMP) return false;
        const tmc_act_params both = chain((tmc_act_params){q->alpha, q->beta}, second);
        q->alpha = both.lo;
        q->beta = both.hi;
    } else {
        tmc_act_params *act = pass_act(first);
        if (!act) return false;
        *act = chain(*act, second);
    }
    ir_replace_uses(graph, node->outputs[0], x);
    ir_kill_node(graph, id);
    return true;
}

tmc_status pass_fuse_activation(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    (void)err;
    for (ir_id id = 0; id < graph->node_count; id++) {
        const ir_node *node = &graph->nodes[id];
        if (node->dead || node->op != TMC_OP_UNARY) continue;
        if (((const tmc_unary_params *)node->params)->kind == TMC_UNARY_CLAMP) *changes += fuse(graph, id);
    }
    return TMC_OK;
}
