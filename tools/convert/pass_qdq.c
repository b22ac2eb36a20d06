/* Operators on i8 numbers from f32 operators between dequantize and quantize nodes. Importers write quantised models in
 * that form, which is always right; what this pass cannot rewrite stays so, and qdq_explain says why. */
#include "convert/pass_qdq.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "convert/memory.h"
#include "convert/pass_util.h"
#include "convert/passes.h"

ir_id qdq_source(const ir_graph *graph, ir_id tensor) {
    const ir_id node = pass_producer(graph, tensor, TMC_OP_DEQUANTIZE);
    return node == IR_NONE ? IR_NONE : graph->nodes[node].inputs[0];
}

ir_id qdq_sink(const ir_graph *graph, ir_id tensor) {
    const ir_id user = pass_only_user(graph, tensor);
    return user != IR_NONE && graph->nodes[user].op == TMC_OP_QUANTIZE ? user : IR_NONE;
}

int8_t qdq_quantize(float x, const tmc_quantization *q) {
    const float lo = (float)(-128 - q->zero_point), hi = (float)(127 - q->zero_point);
    float t = rintf(x / q->scale);
    if (isnan(t)) return (int8_t)q->zero_point;
    t = t < lo ? lo : t;
    t = t > hi ? hi : t;
    return (int8_t)((int32_t)t + q->zero_point);
}

tmc_status qdq_add(ir_graph *graph, ir_id like, uint16_t op, const void *params, const ir_id *inputs,
                   uint32_t input_count, const tmc_quantization *quantization, ir_id replaced, ir_id *output,
                   tmc_error *err) {
    char *name = x_strdup(graph->nodes[like].name); /* it lies in the table that grows */
    ir_id made;
    const tmc_quantization copy = quantization ? *quantization : (tmc_quantization){0};
    tmc_status status =
        ir_add_quantized_node(graph, name, op, params, inputs, input_count, quantization ? &copy : NULL, &made, 1, err);
    free(name);
    if (status != TMC_OK) return status;
    if (replaced != IR_NONE) ir_replace_uses(graph, replaced, made);
    if (output) *output = made;
    return TMC_OK;
}

/* ------------------------------------------------------------------------------------------ pairs without a purpose */

/* Quantize of what a dequantize made, with the same scale and zero point: the numbers that were there before. */
static bool drop_pair(ir_graph *graph, ir_id quantize) {
    const ir_node *node = &graph->nodes[quantize];
    const ir_id source = qdq_source(graph, node->inputs[0]);
    if (source == IR_NONE || !tmc_quantization_equal(qdq_of(graph, source), qdq_of(graph, node->outputs[0])))
        return false;
    if (!ir_can_replace(graph, node->outputs[0], source)) return false;
    ir_replace_uses(graph, node->outputs[0], source);
    ir_kill_node(graph, quantize);
    return true;
}

#define MAX_CHAIN 16

/* The scale and zero point whose numbers all values of the f32 tensor are, because they were before they were moved;
 * NULL where that is not known. */
static const tmc_quantization *grid_of(const ir_graph *graph, ir_id tensor) {
    for (int i = 0; i < MAX_CHAIN; i++) {
        const ir_id source = qdq_source(graph, tensor), producer = graph->tensors[tensor].producer;
        if (source != IR_NONE) return qdq_of(graph, source);
        if (producer == IR_NONE || !qdq_moves(graph, &graph->nodes[producer])) return NULL;
        const ir_node *node = &graph->nodes[producer];
        if (node->op == TMC_OP_PAD && ((const tmc_pad_params *)node->params)->value != 0.0f) return NULL;
        if (node->op == TMC_OP_CONCAT || node->op == TMC_OP_CHANNEL_SHUFFLE) {
            const ir_id first = qdq_source(graph, node->inputs[0]);
            for (uint32_t k = 0; k < node->input_count; k++) {
                const ir_id other = qdq_source(graph, node->inputs[k]);
                if (first == IR_NONE || other == IR_NONE) return NULL;
                if (!tmc_quantization_equal(qdq_of(graph, first), qdq_of(graph, other))) return NULL;
            }
        }
        tensor = node->inputs[0];
    }
    return NULL;
}

/* A clamp that keeps all that the numbers in front of it can mean, as relu where the zero point is -128. */
static bool drop_clamp(ir_graph *graph, ir_id id) {
    const ir_node *node = &graph->nodes[id];
    const tmc_unary_params *p = node->params;
    const ir_id x = node->inputs[0];
    if (p->kind != TMC_UNARY_CLAMP || !ir_can_replace(graph, node->outputs[0], x)) return false;
    const tmc_quantization *q = grid_of(graph, x);
    if (!q || p->alpha > (float)(-128 - q->zero_point) * q->scale || p->beta < (float)(127 - q->zero_point) * q->scale)
        return false;
    ir_replace_uses(graph, node->outputs[0], x);
    ir_kill_node(graph, id);
    return true;
}

