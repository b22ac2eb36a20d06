#include "plan/storage.h"

void tmc_plan_work_carve(tmc_plan_work *work, const tmc_file_view *view, tmc_carver *carver) {
    const uint32_t tensors = view->tensor_count, nodes = view->node_count;
    work->needed = tmc_carve(carver, tensors, 1);
    work->live = tmc_carve(carver, nodes, 1);
    work->last_use = tmc_carve(carver, tensors, sizeof *work->last_use);
    work->output = tmc_carve(carver, tensors, sizeof *work->output);
    work->storage_of = tmc_carve(carver, tensors, sizeof *work->storage_of);
    work->storages = tmc_carve(carver, tensors, sizeof *work->storages);
    work->items = tmc_carve(carver, (uint64_t)tensors + nodes, sizeof *work->items);
    work->arena_work = tmc_carve(carver, 1, tmc_arena_work_bytes(tensors + nodes));
}

static tmc_storage *start_storage(tmc_plan *plan, tmc_plan_work *work, uint32_t tensor, tmc_store store) {
    tmc_storage *s = &work->storages[work->storage_count];
    work->storage_of[tensor] = work->storage_count++;
    *s = (tmc_storage){.bytes = tmc_tensor_bytes(&plan->descs[tensor]),
                       .last = plan->node_count - 1,
                       .place = {.store = store, .offset = TMC_NO_OFFSET}};
    return s;
}

void tmc_storage_begin(tmc_plan *plan, tmc_plan_work *work) {
    const tmc_file_view *view = plan->view;
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

/* Overwriting the storage of `input` at this step loses nothing, and no other input reads it in another order. */
static bool may_overwrite(const tmc_plan_work *work, const tmc_step *node, uint32_t step, uint32_t input,
                          uint32_t mask) {
    uint32_t id = storage_of_input(work, node, input);
    if (id == TMC_FILE_NONE) return false;
    const tmc_storage *s = &work->storages[id];
    if (s->place.store != TMC_STORE_ARENA || s->last != step) return false;
    for (uint32_t i = 0; i < node->op.input_count; i++)
        if (storage_of_input(work, node, i) == id && (i >= 32 || !(mask >> i & 1))) return false;
    return true;
}

/* The storage that output 0 can join, or TMC_FILE_NONE. */
static uint32_t shared_storage(const tmc_plan_work *work, const tmc_step *node, uint32_t step, uint64_t bytes,
                               bool graph_output, const tmc_op_setup *setup) {
    if (setup->alias) {
        uint32_t id = storage_of_input(work, node, 0);
        if (work->storages[id].bytes == bytes && (!graph_output || work->storages[id].place.store == TMC_STORE_ARENA))
            return id;
    }
    for (uint32_t i = 0; i < 32 && i < node->op.input_count; i++) {
        if (!(setup->in_place_mask >> i & 1) || !may_overwrite(work, node, step, i, setup->in_place_mask)) continue;
        uint32_t id = storage_of_input(work, node, i);
        if (work->storages[id].bytes == bytes) return id;
    }
    return TMC_FILE_NONE;
}

void tmc_storage_add_node(tmc_plan *plan, tmc_plan_work *work, uint32_t step, const tmc_op_setup *setup) {
    tmc_step *node = &plan->nodes[step];
    const uint32_t *outputs = node->tensors + node->op.input_count;
    for (uint32_t o = 0; o < node->op.output_count; o++) {
        const uint32_t tensor = outputs[o];
        const bool graph_output = work->output[tensor] != TMC_FILE_NONE;
        uint32_t id = TMC_FILE_NONE;
        if (o == 0) id = shared_storage(work, node, step, tmc_tensor_bytes(&plan->descs[tensor]), graph_output, setup);
        node->in_place |= id != TMC_FILE_NONE;
        tmc_storage *s;
        if (id == TMC_FILE_NONE) {
            s = start_storage(plan, work, tensor, TMC_STORE_ARENA);
            s->first = step;
            s->last = work->last_use[tensor];
        } else {
            s = &work->storages[id];
            work->storage_of[tensor] = id;
            if (work->last_use[tensor] > s->last) s->last = work->last_use[tensor];
        }
        if (graph_output) {
            s->place.store = TMC_STORE_OUTPUT;
            s->place.index = work->output[tensor];
        }
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

static void take_offsets(tmc_plan *plan, tmc_plan_work *work) {
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
        uint32_t id = work->storage_of[t];
        plan->places[t] =
            id == TMC_FILE_NONE ? (tmc_place){TMC_STORE_NONE, 0, TMC_NO_OFFSET} : work->storages[id].place;
    }
}

tmc_status tmc_storage_finish(tmc_plan *plan, tmc_plan_work *work, uint64_t arena_limit, tmc_error *err) {
    uint32_t tensor_items;
    uint32_t count = list_items(plan, work, &tensor_items);
    if (!tmc_arena_plan(work->items, count, work->arena_work, &plan->arena_bytes) || plan->arena_bytes > SIZE_MAX / 2)
        return tmc_fail(err, TMC_E_LIMIT, "the tensors of this graph do not fit into the address space");
    if (arena_limit && plan->arena_bytes > arena_limit)
        return tmc_fail_field(err, TMC_E_LIMIT, "arena_limit", "a run needs %llu bytes, the limit is %llu",
                              (unsigned long long)plan->arena_bytes, (unsigned long long)arena_limit);
    plan->live_bytes = tmc_arena_live(work->items, tensor_items, work->arena_work);
    take_offsets(plan, work);
    return TMC_OK;
}
