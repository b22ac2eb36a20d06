#include "convert/pass_util.h"

#include <stdlib.h>
#include <string.h>

#include "convert/integers.h"
#include "convert/memory.h"

ir_id pass_producer(const ir_graph *graph, ir_id tensor, uint16_t op) {
    if (tensor == IR_NONE) return IR_NONE;
    ir_id node = graph->tensors[tensor].producer;
    return node != IR_NONE && !graph->nodes[node].dead && graph->nodes[node].op == op ? node : IR_NONE;
}

ir_id pass_only_user(const ir_graph *graph, ir_id tensor) {
    const ir_tensor *t = &graph->tensors[tensor];
    return t->user_count == 1 && !t->is_output ? t->users[0] : IR_NONE;
}

const float *pass_floats(const ir_graph *graph, ir_id tensor) {
    if (!ir_is_constant(graph, tensor)) return NULL;
    const ir_tensor *t = &graph->tensors[tensor];
    return t->desc.dtype == TMC_F32 && t->desc.packing == TMC_PACK_NONE ? t->data : NULL;
}

bool pass_scalar(const ir_graph *graph, ir_id tensor, float *value) {
    const float *data = pass_floats(graph, tensor);
    if (!data || tmc_tensor_elements(&graph->tensors[tensor].desc) != 1) return false;
    *value = data[0];
    return true;
}

bool pass_near(double a, double b) { return fabs(a - b) <= 1e-6 * fabs(b); }

bool pass_dim_fixed(const ir_tensor *tensor, int32_t axis) { return tensor->desc.dims[axis] == tensor->alt.dims[axis]; }

bool pass_dim_is(const ir_tensor *tensor, int32_t axis, int32_t value) {
    return pass_dim_fixed(tensor, axis) && tensor->desc.dims[axis] == value;
}

bool pass_same_shape(const ir_tensor *a, const ir_tensor *b) {
    return tmc_tensor_same_shape(&a->desc, &b->desc) && tmc_tensor_same_shape(&a->alt, &b->alt);
}

tmc_act_params *pass_act(const ir_node *node) {
    switch (node->op) {
    case TMC_OP_CONV:
    case TMC_OP_DEPTHWISE_CONV:
    case TMC_OP_CONV_TRANSPOSE: return &((tmc_conv_params *)node->params)->act;
    case TMC_OP_FULLY_CONNECTED: return &((tmc_fully_connected_params *)node->params)->act;
    case TMC_OP_BINARY: return &((tmc_binary_params *)node->params)->act;
    case TMC_OP_SCALE_SHIFT: return node->params;
    default: return NULL;
    }
}

bool pass_act_is_none(const tmc_act_params *act) { return act->lo == -INFINITY && act->hi == INFINITY; }

tmc_status pass_add(ir_graph *graph, const char *name, uint16_t op, const void *params, const ir_id *inputs,
                    uint32_t input_count, ir_id replaced, ir_id *output, tmc_error *err) {
    ir_id made;
    char *copy = x_strdup(name); /* a node's name lies in the table that grows */
    tmc_status status = ir_add_node(graph, copy, op, params, inputs, input_count, &made, 1, err);
    free(copy);
    if (status != TMC_OK) return status;
    if (replaced != IR_NONE) ir_replace_uses(graph, replaced, made);
    if (output) *output = made;
    return TMC_OK;
}

tmc_status pass_add_transpose(ir_graph *graph, const char *name, ir_id input, const int32_t *perm, ir_id *output,
                              tmc_error *err) {
    tmc_shape_params params = {.rank = graph->tensors[input].desc.rank};
    memcpy(params.dims, perm, (size_t)params.rank * sizeof *perm);
    return pass_add(graph, name, TMC_OP_TRANSPOSE, &params, &input, 1, IR_NONE, output, err);
}

bool pass_reshape_params(const ir_tensor *from, const ir_tensor *to, tmc_shape_params *params) {
    bool inferred = false;
    *params = (tmc_shape_params){.rank = to->desc.rank};
    for (int32_t i = 0; i < to->desc.rank; i++) {
        bool copies =
            i < from->desc.rank && from->desc.dims[i] == to->desc.dims[i] && from->alt.dims[i] == to->alt.dims[i];
        if (pass_dim_fixed(to, i)) {
            params->dims[i] = to->desc.dims[i];
        } else if (copies) {
            params->dims[i] = 0;
        } else if (!inferred) {
            params->dims[i] = -1;
            inferred = true;
        } else {
            return false;
        }
    }
    return true;
}

bool pass_perm_is_identity(const int32_t *perm, int32_t rank) {
    for (int32_t i = 0; i < rank; i++)
        if (perm[i] != i) return false;
    return true;
}

void pass_perm_invert(const int32_t *perm, int32_t rank, int32_t *inverse) {
    for (int32_t i = 0; i < rank; i++) inverse[perm[i]] = i;
}

bool pass_perm_moves_no_data(const ir_tensor *input, const int32_t *perm) {
    int32_t last = -1;
    for (int32_t i = 0; i < input->desc.rank; i++) {
        if (pass_dim_is(input, perm[i], 1)) continue;
        if (perm[i] < last) return false;
        last = perm[i];
    }
    return true;
}

tmc_tensor_desc pass_permuted(const tmc_tensor_desc *desc, const int32_t *perm) {
    tmc_tensor_desc out = *desc;
    for (int32_t i = 0; i < desc->rank; i++) out.dims[i] = desc->dims[perm[i]];
    return out;
}

void pass_perm_channels_last(int32_t rank, int32_t *perm) {
    for (int32_t i = 0; i < rank; i++) perm[i] = i == 0 ? 0 : i == rank - 1 ? 1 : i + 1;
}

ir_id pass_permuted_constant(ir_graph *graph, ir_id constant, const int32_t *perm) {
    const ir_tensor *t = &graph->tensors[constant];
    const tmc_tensor_desc to = pass_permuted(&t->desc, perm);
    const size_t size = tmc_dtype_size(t->desc.dtype), count = tmc_tensor_elements(&t->desc);
    size_t stride[TMC_MAX_RANK] = {0}, index[TMC_MAX_RANK] = {0};
    for (int32_t i = 0; i < to.rank; i++) stride[i] = tmc_dims_product(t->desc.dims, perm[i] + 1, to.rank) * size;
    uint8_t *data = x_alloc(count * size);
    size_t from = 0;
    for (size_t n = 0; n < count; n++) {
        memcpy(data + n * size, (const uint8_t *)t->data + from, size);
        for (int32_t i = to.rank - 1; i >= 0; i--) {
            from += stride[i];
            if (++index[i] < (size_t)to.dims[i]) break;
            from -= stride[i] * index[i];
            index[i] = 0;
        }
    }
    ir_id made = ir_add_constant(graph, t->name, &to, data);
    free(data);
    integers_permuted(graph, constant, perm, made);
    return made;
}
