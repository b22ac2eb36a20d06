#include <string.h>

#include "convert/pass_util.h"
#include "convert/passes.h"

/* reshape - transpose - reshape, as frameworks write operators that they have no name for. */
typedef struct sandwich {
    ir_id input, output; /* tensors */
    ir_id middle;        /* between the first reshape and the transposition */
    const int32_t *perm; /* of the middle's axes */
    int32_t rank, middle_rank;
} sandwich;

static bool find_sandwich(const ir_graph *graph, ir_id id, sandwich *s) {
    const ir_node *last = &graph->nodes[id];
    if (last->dead || last->op != TMC_OP_RESHAPE) return false;
    ir_id transpose = pass_producer(graph, last->inputs[0], TMC_OP_TRANSPOSE);
    if (transpose == IR_NONE) return false;
    s->middle = graph->nodes[transpose].inputs[0];
    s->perm = ((const tmc_shape_params *)graph->nodes[transpose].params)->dims;
    ir_id first = pass_producer(graph, s->middle, TMC_OP_RESHAPE);
    if (first == IR_NONE) return false;
    s->input = graph->nodes[first].inputs[0];
    s->output = last->outputs[0];
    s->rank = graph->tensors[s->input].desc.rank;
    s->middle_rank = graph->tensors[s->middle].desc.rank;
    return graph->tensors[s->output].desc.rank == s->rank;
}

static bool perm_is(const sandwich *s, const int32_t *perm, int32_t rank) {
    return s->middle_rank == rank && memcmp(s->perm, perm, (size_t)rank * sizeof *perm) == 0;
}

/* The permutation exchanges `axis` and the next and nothing else. */
static bool perm_swaps(const sandwich *s, int32_t axis) {
    for (int32_t i = 0; i < s->middle_rank; i++)
        if (s->perm[i] != (i == axis ? i + 1 : i == axis + 1 ? i - 1 : i)) return false;
    return axis + 1 < s->middle_rank;
}

/* The first reshape cuts `axis` of the input into two, [g, C / g], and leaves the axes before it as they are. Those
 * after it may be joined: they are not moved. */
static bool cuts_axis(const ir_graph *graph, const sandwich *s, int32_t axis) {
    const ir_tensor *in = &graph->tensors[s->input], *middle = &graph->tensors[s->middle];
    if (axis + 1 >= s->middle_rank) return false;
    for (int32_t i = 0; i < axis; i++)
        if (in->desc.dims[i] != middle->desc.dims[i] || in->alt.dims[i] != middle->alt.dims[i]) return false;
    return pass_dim_fixed(in, axis) && pass_dim_fixed(middle, axis) && pass_dim_fixed(middle, axis + 1) &&
           middle->desc.dims[axis] * middle->desc.dims[axis + 1] == in->desc.dims[axis];
}

/* transposition to channels-last, the operator, transposition back, in place of the sandwich's output. */
static tmc_status emit_channels_first(ir_graph *graph, const sandwich *s, uint16_t op, const tmc_block_params *params,
                                      tmc_error *err) {
    int32_t to[TMC_MAX_RANK], back[TMC_MAX_RANK];
    pass_perm_channels_last(s->rank, to);
    pass_perm_invert(to, s->rank, back);
    const char *name = tmc_op_schema_find(op)->name;
    ir_id output = s->output, moved, made, result;
    TMC_TRY(pass_add_transpose(graph, name, s->input, to, &moved, err));
    TMC_TRY(pass_add(graph, name, op, params, &moved, 1, IR_NONE, &made, err));
    TMC_TRY(pass_add_transpose(graph, name, made, back, &result, err));
    ir_replace_uses(graph, output, result);
    return TMC_OK;
}

