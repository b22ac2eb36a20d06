/* Packed weights as a node sees them: their geometry follows from its operator and parameters. */
#ifndef TMC_GRAPH_PACKED_H
#define TMC_GRAPH_PACKED_H

#include "base/error.h"
#include "format/packing.h"
#include "graph/op.h"
#include "graph/tensor.h"

/* Geometry of the weights (input 1) of a conv, conv_transpose or fully_connected that tmc_infer accepts. */
tmc_pack_shape tmc_packed_shape(uint16_t op, const void *params, const tmc_tensor_desc *weights);

/* Bytes of these weights, or of a depthwise_conv's, in their packing, which is in panels; *bytes is left untouched on
 * failure. Errors: E_LIMIT. */
tmc_status tmc_packed_bytes(uint16_t op, const void *params, const tmc_tensor_desc *weights, uint64_t *bytes,
                            tmc_error *err);

#endif
