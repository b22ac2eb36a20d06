#include <stdlib.h>
#include <string.h>

#include "convert/integers.h"
#include "convert/memory.h"
#include "convert/pass_layout.h"
#include "convert/pass_util.h"

static bool all_ones(const ir_tensor *t) {
    for (int32_t i = 0; i < t->desc.rank; i++)
        if (!pass_dim_is(t, i, 1)) return false;
    return true;
}

/* Operands that broadcast: of full rank, or constants, or of one element whatever the axes are. */
static bool operands_fit(const ir_graph *graph, const ir_node *node, int32_t rank) {
    bool image = false;
    for (uint32_t i = 0; i < node->input_count; i++) {
        const ir_tensor *t = &graph->tensors[node->inputs[i]];
        if (t->data) continue;
        if (t->desc.rank == rank)
            image = true;
        else if (!all_ones(t))
            return false;
    }
    return image;
}

static bool first_is_image(const ir_graph *graph, const ir_node *node, int32_t rank) {
    const ir_tensor *t = &graph->tensors[node->inputs[0]];
    return !t->data && t->desc.rank == rank;
}

int32_t layout_agnostic_rank(const ir_graph *graph, const ir_node *node) {
    int32_t rank = graph->tensors[node->outputs[0]].desc.rank;
    bool fits = false;
    switch (node->op) {
    case TMC_OP_BINARY:
    case TMC_OP_SELECT:
    case TMC_OP_CONCAT: fits = operands_fit(graph, node, rank); break;
    case TMC_OP_UNARY:
    case TMC_OP_CAST:
    case TMC_OP_QUANTIZE:
    case TMC_OP_DEQUANTIZE:
    case TMC_OP_TABLE:
    case TMC_OP_SPLIT:
    case TMC_OP_SLICE:
    case TMC_OP_PAD:
    case TMC_OP_SOFTMAX:
    case TMC_OP_RESIZE:
    case TMC_OP_TILE: fits = first_is_image(graph, node, rank); break;
    case TMC_OP_EXPAND:
        fits = first_is_image(graph, node, rank) && ((const tmc_shape_params *)node->params)->rank == rank;
        break;
    case TMC_OP_REDUCE:
        fits = first_is_image(graph, node, rank) && ((const tmc_reduce_params *)node->params)->keep_dims;
        break;
    case TMC_OP_ARG_MAX:
    case TMC_OP_ARG_MIN:
        fits = first_is_image(graph, node, rank) && ((const tmc_arg_params *)node->params)->keep_dims;
        break;
    case TMC_OP_GATHER:
        fits = first_is_image(graph, node, rank) && ir_is_constant(graph, node->inputs[1]) &&
               graph->tensors[node->inputs[1]].desc.rank == 1;
        break;
    default: break;
    }
    return fits && rank >= 2 ? rank : 0;
}

/* ---------------------------------------------------------------------------------------------------- permuting */

static void permute_words(int32_t *words, int32_t rank, const int32_t *perm) {
    int32_t old[TMC_MAX_RANK];
    memcpy(old, words, (size_t)rank * sizeof *old);
    for (int32_t i = 0; i < rank; i++) words[i] = old[perm[i]];
}

static void permute_floats(float *values, int32_t rank, const int32_t *perm) {
    float old[TMC_MAX_RANK];
    memcpy(old, values, (size_t)rank * sizeof *old);
    for (int32_t i = 0; i < rank; i++) values[i] = old[perm[i]];
}

static int32_t permute_mask(int32_t mask, int32_t rank, const int32_t *perm) {
    int32_t out = 0;
    for (int32_t i = 0; i < rank; i++)
        if (mask >> perm[i] & 1) out |= 1 << i;
    return out;
}

static int32_t permute_axis(int32_t axis, int32_t rank, const int32_t *perm) {
    int32_t inverse[TMC_MAX_RANK] = {0};
    pass_perm_invert(perm, rank, inverse);
    return inverse[axis];
}

/* Constants of lower rank get the leading axes of extent 1 that broadcasting gives them. */
static void permute_constants(ir_graph *graph, ir_id node, int32_t rank, const int32_t *perm) {
    for (uint32_t i = 0; i < graph->nodes[node].input_count; i++) {
        ir_id input = graph->nodes[node].inputs[i];
        const ir_tensor *t = &graph->tensors[input];
        if (!t->data || tmc_tensor_elements(&t->desc) == 1) continue;
        tmc_tensor_desc desc = t->desc;
        int32_t missing = rank - desc.rank;
        for (int32_t d = rank - 1; d >= 0; d--) desc.dims[d] = d < missing ? 1 : desc.dims[d - missing];
        desc.rank = rank;
        ir_id full = ir_add_constant(graph, t->name, &desc, t->data);
        integers_reshaped(graph, input, full);
        ir_set_input(graph, node, i, pass_permuted_constant(graph, full, perm));
    }
}

