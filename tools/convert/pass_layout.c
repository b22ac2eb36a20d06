/* Moves transpositions until they cancel.
 *
 * A region is a set of tensors joined by nodes that work at any order of axes. Its tensors can be permuted together by
 * some permutation P: a transposition at the region's border is composed with P and may vanish; elsewhere at the border
 * a transposition may have to be put in. The pass permutes a region where that makes the bytes that transpositions move
 * fewer, until no region is left where it does. Inputs and outputs of the model are permuted at no cost from channels
 * first to channels last (and back): the file says the layout. */
#include "convert/pass_layout.h"

#include <stdlib.h>
#include <string.h>

#include "convert/memory.h"
#include "convert/pass_util.h"
#include "convert/passes.h"

#define MAX_CANDIDATES 8

typedef struct regions {
    ir_graph *graph;
    uint32_t tensor_count, node_count; /* when the regions were found; later ones belong to none */
    ir_id *root;                       /* of each tensor, union-find */
    int32_t *agnostic;                 /* rank of each node, 0: no */
    ir_id *members, *first;            /* tensors sorted by root; first[i]: first member of the i-th region */
    uint32_t region_count;
} regions;

typedef struct candidates {
    int32_t perm[MAX_CANDIDATES][TMC_MAX_RANK];
    uint32_t count;
} candidates;

/* ------------------------------------------------------------------------------------------------ finding regions */

static ir_id find_root(ir_id *root, ir_id i) {
    while (root[i] != i) i = root[i] = root[root[i]];
    return i;
}

static bool is_member(const ir_graph *graph, ir_id tensor, int32_t rank) {
    const ir_tensor *t = &graph->tensors[tensor];
    return !t->data && t->desc.rank == rank;
}

static void join_node(regions *r, ir_id id) {
    const ir_node *node = &r->graph->nodes[id];
    const int32_t rank = r->agnostic[id];
    ir_id root = find_root(r->root, node->outputs[0]);
    for (uint32_t i = 1; i < node->output_count; i++) r->root[find_root(r->root, node->outputs[i])] = root;
    for (uint32_t i = 0; i < node->input_count; i++)
        if (is_member(r->graph, node->inputs[i], rank)) r->root[find_root(r->root, node->inputs[i])] = root;
}

/* Counting sort of the live tensors by root. */
static void collect_members(regions *r) {
    ir_id *start = x_alloc((r->tensor_count + 1u) * sizeof *start);
    for (ir_id i = 0; i < r->tensor_count; i++) start[find_root(r->root, i) + 1u]++;
    r->first = x_alloc((r->tensor_count + 1u) * sizeof *r->first);
    for (ir_id i = 0; i < r->tensor_count; i++) {
        if (start[i + 1u]) r->first[r->region_count++] = start[i];
        start[i + 1u] += start[i];
    }
    r->first[r->region_count] = r->tensor_count;
    r->members = x_alloc(r->tensor_count * sizeof *r->members);
    for (ir_id i = 0; i < r->tensor_count; i++) r->members[start[find_root(r->root, i)]++] = i;
    free(start);
}

static void find_regions(regions *r, ir_graph *graph) {
    *r = (regions){.graph = graph, .tensor_count = graph->tensor_count, .node_count = graph->node_count};
    r->root = x_alloc(r->tensor_count * sizeof *r->root);
    r->agnostic = x_alloc(r->node_count * sizeof *r->agnostic);
    for (ir_id i = 0; i < r->tensor_count; i++) r->root[i] = i;
    for (ir_id id = 0; id < r->node_count; id++) {
        if (graph->nodes[id].dead) continue;
        r->agnostic[id] = layout_agnostic_rank(graph, &graph->nodes[id]);
        if (r->agnostic[id]) join_node(r, id);
    }
    collect_members(r);
}

static void free_regions(regions *r) {
    free(r->root);
    free(r->agnostic);
    free(r->members);
    free(r->first);
}

static bool is_agnostic(const regions *r, ir_id node) { return node < r->node_count && r->agnostic[node]; }

/* ------------------------------------------------------------------------------------------------------------ costs */

static int32_t *transposition(const ir_graph *graph, ir_id node) {
    if (node == IR_NONE || graph->nodes[node].op != TMC_OP_TRANSPOSE) return NULL;
    return ((tmc_shape_params *)graph->nodes[node].params)->dims;
}

/* Bytes that a transposition of this tensor moves; 1 where it is a reshape in truth, 0 where it is nothing. */
static int64_t weight(const ir_tensor *input, const int32_t *perm) {
    if (pass_perm_is_identity(perm, input->desc.rank)) return 0;
    return pass_perm_moves_no_data(input, perm) ? 1 : (int64_t)tmc_tensor_bytes(&input->desc);
}