/* Quantize and dequantize around nothing: TFLite has them between a PAD and its convolution. Before the passes that
 * merge operators, which look for neighbours. */
tmc_status pass_remove_requantize(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    (void)err;
    for (ir_id id = 0; id < graph->node_count; id++) {
        const ir_node *node = &graph->nodes[id];
        if (node->dead) continue;
        if (node->op == TMC_OP_UNARY) *changes += drop_clamp(graph, id);
        if (node->op != TMC_OP_DEQUANTIZE) continue;
        const ir_id quantize = pass_producer(graph, node->inputs[0], TMC_OP_QUANTIZE), y = node->outputs[0];
        if (quantize == IR_NONE) continue;
        const ir_id x = graph->nodes[quantize].inputs[0];
        const tmc_quantization *grid = grid_of(graph, x);
        if (!grid || !tmc_quantization_equal(grid, qdq_of(graph, node->inputs[0]))) continue;
        if (!ir_can_replace(graph, y, x)) continue;
        ir_replace_uses(graph, y, x);
        ir_kill_node(graph, id);
        ++*changes;
    }
    return TMC_OK;
}

/* ----------------------------------------------------------------------------------------------------------- the pass
 */

static tmc_status rewrite(ir_graph *graph, ir_id id, bool *done, tmc_error *err) {
    const ir_node *node = &graph->nodes[id];
    *done = false;
    if (node->op == TMC_OP_QUANTIZE) {
        *done = drop_pair(graph, id);
        return *done ? TMC_OK : qdq_rewrite_table(graph, id, done, err);
    }
    const uint8_t dtype = graph->tensors[node->outputs[0]].desc.dtype;
    if (node->op == TMC_OP_BINARY && dtype == TMC_I8) return qdq_join_tables(graph, id, done, err);
    if (dtype != TMC_F32) return TMC_OK;
    if (node->op == TMC_OP_UNARY && drop_clamp(graph, id)) {
        *done = true;
        return TMC_OK;
    }
    if (qdq_has_weights(node)) return qdq_rewrite_weights(graph, id, done, err);
    if (qdq_moves(graph, node)) {
        TMC_TRY(qdq_sink_dequantize(graph, id, done, err));
        return *done ? TMC_OK : qdq_raise_quantize(graph, id, done, err);
    }
    return qdq_rewrite_arithmetic(graph, id, done, err);
}

/* Tables before arithmetic, which the order of the nodes does not give: a sweep of each. */
static tmc_status sweep(ir_graph *graph, bool tables, uint32_t *changes, tmc_error *err) {
    for (ir_id id = 0; id < graph->node_count; id++) {
        bool done;
        if (graph->nodes[id].dead || (tables && graph->nodes[id].op != TMC_OP_QUANTIZE)) continue;
        TMC_TRY(rewrite(graph, id, &done, err));
        *changes += done;
    }
    return TMC_OK;
}

tmc_status pass_qdq(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    TMC_TRY(sweep(graph, true, changes, err));
    return sweep(graph, false, changes, err);
}

/* -------------------------------------------------------------------------------------------------------- what stayed
 */

static bool touches_i8(const ir_graph *graph, const ir_node *node) {
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] != IR_NONE && qdq_source(graph, node->inputs[i]) != IR_NONE) return true;
    for (uint32_t i = 0; i < node->output_count; i++)
        if (qdq_sink(graph, node->outputs[i]) != IR_NONE) return true;
    return qdq_has_weights(node) && node->inputs[1] != IR_NONE && graph->tensors[node->inputs[1]].integers;
}

void pass_qdq_explain(const ir_graph *graph, pass_note_fn note, void *user) {
    char line[256];
    for (ir_id id = 0; id < graph->node_count; id++) {
        const ir_node *node = &graph->nodes[id];
        if (node->dead || node->op == TMC_OP_QUANTIZE || node->op == TMC_OP_DEQUANTIZE) continue;
        if (graph->tensors[node->outputs[0]].desc.dtype == TMC_I8 || !touches_i8(graph, node)) continue;
        const char *why = qdq_has_weights(node) ? qdq_why_no_weights(graph, id) : qdq_why_no_arithmetic(graph, id);
        snprintf(line, sizeof line, "stays f32: %.120s (%s): %s", node->name, tmc_op_schema_find(node->op)->name,
                 why ? why : "beside nothing that it could be joined with");
        note(user, line);
    }
}
