#include <string.h>

#include "convert/pass_util.h"
#include "convert/passes.h"

/* Geometry that convolutions and pools share: words at the same place in both parameter structs. */
_Static_assert(offsetof(tmc_conv_params, pad_begin) == offsetof(tmc_pool_params, pad_begin), "same words");
_Static_assert(offsetof(tmc_conv_params, pad_end) == offsetof(tmc_pool_params, pad_end), "same words");

/* The pad node touches the spatial axes of a channels-last tensor only. */
static bool pads_space_only(const tmc_pad_params *pad, int32_t rank, int32_t spatial) {
    if (pad->mode != TMC_PAD_CONSTANT || rank != spatial + 2) return false;
    return !pad->begin[0] && !pad->end[0] && !pad->begin[rank - 1] && !pad->end[rank - 1];
}

static bool no_pads(const tmc_pool_params *p) {
    for (int i = 0; i < 3; i++)
        if (p->pad_begin[i] || p->pad_end[i]) return false;
    return true;
}

/* True where no value of the tensor is below 0: a zero among them never changes their maximum. */
static bool is_non_negative(const ir_graph *graph, ir_id tensor) {
    const ir_id producer = graph->tensors[tensor].producer;
    if (producer == IR_NONE) return false;
    const ir_node *node = &graph->nodes[producer];
    if (node->op == TMC_OP_UNARY) {
        const tmc_unary_params *p = node->params;
        return p->kind == TMC_UNARY_CLAMP && p->alpha >= 0.0f;
    }
    const tmc_act_params *act = pass_act(node);
    return act && act->lo >= 0.0f;
}

/* The reader treats its own padding as this one, or can be told to by *params (a copy). */
static bool same_meaning(const ir_graph *graph, const ir_node *pad, const ir_node *reader, void *params) {
    const float value = ((const tmc_pad_params *)pad->params)->value;
    tmc_pool_params *p = params;
    switch (reader->op) {
    case TMC_OP_CONV:
    case TMC_OP_DEPTHWISE_CONV: return value == 0.0f;
    case TMC_OP_AVERAGE_POOL: /* with ceil_mode the last window may hang over, and its divisor is another */
        if (value != 0.0f || p->ceil_mode || !(no_pads(p) || p->count_include_pad)) return false;
        p->count_include_pad = 1;
        return true;
    case TMC_OP_MAX_POOL:
        if (p->ceil_mode) return false;
        return value == -INFINITY || (value == 0.0f && is_non_negative(graph, pad->inputs[0]));
    default: return false;
    }
}

static bool infers_same(const ir_graph *graph, const ir_node *reader, const void *params, ir_id source) {
    const tmc_tensor_desc *inputs[3] = {&graph->tensors[source].desc, NULL, NULL};
    for (uint32_t i = 1; i < reader->input_count; i++)
        if (reader->inputs[i] != IR_NONE) inputs[i] = &graph->tensors[reader->inputs[i]].desc;
    tmc_error ignored;
    tmc_error_init(&ignored);
    tmc_tensor_desc output;
    const tmc_infer_args args = {reader->op, params, reader->input_count, 1, inputs, &output, &ignored, NULL};
    return tmc_infer(&args) == TMC_OK && tmc_tensor_same_shape(&output, &graph->tensors[reader->outputs[0]].desc);
}

static bool fuse(ir_graph *graph, ir_id id) {
    ir_node *reader = &graph->nodes[id];
    const ir_id pad_id = pass_producer(graph, reader->inputs[0], TMC_OP_PAD);
    if (pad_id == IR_NONE) return false;
    const ir_node *pad = &graph->nodes[pad_id];
    const tmc_pad_params *amount = pad->params;
    union {
        tmc_conv_params conv;
        tmc_pool_params pool;
    } params;
    const size_t bytes = tmc_op_schema_find(reader->op)->param_words * 4u;
    memcpy(&params, reader->params, bytes);
    const int32_t spatial = params.pool.spatial, rank = graph->tensors[reader->inputs[0]].desc.rank;
    if (!pads_space_only(amount, rank, spatial) || !same_meaning(graph, pad, reader, &params)) return false;
    for (int32_t i = 0; i < spatial; i++) {
        params.pool.pad_begin[3 - spatial + i] += amount->begin[1 + i];
        params.pool.pad_end[3 - spatial + i] += amount->end[1 + i];
    }
    if (!infers_same(graph, reader, &params, pad->inputs[0])) return false;
    memcpy(reader->params, &params, bytes);
    ir_set_input(graph, id, 0, pad->inputs[0]);
    return true;
}

tmc_status pass_fuse_pad(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    (void)err;
    for (ir_id id = 0; id < graph->node_count; id++) {
        const ir_node *node = &graph->nodes[id];
        if (node->dead) continue;
        switch (node->op) {
        case TMC_OP_CONV:
        case TMC_OP_DEPTHWISE_CONV:
        case TMC_OP_AVERAGE_POOL:
        case TMC_OP_MAX_POOL: *changes += fuse(graph, id); break;
        default: break;
        }
    }
    return TMC_OK;
}
