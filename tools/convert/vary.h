/* Inputs whose dims may vary at run time: an importer, which works at fixed shapes, imports once more at other dims and
 * compares. Where nothing but shapes of activations differs, one file serves both. */
#ifndef TMC_CONVERT_VARY_H
#define TMC_CONVERT_VARY_H

#include "convert/ir.h"

/* A dim for the trial: multiples keep what a chain of halvings needs. `factor` >= 2, another for each dim, so that two
 * cannot be taken for one. */
static inline int32_t vary_trial_dim(int32_t dim, int32_t factor) { return dim <= 4096 ? dim * factor : dim - 1; }

/* True where two imports differ in the shapes of activations only. */
bool vary_same_graph(const ir_graph *a, const ir_graph *b);

/* Lets an axis of an input grow as far as a plan may choose; the limits on a tensor's bytes bind earlier. */
void vary_allow(ir_graph *graph, ir_id input, uint32_t axis);
/* After the last vary_allow: the file's limit on a tensor's bytes holds for the largest shapes too. */
void vary_fit(ir_graph *graph);

#endif