void layout_permute_node(ir_graph *graph, ir_id id, const int32_t *perm) {
    ir_node *node = &graph->nodes[id];
    const int32_t rank = graph->tensors[node->outputs[0]].desc.rank;
    switch (node->op) {
    case TMC_OP_BINARY:
    case TMC_OP_SELECT: permute_constants(graph, id, rank, perm); break;
    case TMC_OP_CONCAT: {
        tmc_axis_params *p = node->params;
        p->axis = permute_axis(p->axis, rank, perm);
        permute_constants(graph, id, rank, perm);
        break;
    }
    case TMC_OP_GATHER: {
        tmc_axis_params *p = node->params;
        p->axis = permute_axis(p->axis, rank, perm);
        break;
    }
    case TMC_OP_SPLIT: {
        tmc_split_params *p = node->params;
        p->axis = permute_axis(p->axis, rank, perm);
        break;
    }
    case TMC_OP_SOFTMAX: {
        tmc_softmax_params *p = node->params;
        p->axis = permute_axis(p->axis, rank, perm);
        break;
    }
    case TMC_OP_ARG_MAX:
    case TMC_OP_ARG_MIN: {
        tmc_arg_params *p = node->params;
        p->axis = permute_axis(p->axis, rank, perm);
        break;
    }
    case TMC_OP_REDUCE: {
        tmc_reduce_params *p = node->params;
        p->axes = permute_mask(p->axes, rank, perm);
        break;
    }
    case TMC_OP_SLICE: {
        tmc_slice_params *p = node->params;
        permute_words(p->begin, rank, perm);
        permute_words(p->end, rank, perm);
        permute_words(p->step, rank, perm);
        break;
    }
    case TMC_OP_PAD: {
        tmc_pad_params *p = node->params;
        permute_words(p->begin, rank, perm);
        permute_words(p->end, rank, perm);
        break;
    }
    case TMC_OP_EXPAND:
    case TMC_OP_TILE: permute_words(((tmc_shape_params *)node->params)->dims, rank, perm); break;
    case TMC_OP_RESIZE: {
        tmc_resize_params *p = node->params;
        permute_words(p->sizes, rank, perm);
        permute_floats(p->scales, rank, perm);
        permute_floats(p->roi_begin, rank, perm);
        permute_floats(p->roi_end, rank, perm);
        break;
    }
    default: break; /* unary, cast, quantize: element by element */
    }
}

/* ------------------------------------------------------------------------------------- readers that need no permuting
 */

/* The axes that a reduction over `axes` leaves stand in the same order after the permutation. */
static bool keeps_order(const ir_tensor *t, int32_t axes, const int32_t *perm) {
    int32_t last = -1;
    for (int32_t i = 0; i < t->desc.rank; i++) {
        if (axes >> perm[i] & 1) continue;
        if (perm[i] < last) return false;
        last = perm[i];
    }
    return true;
}

/* First axis of the input that a flattening joins, with all after it, to its last output axis; 0 if it is none. */
static int32_t flattened_from(const ir_tensor *in, const ir_tensor *out) {
    int32_t from = out->desc.rank - 1;
    if (from < 1 || from >= in->desc.rank) return 0;
    for (int32_t i = 0; i < from; i++)
        if (in->desc.dims[i] != out->desc.dims[i] || in->alt.dims[i] != out->alt.dims[i]) return 0;
    for (int32_t i = from; i < in->desc.rank; i++)
        if (!pass_dim_fixed(in, i)) return 0;
    return from;
}

static bool only_read_by_dense_weights(const ir_graph *graph, ir_id tensor) {
    const ir_tensor *t = &graph->tensors[tensor];
    if (t->is_output || !t->user_count) return false;
    for (uint32_t i = 0; i < t->user_count; i++) {
        const ir_node *user = &graph->nodes[t->users[i]];
        if (user->op != TMC_OP_FULLY_CONNECTED || !pass_floats(graph, user->inputs[1])) return false;
    }
    return true;
}

static bool can_permute_flattened(const ir_graph *graph, const ir_node *reshape, const ir_tensor *in,
                                  const int32_t *perm) {
    int32_t from = flattened_from(in, &graph->tensors[reshape->outputs[0]]);
    for (int32_t i = 0; i < from; i++)
        if (perm[i] != i) return false;
    return from && only_read_by_dense_weights(graph, reshape->outputs[0]);
}

