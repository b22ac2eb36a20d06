/* Per-channel scales and shifts with constant coefficients: batch norm after a convolution, biases added one by one,
 * input normalisation. They are merged with each other and into the weights in front of them. All in double precision,
 * rounded once. */
#include <stdlib.h>
#include <string.h>

#include "convert/memory.h"
#include "convert/pass_util.h"
#include "convert/passes.h"

/* y = x * scale[c] + shift[c], c over the last axis of x, then a clamp. */
typedef struct affine {
    ir_id node, x;
    int32_t channels;
    double *scale, *shift;
    tmc_act_params act;
} affine;

static void free_affine(affine *a) {
    free(a->scale);
    free(a->shift);
}

/* A constant that broadcasts over everything but the last axis, without making x larger. */
static const float *channel_constant(const ir_graph *graph, ir_id tensor, const ir_tensor *x, size_t *stride) {
    const float *data = pass_floats(graph, tensor);
    if (!data) return NULL;
    const tmc_tensor_desc *desc = &graph->tensors[tensor].desc;
    const int32_t last = desc->rank - 1;
    if (desc->rank > x->desc.rank) return NULL;
    for (int32_t i = 0; i < last; i++)
        if (desc->dims[i] != 1) return NULL;
    *stride = desc->rank && desc->dims[last] > 1;
    return !*stride || pass_dim_is(x, x->desc.rank - 1, desc->dims[last]) ? data : NULL;
}

static void allocate(affine *a) {
    a->scale = x_alloc((size_t)a->channels * sizeof *a->scale);
    a->shift = x_alloc((size_t)a->channels * sizeof *a->shift);
}

static bool binary_affine(const ir_graph *graph, const ir_node *node, affine *a) {
    const tmc_binary_params *p = node->params;
    if (p->kind != TMC_BINARY_ADD && p->kind != TMC_BINARY_SUB && p->kind != TMC_BINARY_MUL &&
        p->kind != TMC_BINARY_DIV)
        return false;
    const bool constant_first = ir_is_constant(graph, node->inputs[0]);
    if (constant_first && p->kind == TMC_BINARY_DIV) return false;
    a->x = node->inputs[constant_first];
    const ir_tensor *x = &graph->tensors[a->x];
    size_t stride;
    if (x->desc.dtype != TMC_F32 || x->data || x->desc.rank < 1 || !pass_dim_fixed(x, x->desc.rank - 1)) return false;
    const float *c = channel_constant(graph, node->inputs[!constant_first], x, &stride);
    if (!c) return false;
    a->channels = x->desc.dims[x->desc.rank - 1];
    allocate(a);
    for (int32_t i = 0; i < a->channels; i++) {
        const double value = c[(size_t)i * stride];
        const bool minus = p->kind == TMC_BINARY_SUB;
        a->scale[i] = p->kind == TMC_BINARY_MUL ? value : p->kind == TMC_BINARY_DIV ? 1.0 / value : 1.0;
        if (minus && constant_first) a->scale[i] = -1.0;
        if (p->kind == TMC_BINARY_ADD || minus) a->shift[i] = minus && !constant_first ? -value : value;
    }
    a->act = p->act;
    return true;
}

static bool scale_shift_affine(const ir_graph *graph, const ir_node *node, affine *a) {
    const float *scale = pass_floats(graph, node->inputs[1]), *shift = pass_floats(graph, node->inputs[2]);
    if (!scale || !shift || graph->tensors[node->inputs[0]].data) return false;
    a->x = node->inputs[0];
    a->channels = graph->tensors[node->inputs[1]].desc.dims[0];
    allocate(a);
    for (int32_t i = 0; i < a->channels; i++) {
        a->scale[i] = scale[i];
        a->shift[i] = shift[i];
    }
    a->act = *(const tmc_act_params *)node->params;
    return true;
}

static bool find_affine(const ir_graph *graph, ir_id id, affine *a) {
    const ir_node *node = &graph->nodes[id];
    *a = (affine){.node = id};
    if (node->dead) return false;
    if (node->op == TMC_OP_SCALE_SHIFT) return scale_shift_affine(graph, node, a);
    return node->op == TMC_OP_BINARY && binary_affine(graph, node, a);
}

/* Infinite or NaN coefficients (a division by 0) stay where they act. */
static bool all_finite(const affine *a) {
    for (int32_t i = 0; i < a->channels; i++)
        if (!isfinite(a->scale[i]) || !isfinite(a->shift[i])) return false;
    return true;
}

static ir_id add_vector(ir_graph *graph, const char *name, const double *values, int32_t count) {
    const tmc_tensor_desc desc = {.dtype = TMC_F32, .rank = 1, .dims = {count}};
    float *rounded = x_alloc((size_t)count * sizeof *rounded);
    for (int32_t i = 0; i < count; i++) rounded[i] = (float)values[i];
    ir_id id = ir_add_constant(graph, name, &desc, rounded);
    free(rounded);
    return id;
}

