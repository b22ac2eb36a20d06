#include <string.h>

#include "convert/pass_util.h"
#include "convert/passes.h"

/* ----------------------------------------------------------------------------- operators that give back their input */

static bool is_no_op_slice(const tmc_slice_params *p, int32_t rank) {
    for (int32_t i = 0; i < rank; i++)
        if (p->step[i] != 1) return false;
    return true; /* a slice of the same shape takes all, in the same order */
}

static bool is_no_op_resize(const tmc_resize_params *p, int32_t rank) {
    for (int32_t i = 0; i < rank; i++)
        if (p->scales[i] != 0.0f && p->scales[i] != 1.0f) return false;
    return p->coordinates != TMC_COORD_TF_CROP_AND_RESIZE; /* at scale 1 the others map a pixel to itself */
}

static bool is_no_op_pool(const tmc_pool_params *p) {
    for (int i = 0; i < 3; i++)
        if (p->kernel[i] != 1 || p->stride[i] != 1 || p->pad_begin[i] || p->pad_end[i]) return false;
    return true;
}

/* Input slot whose value a binary operator with a neutral constant gives back, or -1. x + 0 is none: it makes +0 of -0.
 */
static int neutral_binary(const ir_graph *graph, const ir_node *node) {
    const tmc_binary_params *p = node->params;
    float value;
    if (!pass_act_is_none(&p->act)) return -1;
    bool one = p->kind == TMC_BINARY_MUL || p->kind == TMC_BINARY_DIV || p->kind == TMC_BINARY_POW;
    bool zero = p->kind == TMC_BINARY_SUB;
    if (!one && !zero) return -1;
    if (pass_scalar(graph, node->inputs[1], &value) && (one ? value == 1.0f : value == 0.0f && !signbit(value)))
        return 0;
    if (p->kind == TMC_BINARY_MUL && pass_scalar(graph, node->inputs[0], &value) && value == 1.0f) return 1;
    return -1;
}

/* Same integers that mean something else are not the same. */
static bool same_meaning(const ir_tensor *in, const ir_tensor *out) {
    return in->desc.dtype == out->desc.dtype && tmc_quantization_equal(&in->desc.quantization, &out->desc.quantization);
}

/* The slot of the input that equals output 0 in type, shape and bits; -1 if none. */
static int identity_slot(const ir_graph *graph, const ir_node *node) {
    const ir_tensor *out = &graph->tensors[node->outputs[0]];
    int slot = 0;
    if (node->op == TMC_OP_BINARY) slot = neutral_binary(graph, node);
    if (slot < 0 || node->output_count != 1) return -1;
    const ir_tensor *in = &graph->tensors[node->inputs[slot]];
    if (!same_meaning(in, out) || !pass_same_shape(in, out)) return -1;
    bool same = false;
    switch (node->op) {
    case TMC_OP_BINARY:
    case TMC_OP_RESHAPE:
    case TMC_OP_EXPAND:
    case TMC_OP_TILE:
    case TMC_OP_PAD:
    case TMC_OP_SPLIT:
    case TMC_OP_CAST: same = true; break;
    case TMC_OP_CONCAT: same = node->input_count == 1; break;
    case TMC_OP_TRANSPOSE:
        same = pass_perm_is_identity(((const tmc_shape_params *)node->params)->dims, in->desc.rank);
        break;
    case TMC_OP_SLICE: same = is_no_op_slice(node->params, in->desc.rank); break;
    case TMC_OP_RESIZE: same = is_no_op_resize(node->params, in->desc.rank); break;
    case TMC_OP_MAX_POOL:
    case TMC_OP_AVERAGE_POOL: same = is_no_op_pool(node->params); break;
    case TMC_OP_UNARY: {
        const tmc_unary_params *p = node->params;
        same = p->kind == TMC_UNARY_CLAMP && p->alpha == -INFINITY && p->beta == INFINITY;
        break;
    }
    case TMC_OP_CHANNEL_SHUFFLE: {
        int32_t groups = ((const tmc_block_params *)node->params)->block;
        same = groups == 1 || groups == in->desc.dims[in->desc.rank - 1];
        break;
    }
    default: break;
    }
    return same ? slot : -1;
}