/* The transposition `perm` in front of a tensor that is permuted by `by`: out[i] = perm[by[i]]. */
static void compose(const int32_t *perm, const int32_t *by, int32_t rank, int32_t *out) {
    for (int32_t i = 0; i < rank; i++) out[i] = perm[by[i]];
}

/* Layout of a model's input or output after a permutation that the file's layout field can express; -1 if it cannot. */
static int permuted_layout(const ir_tensor *t, const int32_t *perm) {
    const int32_t rank = t->desc.rank;
    int32_t last[TMC_MAX_RANK] = {0}, first[TMC_MAX_RANK] = {0};
    if (rank < 3 || rank > 5) return -1;
    pass_perm_channels_last(rank, last);
    pass_perm_invert(last, rank, first);
    const size_t bytes = (size_t)rank * sizeof *perm;
    if (t->layout == TMC_LAYOUT_PLAIN && memcmp(perm, last, bytes) == 0) return TMC_LAYOUT_CHANNELS_LAST;
    if (t->layout == TMC_LAYOUT_CHANNELS_LAST && memcmp(perm, first, bytes) == 0) return TMC_LAYOUT_PLAIN;
    return -1;
}

/* A transposition from a region into itself, as in x + transpose(x): both its ends are permuted. */
static bool is_inner(const regions *r, ir_id node) {
    const ir_id in = r->graph->nodes[node].inputs[0], out = r->graph->nodes[node].outputs[0];
    if (in >= r->tensor_count || out >= r->tensor_count) return false;
    return find_root(r->root, in) == find_root(r->root, out);
}

static int64_t inner_gain(const ir_tensor *source, const int32_t *before, const int32_t *perm) {
    const int32_t rank = source->desc.rank;
    int32_t inverse[TMC_MAX_RANK] = {0}, half[TMC_MAX_RANK], after[TMC_MAX_RANK];
    ir_tensor permuted = *source;
    permuted.desc = pass_permuted(&source->desc, perm);
    permuted.alt = pass_permuted(&source->alt, perm);
    pass_perm_invert(perm, rank, inverse);
    compose(inverse, before, rank, half);
    compose(half, perm, rank, after);
    return weight(source, before) - weight(&permuted, after);
}

static int64_t producer_gain(const regions *r, const ir_tensor *t, const int32_t *perm) {
    const ir_graph *graph = r->graph;
    if (t->is_input) return permuted_layout(t, perm) >= 0 ? 0 : -weight(t, perm);
    if (t->producer == IR_NONE || is_agnostic(r, t->producer)) return 0;
    const ir_node *producer = &graph->nodes[t->producer];
    const int32_t *before = transposition(graph, t->producer);
    if (before) {
        int32_t after[TMC_MAX_RANK];
        const ir_tensor *source = &graph->tensors[producer->inputs[0]];
        if (is_inner(r, t->producer)) return inner_gain(source, before, perm);
        compose(before, perm, t->desc.rank, after);
        return weight(source, before) - weight(source, after);
    }
    return -weight(t, perm);
}

/* A transposition that reads the tensor is, once this one is permuted, the inverse followed by it. */
static int64_t reader_gain(const ir_tensor *t, const int32_t *before, const int32_t *perm, const int32_t *inverse) {
    int32_t after[TMC_MAX_RANK];
    ir_tensor permuted = *t;
    permuted.desc = pass_permuted(&t->desc, perm);
    permuted.alt = pass_permuted(&t->alt, perm);
    compose(inverse, before, t->desc.rank, after);
    return weight(t, before) - weight(&permuted, after);
}

static int64_t tensor_gain(const regions *r, ir_id id, const int32_t *perm) {
    const ir_graph *graph = r->graph;
    const ir_tensor *t = &graph->tensors[id];
    int32_t inverse[TMC_MAX_RANK] = {0};
    pass_perm_invert(perm, t->desc.rank, inverse);
    int64_t gain = producer_gain(r, t, perm);
    bool back = t->is_output && permuted_layout(t, perm) < 0;
    for (uint32_t i = 0; i < t->user_count; i++) {
        ir_id user = t->users[i];
        if (is_agnostic(r, user)) continue;
        const int32_t *before = transposition(graph, user);
        if (before)
            gain += reader_gain(t, before, perm, inverse);
        else if (!layout_can_read(graph, user, id, perm))
            back = true;
    }
    return back ? gain - weight(t, perm) : gain;
}

