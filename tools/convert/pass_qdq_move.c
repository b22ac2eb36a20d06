#include <math.h>
#include <stdlib.h>

#include "convert/memory.h"
#include "convert/pass_qdq.h"
#include "convert/pass_util.h"

bool qdq_moves(const ir_graph *graph, const ir_node *node) {
    if (graph->tensors[node->outputs[0]].desc.dtype != TMC_F32) return false;
    switch (node->op) {
    case TMC_OP_MAX_POOL: /* picks one element of each window */
    case TMC_OP_CONCAT:
    case TMC_OP_SPLIT:
    case TMC_OP_SLICE:
    case TMC_OP_RESHAPE:
    case TMC_OP_EXPAND:
    case TMC_OP_TILE:
    case TMC_OP_TRANSPOSE:
    case TMC_OP_DEPTH_TO_SPACE:
    case TMC_OP_SPACE_TO_DEPTH:
    case TMC_OP_CHANNEL_SHUFFLE:
    case TMC_OP_GATHER: return true;
    case TMC_OP_PAD: return isfinite(((const tmc_pad_params *)node->params)->value);
    case TMC_OP_RESIZE: {
        const tmc_resize_params *p = node->params;
        return p->mode == TMC_RESIZE_NEAREST && p->coordinates != TMC_COORD_TF_CROP_AND_RESIZE;
    }
    default: return false;
    }
}

/* Inputs whose elements are moved; a gather's second are indices. */
static uint32_t data_inputs(const ir_node *node) { return node->op == TMC_OP_GATHER ? 1 : node->input_count; }

static float meaning(int8_t q, const tmc_quantization *of) { return (float)(q - of->zero_point) * of->scale; }

/* What a pad node adds is one of the numbers. */
static bool padding_fits(const ir_node *node, const tmc_quantization *q) {
    const float value = node->op == TMC_OP_PAD ? ((const tmc_pad_params *)node->params)->value : 0.0f;
    return value == 0.0f || meaning(qdq_quantize(value, q), q) == value;
}

static bool same_source(const ir_graph *graph, const ir_node *node) {
    const ir_id first = qdq_source(graph, node->inputs[0]);
    for (uint32_t i = 0; i < data_inputs(node); i++) {
        const ir_id source = qdq_source(graph, node->inputs[i]);
        if (source == IR_NONE || !tmc_quantization_equal(qdq_of(graph, first), qdq_of(graph, source))) return false;
    }
    return first != IR_NONE;
}

tmc_status qdq_sink_dequantize(ir_graph *graph, ir_id id, bool *done, tmc_error *err) {
    const tmc_no_params none = {0};
    const ir_node node = graph->nodes[id]; /* the table grows below */
    ir_id moved[64] = {0};
    if (!same_source(graph, &node)) return TMC_OK;
    if (!padding_fits(&node, qdq_of(graph, qdq_source(graph, node.inputs[0])))) return TMC_OK;
    ir_id *inputs = x_alloc_array(node.input_count, sizeof *inputs);
    for (uint32_t i = 0; i < node.input_count; i++)
        inputs[i] = i < data_inputs(&node) ? qdq_source(graph, node.inputs[i]) : node.inputs[i];
    char *name = x_strdup(node.name);
    tmc_status status =
        ir_add_node(graph, name, node.op, node.params, inputs, node.input_count, moved, node.output_count, err);
    for (uint32_t i = 0; status == TMC_OK && i < node.output_count; i++)
        status = qdq_add(graph, id, TMC_OP_DEQUANTIZE, &none, &moved[i], 1, NULL, node.outputs[i], NULL, err);
    free(name);
    free(inputs);
    if (status != TMC_OK) return status;
    ir_kill_node(graph, id);
    *done = true;
    return TMC_OK;
}

tmc_status qdq_raise_quantize(ir_graph *graph, ir_id id, bool *done, tmc_error *err) {
    const tmc_no_params none = {0};
    const ir_node node = graph->nodes[id];
    if (node.output_count != 1) return TMC_OK;
    const ir_id quantize = qdq_sink(graph, node.outputs[0]);
    if (quantize == IR_NONE) return TMC_OK;
    for (uint32_t i = 0; i < data_inputs(&node); i++)
        if (ir_is_constant(graph, node.inputs[i])) return TMC_OK;
    const ir_id y = graph->nodes[quantize].outputs[0];
    const tmc_quantization q = *qdq_of(graph, y);
    ir_id *inputs = x_alloc_array(node.input_count, sizeof *inputs);
    tmc_status status = TMC_OK;
    for (uint32_t i = 0; status == TMC_OK && i < node.input_count; i++) {
        inputs[i] = node.inputs[i];
        if (i < data_inputs(&node))
            status = qdq_add(graph, quantize, TMC_OP_QUANTIZE, &none, &node.inputs[i], 1, &q, IR_NONE, &inputs[i], err);
    }
    if (status == TMC_OK)
        status = qdq_add(graph, id, node.op, node.params, inputs, node.input_count, NULL, y, NULL, err);
    free(inputs);
    if (status != TMC_OK) return status;
    ir_kill_node(graph, quantize);
    ir_kill_node(graph, id);
    *done = true;
    return TMC_OK;
}
