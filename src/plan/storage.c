#include "plan/storage.h"

#include "base/checked.h"

void tmc_plan_work_carve(tmc_plan_work *work, const tmc_file_view *view, tmc_carver *carver) {
    const uint32_t tensors = view->tensor_count, nodes = view->node_count;
    work->needed = tmc_carve(carver, tensors, 1);
    work->live = tmc_carve(carver, nodes, 1);
    work->last_use = tmc_carve(carver, tensors, sizeof *work->last_use);
    work->output = tmc_carve(carver, tensors, sizeof *work->output);
    work->views = tmc_carve(carver, tensors, sizeof *work->views);
    work->still = tmc_carve(carver, nodes, 1);
    work->start = tmc_carve(carver, tensors, sizeof *work->start);
    work->storage_of = tmc_carve(carver, tensors, sizeof *work->storage_of);
    work->storages = tmc_carve(carver, tensors, sizeof *work->storages);
    work->items = tmc_carve(carver, (uint64_t)tensors + nodes, sizeof *work->items);
    work->arena_work = tmc_carve(carver, 1, tmc_arena_work_bytes(tensors + nodes));
}

static tmc_storage *start_storage(tmc_plan *plan, tmc_plan_work *work, uint32_t tensor, tmc_store store) {
    tmc_storage *s = &work->storages[work->storage_count];
    work->storage_of[tensor] = work->storage_count++;
    work->start[tensor] = 0;
    *s = (tmc_storage){.bytes = tmc_tensor_bytes(&plan->descs[tensor]),
                       .last = plan->node_count - 1,
                       .place = {.store = store, .offset = TMC_NO_OFFSET}};
    return s;
}

void tmc_storage_begin(tmc_plan *plan, tmc_plan_work *work) {
    const tmc_file_view *view = plan->view;
    work->storage_count = 0;
    for (uint32_t t = 0; t < view->tensor_count; t++) {
        work->storage_of[t] = TMC_FILE_NONE;
        if (view->tensors[t].role == TMC_ROLE_CONSTANT)
            start_storage(plan, work, t, TMC_STORE_WEIGHTS)->place.offset = view->tensors[t].data_offset;
    }
    for (uint32_t i = 0; i < view->graph->input_count; i++)
        start_storage(plan, work, tmc_plan_input_tensor(view, i), TMC_STORE_INPUT)->place.index = i;
}

static uint32_t storage_of_input(const tmc_plan_work *work, const tmc_step *node, uint32_t input) {
    uint32_t tensor = node->tensors[input];
    return tensor == TMC_FILE_NONE ? TMC_FILE_NONE : work->storage_of[tensor];
}

/* Overwriting `input` at this step loses nothing, and no other input reads its storage in another order. */
static bool may_overwrite(const tmc_plan_work *work, const tmc_step *node, uint32_t step, uint32_t input,
                          uint32_t mask) {
    uint32_t id = storage_of_input(work, node, input);
    if (id == TMC_FILE_NONE) return false;
    const tmc_storage *s = &work->storages[id];
    if (s->place.store != TMC_STORE_ARENA || s->last != step || node->op.inputs[input]->pitch) return false;
    for (uint32_t i = 0; i < node->op.input_count; i++) {
        if (storage_of_input(work, node, i) != id) continue;
        if (i >= 32 || !(mask >> i & 1) || node->op.inputs[i]->pitch) return false;
        if (work->start[node->tensors[i]] != work->start[node->tensors[input]]) return false;
    }
    return true;
}

/* The tensor fills its storage, so a graph output may take its place. */
static bool is_whole(const tmc_plan_work *work, uint32_t tensor, uint64_t bytes) {
    return work->start[tensor] == 0 && work->storages[work->storage_of[tensor]].bytes == bytes;
}

/* The input whose place output 0 can take, or TMC_FILE_NONE. */
static uint32_t shared_input(const tmc_plan_work *work, const tmc_step *node, uint32_t step, bool graph_output,
                             const tmc_op_setup *setup) {
    const uint64_t bytes = tmc_tensor_bytes(node->op.outputs[0]);
    if (setup->alias && !node->op.inputs[0]->pitch) {
        const tmc_storage *s = &work->storages[work->storage_of[node->tensors[0]]];
        if (tmc_tensor_bytes(node->op.inputs[0]) == bytes &&
            (!graph_output || (s->place.store == TMC_STORE_ARENA && is_whole(work, node->tensors[0], bytes))))
            return node->tensors[0];
    }
    for (uint32_t i = 0; i < 32 && i < node->op.input_count; i++) {
        if (!(setup->in_place_mask >> i & 1) || !may_overwrite(work, node, step, i, setup->in_place_mask)) continue;
        if (tmc_tensor_bytes(node->op.inputs[i]) != bytes) continue;
        if (!graph_output || is_whole(work, node->tensors[i], bytes)) return node->tensors[i];
    }
    return TMC_FILE_NONE;
}

static void join(tmc_plan_work *work, uint32_t tensor, uint32_t other, uint64_t start) {
    work->storage_of[tensor] = work->storage_of[other];
    work->start[tensor] = work->start[other] + start;
}