/* ------------------------------------------------------------------------------------------------ into the weights */

/* Weights whose output channel is the first axis, but for depthwise convolution, where it is the last. */
static bool has_weights(const ir_node *node) {
    return node->op == TMC_OP_CONV || node->op == TMC_OP_DEPTHWISE_CONV || node->op == TMC_OP_CONV_TRANSPOSE ||
           node->op == TMC_OP_FULLY_CONNECTED;
}

static ir_id scaled_weights(ir_graph *graph, const ir_node *node, const affine *a) {
    const ir_tensor *w = &graph->tensors[node->inputs[1]];
    const float *from = w->data;
    const size_t count = tmc_tensor_elements(&w->desc), channels = (size_t)a->channels;
    float *data = x_alloc(count * sizeof *data);
    for (size_t i = 0; i < count; i++) {
        const size_t c = node->op == TMC_OP_DEPTHWISE_CONV ? i % channels : i / (count / channels);
        data[i] = (float)(from[i] * a->scale[c]);
    }
    ir_id id = ir_add_constant(graph, w->name, &w->desc, data);
    free(data);
    return id;
}

static ir_id shifted_bias(ir_graph *graph, const ir_node *node, const affine *a) {
    const bool has_bias = node->input_count > 2 && node->inputs[2] != IR_NONE;
    const float *from = has_bias ? graph->tensors[node->inputs[2]].data : NULL;
    double *bias = x_alloc((size_t)a->channels * sizeof *bias);
    for (int32_t i = 0; i < a->channels; i++) bias[i] = (from ? from[i] * a->scale[i] : 0.0) + a->shift[i];
    ir_id id = add_vector(graph, has_bias ? graph->tensors[node->inputs[2]].name : "bias", bias, a->channels);
    free(bias);
    return id;
}

static bool fold_into_weights(ir_graph *graph, const affine *a) {
    const ir_id producer = graph->tensors[a->x].producer;
    if (producer == IR_NONE || pass_only_user(graph, a->x) != a->node) return false;
    const ir_node *node = &graph->nodes[producer];
    if (!has_weights(node) || !pass_act_is_none(pass_act(node)) || !pass_floats(graph, node->inputs[1])) return false;
    const bool has_bias = node->input_count > 2 && node->inputs[2] != IR_NONE;
    if (has_bias && !pass_floats(graph, node->inputs[2])) return false;

    const ir_id output = graph->nodes[a->node].outputs[0];
    const ir_id weights = scaled_weights(graph, node, a), bias = shifted_bias(graph, node, a);
    ir_set_input(graph, producer, 1, weights);
    if (node->input_count > 2)
        ir_set_input(graph, producer, 2, bias);
    else
        ir_append_input(graph, producer, bias);
    *pass_act(&graph->nodes[producer]) = a->act;
    ir_replace_uses(graph, output, a->x);
    ir_kill_node(graph, a->node);
    return true;
}

/* -------------------------------------------------------------------------------------------- into one scale_shift */

static tmc_status merge_chain(ir_graph *graph, const affine *second, bool *merged, tmc_error *err) {
    affine first;
    *merged = false;
    const ir_id producer = graph->tensors[second->x].producer;
    if (producer == IR_NONE || pass_only_user(graph, second->x) != second->node) return TMC_OK;
    tmc_status status = TMC_OK;
    if (find_affine(graph, producer, &first) && all_finite(&first) && pass_act_is_none(&first.act) &&
        first.channels == second->channels) {
        for (int32_t i = 0; i < first.channels; i++) {
            first.shift[i] = first.shift[i] * second->scale[i] + second->shift[i];
            first.scale[i] *= second->scale[i];
        }
        const ir_node *node = &graph->nodes[second->node];
        const ir_id inputs[3] = {first.x, add_vector(graph, "scale", first.scale, first.channels),
                                 add_vector(graph, "shift", first.shift, first.channels)};
        status = pass_add(graph, node->name, TMC_OP_SCALE_SHIFT, &second->act, inputs, 3, node->outputs[0], NULL, err);
        *merged = status == TMC_OK;
        if (*merged) {
            ir_kill_node(graph, second->node);
            ir_kill_node(graph, producer);
        }
    }
    free_affine(&first);
    return status;
}

tmc_status pass_fold_batch_norm(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    for (ir_id id = 0; id < graph->node_count; id++) { /* merged nodes are appended: they are looked at again */
        affine a;
        bool done = false;
        tmc_status status = TMC_OK;
        if (find_affine(graph, id, &a) && all_finite(&a)) {
            done = fold_into_weights(graph, &a);
            if (!done) status = merge_chain(graph, &a, &done, err);
        }
        free_affine(&a);
        if (status != TMC_OK) return status;
        *changes += done;
    }
    return TMC_OK;
}
