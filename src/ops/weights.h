/* Weights in panels for the operators that multiply: used in place where the file packed them, else packed into scratch
 * at the start of each run, since dense weights may be computed by the graph. */
#ifndef TMC_OPS_WEIGHTS_H
#define TMC_OPS_WEIGHTS_H

#include "format/packing.h"
#include "ops/op.h"

/* Of a conv, conv_transpose or fully_connected node. */
tmc_pack_shape tmc_weights_shape(const tmc_op_node *node);

/* Scratch of the panels, a multiple of TMC_ALIGN; 0 if they are packed already. Errors: E_LIMIT. */
tmc_status tmc_weights_scratch(const tmc_op_node *node, size_t *bytes, tmc_error *err);

/* The panels: input 1 itself, or the start of the scratch after packing it. Errors: E_CANCELLED, E_TIMEOUT. */
tmc_status tmc_weights_panels(const tmc_op_run *run, const tmc_pack_shape *shape, const float **panels);

/* The same of a depthwise_conv. */
tmc_status tmc_weights_depthwise(const tmc_op_run *run, const float **panels);

/* `floats` zeros in the scratch behind the panels, for padding taps; prepare added their bytes. */
tmc_status tmc_weights_zeros(const tmc_op_run *run, size_t floats, const float **zeros);

#endif
