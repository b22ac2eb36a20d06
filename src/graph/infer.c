#include "graph/infer.h"

#include <string.h>

#include "base/checked.h"
#include "format/packing.h"

/* Only the weights of these operators have kernels that read a packed layout. */
static bool may_be_packed(uint16_t op, uint32_t input, uint32_t packing) {
    if (input != 1) return false;
    if (tmc_winograd_tile(packing)) return op == TMC_OP_CONV;
    if (op == TMC_OP_DEPTHWISE_CONV) return packing == TMC_PACK_F32_PANELS || packing == TMC_PACK_I8_DEPTHWISE;
    return packing != TMC_PACK_I8_DEPTHWISE &&
           (op == TMC_OP_CONV || op == TMC_OP_CONV_TRANSPOSE || op == TMC_OP_FULLY_CONNECTED);
}

/* An input past the minimum is optional, except in operators that take several equal inputs. */
static bool may_be_absent(const tmc_op_schema *schema, uint32_t input) {
    return input >= schema->input_min && schema->code != TMC_OP_CONCAT && schema->code != TMC_OP_CHANNEL_SHUFFLE;
}

static tmc_status check_arity(const tmc_op_schema *schema, const tmc_infer_args *args) {
    if (args->input_count < schema->input_min || args->input_count > schema->input_max)
        return tmc_fail_field(args->err, TMC_E_GRAPH, "inputs", "%s has %u inputs, expected %d to %d", schema->name,
                              args->input_count, schema->input_min, schema->input_max);
    if (args->output_count < schema->output_min || args->output_count > schema->output_max)
        return tmc_fail_field(args->err, TMC_E_GRAPH, "outputs", "%s has %u outputs, expected %d to %d", schema->name,
                              args->output_count, schema->output_min, schema->output_max);
    for (uint32_t i = 0; i < args->input_count; i++) {
        if (!args->inputs[i]) {
            if (may_be_absent(schema, i)) continue;
            return tmc_fail_field(args->err, TMC_E_GRAPH, "inputs", "%s: input %u is missing, it is not optional",
                                  schema->name, i);
        }
        if (args->inputs[i]->packing != TMC_PACK_NONE && !may_be_packed(args->op, i, args->inputs[i]->packing))
            return tmc_fail_field(args->err, TMC_E_UNSUPPORTED, "inputs", "%s: input %u must not be packed as %d",
                                  schema->name, i, args->inputs[i]->packing);
    }
    return TMC_OK;
}

static tmc_status infer_family(const tmc_infer_args *args) {
    switch (args->op) {
    case TMC_OP_CONV:
    case TMC_OP_DEPTHWISE_CONV:
    case TMC_OP_CONV_TRANSPOSE: return tmc_infer_conv(args);
    case TMC_OP_FULLY_CONNECTED:
    case TMC_OP_MATMUL: return tmc_infer_fully_connected(args);
    case TMC_OP_MAX_POOL:
    case TMC_OP_AVERAGE_POOL:
    case TMC_OP_LP_POOL: return tmc_infer_pool(args);
    case TMC_OP_UNARY:
    case TMC_OP_CAST: return tmc_infer_unary(args);
    case TMC_OP_BINARY:
    case TMC_OP_SELECT: return tmc_infer_binary(args);
    case TMC_OP_SCALE_SHIFT:
    case TMC_OP_GROUP_NORM:
    case TMC_OP_LAYER_NORM:
    case TMC_OP_LRN:
    case TMC_OP_SOFTMAX: return tmc_infer_normalize(args);
    case TMC_OP_REDUCE:
    case TMC_OP_ARG_MAX:
    case TMC_OP_ARG_MIN: return tmc_infer_reduce(args);
    case TMC_OP_CONCAT:
    case TMC_OP_SPLIT:
    case TMC_OP_SLICE:
    case TMC_OP_PAD:
    case TMC_OP_GATHER: return tmc_infer_join(args);
    case TMC_OP_RESHAPE:
    case TMC_OP_EXPAND:
    case TMC_OP_TILE:
    case TMC_OP_TRANSPOSE:
    case TMC_OP_DEPTH_TO_SPACE:
    case TMC_OP_SPACE_TO_DEPTH:
    case TMC_OP_CHANNEL_SHUFFLE: return tmc_infer_shape(args);
    case TMC_OP_RESIZE: return tmc_infer_resize(args);
    case TMC_OP_QUANTIZE:
    case TMC_OP_DEQUANTIZE:
    case TMC_OP_TABLE: return tmc_infer_quantized(args);
    default: return tmc_fail(args->err, TMC_E_INTERNAL, "operator %d has no shape inference", args->op);
    }
}

tmc_status tmc_infer(const tmc_infer_args *args) {
    const tmc_op_schema *schema = tmc_op_schema_find(args->op);
    if (!schema)
        return tmc_fail_field(args->err, TMC_E_UNSUPPORTED, "op", "operator code %d is unknown to this version",
                              args->op);
    TMC_TRY(check_arity(schema, args));
    memset(args->outputs, 0, args->output_count * sizeof *args->outputs);
    TMC_TRY(infer_family(args));
    TMC_TRY(tmc_infer_quantization(args));
    for (uint32_t i = 0; i < args->output_count; i++) TMC_TRY(tmc_tensor_check(&args->outputs[i], args->err));
    return TMC_OK;
}

static uint64_t saturating_mul(uint64_t a, uint64_t b) {
    uint64_t product;
    return tmc_mul_u64(a, b, &product) ? product : UINT64_MAX;
}

uint64_t tmc_count_macs(uint16_t op, const void *params, const tmc_tensor_desc *const *inputs,
                        const tmc_tensor_desc *outputs) {
    (void)params; /* the weights' shape says it all for the operators of this version */
    const tmc_tensor_desc *pixels;
    switch (op) {
    case TMC_OP_CONV:
    case TMC_OP_DEPTHWISE_CONV:
    case TMC_OP_FULLY_CONNECTED: pixels = &outputs[0]; break;
    case TMC_OP_CONV_TRANSPOSE: pixels = inputs[0]; break;
    case TMC_OP_MATMUL:
        return saturating_mul(tmc_tensor_elements(&outputs[0]), (uint64_t)inputs[0]->dims[inputs[0]->rank - 1]);
    default: return 0;
    }
    /* Every pixel, or row, meets every weight once. */
    return saturating_mul(tmc_dims_product(pixels->dims, 0, pixels->rank - 1), tmc_tensor_elements(inputs[1]));
}
