#ifndef TMC_TEST_FUZZ_GRAPH_H
#define TMC_TEST_FUZZ_GRAPH_H

#include "convert/ir.h"

/* Traps where an import broke its promises. Frees the graph. */
void fuzz_check(tmc_status status, ir_graph *graph, tmc_error *err);

#endif
