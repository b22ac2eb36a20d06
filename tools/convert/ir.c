#include "convert/ir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/integers.h"
#include "convert/memory.h"

/* ------------------------------------------------------------------------------------------------------- names */

static uint32_t hash_name(const char *name) {
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *name; name++) hash = (hash ^ (uint8_t)*name) * 16777619u;
    return hash;
}

/* Slot that holds the name, or the free slot where it belongs. */
static uint32_t name_slot(const ir_graph *graph, const char *name) {
    uint32_t mask = graph->name_capacity - 1, slot = hash_name(name) & mask;
    while (graph->name_table[slot] != IR_NONE && strcmp(graph->tensors[graph->name_table[slot]].name, name) != 0)
        slot = (slot + 1) & mask;
    return slot;
}

/* A table of the current tensors that is at most half full with one more. */
static void rebuild_names(ir_graph *graph) {
    uint32_t capacity = 64;
    while (capacity < 4 * (graph->tensor_count + 1)) capacity *= 2;
    graph->name_table = x_realloc(graph->name_table, capacity * sizeof *graph->name_table);
    graph->name_capacity = capacity;
    memset(graph->name_table, 0xff, capacity * sizeof *graph->name_table);
    for (ir_id i = 0; i < graph->tensor_count; i++) graph->name_table[name_slot(graph, graph->tensors[i].name)] = i;
}

static char *unique_name(ir_graph *graph, const char *name) {
    if (name && *name && graph->name_table[name_slot(graph, name)] == IR_NONE) return x_strdup(name);
    const char *stem = name && *name ? name : "t";
    size_t size = strlen(stem) + 16;
    char *made = x_alloc(size);
    do snprintf(made, size, "%s.%u", stem, ++graph->made_up);
    while (graph->name_table[name_slot(graph, made)] != IR_NONE);
    return made;
}

ir_id ir_find_tensor(const ir_graph *graph, const char *name) { return graph->name_table[name_slot(graph, name)]; }

/* ------------------------------------------------------------------------------------------------ life and death */

ir_graph *ir_graph_new(const char *name) {
    ir_graph *graph = x_alloc(sizeof *graph);
    graph->name = x_strdup(name ? name : "");
    rebuild_names(graph);
    return graph;
}

static void free_tensor(ir_tensor *tensor) {
    free(tensor->name);
    free(tensor->data);
    free(tensor->scales);
    integers_free(tensor->integers);
    free(tensor->users);
}

static void free_node(ir_node *node) {
    free(node->name);
    free(node->inputs);
    free(node->outputs);
    free(node->params);
}

void ir_graph_free(ir_graph *graph) {
    if (!graph) return;
    for (ir_id i = 0; i < graph->tensor_count; i++) free_tensor(&graph->tensors[i]);
    for (ir_id i = 0; i < graph->node_count; i++) free_node(&graph->nodes[i]);
    for (uint32_t i = 0; i < graph->metadata_count; i++) {
        free(graph->metadata[i].key);
        free(graph->metadata[i].value);
    }
    free(graph->tensors);
    free(graph->nodes);
    free(graph->inputs);
    free(graph->outputs);
    free(graph->metadata);
    free(graph->name_table);
    free(graph->name);
    free(graph);
}

void ir_add_metadata(ir_graph *graph, const char *key, const char *value) {
    graph->metadata = x_realloc(graph->metadata, (graph->metadata_count + 1) * sizeof *graph->metadata);
    graph->metadata[graph->metadata_count++] = (ir_metadata){x_strdup(key), x_strdup(value)};
}

/* ------------------------------------------------------------------------------------------------------ tensors */

ir_id ir_add_tensor(ir_graph *graph, const char *name, const tmc_tensor_desc *desc) {
    const tmc_tensor_desc copy = *desc; /* `desc` may point into the table that grows below */
    char *unique = unique_name(graph, name);
    ir_id id = graph->tensor_count;
    graph->tensors = x_grow(graph->tensors, &graph->tensor_capacity, id + 1u, sizeof *graph->tensors);
    graph->tensors[id] = (ir_tensor){.name = unique, .desc = copy, .alt = copy, .producer = IR_NONE};
    graph->tensor_count++;
    graph->name_table[name_slot(graph, unique)] = id;
    if (2 * graph->tensor_count > graph->name_capacity) rebuild_names(graph);
    return id;
}

