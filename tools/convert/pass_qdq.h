/* Parts of pass_qdq: each tries one rewriting at one node. A `why` function answers NULL where the node can become an
 * operator on i8 numbers, else what is in the way, in words for --explain. */
#ifndef TMC_CONVERT_PASS_QDQ_H
#define TMC_CONVERT_PASS_QDQ_H

#include "convert/ir.h"

/* The i8 tensor behind an f32 tensor that a dequantize makes; IR_NONE if another node makes it. */
ir_id qdq_source(const ir_graph *graph, ir_id tensor);
/* The quantize that alone reads the f32 tensor, or IR_NONE. */
ir_id qdq_sink(const ir_graph *graph, ir_id tensor);

static inline const tmc_quantization *qdq_of(const ir_graph *graph, ir_id tensor) {
    return &graph->tensors[tensor].desc.quantization;
}

/* What an operator of the library makes of x: clamp(rint(x / s) + z), NaN gives z. */
int8_t qdq_quantize(float x, const tmc_quantization *q);

/* Adds a node with one quantised output, which takes the place of `replaced`. `quantization`: NULL where the operator
 * keeps that of its input. */
tmc_status qdq_add(ir_graph *graph, ir_id like, uint16_t op, const void *params, const ir_id *inputs,
                   uint32_t input_count, const tmc_quantization *quantization, ir_id replaced, ir_id *output,
                   tmc_error *err);

/* conv, depthwise_conv, conv_transpose, fully_connected: pass_qdq_weights.c. */
bool qdq_has_weights(const ir_node *node);
const char *qdq_why_no_weights(const ir_graph *graph, ir_id node);
tmc_status qdq_rewrite_weights(ir_graph *graph, ir_id node, bool *done, tmc_error *err);

/* binary, average_pool, reduce: pass_qdq_arithmetic.c. */
const char *qdq_why_no_arithmetic(const ir_graph *graph, ir_id node);
tmc_status qdq_rewrite_arithmetic(ir_graph *graph, ir_id node, bool *done, tmc_error *err);

/* A quantize behind a function of one element of one i8 tensor, the identity among them: pass_qdq_table.c. */
tmc_status qdq_rewrite_table(ir_graph *graph, ir_id quantize, bool *done, tmc_error *err);
/* A binary operator on i8 numbers, both operands functions of one i8 tensor: becomes a table with the same results. */
tmc_status qdq_join_tables(ir_graph *graph, ir_id binary, bool *done, tmc_error *err);

/* Operators that move elements, or pick some: pass_qdq_move.c. */
bool qdq_moves(const ir_graph *graph, const ir_node *node);
/* Move of dequantized tensors: becomes a move of i8 numbers, dequantized after it. */
tmc_status qdq_sink_dequantize(ir_graph *graph, ir_id node, bool *done, tmc_error *err);
/* Quantize of a moved tensor: becomes a move of quantized ones. */
tmc_status qdq_raise_quantize(ir_graph *graph, ir_id node, bool *done, tmc_error *err);

#endif