static tmc_status rewrite_shuffle(ir_graph *graph, const sandwich *s, uint32_t *changes, tmc_error *err) {
    if (!pass_same_shape(&graph->tensors[s->input], &graph->tensors[s->output])) return TMC_OK;
    int32_t last = s->rank - 1;
    if (s->rank >= 3 && perm_swaps(s, 1) && cuts_axis(graph, s, 1)) {
        const tmc_block_params params = {.block = graph->tensors[s->middle].desc.dims[1]};
        TMC_TRY(emit_channels_first(graph, s, TMC_OP_CHANNEL_SHUFFLE, &params, err));
    } else if (s->middle_rank == s->rank + 1 && perm_swaps(s, last) && cuts_axis(graph, s, last)) {
        const tmc_block_params params = {.block = graph->tensors[s->middle].desc.dims[last]};
        TMC_TRY(
            pass_add(graph, "channel_shuffle", TMC_OP_CHANNEL_SHUFFLE, &params, &s->input, 1, s->output, NULL, err));
    } else {
        return TMC_OK;
    }
    ++*changes;
    return TMC_OK;
}

/* x [N,C,H,W] as [N,c,r,r,H,W] or [N,r,r,c,H,W] to [N,c,H,r,W,r], joined to [N,c,Hr,Wr]. */
static tmc_status rewrite_depth_to_space(ir_graph *graph, const sandwich *s, uint32_t *changes, tmc_error *err) {
    static const int32_t crd[6] = {0, 1, 4, 2, 5, 3}, dcr[6] = {0, 3, 4, 1, 5, 2};
    if (s->rank != 4 || !(perm_is(s, crd, 6) || perm_is(s, dcr, 6))) return TMC_OK;
    const bool is_crd = perm_is(s, crd, 6);
    const tmc_tensor_desc *in = &graph->tensors[s->input].desc, *middle = &graph->tensors[s->middle].desc,
                          *out = &graph->tensors[s->output].desc;
    const int32_t r = middle->dims[2], c = middle->dims[is_crd ? 1 : 3];
    if (middle->dims[is_crd ? 3 : 1] != r || in->dims[0] != middle->dims[0] || in->dims[1] != c * r * r ||
        in->dims[2] != middle->dims[4] || in->dims[3] != middle->dims[5] || out->dims[0] != in->dims[0] ||
        out->dims[1] != c || out->dims[2] != in->dims[2] * r || out->dims[3] != in->dims[3] * r)
        return TMC_OK;
    const tmc_block_params params = {.block = r, .mode = is_crd ? TMC_BLOCK_CRD : TMC_BLOCK_DCR};
    TMC_TRY(emit_channels_first(graph, s, TMC_OP_DEPTH_TO_SPACE, &params, err));
    ++*changes;
    return TMC_OK;
}

tmc_status pass_recognise_shuffle(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    uint32_t count = graph->node_count;
    for (ir_id id = 0; id < count; id++) {
        sandwich s;
        if (!find_sandwich(graph, id, &s) || !ir_use_count(graph, s.output)) continue;
        TMC_TRY(rewrite_shuffle(graph, &s, changes, err));
        if (ir_use_count(graph, s.output)) TMC_TRY(rewrite_depth_to_space(graph, &s, changes, err));
    }
    return TMC_OK;
}

/* A concat of two equal halves that only a shuffle of two groups reads becomes the shuffle's own: one pass over memory
 * instead of two. */
static bool join_halves(ir_graph *graph, ir_id id) {
    const ir_node *shuffle = &graph->nodes[id];
    if (shuffle->dead || shuffle->op != TMC_OP_CHANNEL_SHUFFLE || shuffle->input_count != 1 ||
        ((const tmc_block_params *)shuffle->params)->block != 2)
        return false;
    const ir_id joined = shuffle->inputs[0], concat = pass_producer(graph, joined, TMC_OP_CONCAT);
    if (concat == IR_NONE || pass_only_user(graph, joined) != id) return false;
    const ir_node *node = &graph->nodes[concat];
    if (node->input_count != 2) return false;
    const ir_id a = node->inputs[0], b = node->inputs[1];
    const int32_t last = graph->tensors[joined].desc.rank - 1;
    if (((const tmc_axis_params *)node->params)->axis != last ||
        !pass_same_shape(&graph->tensors[a], &graph->tensors[b]))
        return false;
    ir_set_input(graph, id, 0, a);
    ir_append_input(graph, id, b);
    return true;
}

tmc_status pass_join_shuffle(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    (void)err;
    for (ir_id id = 0; id < graph->node_count; id++) *changes += join_halves(graph, id);
    return TMC_OK;
}