/* ------------------------------------------------------------------------------------------------- permuting a region
 */

/* Puts a transposition between a tensor and all that use it; returns its output. */
static tmc_status insert_after(ir_graph *graph, ir_id tensor, const int32_t *perm, ir_id *output, tmc_error *err) {
    TMC_TRY(pass_add_transpose(graph, "transpose", tensor, perm, output, err));
    ir_replace_uses(graph, tensor, *output);
    ir_set_input(graph, graph->node_count - 1, 0, tensor);
    return TMC_OK;
}

static void permute_tensor(ir_tensor *t, const int32_t *perm) {
    tmc_tensor_desc largest = t->desc;
    memcpy(largest.dims, t->dims_max, sizeof largest.dims);
    largest = pass_permuted(&largest, perm);
    memcpy(t->dims_max, largest.dims, sizeof t->dims_max);
    t->desc = pass_permuted(&t->desc, perm);
    t->alt = pass_permuted(&t->alt, perm);
}

/* Makes *tensor permuted, by what makes it or by a transposition after it. */
static tmc_status permute_producer(const regions *r, ir_id *tensor, const int32_t *perm, tmc_error *err) {
    ir_graph *graph = r->graph;
    ir_tensor *t = &graph->tensors[*tensor];
    int32_t *before = transposition(graph, t->producer);
    const int layout = permuted_layout(t, perm);
    if (before) {
        int32_t after[TMC_MAX_RANK];
        compose(before, perm, t->desc.rank, after);
        memcpy(before, after, (size_t)t->desc.rank * sizeof *after);
    } else if (t->is_input ? layout < 0 : !is_agnostic(r, t->producer)) {
        return insert_after(graph, *tensor, perm, tensor, err);
    }
    if (t->is_input) t->layout = (uint8_t)layout;
    permute_tensor(t, perm);
    return TMC_OK;
}

typedef struct restored {
    ir_id tensor; /* the permuted tensor */
    ir_id back;   /* it in its old order, IR_NONE as long as nobody needs it */
    int32_t inverse[TMC_MAX_RANK];
} restored;

static tmc_status restore(ir_graph *graph, restored *r, tmc_error *err) {
    if (r->back != IR_NONE) return TMC_OK;
    return pass_add_transpose(graph, "transpose", r->tensor, r->inverse, &r->back, err);
}

static tmc_status permute_reader(const regions *r, ir_id user, restored *t, const int32_t *perm, bool can_read,
                                 tmc_error *err) {
    ir_graph *graph = r->graph;
    int32_t *before = transposition(graph, user);
    if (before) {
        int32_t after[TMC_MAX_RANK];
        const int32_t rank = graph->tensors[t->tensor].desc.rank;
        compose(t->inverse, before, rank, after);
        memcpy(before, after, (size_t)rank * sizeof *after);
    } else if (can_read) {
        layout_read_permuted(graph, user, t->tensor, perm);
    } else {
        TMC_TRY(restore(graph, t, err));
        for (uint32_t i = 0; i < graph->nodes[user].input_count; i++)
            if (graph->nodes[user].inputs[i] == t->tensor) ir_set_input(graph, user, i, t->back);
    }
    return TMC_OK;
}

static tmc_status permute_output(ir_graph *graph, restored *t, int layout, tmc_error *err) {
    if (layout >= 0) {
        graph->tensors[t->tensor].layout = (uint8_t)layout;
        return TMC_OK;
    }
    TMC_TRY(restore(graph, t, err));
    /* Only the model's output moves to the restored tensor; the readers were served before. */
    const ir_tensor *from = &graph->tensors[t->tensor];
    uint32_t count = from->user_count;
    ir_id *users = x_alloc(count * sizeof *users);
    if (count) memcpy(users, from->users, count * sizeof *users);
    ir_replace_uses(graph, t->tensor, t->back);
    for (uint32_t u = 0; u < count; u++)
        for (uint32_t i = 0; i < graph->nodes[users[u]].input_count; i++)
            if (graph->nodes[users[u]].inputs[i] == t->back) ir_set_input(graph, users[u], i, t->tensor);
    free(users);
    return TMC_OK;
}

