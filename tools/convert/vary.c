#include "convert/vary.h"

#include <string.h>

/* Largest value a plan may choose for a dimension that may vary. */
#define VARY_MAX 65536

static bool same_node(const ir_node *a, const ir_node *b) {
    if (a->op != b->op || a->input_count != b->input_count || a->output_count != b->output_count) return false;
    return memcmp(a->inputs, b->inputs, a->input_count * sizeof *a->inputs) == 0 &&
           memcmp(a->outputs, b->outputs, a->output_count * sizeof *a->outputs) == 0 &&
           memcmp(a->params, b->params, tmc_op_schema_find(a->op)->param_words * 4u) == 0;
}

static bool same_constant(const ir_tensor *a, const ir_tensor *b) {
    if (!a->data || !b->data) return a->data == b->data;
    return a->desc.dtype == b->desc.dtype && tmc_tensor_same_shape(&a->desc, &b->desc) &&
           memcmp(a->data, b->data, a->data_bytes) == 0;
}

bool vary_same_graph(const ir_graph *a, const ir_graph *b) {
    if (a->tensor_count != b->tensor_count || a->node_count != b->node_count) return false;
    for (uint32_t i = 0; i < a->node_count; i++)
        if (!same_node(&a->nodes[i], &b->nodes[i])) return false;
    for (uint32_t i = 0; i < a->tensor_count; i++)
        if (!same_constant(&a->tensors[i], &b->tensors[i])) return false;
    return true;
}

void vary_allow(ir_graph *graph, ir_id input, uint32_t axis) {
    ir_tensor *tensor = &graph->tensors[input];
    if (tensor->desc.dims[axis] < VARY_MAX) tensor->dims_max[axis] = VARY_MAX;
}

/* The largest axis gives way first. */
static void fit_dims_max(ir_tensor *tensor) {
    for (;;) {
        tmc_tensor_desc largest = tensor->desc;
        tmc_error ignored;
        int32_t widest = -1;
        tmc_error_init(&ignored);
        for (int32_t i = 0; i < largest.rank; i++) {
            if (tensor->dims_max[i] <= largest.dims[i]) continue;
            largest.dims[i] = tensor->dims_max[i];
            if (widest < 0 || largest.dims[i] >= largest.dims[widest]) widest = i;
        }
        if (widest < 0 || tmc_tensor_check(&largest, &ignored) == TMC_OK) return;
        tensor->dims_max[widest] /= 2;
        if (tensor->dims_max[widest] < tensor->desc.dims[widest]) tensor->dims_max[widest] = tensor->desc.dims[widest];
    }
}

void vary_fit(ir_graph *graph) {
    for (uint32_t i = 0; i < graph->input_count; i++) fit_dims_max(&graph->tensors[graph->inputs[i]]);
}