ir_id ir_add_constant(ir_graph *graph, const char *name, const tmc_tensor_desc *desc, const void *data) {
    ir_id id = ir_add_tensor(graph, name, desc);
    ir_tensor *tensor = &graph->tensors[id];
    tensor->data_bytes = tmc_tensor_bytes(&tensor->desc);
    tensor->data = memcpy(x_alloc(tensor->data_bytes), data, tensor->data_bytes);
    return id;
}

void ir_set_quantization(ir_graph *graph, ir_id tensor, const tmc_quantization *quantization, const float *scales) {
    ir_tensor *t = &graph->tensors[tensor];
    const size_t bytes = quantization->channels * sizeof *scales;
    float *copy = bytes ? memcpy(x_alloc(bytes), scales, bytes) : NULL; /* `scales` may be those that are freed */
    free(t->scales);
    t->scales = copy;
    t->scale_count = quantization->channels;
    t->desc.quantization = t->alt.quantization = *quantization;
}

static void append_id(ir_id **ids, uint32_t *count, ir_id id) {
    *ids = x_realloc(*ids, (*count + 1u) * sizeof **ids);
    (*ids)[(*count)++] = id;
}

void ir_add_input(ir_graph *graph, ir_id tensor) {
    graph->tensors[tensor].is_input = true;
    append_id(&graph->inputs, &graph->input_count, tensor);
}

void ir_add_output(ir_graph *graph, ir_id tensor) {
    graph->tensors[tensor].is_output = true;
    append_id(&graph->outputs, &graph->output_count, tensor);
}

bool ir_is_constant(const ir_graph *graph, ir_id tensor) {
    return tensor != IR_NONE && graph->tensors[tensor].data != NULL;
}

/* --------------------------------------------------------------------------------------------------------- uses */

static void add_user(ir_graph *graph, ir_id tensor, ir_id node) {
    if (tensor == IR_NONE) return;
    ir_tensor *t = &graph->tensors[tensor];
    t->users = x_grow(t->users, &t->user_capacity, t->user_count + 1u, sizeof *t->users);
    t->users[t->user_count++] = node;
}

static void remove_user(ir_graph *graph, ir_id tensor, ir_id node) {
    if (tensor == IR_NONE) return;
    ir_tensor *t = &graph->tensors[tensor];
    for (uint32_t i = 0; i < t->user_count; i++)
        if (t->users[i] == node) {
            t->users[i] = t->users[--t->user_count];
            return;
        }
}

uint32_t ir_use_count(const ir_graph *graph, ir_id tensor) {
    return graph->tensors[tensor].user_count + (graph->tensors[tensor].is_output ? 1 : 0);
}

void ir_set_input(ir_graph *graph, ir_id node, uint32_t slot, ir_id tensor) {
    ir_id *input = &graph->nodes[node].inputs[slot];
    remove_user(graph, *input, node);
    *input = tensor;
    add_user(graph, tensor, node);
}

void ir_append_input(ir_graph *graph, ir_id node, ir_id tensor) {
    append_id(&graph->nodes[node].inputs, &graph->nodes[node].input_count, tensor);
    add_user(graph, tensor, node);
}

void ir_truncate_inputs(ir_graph *graph, ir_id node, uint32_t count) {
    ir_node *n = &graph->nodes[node];
    while (n->input_count > count) remove_user(graph, n->inputs[--n->input_count], node);
}

static void swap_names(ir_graph *graph, ir_id a, ir_id b) {
    ir_tensor *ta = &graph->tensors[a], *tb = &graph->tensors[b];
    uint32_t slot_a = name_slot(graph, ta->name), slot_b = name_slot(graph, tb->name);
    graph->name_table[slot_a] = b;
    graph->name_table[slot_b] = a;
    char *name = ta->name;
    ta->name = tb->name;
    tb->name = name;
}

bool ir_can_replace(const ir_graph *graph, ir_id from, ir_id to) {
    const ir_tensor *t = &graph->tensors[to];
    return !graph->tensors[from].is_output || !(t->is_input || t->is_output || t->data);
}