static tmc_status permute_member(const regions *r, ir_id id, const int32_t *perm, tmc_error *err) {
    ir_graph *graph = r->graph;
    const ir_tensor *t = &graph->tensors[id];
    const int layout = permuted_layout(t, perm);
    uint32_t count = t->user_count;
    ir_id *users = x_alloc(count * sizeof *users);
    bool *can_read = x_alloc(count * sizeof *can_read);
    for (uint32_t i = 0; i < count; i++) {
        users[i] = t->users[i];
        can_read[i] = layout_can_read(graph, users[i], id, perm); /* asked while the tensor is as it was */
    }
    restored now = {.tensor = id, .back = IR_NONE};
    pass_perm_invert(perm, t->desc.rank, now.inverse);
    tmc_status status = permute_producer(r, &now.tensor, perm, err);
    for (uint32_t i = 0; status == TMC_OK && i < count; i++)
        if (!is_agnostic(r, users[i])) status = permute_reader(r, users[i], &now, perm, can_read[i], err);
    if (status == TMC_OK && graph->tensors[now.tensor].is_output) status = permute_output(graph, &now, layout, err);
    free(users);
    free(can_read);
    return status;
}

static tmc_status permute_region(const regions *r, uint32_t from, uint32_t to, const int32_t *perm, tmc_error *err) {
    for (uint32_t i = from; i < to; i++) {
        ir_id producer = r->graph->tensors[r->members[i]].producer;
        /* Once per node: at its first output. */
        if (producer != IR_NONE && is_agnostic(r, producer) && r->graph->nodes[producer].outputs[0] == r->members[i])
            layout_permute_node(r->graph, producer, perm);
    }
    for (uint32_t i = from; i < to; i++) TMC_TRY(permute_member(r, r->members[i], perm, err));
    return TMC_OK;
}

/* ------------------------------------------------------------------------------------------------------- the choice */

static void add_candidate(candidates *c, const int32_t *perm, int32_t rank) {
    const size_t bytes = (size_t)rank * sizeof *perm;
    if (pass_perm_is_identity(perm, rank) || c->count == MAX_CANDIDATES) return;
    for (uint32_t i = 0; i < c->count; i++)
        if (memcmp(c->perm[i], perm, bytes) == 0) return;
    memcpy(c->perm[c->count++], perm, bytes);
}

/* The permutations that make a transposition at the border vanish. */
static void find_candidates(const regions *r, uint32_t from, uint32_t to, candidates *c) {
    c->count = 0;
    for (uint32_t m = from; m < to; m++) {
        const ir_tensor *t = &r->graph->tensors[r->members[m]];
        const int32_t *perm = transposition(r->graph, t->producer);
        if (perm) {
            int32_t inverse[TMC_MAX_RANK] = {0};
            pass_perm_invert(perm, t->desc.rank, inverse);
            add_candidate(c, inverse, t->desc.rank);
        }
        for (uint32_t i = 0; i < t->user_count; i++)
            if ((perm = transposition(r->graph, t->users[i]))) add_candidate(c, perm, t->desc.rank);
    }
}

static tmc_status improve_region(const regions *r, uint32_t region, uint32_t *changes, tmc_error *err) {
    const uint32_t from = r->first[region], to = r->first[region + 1];
    const int32_t *best = NULL;
    int64_t best_gain = 0;
    candidates c;
    if (r->graph->tensors[r->members[from]].data) return TMC_OK; /* a constant is in no region but its own */
    find_candidates(r, from, to, &c);
    for (uint32_t i = 0; i < c.count; i++) {
        int64_t gain = 0;
        for (uint32_t m = from; m < to; m++) gain += tensor_gain(r, r->members[m], c.perm[i]);
        if (gain <= best_gain) continue;
        best_gain = gain;
        best = c.perm[i];
    }
    if (!best) return TMC_OK;
    ++*changes;
    return permute_region(r, from, to, best, err);
}

static tmc_status sweep(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    regions r;
    tmc_status status = TMC_OK;
    find_regions(&r, graph);
    for (uint32_t i = 0; status == TMC_OK && i < r.region_count; i++) status = improve_region(&r, i, changes, err);
    free_regions(&r);
    return status;
}

/* Each step makes the transposed bytes fewer, so the sweeps end; the bound is for a defect in that argument. */
tmc_status pass_layout(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    uint32_t ignored = 0;
    for (uint32_t sweeps = graph->node_count + 1; sweeps; sweeps--) {
        const uint32_t before = *changes;
        TMC_TRY(sweep(graph, changes, err));
        if (*changes == before) return TMC_OK;
        TMC_TRY(pass_remove_dead(graph, &ignored, err));
        TMC_TRY(pass_remove_identity(graph, &ignored, err));
        TMC_TRY(pass_remove_dead(graph, &ignored, err));
        TMC_TRY(ir_infer_all(graph, err));
    }
    return tmc_fail(err, TMC_E_INTERNAL, "the layout pass does not come to rest");
}
