/* A function of one element of one i8 tensor has 256 results. They are computed here by the library's own operators,
 * and stored. */
#include <stdlib.h>
#include <string.h>

#include "convert/fold.h"
#include "convert/pass_qdq.h"
#include "convert/pass_util.h"

enum { MAX_NODES = 16 };

typedef struct function {
    ir_id source;           /* the i8 tensor */
    ir_id nodes[MAX_NODES]; /* each after those that it reads */
    uint32_t count;
} function;

static bool is_in(const function *f, ir_id node) {
    for (uint32_t i = 0; i < f->count; i++)
        if (f->nodes[i] == node) return true;
    return false;
}

/* Element by element, of tensors of one shape and of numbers. */
static bool is_element_wise(const ir_graph *graph, const ir_node *node) {
    const ir_tensor *y = &graph->tensors[node->outputs[0]];
    if (node->op != TMC_OP_UNARY && node->op != TMC_OP_BINARY) return false;
    if (y->desc.dtype != TMC_F32) return false;
    for (uint32_t i = 0; i < node->input_count; i++) {
        const ir_tensor *x = &graph->tensors[node->inputs[i]];
        float number;
        if (x->desc.dtype != TMC_F32) return false;
        if (!pass_scalar(graph, node->inputs[i], &number) && !pass_same_shape(x, y)) return false;
    }
    return true;
}

/* Adds what makes the tensor: a dequantize of the one source, a number, or another element-wise node. */
static bool take(const ir_graph *graph, function *f, ir_id tensor) {
    float number;
    const ir_id source = qdq_source(graph, tensor), producer = graph->tensors[tensor].producer;
    if (pass_scalar(graph, tensor, &number)) return true;
    if (source != IR_NONE) {
        if (f->source == IR_NONE) f->source = source;
        return f->source == source;
    }
    if (producer == IR_NONE || !is_element_wise(graph, &graph->nodes[producer])) return false;
    if (is_in(f, producer)) return true;
    if (f->count == MAX_NODES) return false;
    f->nodes[f->count++] = producer;
    return true;
}

/* The values in between are read by the function's own nodes only: else they would be computed twice. */
static bool is_closed(const ir_graph *graph, const function *f, ir_id quantize) {
    for (uint32_t i = 0; i < f->count; i++) {
        const ir_tensor *t = &graph->tensors[graph->nodes[f->nodes[i]].outputs[0]];
        if (t->is_output) return false;
        for (uint32_t u = 0; u < t->user_count; u++)
            if (t->users[u] != quantize && !is_in(f, t->users[u])) return false;
    }
    return true;
}

static int by_id(const void *a, const void *b) {
    const ir_id x = *(const ir_id *)a, y = *(const ir_id *)b;
    return (x > y) - (x < y);
}

static bool find_function(const ir_graph *graph, ir_id quantize, function *f) {
    *f = (function){.source = IR_NONE};
    if (!take(graph, f, graph->nodes[quantize].inputs[0])) return false;
    for (uint32_t i = 0; i < f->count; i++) {
        const ir_node *node = &graph->nodes[f->nodes[i]];
        for (uint32_t k = 0; k < node->input_count; k++)
            if (!take(graph, f, node->inputs[k])) return false;
    }
    if (f->source == IR_NONE || !is_closed(graph, f, quantize)) return false;
    qsort(f->nodes, f->count, sizeof *f->nodes, by_id); /* f32 nodes are in an order that can be run */
    return true;
}

/* ---------------------------------------------------------------------------------------------------- the 256 values
 */

static ir_id add_all_numbers(ir_graph *one, const tmc_quantization *q) {
    const tmc_tensor_desc desc = {.dtype = TMC_F32, .rank = 1, .dims = {256}};
    float values[256];
    for (int i = 0; i < 256; i++) values[i] = (float)(i - 128 - q->zero_point) * q->scale;
    return ir_add_constant(one, "x", &desc, values);
}

/* The tensor's counterpart in the small graph. */
static ir_id counterpart(const ir_graph *graph, const function *f, const ir_id *made, ir_graph *one, ir_id x,
                         ir_id tensor) {
    const tmc_tensor_desc scalar = {.dtype = TMC_F32};
    for (uint32_t i = 0; i < f->count; i++)
        if (graph->nodes[f->nodes[i]].outputs[0] == tensor) return made[i];
    return ir_is_constant(graph, tensor) ? ir_add_constant(one, NULL, &scalar, graph->tensors[tensor].data) : x;
}

static tmc_status evaluate(const ir_graph *graph, const function *f, ir_graph *one, ir_id *result, tmc_error *err) {
    ir_id made[MAX_NODES];
    const ir_id x = add_all_numbers(one, qdq_of(graph, f->source));
    *result = x;
    for (uint32_t i = 0; i < f->count; i++) {
        const ir_node *node = &graph->nodes[f->nodes[i]];
        ir_id inputs[2];
        for (uint32_t k = 0; k < node->input_count; k++)
            inputs[k] = counterpart(graph, f, made, one, x, node->inputs[k]);
        const ir_id id = one->node_count;
        TMC_TRY(ir_add_node(one, "f", node->op, node->params, inputs, node->input_count, &made[i], 1, err));
        TMC_TRY(ir_fold_node(one, id, err));
        *result = made[i];
    }
    return TMC_OK;
}