void ir_replace_uses(ir_graph *graph, ir_id from, ir_id to) {
    if (from == to) return;
    while (graph->tensors[from].user_count) {
        ir_id node = graph->tensors[from].users[0];
        for (uint32_t i = 0; i < graph->nodes[node].input_count; i++)
            if (graph->nodes[node].inputs[i] == from) ir_set_input(graph, node, i, to);
    }
    ir_tensor *f = &graph->tensors[from], *t = &graph->tensors[to];
    if (!f->is_output) return;
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (graph->outputs[i] == from) graph->outputs[i] = to;
    f->is_output = false;
    t->is_output = true;
    t->layout = f->layout;
    if (!t->is_input) swap_names(graph, from, to);
}

/* -------------------------------------------------------------------------------------------------------- nodes */

static void *copy_of(const void *data, size_t bytes) {
    void *copy = x_alloc(bytes);
    if (data && bytes) memcpy(copy, data, bytes);
    return copy;
}

static tmc_status infer_node(const ir_node *node, const tmc_tensor_desc *const *inputs,
                             const tmc_quantization *quantization, tmc_tensor_desc *outputs, tmc_error *err) {
    tmc_infer_args args = {node->op, node->params, node->input_count, node->output_count, inputs,
                           outputs,  err,          quantization};
    return tmc_infer(&args);
}

/* Input descriptions of a node out of a table of descriptions; to be freed. */
static const tmc_tensor_desc **input_descs(const ir_node *node, const tmc_tensor_desc *descs) {
    const tmc_tensor_desc **inputs = x_alloc(node->input_count * sizeof *inputs);
    for (uint32_t i = 0; i < node->input_count; i++)
        inputs[i] = node->inputs[i] == IR_NONE ? NULL : &descs[node->inputs[i]];
    return inputs;
}

/* Shapes at the other input dims; as the default ones where the graph is static, or does not fit (then the next
 * ir_infer_all makes it static). To be freed. */
static tmc_tensor_desc *alternative_outputs(const ir_graph *graph, const ir_node *node, const ir_id *inputs,
                                            const tmc_tensor_desc *outputs) {
    tmc_tensor_desc *alt = copy_of(outputs, node->output_count * sizeof *outputs);
    if (!graph->dynamic) return alt;
    const tmc_tensor_desc **in = x_alloc(node->input_count * sizeof *in);
    for (uint32_t i = 0; i < node->input_count; i++)
        in[i] = inputs[i] == IR_NONE ? NULL : &graph->tensors[inputs[i]].alt;
    tmc_error ignored;
    tmc_error_init(&ignored);
    tmc_quantization *declared = x_alloc(node->output_count * sizeof *declared);
    for (uint32_t i = 0; i < node->output_count; i++) declared[i] = outputs[i].quantization;
    if (infer_node(node, in, declared, alt, &ignored) != TMC_OK)
        memcpy(alt, outputs, node->output_count * sizeof *outputs);
    free(in);
    free(declared);
    return alt;
}

tmc_status ir_add_node(ir_graph *graph, const char *name, uint16_t op, const void *params, const ir_id *inputs,
                       uint32_t input_count, ir_id *outputs, uint32_t output_count, tmc_error *err) {
    return ir_add_quantized_node(graph, name, op, params, inputs, input_count, NULL, outputs, output_count, err);
}

