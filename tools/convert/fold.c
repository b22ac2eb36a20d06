#include "convert/fold.h"

#include <stdlib.h>

#include "convert/evaluate.h"
#include "convert/memory.h"

#define FOLD_MAX_BYTES ((size_t)64 << 20)

static bool can_fold(const ir_graph *graph, const ir_node *node) {
    if (node->dead || !node->input_count) return false;
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] == IR_NONE) continue;
        if (!ir_is_constant(graph, node->inputs[i])) return false;
        const tmc_tensor_desc *desc = &graph->tensors[node->inputs[i]].desc;
        if (desc->packing != TMC_PACK_NONE || desc->quantization.channels) return false; /* weights: for a pass */
    }
    size_t bytes = 0;
    for (uint32_t i = 0; i < node->output_count; i++) {
        const ir_tensor *t = &graph->tensors[node->outputs[i]];
        if (t->is_output) return false; /* a file's output is made by a node */
        bytes += tmc_tensor_bytes(&t->desc);
    }
    return bytes <= FOLD_MAX_BYTES;
}

/* The node alone: its first input becomes the model's input, because a file must have one. */
static tmc_status isolate(const ir_graph *graph, const ir_node *node, ir_graph **one, tmc_error *err) {
    ir_graph *g = ir_graph_new("fold");
    ir_id *inputs = x_alloc(node->input_count * sizeof *inputs);
    ir_id *outputs = x_alloc(node->output_count * sizeof *outputs);
    for (uint32_t i = 0; i < node->input_count; i++) {
        inputs[i] = IR_NONE;
        if (node->inputs[i] == IR_NONE) continue;
        const ir_tensor *t = &graph->tensors[node->inputs[i]];
        inputs[i] = i ? ir_add_constant(g, NULL, &t->desc, t->data) : ir_add_tensor(g, "x", &t->desc);
    }
    ir_add_input(g, inputs[0]);
    tmc_quantization *quantization = x_alloc(node->output_count * sizeof *quantization);
    for (uint32_t i = 0; i < node->output_count; i++)
        quantization[i] = graph->tensors[node->outputs[i]].desc.quantization;
    tmc_status status = ir_add_quantized_node(g, node->name, node->op, node->params, inputs, node->input_count,
                                              quantization, outputs, node->output_count, err);
    for (uint32_t i = 0; status == TMC_OK && i < node->output_count; i++) ir_add_output(g, outputs[i]);
    free(inputs);
    free(quantization);
    free(outputs);
    if (status == TMC_OK)
        *one = g;
    else
        ir_graph_free(g);
    return status;
}

/* data[i]: malloc'd bytes of output i. */
static tmc_status compute(const ir_graph *one, const ir_tensor *input, void **data, tmc_error *err) {
    uint8_t *file = NULL;
    size_t size = 0;
    TMC_TRY(ir_write(one, 0, &file, &size, err));
    evaluation e;
    tmc_status status = evaluation_open(&e, file, size, err);
    if (status == TMC_OK) status = evaluation_set(&e, 0, input->data, input->data_bytes, err);
    if (status == TMC_OK) status = evaluation_run(&e, err);
    for (uint32_t i = 0; status == TMC_OK && i < one->output_count; i++) {
        size_t bytes;
        status = evaluation_get(&e, i, &data[i], &bytes, err);
    }
    evaluation_release(&e);
    free(file);
    return status;
}

tmc_status ir_fold_node(ir_graph *graph, ir_id id, tmc_error *err) {
    const ir_node *node = &graph->nodes[id];
    if (!can_fold(graph, node)) return TMC_OK;
    ir_graph *one = NULL;
    TMC_TRY(isolate(graph, node, &one, err));
    void **data = x_alloc(node->output_count * sizeof *data);
    tmc_status status = compute(one, &graph->tensors[node->inputs[0]], data, err);
    uint32_t output_count = node->output_count;
    if (status == TMC_OK) ir_kill_node(graph, id);
    for (uint32_t i = 0; i < output_count; i++) {
        ir_tensor *output = &graph->tensors[node->outputs[i]];
        if (status != TMC_OK) {
            free(data[i]);
            continue;
        }
        output->dead = false; /* the tensor outlives its node: the importer holds its id */
        output->producer = IR_NONE;
        output->data = data[i];
        output->data_bytes = tmc_tensor_bytes(&output->desc);
    }
    free(data);
    ir_graph_free(one);
    return status;
}