static bool can_reshape_permuted(const ir_graph *graph, const ir_node *reshape, const ir_tensor *in,
                                 const int32_t *perm) {
    ir_tensor permuted = *in;
    tmc_shape_params params;
    permuted.desc = pass_permuted(&in->desc, perm);
    permuted.alt = pass_permuted(&in->alt, perm);
    if (!pass_reshape_params(&permuted, &graph->tensors[reshape->outputs[0]], &params)) return false;
    return pass_perm_moves_no_data(in, perm) || can_permute_flattened(graph, reshape, in, perm);
}

bool layout_can_read(const ir_graph *graph, ir_id id, ir_id tensor, const int32_t *perm) {
    const ir_node *node = &graph->nodes[id];
    const ir_tensor *t = &graph->tensors[tensor];
    switch (node->op) {
    case TMC_OP_RESHAPE: return can_reshape_permuted(graph, node, t, perm);
    case TMC_OP_REDUCE: {
        const tmc_reduce_params *p = node->params;
        return !p->keep_dims && keeps_order(t, p->axes, perm);
    }
    case TMC_OP_ARG_MAX:
    case TMC_OP_ARG_MIN: {
        const tmc_arg_params *p = node->params;
        return !p->keep_dims && keeps_order(t, 1 << p->axis, perm);
    }
    default: return false;
    }
}

/* Columns of the weights behind a flattening in the order in which the permuted tensor is flattened. */
static void permute_columns(ir_graph *graph, ir_id fully_connected, const ir_tensor *permuted, int32_t from,
                            const int32_t *perm) {
    ir_id weights = graph->nodes[fully_connected].inputs[1];
    const ir_tensor *w = &graph->tensors[weights];
    const tmc_tensor_desc flat = w->desc;
    int32_t inverse[TMC_MAX_RANK] = {0}, columns[TMC_MAX_RANK] = {0};
    const int32_t rank = permuted->desc.rank;
    pass_perm_invert(perm, rank, inverse);
    tmc_tensor_desc cut = {.dtype = TMC_F32, .rank = 1 + rank - from};
    cut.dims[0] = flat.dims[0];
    for (int32_t i = from; i < rank; i++) {
        cut.dims[1 + i - from] = permuted->desc.dims[inverse[i]]; /* as it was before */
        columns[1 + i - from] = 1 + perm[i] - from;
    }
    ir_id parted = ir_add_constant(graph, w->name, &cut, w->data);
    integers_reshaped(graph, weights, parted);
    ir_id moved = pass_permuted_constant(graph, parted, columns);
    ir_id made = ir_add_constant(graph, graph->tensors[weights].name, &flat, graph->tensors[moved].data);
    integers_reshaped(graph, moved, made);
    ir_set_input(graph, fully_connected, 1, made);
}

static void reshape_permuted(ir_graph *graph, ir_node *node, ir_id tensor, const int32_t *perm) {
    ir_tensor before = graph->tensors[tensor];
    const ir_tensor permuted = before;
    int32_t inverse[TMC_MAX_RANK] = {0};
    pass_perm_invert(perm, permuted.desc.rank, inverse);
    before.desc = pass_permuted(&permuted.desc, inverse);
    before.alt = pass_permuted(&permuted.alt, inverse);

    const ir_tensor *out = &graph->tensors[node->outputs[0]];
    pass_reshape_params(&permuted, out, node->params);
    if (pass_perm_moves_no_data(&before, perm)) return;
    int32_t from = flattened_from(&before, out);
    uint32_t count = out->user_count;
    ir_id *users = x_alloc(count * sizeof *users);
    memcpy(users, out->users, count * sizeof *users);
    for (uint32_t i = 0; i < count; i++) permute_columns(graph, users[i], &permuted, from, perm);
    free(users);
}

void layout_read_permuted(ir_graph *graph, ir_id id, ir_id tensor, const int32_t *perm) {
    ir_node *node = &graph->nodes[id];
    const int32_t rank = graph->tensors[tensor].desc.rank;
    if (node->op == TMC_OP_RESHAPE) {
        reshape_permuted(graph, node, tensor, perm);
    } else if (node->op == TMC_OP_REDUCE) {
        tmc_reduce_params *p = node->params;
        p->axes = permute_mask(p->axes, rank, perm);
    } else {
        tmc_arg_params *p = node->params;
        p->axis = permute_axis(p->axis, rank, perm);
    }
}
