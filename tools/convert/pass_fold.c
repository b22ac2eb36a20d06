#include "convert/fold.h"
#include "convert/passes.h"

/* Nodes are in an order that can be run, so one sweep folds whole chains. A node that cannot be computed stays: the run
 * will say why. */
tmc_status pass_fold_constants(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    (void)err;
    for (ir_id id = 0; id < graph->node_count; id++) {
        tmc_error ignored;
        tmc_error_init(&ignored);
        if (graph->nodes[id].dead) continue;
        if (ir_fold_node(graph, id, &ignored) == TMC_OK && graph->nodes[id].dead) ++*changes;
    }
    return TMC_OK;
}
