/* Validation of one node and inference of its output shapes: pure, no allocation, no recursion. Used by the verifier,
 * the planner and the converter, so that all three have one opinion. */
#ifndef TMC_GRAPH_INFER_H
#define TMC_GRAPH_INFER_H

#include "base/error.h"
#include "graph/op.h"
#include "graph/tensor.h"

typedef struct tmc_infer_args {
    uint16_t op;
    const void *params; /* the operator's parameter struct, complete (missing words already zero) */
    uint32_t input_count, output_count;
    const tmc_tensor_desc *const *inputs; /* NULL entries: absent optional inputs */
    tmc_tensor_desc *outputs;             /* written on success */
    tmc_error *err;
    const tmc_quantization *quantization; /* of each output, for operators that make new i8 numbers; NULL: none */
} tmc_infer_args;

/* An operator that computes new i8 numbers (quantize, table, conv, ..) takes their scale and zero point from
 * args->quantization. Others know them, and do not look there.
 *
 * Checks counts, parameters, types and shapes, and writes the outputs' types and shapes. Inputs must be valid
 * (tmc_tensor_check). Errors: E_GRAPH (counts, missing inputs), E_UNSUPPORTED, E_RANGE, E_SHAPE, E_DTYPE, E_LIMIT,
 * E_QUANT. */
tmc_status tmc_infer(const tmc_infer_args *args);

/* Multiply-accumulates of the node; 0 for operators that have none. Saturates. */
uint64_t tmc_count_macs(uint16_t op, const void *params, const tmc_tensor_desc *const *inputs,
                        const tmc_tensor_desc *outputs);

/* One function per family, in src/graph/infer_<family>.c; `args` has the right counts and all mandatory inputs. */
tmc_status tmc_infer_conv(const tmc_infer_args *args);            /* conv, depthwise_conv, conv_transpose */
tmc_status tmc_infer_fully_connected(const tmc_infer_args *args); /* fully_connected, matmul */
tmc_status tmc_infer_pool(const tmc_infer_args *args);
tmc_status tmc_infer_unary(const tmc_infer_args *args);     /* unary, cast */
tmc_status tmc_infer_binary(const tmc_infer_args *args);    /* binary, select */
tmc_status tmc_infer_normalize(const tmc_infer_args *args); /* scale_shift, group_norm, layer_norm, lrn, softmax */
tmc_status tmc_infer_reduce(const tmc_infer_args *args);    /* reduce, arg_max, arg_min */
tmc_status tmc_infer_join(const tmc_infer_args *args);      /* concat, split, slice, pad, gather */
tmc_status tmc_infer_shape(const tmc_infer_args *args);     /* reshape, expand, tile, transpose, blocks, shuffle */
tmc_status tmc_infer_resize(const tmc_infer_args *args);
tmc_status tmc_infer_quantized(const tmc_infer_args *args); /* quantize, dequantize, table */

/* The last step, for all families: checks the inputs' quantisation and writes that of the outputs. */
tmc_status tmc_infer_quantization(const tmc_infer_args *args);

#endif
