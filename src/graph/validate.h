/* The graph half of the verifier. */
#ifndef TMC_GRAPH_VALIDATE_H
#define TMC_GRAPH_VALIDATE_H

#include "format/reader.h"
#include "graph/tensor.h"

/* Checks every index, role, producer, order, parameter and shape of a file that tmc_file_read accepted; linear time,
 * no recursion. `scratch` holds tensor_count bytes. With `strict`, f32 constants must be finite (E_NONFINITE).
 * Errors: E_GRAPH, E_UNSUPPORTED, E_SHAPE, E_DTYPE, E_RANGE, E_LIMIT, E_QUANT, E_NONFINITE; err says node and tensor.
 */
tmc_status tmc_graph_validate(const tmc_file_view *view, uint8_t *scratch, int strict, tmc_error *err);

/* Description of a tensor record at its default shape. */
tmc_tensor_desc tmc_graph_tensor(const tmc_file_view *view, const tmc_file_tensor *record);

#endif
