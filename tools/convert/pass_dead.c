#include "convert/passes.h"

/* Nodes whose outputs nobody reads, from the last to the first, so that a chain dies in one sweep; then the tensors
 * that are left without producer and readers. Inputs of the model stay: its caller knows their number. */
tmc_status pass_remove_dead(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    (void)err;
    ir_compact(graph);
    for (ir_id id = graph->node_count; id-- > 0;) {
        const ir_node *node = &graph->nodes[id];
        bool used = false;
        for (uint32_t i = 0; i < node->output_count; i++) used |= ir_use_count(graph, node->outputs[i]) != 0;
        if (used) continue;
        ir_kill_node(graph, id);
        ++*changes;
    }
    for (ir_id id = 0; id < graph->tensor_count; id++) {
        ir_tensor *t = &graph->tensors[id];
        if (t->dead || t->is_input || t->producer != IR_NONE || ir_use_count(graph, id)) continue;
        t->dead = true;
        ++*changes;
    }
    ir_compact(graph);
    return TMC_OK;
}