static bool drop_identity(ir_graph *graph, ir_id id) {
    const ir_node *node = &graph->nodes[id];
    int slot = identity_slot(graph, node);
    if (slot < 0 || !ir_can_replace(graph, node->outputs[0], node->inputs[slot])) return false;
    ir_replace_uses(graph, node->outputs[0], node->inputs[slot]);
    ir_kill_node(graph, id);
    return true;
}

/* --------------------------------------------------------------------------------------------------------- chains */

/* transpose of transpose becomes one. */
static bool merge_transpose(ir_graph *graph, ir_id id) {
    ir_node *node = &graph->nodes[id];
    ir_id first = pass_producer(graph, node->inputs[0], TMC_OP_TRANSPOSE);
    if (first == IR_NONE) return false;
    tmc_shape_params *outer = node->params;
    const tmc_shape_params *inner = graph->nodes[first].params;
    for (int32_t i = 0; i < outer->rank; i++) outer->dims[i] = inner->dims[outer->dims[i]];
    ir_set_input(graph, id, 0, graph->nodes[first].inputs[0]);
    return true;
}

/* reshape of reshape becomes one. */
static bool merge_reshape(ir_graph *graph, ir_id id) {
    ir_node *node = &graph->nodes[id];
    ir_id first = pass_producer(graph, node->inputs[0], TMC_OP_RESHAPE);
    if (first == IR_NONE) return false;
    ir_id source = graph->nodes[first].inputs[0];
    tmc_shape_params params;
    if (!pass_reshape_params(&graph->tensors[source], &graph->tensors[node->outputs[0]], &params)) return false;
    memcpy(node->params, &params, sizeof params);
    ir_set_input(graph, id, 0, source);
    return true;
}

/* A reduction over axes of extent 1, where the kind gives one element back as it is. */
static tmc_status reduce_to_reshape(ir_graph *graph, ir_id id, uint32_t *changes, tmc_error *err) {
    const ir_node *node = &graph->nodes[id];
    const tmc_reduce_params *p = node->params;
    const ir_tensor *in = &graph->tensors[node->inputs[0]], *out = &graph->tensors[node->outputs[0]];
    bool keeps_value = p->kind == TMC_REDUCE_MEAN || p->kind == TMC_REDUCE_MAX || p->kind == TMC_REDUCE_MIN;
    if (!keeps_value || !same_meaning(in, out)) return TMC_OK;
    for (int32_t i = 0; i < in->desc.rank; i++)
        if (p->axes >> i & 1 && !pass_dim_is(in, i, 1)) return TMC_OK;
    tmc_shape_params params;
    if (!pass_reshape_params(in, out, &params)) return TMC_OK;
    TMC_TRY(pass_add(graph, node->name, TMC_OP_RESHAPE, &params, node->inputs, 1, node->outputs[0], NULL, err));
    ir_kill_node(graph, id);
    ++*changes;
    return TMC_OK;
}

tmc_status pass_remove_identity(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    uint32_t count = graph->node_count;
    for (ir_id id = 0; id < count; id++) {
        const ir_node *node = &graph->nodes[id];
        if (node->dead) continue;
        if (node->op == TMC_OP_TRANSPOSE) *changes += merge_transpose(graph, id);
        if (node->op == TMC_OP_RESHAPE) *changes += merge_reshape(graph, id);
        if (node->op == TMC_OP_REDUCE) TMC_TRY(reduce_to_reshape(graph, id, changes, err));
        if (!graph->nodes[id].dead) *changes += drop_identity(graph, id);
    }
    return TMC_OK;
}

/* A transposition that moves axes of extent 1 only is a reshape, which moves no data. After pass_layout, which sees
 * more in a transposition than in a reshape. */
tmc_status pass_transpose_to_reshape(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    uint32_t count = graph->node_count;
    for (ir_id id = 0; id < count; id++) {
        const ir_node *node = &graph->nodes[id];
        if (node->dead || node->op != TMC_OP_TRANSPOSE) continue;
        const ir_tensor *in = &graph->tensors[node->inputs[0]];
        tmc_shape_params params;
        if (!pass_perm_moves_no_data(in, ((const tmc_shape_params *)node->params)->dims)) continue;
        if (!pass_reshape_params(in, &graph->tensors[node->outputs[0]], &params)) continue;
        ir_id input = node->inputs[0];
        TMC_TRY(pass_add(graph, node->name, TMC_OP_RESHAPE, &params, &input, 1, node->outputs[0], NULL, err));
        ir_kill_node(graph, id);
        ++*changes;
    }
    return TMC_OK;
}