tmc_status ir_add_quantized_node(ir_graph *graph, const char *name, uint16_t op, const void *params,
                                 const ir_id *inputs, uint32_t input_count, const tmc_quantization *quantization,
                                 ir_id *outputs, uint32_t output_count, tmc_error *err) {
    const tmc_op_schema *schema = tmc_op_schema_find(op);
    if (!schema) return tmc_fail(err, TMC_E_UNSUPPORTED, "unknown operator code %u", op);

    ir_node node = {.op = op, .input_count = input_count, .output_count = output_count};
    node.params = copy_of(params, schema->param_words * 4u);
    const tmc_tensor_desc **in = x_alloc(input_count * sizeof *in);
    for (uint32_t i = 0; i < input_count; i++) in[i] = inputs[i] == IR_NONE ? NULL : &graph->tensors[inputs[i]].desc;
    tmc_tensor_desc *out = x_alloc(output_count * sizeof *out);
    tmc_status status = infer_node(&node, in, quantization, out, err);
    free(in);
    if (status != TMC_OK) {
        free(out);
        free(node.params);
        return status;
    }

    ir_id id = graph->node_count;
    tmc_tensor_desc *alt = alternative_outputs(graph, &node, inputs, out);
    node.name = x_strdup(name ? name : schema->name);
    node.inputs = copy_of(inputs, input_count * sizeof *inputs);
    node.outputs = x_alloc(output_count * sizeof *outputs);
    for (uint32_t i = 0; i < output_count; i++) {
        out[i].packing = TMC_PACK_NONE;
        outputs[i] = node.outputs[i] = ir_add_tensor(graph, name, &out[i]);
        graph->tensors[outputs[i]].producer = id;
        graph->tensors[outputs[i]].alt = alt[i];
    }
    free(out);
    free(alt);
    graph->nodes = x_grow(graph->nodes, &graph->node_capacity, id + 1u, sizeof *graph->nodes);
    graph->nodes[id] = node;
    graph->node_count++;
    for (uint32_t i = 0; i < input_count; i++) add_user(graph, graph->nodes[id].inputs[i], id);
    return TMC_OK;
}

void ir_kill_node(ir_graph *graph, ir_id node) {
    ir_node *n = &graph->nodes[node];
    ir_truncate_inputs(graph, node, 0);
    for (uint32_t i = 0; i < n->output_count; i++) graph->tensors[n->outputs[i]].dead = true;
    n->dead = true;
}

tmc_status ir_infer_descs(const ir_graph *graph, tmc_tensor_desc *descs, tmc_error *err) {
    for (ir_id id = 0; id < graph->node_count; id++) {
        const ir_node *node = &graph->nodes[id];
        if (node->dead) continue;
        const tmc_tensor_desc **in = input_descs(node, descs);
        tmc_tensor_desc *out = x_alloc(node->output_count * sizeof *out);
        tmc_quantization *declared = x_alloc(node->output_count * sizeof *declared);
        for (uint32_t i = 0; i < node->output_count; i++) declared[i] = descs[node->outputs[i]].quantization;
        tmc_status status = infer_node(node, in, declared, out, err);
        for (uint32_t i = 0; status == TMC_OK && i < node->output_count; i++) descs[node->outputs[i]] = out[i];
        free(in);
        free(declared);
        free(out);
        if (status != TMC_OK) {
            tmc_error_at_node(err, (int32_t)id);
            return status;
        }
    }
    return TMC_OK;
}

void ir_make_static(ir_graph *graph) {
    graph->dynamic = false;
    for (ir_id i = 0; i < graph->tensor_count; i++) {
        ir_tensor *t = &graph->tensors[i];
        t->alt = t->desc;
        memset(t->dims_max, 0, sizeof t->dims_max);
    }
}

static void infer_alternative(ir_graph *graph, tmc_tensor_desc *descs) {
    tmc_error ignored;
    tmc_error_init(&ignored);
    for (ir_id i = 0; i < graph->tensor_count; i++) {
        descs[i] = graph->dynamic ? graph->tensors[i].alt : graph->tensors[i].desc;
        descs[i].quantization = graph->tensors[i].desc.quantization; /* the same at every shape */
    }
    if (graph->dynamic && ir_infer_descs(graph, descs, &ignored) != TMC_OK) {
        ir_make_static(graph);
        return;
    }
    for (ir_id i = 0; i < graph->tensor_count; i++) graph->tensors[i].alt = descs[i];
}

tmc_status ir_infer_all(ir_graph *graph, tmc_error *err) {
    tmc_tensor_desc *descs = x_alloc(graph->tensor_count * sizeof *descs);
    for (ir_id i = 0; i < graph->tensor_count; i++) descs[i] = graph->tensors[i].desc;
    tmc_status status = ir_infer_descs(graph, descs, err);
    if (status == TMC_OK) {
        for (ir_id i = 0; i < graph->tensor_count; i++) graph->tensors[i].desc = descs[i];
        infer_alternative(graph, descs);
    }
    free(descs);
    return status;
}

