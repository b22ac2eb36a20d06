/* One of each: constants with the same bytes, nodes that compute the same. */
#include <stdlib.h>
#include <string.h>

#include "convert/integers.h"
#include "convert/memory.h"
#include "convert/passes.h"

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * 0x100000001b3u; /* FNV-1a */
    return hash;
}

/* Positions of earlier entries by hash: open addressing, a power of two, IR_NONE is free. */
typedef struct table {
    ir_id *slots;
    size_t capacity;
} table;

static table new_table(uint32_t count) {
    table t = {NULL, 64};
    while (t.capacity < 2 * (size_t)count) t.capacity *= 2;
    t.slots = x_alloc(t.capacity * sizeof *t.slots);
    memset(t.slots, 0xff, t.capacity * sizeof *t.slots);
    return t;
}

typedef bool (*equal_fn)(const ir_graph *graph, ir_id a, ir_id b);

/* The earlier equal entry, or IR_NONE after adding this one. */
static ir_id find_or_add(table *t, const ir_graph *graph, uint64_t hash, ir_id id, equal_fn equal) {
    size_t slot = (hash ^ hash >> 32) & (t->capacity - 1);
    for (; t->slots[slot] != IR_NONE; slot = (slot + 1) & (t->capacity - 1))
        if (equal(graph, t->slots[slot], id)) return t->slots[slot];
    t->slots[slot] = id;
    return IR_NONE;
}

/* The same integers with other scales are other weights. */
static bool equal_quantization(const ir_tensor *a, const ir_tensor *b) {
    return tmc_quantization_equal(&a->desc.quantization, &b->desc.quantization) && a->scale_count == b->scale_count &&
           (a->scale_count == 0 || memcmp(a->scales, b->scales, a->scale_count * sizeof *a->scales) == 0);
}

static bool equal_constants(const ir_graph *graph, ir_id a, ir_id b) {
    const ir_tensor *ta = &graph->tensors[a], *tb = &graph->tensors[b];
    return ta->desc.dtype == tb->desc.dtype && ta->desc.packing == tb->desc.packing &&
           tmc_tensor_same_shape(&ta->desc, &tb->desc) && ta->data_bytes == tb->data_bytes &&
           memcmp(ta->data, tb->data, ta->data_bytes) == 0 && equal_quantization(ta, tb) &&
           integers_equal(ta->integers, tb->integers);
}

static void share_constants(ir_graph *graph, uint32_t *changes) {
    table t = new_table(graph->tensor_count);
    for (ir_id id = 0; id < graph->tensor_count; id++) {
        const ir_tensor *c = &graph->tensors[id];
        if (!c->data || c->dead || c->desc.packing != TMC_PACK_NONE) continue; /* packed weights have one reader */
        const size_t head = c->data_bytes < 256 ? c->data_bytes : 256;
        uint64_t hash = hash_bytes(0xcbf29ce484222325u, &c->data_bytes, sizeof c->data_bytes);
        hash = hash_bytes(hash, c->data, head);
        ir_id first = find_or_add(&t, graph, hash, id, equal_constants);
        if (first == IR_NONE || !c->user_count) continue;
        ir_replace_uses(graph, id, first);
        ++*changes;
    }
    free(t.slots);
}

static bool equal_nodes(const ir_graph *graph, ir_id a, ir_id b) {
    const ir_node *na = &graph->nodes[a], *nb = &graph->nodes[b];
    return na->op == nb->op && na->input_count == nb->input_count && na->output_count == nb->output_count &&
           memcmp(na->inputs, nb->inputs, na->input_count * sizeof *na->inputs) == 0 &&
           memcmp(na->params, nb->params, tmc_op_schema_find(na->op)->param_words * 4u) == 0 &&
           equal_quantization(&graph->tensors[na->outputs[0]], &graph->tensors[nb->outputs[0]]);
}

static bool can_replace_outputs(const ir_graph *graph, const ir_node *node, const ir_node *by) {
    for (uint32_t i = 0; i < node->output_count; i++)
        if (!ir_can_replace(graph, node->outputs[i], by->outputs[i])) return false;
    return true;
}

/* In an order that can be run, so that equal chains meet from their start. */
static void share_nodes(ir_graph *graph, uint32_t *changes) {
    table t = new_table(graph->node_count);
    for (ir_id id = 0; id < graph->node_count; id++) {
        const ir_node *node = &graph->nodes[id];
        if (node->dead) continue;
        uint64_t hash =
            hash_bytes(0xcbf29ce484222325u ^ node->op, node->params, tmc_op_schema_find(node->op)->param_words * 4u);
        hash = hash_bytes(hash, node->inputs, node->input_count * sizeof *node->inputs);
        ir_id first = find_or_add(&t, graph, hash, id, equal_nodes);
        if (first == IR_NONE || !can_replace_outputs(graph, node, &graph->nodes[first])) continue;
        for (uint32_t i = 0; i < node->output_count; i++)
            ir_replace_uses(graph, node->outputs[i], graph->nodes[first].outputs[i]);
        ir_kill_node(graph, id);
        ++*changes;
    }
    free(t.slots);
}

tmc_status pass_share(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    (void)err;
    share_constants(graph, changes);
    share_nodes(graph, changes);
    return TMC_OK;
}
