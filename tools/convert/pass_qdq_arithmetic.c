#include <stdlib.h>
#include <string.h>

#include "convert/integers.h"
#include "convert/memory.h"
#include "convert/pass_qdq.h"
#include "convert/pass_util.h"

static bool computes(const ir_node *node) {
    switch (node->op) {
    case TMC_OP_BINARY: {
        const int32_t kind = ((const tmc_binary_params *)node->params)->kind;
        return kind == TMC_BINARY_ADD || kind == TMC_BINARY_SUB || kind == TMC_BINARY_MUL;
    }
    case TMC_OP_AVERAGE_POOL: return true;
    case TMC_OP_REDUCE: return ((const tmc_reduce_params *)node->params)->kind == TMC_REDUCE_MEAN;
    default: return false;
    }
}

/* The i8 numbers of a constant with one scale; their zero point is such that they fit. */
static bool i8_constant(const ir_tensor *t, int8_t **numbers, tmc_quantization *q) {
    int32_t *values = t->integers && t->integers->count == 1 ? integers_read(t) : NULL;
    if (!values) return false;
    const size_t count = tmc_tensor_elements(&t->desc);
    int32_t least = values[0], most = values[0];
    for (size_t i = 0; i < count; i++) {
        least = values[i] < least ? values[i] : least;
        most = values[i] > most ? values[i] : most;
    }
    int32_t zero = least < -128 ? -128 - least : most > 127 ? 127 - most : 0;
    const bool fits = least + zero >= -128 && most + zero <= 127 && zero >= -128 && zero <= 127;
    if (fits) {
        *q = (tmc_quantization){t->integers->scales[0], zero, 0};
        *numbers = x_alloc(count);
        for (size_t i = 0; i < count; i++) (*numbers)[i] = (int8_t)(values[i] + zero);
    }
    free(values);
    return fits;
}

static bool is_i8_constant(const ir_graph *graph, ir_id tensor) {
    int8_t *numbers = NULL;
    tmc_quantization q;
    const bool fits = ir_is_constant(graph, tensor) && i8_constant(&graph->tensors[tensor], &numbers, &q);
    free(numbers);
    return fits;
}

/* Whether the i8 operator takes these scales and this number of elements. */
static bool in_range(const ir_graph *graph, const ir_node *node) {
    const tmc_tensor_desc *inputs[2];
    tmc_tensor_desc in[2], out;
    tmc_error ignored;
    tmc_error_init(&ignored);
    for (uint32_t i = 0; i < node->input_count; i++) {
        const ir_id source = qdq_source(graph, node->inputs[i]);
        in[i] = graph->tensors[source == IR_NONE ? node->inputs[i] : source].desc;
        inputs[i] = &in[i];
        if (source != IR_NONE) continue;
        int8_t *numbers;
        in[i].dtype = TMC_I8;
        i8_constant(&graph->tensors[node->inputs[i]], &numbers, &in[i].quantization);
        free(numbers);
    }
    const ir_id quantize = qdq_sink(graph, node->outputs[0]);
    const tmc_quantization *q = qdq_of(graph, graph->nodes[quantize].outputs[0]);
    const tmc_infer_args args = {node->op, node->params, node->input_count, 1, inputs, &out, &ignored, q};
    return tmc_infer(&args) == TMC_OK;
}

const char *qdq_why_no_arithmetic(const ir_graph *graph, ir_id id) {
    const ir_node *node = &graph->nodes[id];
    if (qdq_moves(graph, node)) return "it moves tensors that are not quantised alike";
    if (node->op == TMC_OP_UNARY)
        return qdq_sink(graph, node->outputs[0]) == IR_NONE ? "its result is not quantised, or read by several"
                                                            : "it is no function of one i8 tensor alone";
    if (!computes(node)) return "there is no such operator on i8 numbers";
    for (uint32_t i = 0; i < node->input_count; i++)
        if (qdq_source(graph, node->inputs[i]) == IR_NONE && !is_i8_constant(graph, node->inputs[i]))
            return "an operand is not quantised";
    if (qdq_sink(graph, node->outputs[0]) == IR_NONE) return "its result is not quantised, or read by several";
    return in_range(graph, node) ? NULL : "the ratio of its scales, or its number of elements, is out of range";
}

static ir_id add_i8_constant(ir_graph *graph, ir_id from) {
    int8_t *numbers;
    tmc_tensor_desc desc = graph->tensors[from].desc;
    i8_constant(&graph->tensors[from], &numbers, &desc.quantization);
    desc.dtype = TMC_I8;
    const ir_id made = ir_add_constant(graph, graph->tensors[from].name, &desc, numbers);
    free(numbers);
    return made;
}

tmc_status qdq_rewrite_arithmetic(ir_graph *graph, ir_id id, bool *done, tmc_error *err) {
    if (qdq_why_no_arithmetic(graph, id)) return TMC_OK;
    const ir_node node = graph->nodes[id];
    const ir_id quantize = qdq_sink(graph, node.outputs[0]), y = graph->nodes[quantize].outputs[0];
    ir_id inputs[2];
    for (uint32_t i = 0; i < node.input_count; i++) {
        const ir_id source = qdq_source(graph, node.inputs[i]);
        inputs[i] = source == IR_NONE ? add_i8_constant(graph, node.inputs[i]) : source;
    }
    TMC_TRY(qdq_add(graph, id, node.op, node.params, inputs, node.input_count, qdq_of(graph, y), y, NULL, err));
    ir_kill_node(graph, quantize);
    ir_kill_node(graph, id);
    *done = true;
    return TMC_OK;
}
