#include "graph/packed.h"

#include "format/packing_i8.h"

tmc_pack_shape tmc_packed_shape(uint16_t op, const void *params, const tmc_tensor_desc *weights) {
    tmc_pack_shape s = {.groups = 1,
                        .columns = (size_t)weights->dims[0],
                        .channels = (size_t)weights->dims[weights->rank - 1],
                        .kernel = {1, 1, 1},
                        .stride = {1, 1, 1},
                        .dilation = {1, 1, 1}};
    if (op == TMC_OP_FULLY_CONNECTED) return s;
    const tmc_conv_params *p = params;
    s.groups = (size_t)p->groups;
    s.columns /= s.groups;
    for (int i = 0; i < 3; i++) {
        s.kernel[i] = (size_t)p->kernel[i];
        if (op != TMC_OP_CONV_TRANSPOSE) continue; /* only there do strides cut the kernel into phases */
        s.stride[i] = (size_t)p->stride[i];
        s.dilation[i] = (size_t)p->dilation[i];
    }
    return s;
}

static uint64_t packed_i8(uint16_t op, const void *params, const tmc_tensor_desc *weights) {
    const tmc_conv_params *p = params;
    if (op == TMC_OP_DEPTHWISE_CONV)
        return tmc_i8_depthwise_bytes(
            (size_t)weights->dims[weights->rank - 1],
            (const size_t[]){(size_t)p->kernel[0], (size_t)p->kernel[1], (size_t)p->kernel[2]});
    const tmc_pack_shape shape = tmc_packed_shape(op, params, weights);
    return tmc_i8_bytes(&shape);
}

/* Dense weights are below 2^29 numbers, so this cannot wrap. */
static uint64_t packed_floats(uint16_t op, const void *params, const tmc_tensor_desc *weights) {
    if (op == TMC_OP_DEPTHWISE_CONV) {
        const uint64_t channels = (uint64_t)weights->dims[weights->rank - 1];
        const uint64_t taps = tmc_dims_product(weights->dims, 0, weights->rank - 1);
        return (channels + 15) / 16 * 16 * (1 + taps);
    }
    const tmc_pack_shape shape = tmc_packed_shape(op, params, weights);
    return tmc_pack_floats(&shape);
}

tmc_status tmc_packed_bytes(uint16_t op, const void *params, const tmc_tensor_desc *weights, uint64_t *bytes,
                            tmc_error *err) {
    const bool i8 = weights->packing == TMC_PACK_I8_PANELS || weights->packing == TMC_PACK_I8_DEPTHWISE;
    const uint64_t size = i8 ? packed_i8(op, params, weights) : packed_floats(op, params, weights) * sizeof(float);
    if (size > TMC_FILE_MAX_TENSOR_BYTES)
        return tmc_fail_field(err, TMC_E_LIMIT, "dims", "packed weights are larger than %u bytes",
                              TMC_FILE_MAX_TENSOR_BYTES);
    *bytes = size;
    return TMC_OK;
}