static tmc_status fill_table(const ir_graph *graph, const function *f, const tmc_quantization *q, int8_t *table,
                             tmc_error *err) {
    ir_id result;
    ir_graph *one = ir_graph_new("table");
    tmc_status status = evaluate(graph, f, one, &result, err);
    if (status == TMC_OK && !ir_is_constant(one, result))
        status = tmc_fail(err, TMC_E_INTERNAL, "a table is not known");
    for (int i = 0; status == TMC_OK && i < 256; i++)
        table[i] = qdq_quantize(((const float *)one->tensors[result].data)[i], q);
    ir_graph_free(one);
    return status;
}

tmc_status qdq_rewrite_table(ir_graph *graph, ir_id quantize, bool *done, tmc_error *err) {
    const tmc_no_params none = {0};
    const tmc_tensor_desc desc = {.dtype = TMC_I8, .rank = 1, .dims = {256}};
    const ir_id y = graph->nodes[quantize].outputs[0];
    const tmc_quantization q = *qdq_of(graph, y);
    int8_t table[256];
    function f;
    if (!find_function(graph, quantize, &f)) return TMC_OK;
    if (!pass_same_shape(&graph->tensors[f.source], &graph->tensors[y])) return TMC_OK;
    if (!f.count && tmc_quantization_equal(qdq_of(graph, f.source), &q)) return TMC_OK; /* a model's input as output */
    TMC_TRY(fill_table(graph, &f, &q, table, err));
    const ir_id inputs[2] = {f.source, ir_add_constant(graph, "table", &desc, table)};
    TMC_TRY(qdq_add(graph, quantize, TMC_OP_TABLE, &none, inputs, 2, &q, y, NULL, err));
    ir_kill_node(graph, quantize);
    *done = true;
    return TMC_OK;
}

/* --------------------------------------------------------------------------------- operators between tables of one
 * source
 */

/* The numbers of an i8 tensor as a function of those of `source`: its table, or NULL where it is the source itself. */
static const int8_t *table_of(const ir_graph *graph, ir_id tensor, ir_id *source) {
    const ir_id producer = pass_producer(graph, tensor, TMC_OP_TABLE);
    *source = producer == IR_NONE ? tensor : graph->nodes[producer].inputs[0];
    return producer == IR_NONE ? NULL : graph->tensors[graph->nodes[producer].inputs[1]].data;
}

static ir_id add_table_values(ir_graph *one, const int8_t *table, const tmc_quantization *q) {
    const tmc_tensor_desc desc = {.dtype = TMC_I8, .rank = 1, .dims = {256}, .quantization = *q};
    int8_t values[256];
    for (int i = 0; i < 256; i++) values[i] = table ? table[i] : (int8_t)(i - 128);
    return ir_add_constant(one, NULL, &desc, values);
}

/* The node's results for the 256 numbers of its source. */
static tmc_status evaluate_binary(const ir_graph *graph, const ir_node *node, const int8_t *tables[2], int8_t *results,
                                  tmc_error *err) {
    ir_graph *one = ir_graph_new("table");
    ir_id inputs[2], y = IR_NONE;
    for (int i = 0; i < 2; i++) inputs[i] = add_table_values(one, tables[i], qdq_of(graph, node->inputs[i]));
    tmc_status status =
        ir_add_quantized_node(one, "f", node->op, node->params, inputs, 2, qdq_of(graph, node->outputs[0]), &y, 1, err);
    if (status == TMC_OK) status = ir_fold_node(one, 0, err);
    if (status == TMC_OK) memcpy(results, one->tensors[y].data, 256);
    ir_graph_free(one);
    return status;
}

/* x * sigmoid(x) where the model rounds the sigmoid: two numbers that follow from one. */
tmc_status qdq_join_tables(ir_graph *graph, ir_id id, bool *done, tmc_error *err) {
    const ir_node *node = &graph->nodes[id];
    const ir_id y = node->outputs[0], operands[2] = {node->inputs[0], node->inputs[1]};
    ir_id sources[2];
    const int8_t *tables[2];
    for (int i = 0; i < 2; i++) tables[i] = table_of(graph, operands[i], &sources[i]);
    if (sources[0] != sources[1] || !pass_same_shape(&graph->tensors[sources[0]], &graph->tensors[y])) return TMC_OK;
    const tmc_no_params none = {0};
    const tmc_tensor_desc desc = {.dtype = TMC_I8, .rank = 1, .dims = {256}};
    const tmc_quantization q = *qdq_of(graph, y);
    int8_t results[256];
    TMC_TRY(evaluate_binary(graph, node, tables, results, err));
    const ir_id inputs[2] = {sources[0], ir_add_constant(graph, "table", &desc, results)};
    TMC_TRY(qdq_add(graph, id, TMC_OP_TABLE, &none, inputs, 2, &q, y, NULL, err));
    ir_kill_node(graph, id);
    for (int i = 0; i < 2; i++)
        if (tables[i] && ir_use_count(graph, operands[i]) == 0) {
            const ir_id unread = graph->tensors[operands[i]].producer;
            if (unread != IR_NONE) ir_kill_node(graph, unread);
        }
    *done = true;
    return TMC_OK;
}
