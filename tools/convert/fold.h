/* Constant folding of one node, by running it through the library, so that a folded value has the bits of a run. */
#ifndef TMC_CONVERT_FOLD_H
#define TMC_CONVERT_FOLD_H

#include "convert/ir.h"

/* Evaluates `node`, whose present inputs must all be constants. On success each of its outputs is a constant (same id,
 * name and description, data owned by the graph, no producer) and the node is dead; no id changes. On failure the graph
 * is unchanged. Errors: E_STATE if an input is not a constant; else as tmc_session_run. */
tmc_status ir_fold_node(ir_graph *graph, ir_id node, tmc_error *err);

#endif