/* A tensor that neither overwrites nor aliases an input: in the storage of the whole that it is a part of, which the
 * first part starts, or in a storage of its own. */
static void give_storage(tmc_plan *plan, tmc_plan_work *work, uint32_t tensor, uint32_t step) {
    const tmc_tensor_view *view = &work->views[tensor];
    if (work->storage_of[view->whole] == TMC_FILE_NONE) {
        tmc_storage *s = start_storage(plan, work, view->whole, TMC_STORE_ARENA);
        s->first = step;
        s->last = work->last_use[view->whole];
    }
    if (view->whole != tensor) join(work, tensor, view->whole, view->start);
}

/* The graph output in the storage, if there is one, decides where it lies. */
static void mark_output(tmc_plan_work *work, uint32_t tensor) {
    if (work->output[tensor] == TMC_FILE_NONE) return;
    tmc_place *place = &work->storages[work->storage_of[tensor]].place;
    place->store = TMC_STORE_OUTPUT;
    place->index = work->output[tensor];
}

void tmc_storage_add_node(tmc_plan *plan, tmc_plan_work *work, uint32_t step, const tmc_op_setup *setup) {
    tmc_step *node = &plan->nodes[step];
    const uint32_t *outputs = node->tensors + node->op.input_count;
    for (uint32_t o = 0; o < node->op.output_count; o++) {
        const uint32_t tensor = outputs[o];
        uint32_t shared = TMC_FILE_NONE;
        if (o == 0 && work->views[tensor].whole == tensor)
            shared = shared_input(work, node, step, work->output[tensor] != TMC_FILE_NONE, setup);
        if (shared != TMC_FILE_NONE) {
            join(work, tensor, shared, 0);
            node->in_place = true;
        } else {
            give_storage(plan, work, tensor, step);
        }
        tmc_storage *s = &work->storages[work->storage_of[tensor]];
        if (work->last_use[tensor] > s->last) s->last = work->last_use[tensor];
        mark_output(work, work->views[tensor].whole);
    }
}

static bool in_arena(const tmc_plan *plan, const tmc_storage *s) {
    if (s->place.store == TMC_STORE_ARENA) return true;
    return s->place.store != TMC_STORE_WEIGHTS && !(plan->flags & TMC_PLAN_EXTERNAL_IO);
}

static uint32_t list_items(const tmc_plan *plan, tmc_plan_work *work, uint32_t *tensor_items) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < work->storage_count; i++) {
        const tmc_storage *s = &work->storages[i];
        if (in_arena(plan, s)) work->items[count++] = (tmc_arena_item){s->bytes, s->first, s->last, 0};
    }
    *tensor_items = count;
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (plan->nodes[i].scratch_bytes)
            work->items[count++] = (tmc_arena_item){plan->nodes[i].scratch_bytes, i, i, 0};
    return count;
}

void tmc_storage_finish(tmc_plan *plan, tmc_plan_work *work) {
    const tmc_arena_item *item = work->items;
    for (uint32_t i = 0; i < work->storage_count; i++) {
        tmc_storage *s = &work->storages[i];
        if (!in_arena(plan, s)) continue;
        s->place.offset = item->offset;
        uint64_t end = item->offset + tmc_round_up((size_t)item->bytes, TMC_ARENA_ALIGN);
        if (end > plan->activation_bytes) plan->activation_bytes = end;
        item++;
    }
    for (uint32_t i = 0; i < plan->node_count; i++) {
        tmc_step *node = &plan->nodes[i];
        if (!node->scratch_bytes) continue;
        node->scratch_offset = (item++)->offset;
        if (node->scratch_bytes > plan->scratch_bytes) plan->scratch_bytes = node->scratch_bytes;
    }
    for (uint32_t t = 0; t < plan->view->tensor_count; t++) {
        tmc_place *place = &plan->places[t];
        *place = (tmc_place){TMC_STORE_NONE, 0, 0, TMC_NO_OFFSET};
        if (work->storage_of[t] == TMC_FILE_NONE) continue;
        *place = work->storages[work->storage_of[t]].place;
        place->start = work->start[t];
        if (place->offset != TMC_NO_OFFSET) place->offset += place->start;
    }
}

uint64_t tmc_storage_bound(const tmc_plan *plan, tmc_plan_work *work) {
    uint32_t tensor_items;
    const uint32_t count = list_items(plan, work, &tensor_items);
    return tmc_arena_live(work->items, count, work->arena_work);
}

tmc_status tmc_storage_lay_out(tmc_plan *plan, tmc_plan_work *work, tmc_error *err) {
    uint32_t tensor_items;
    const uint32_t count = list_items(plan, work, &tensor_items);
    if (!tmc_arena_plan(work->items, count, work->arena_work, &plan->arena_bytes) || plan->arena_bytes > SIZE_MAX / 2)
        return tmc_fail(err, TMC_E_LIMIT, "the tensors of this graph do not fit into the address space");
    plan->live_bytes = tmc_arena_live(work->items, tensor_items, work->arena_work);
    return TMC_OK;
}
