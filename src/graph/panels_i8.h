/* What the verifier asks of the numbers inside packed int8 weights. */
#ifndef TMC_GRAPH_PANELS_I8_H
#define TMC_GRAPH_PANELS_I8_H

#include <stdbool.h>

#include "base/error.h"
#include "graph/tensor.h"

/* The weights of a node that tmc_infer accepts, `bytes` of them at a multiple of 4. */
typedef struct tmc_i8_weights {
    uint16_t op;
    const void *params;
    const tmc_tensor_desc *desc;
    const uint8_t *data;
    uint64_t bytes;
    const float *scales;            /* of each output channel */
    tmc_quantization input, output; /* of the activations */
    bool strict;
} tmc_i8_weights;

static inline bool tmc_is_i8_packing(uint32_t packing) {
    return packing == TMC_PACK_I8_PANELS || packing == TMC_PACK_I8_DEPTHWISE;
}

/* Every multiplier is a positive normal float, and no bias with its products leaves int32. Strict: the multiplier is
 * the one of the scales, and the two biases differ by 128 times the sum of the weights. *place receives the byte that
 * is wrong. Linear in `bytes`. Errors: E_SHAPE (bytes are not those of the packing), E_LIMIT, E_QUANT. */
tmc_status tmc_check_i8_weights(const tmc_i8_weights *weights, const uint8_t **place, tmc_error *err);

#endif
