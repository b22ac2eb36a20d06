/* Dense weights into the panels that kernels read in place, with the bias inside. Packed weights have one reader, so
 * weights that several nodes read are packed once for each. */
#include <stdlib.h>
#include <string.h>

#include "convert/memory.h"
#include "convert/pass_qdq.h"
#include "convert/pass_util.h"
#include "convert/passes.h"
#include "format/packing_i8.h"

static tmc_pack_shape shape_of(const ir_node *node, const tmc_tensor_desc *w) {
    tmc_pack_shape s = {.groups = 1, .columns = (size_t)w->dims[0], .channels = (size_t)w->dims[w->rank - 1]};
    const tmc_conv_params *p = node->op == TMC_OP_FULLY_CONNECTED ? NULL : node->params;
    const bool transposed = node->op == TMC_OP_CONV_TRANSPOSE;
    for (int i = 0; i < 3; i++) {
        s.kernel[i] = p ? (size_t)p->kernel[i] : 1;
        s.stride[i] = transposed ? (size_t)p->stride[i] : 1;
        s.dilation[i] = transposed ? (size_t)p->dilation[i] : 1;
    }
    if (p) {
        s.groups = (size_t)p->groups;
        s.columns /= s.groups;
    }
    return s;
}

static bool can_pack(const ir_graph *graph, const ir_node *node) {
    if (node->dead || !qdq_has_weights(node)) return false;
    const bool has_bias = node->input_count > 2 && node->inputs[2] != IR_NONE;
    return pass_floats(graph, node->inputs[1]) && (!has_bias || pass_floats(graph, node->inputs[2]));
}

/* Packed weights of a node and their number in *floats, or NULL where they are over the limit. */
static float *panels_of(const ir_node *node, const ir_tensor *w, const float *bias, uint64_t *floats) {
    const bool depthwise = node->op == TMC_OP_DEPTHWISE_CONV;
    const tmc_pack_shape shape = depthwise ? (tmc_pack_shape){0} : shape_of(node, &w->desc);
    const size_t channels = (size_t)w->desc.dims[w->desc.rank - 1];
    const size_t taps = tmc_dims_product(w->desc.dims, 0, w->desc.rank - 1);
    *floats = depthwise ? (uint64_t)tmc_depthwise_columns(channels) * (1 + taps) : tmc_pack_floats(&shape);
    if (*floats > TMC_FILE_MAX_TENSOR_BYTES / sizeof(float)) return NULL;
    float *data = x_alloc(*floats * sizeof *data);
    if (depthwise)
        tmc_pack_depthwise(data, w->data, channels, taps, bias);
    else
        tmc_pack_weights(data, &shape, w->data, bias);
    return data;
}

/* ------------------------------------------------------------------------------------------------------------- int8 */

static bool is_i8(const ir_graph *graph, const ir_node *node) {
    if (node->dead || !qdq_has_weights(node) || !ir_is_constant(graph, node->inputs[1])) return false;
    const ir_tensor *w = &graph->tensors[node->inputs[1]];
    return w->desc.dtype == TMC_I8 && w->desc.packing == TMC_PACK_NONE;
}

static tmc_i8_source i8_source(const ir_graph *graph, const ir_node *node) {
    const ir_tensor *w = &graph->tensors[node->inputs[1]];
    const tmc_quantization *x = &graph->tensors[node->inputs[0]].desc.quantization;
    return (tmc_i8_source){.weights = w->data,
                           .bias = node->input_count > 2 ? graph->tensors[node->inputs[2]].data : NULL,
                           .scales = w->scales,
                           .x_scale = x->scale,
                           .y_scale = graph->tensors[node->outputs[0]].desc.quantization.scale,
                           .x_zero_point = x->zero_point};
}

/* pass_qdq has made sure that the sums fit: a failure is a defect. */
static tmc_status pack_i8(ir_graph *graph, ir_id id, tmc_error *err) {
    const ir_node *node = &graph->nodes[id];
    const ir_tensor *w = &graph->tensors[node->inputs[1]];
    const tmc_i8_source source = i8_source(graph, node);
    const bool depthwise = node->op == TMC_OP_DEPTHWISE_CONV;
    const size_t channels = (size_t)w->desc.dims[w->desc.rank - 1];
    const tmc_pack_shape shape = depthwise ? (tmc_pack_shape){0} : shape_of(node, &w->desc);
    size_t kernel[3] = {1, 1, 1};
    for (int i = 0; depthwise && i < 3; i++) kernel[i] = (size_t)((const tmc_conv_params *)node->params)->kernel[i];
    const uint64_t bytes = depthwise ? tmc_i8_depthwise_bytes(channels, kernel) : tmc_i8_bytes(&shape);
    if (bytes > TMC_FILE_MAX_TENSOR_BYTES)
        return tmc_fail(err, TMC_E_LIMIT, "the packed weights of '%.64s' are over %u bytes", node->name,
                        TMC_FILE_MAX_TENSOR_BYTES);
    void *data = x_alloc(bytes);
    tmc_status status = depthwise ? tmc_i8_pack_depthwise(data, channels, kernel, &source, err)
                                  : tmc_i8_pack(data, &shape, &source, err);
    if (status != TMC_OK) {
        free(data);
        return status;
    }
    const ir_id dense = node->inputs[1], packed = ir_add_tensor(graph, w->name, &w->desc);
    ir_tensor *t = &graph->tensors[packed];
    t->desc.packing = t->alt.packing = depthwise ? TMC_PACK_I8_DEPTHWISE : TMC_PACK_I8_PANELS;
    t->data = data;
    t->data_bytes = bytes;
    ir_set_quantization(graph, packed, &t->desc.quantization, graph->tensors[dense].scales);
    ir_set_input(graph, id, 1, packed);
    ir_truncate_inputs(graph, id, 2);
    return TMC_OK;
}

/* ------------------------------------------------------------------------------------------------------------ floats
 */

static bool pack(ir_graph *graph, ir_id id) {
    const ir_node *node = &graph->nodes[id];
    const ir_tensor *w = &graph->tensors[node->inputs[1]];
    const bool has_bias = node->input_count > 2 && node->inputs[2] != IR_NONE;
    uint64_t floats;
    float *data = panels_of(node, w, has_bias ? graph->tensors[node->inputs[2]].data : NULL, &floats);
    if (!data) return false;
    const ir_id packed = ir_add_tensor(graph, w->name, &w->desc);
    ir_tensor *t = &graph->tensors[packed];
    t->desc.packing = t->alt.packing = TMC_PACK_F32_PANELS;
    t->data = data;
    t->data_bytes = floats * sizeof *data;
    ir_set_input(graph, id, 1, packed);
    ir_truncate_inputs(graph, id, 2);
    return true;
}

tmc_status pass_pack_weights(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    for (ir_id id = 0; id < graph->node_count; id++) {
        if (can_pack(graph, &graph->nodes[id])) *changes += pack(graph, id);
        if (!is_i8(graph, &graph->nodes[id])) continue;
        TMC_TRY(pack_i8(graph, id, err));
        ++*changes;
    }
    return TMC_OK;
}