/* ----------------------------------------------------------------------------------------------------- compaction */

typedef struct walk {
    const ir_graph *graph;
    bool *seen;
    uint32_t *cursor; /* next input of each node on the stack */
    ir_id *stack, *order;
    uint32_t depth, placed;
} walk;

static void enter(walk *w, ir_id id) {
    w->seen[id] = true;
    w->stack[w->depth++] = id;
}

/* Enters the next producer of the node on top, or places the node. */
static void step(walk *w) {
    ir_id top = w->stack[w->depth - 1];
    const ir_node *node = &w->graph->nodes[top];
    while (w->cursor[top] < node->input_count) {
        ir_id input = node->inputs[w->cursor[top]++];
        ir_id producer = input == IR_NONE ? IR_NONE : w->graph->tensors[input].producer;
        if (producer == IR_NONE || w->seen[producer]) continue;
        enter(w, producer);
        return;
    }
    w->depth--;
    w->order[w->placed++] = top;
}

/* Depth-first, in the order of the nodes: an order that was valid comes out unchanged. Returns ids of live nodes. */
static ir_id *topological_order(const ir_graph *graph, uint32_t *count) {
    walk w = {.graph = graph};
    w.seen = x_alloc(graph->node_count * sizeof *w.seen);
    w.cursor = x_alloc(graph->node_count * sizeof *w.cursor);
    w.stack = x_alloc(graph->node_count * sizeof *w.stack);
    w.order = x_alloc(graph->node_count * sizeof *w.order);
    for (ir_id id = 0; id < graph->node_count; id++) {
        if (w.seen[id] || graph->nodes[id].dead) continue;
        enter(&w, id);
        while (w.depth) step(&w);
    }
    free(w.seen);
    free(w.cursor);
    free(w.stack);
    *count = w.placed;
    return w.order;
}

static void renumber(ir_id *ids, uint32_t count, const ir_id *map) {
    for (uint32_t i = 0; i < count; i++)
        if (ids[i] != IR_NONE) ids[i] = map[ids[i]];
}

static void compact_nodes(ir_graph *graph) {
    uint32_t count;
    ir_id *order = topological_order(graph, &count);
    ir_node *nodes = x_alloc(graph->node_count * sizeof *nodes);
    ir_id *map = x_alloc(graph->node_count * sizeof *map);
    for (ir_id i = 0; i < graph->node_count; i++)
        if (graph->nodes[i].dead) free_node(&graph->nodes[i]);
    for (ir_id i = 0; i < count; i++) {
        nodes[i] = graph->nodes[order[i]];
        map[order[i]] = i;
    }
    for (ir_id i = 0; i < graph->tensor_count; i++) {
        ir_tensor *t = &graph->tensors[i];
        if (t->dead) continue;
        renumber(&t->producer, 1, map);
        renumber(t->users, t->user_count, map);
    }
    free(order);
    free(map);
    free(graph->nodes);
    graph->nodes = nodes;
    graph->node_capacity = graph->node_count;
    graph->node_count = count;
}

static void compact_tensors(ir_graph *graph) {
    ir_id *map = x_alloc(graph->tensor_count * sizeof *map);
    uint32_t count = 0;
    for (ir_id i = 0; i < graph->tensor_count; i++) {
        map[i] = IR_NONE;
        if (graph->tensors[i].dead) {
            free_tensor(&graph->tensors[i]);
            continue;
        }
        map[i] = count;
        graph->tensors[count++] = graph->tensors[i];
    }
    graph->tensor_count = count;
    for (ir_id i = 0; i < graph->node_count; i++) {
        renumber(graph->nodes[i].inputs, graph->nodes[i].input_count, map);
        renumber(graph->nodes[i].outputs, graph->nodes[i].output_count, map);
    }
    renumber(graph->inputs, graph->input_count, map);
    renumber(graph->outputs, graph->output_count, map);
    free(map);
    rebuild_names(graph);
}

void ir_compact(ir_graph *graph) {
    compact_nodes(graph);
    compact_tensors(graph);
}
