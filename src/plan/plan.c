#include "plan/plan.h"

#include <string.h>

#include "base/alloc.h"
#include "base/threads.h"
#include "cpu/cpu.h"
#include "graph/infer.h"
#include "graph/validate.h"
#include "plan/storage.h"
#include "plan/views.h"

enum { MAX_OUTPUTS = 64 };

uint32_t tmc_plan_input_tensor(const tmc_file_view *view, uint32_t index) {
    return view->index[view->graph->input_first + index];
}

uint32_t tmc_plan_output_tensor(const tmc_file_view *view, uint32_t index) {
    return view->index[view->graph->input_first + view->graph->input_count + index];
}

tmc_status tmc_plan_fail_at(const tmc_file_view *view, uint32_t file_index, tmc_error *err) {
    const tmc_file_node *node = &view->nodes[file_index];
    const tmc_error first = *err;
    tmc_fail(err, first.status, "node %u '%s' (%s): %s", file_index, tmc_file_string(view, node->name),
             tmc_op_schema_find(node->op)->name, first.message);
    err->tensor = first.tensor;
    err->os_error = first.os_error;
    memcpy(err->field, first.field, sizeof err->field);
    tmc_error_at_node(err, (int32_t)file_index);
    return first.status;
}

/* --------------------------------------------------------------------------------------------- what runs, and when */

/* From the graph outputs backwards: a node runs if something reads one of its outputs. */
static void find_live(const tmc_file_view *view, tmc_plan_work *work, uint32_t *nodes, uint64_t *slots) {
    memset(work->needed, 0, view->tensor_count);
    *nodes = 0;
    *slots = 0;
    for (uint32_t i = 0; i < view->graph->output_count; i++) work->needed[tmc_plan_output_tensor(view, i)] = 1;
    for (uint32_t i = view->node_count; i-- > 0;) {
        const tmc_file_node *node = &view->nodes[i];
        const uint32_t *tensors = view->index + node->index_first;
        const uint32_t count = (uint32_t)node->input_count + node->output_count;
        uint8_t live = 0;
        for (uint32_t k = node->input_count; k < count; k++) live |= work->needed[tensors[k]];
        work->live[i] = live;
        if (!live) continue;
        ++*nodes;
        *slots += count;
        for (uint32_t k = 0; k < node->input_count; k++)
            if (tensors[k] != TMC_FILE_NONE) work->needed[tensors[k]] = 1;
    }
}

static void carve_plan(tmc_plan **plan, tmc_plan *tables, const tmc_file_view *view, uint32_t nodes, uint64_t slots,
                       tmc_carver *carver) {
    *plan = tmc_carve(carver, 1, sizeof **plan);
    tables->descs = tmc_carve(carver, view->tensor_count, sizeof *tables->descs);
    tables->places = tmc_carve(carver, view->tensor_count, sizeof *tables->places);
    tables->nodes = tmc_carve(carver, nodes, sizeof *tables->nodes);
    tables->slots = tmc_carve(carver, slots, sizeof *tables->slots);
}

static tmc_status allocate_plan(const tmc_file_view *view, const tmc_plan_options *options, uint32_t nodes,
                                uint64_t slots, tmc_plan **plan, tmc_error *err) {
    tmc_plan tables;
    tmc_carver carver = {0};
    memset(&tables, 0, sizeof tables);
    carve_plan(plan, &tables, view, nodes, slots, &carver);
    if (carver.overflow || slots > UINT32_MAX) return tmc_fail(err, TMC_E_LIMIT, "the graph is too large to plan");
    tables.bytes = (size_t)carver.used;
    carver = (tmc_carver){.base = tmc_alloc(options->allocator, tables.bytes)};
    if (!carver.base) return tmc_fail(err, TMC_E_NOMEM, "no memory for a plan of %zu bytes", tables.bytes);
    carve_plan(plan, &tables, view, nodes, slots, &carver);
    tables.references = 1;
    tables.allocator = *options->allocator;
    tables.view = view;
    tables.flags = options->flags;
    tables.threads = options->threads;
    tables.node_count = nodes;
    tables.slot_count = (uint32_t)slots;
    **plan = tables;
    return TMC_OK;
}

static void fill_nodes(tmc_plan *plan, const tmc_plan_work *work) {
    const tmc_file_view *view = plan->view;
    uint32_t step = 0, slot = 0;
    for (uint32_t i = 0; i < view->node_count; i++) {
        if (!work->live[i]) continue;
        const tmc_file_node *record = &view->nodes[i];
        tmc_step *node = &plan->nodes[step++];
        memset(node, 0, sizeof *node);
        node->op = (tmc_op_node){.op = record->op,
                                 .params = view->params + record->param_first,
                                 .input_count = record->input_count,
                                 .output_count = record->output_count,
                                 .inputs = plan->slots + slot,
                                 .outputs = plan->slots + slot + record->input_count};
        node->functions = tmc_op_find(record->op);
        node->tensors = view->index + record->index_first;
        node->file_index = i;
        node->slot = slot;
        for (uint32_t k = 0; k < (uint32_t)record->input_count + record->output_count; k++)
            plan->slots[slot++] = node->tensors[k] == TMC_FILE_NONE ? NULL : &plan->descs[node->tensors[k]];
    }
}

static void fill_last_uses(const tmc_plan *plan, tmc_plan_work *work) {
    const tmc_file_view *view = plan->view;
    for (uint32_t t = 0; t < view->tensor_count; t++) {
        work->last_use[t] = 0;
        work->output[t] = TMC_FILE_NONE;
    }
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const tmc_step *node = &plan->nodes[i];
        for (uint32_t k = 0; k < node->op.input_count + node->op.output_count; k++)
            if (node->tensors[k] != TMC_FILE_NONE) work->last_use[node->tensors[k]] = i;
    }
    for (uint32_t i = 0; i < view->graph->output_count; i++) {
        uint32_t tensor = tmc_plan_output_tensor(view, i);
        work->last_use[tensor] = plan->node_count - 1;
        work->output[tensor] = i;
    }
}

/* -------------------------------------------------------------------------------------------------------- shapes */

static tmc_status take_input_shape(tmc_plan *plan, uint32_t input, const tmc_shape *shape, bool *changed,
                                   tmc_error *err) {
    const uint32_t tensor = tmc_plan_input_tensor(plan->view, input);
    const tmc_file_tensor *record = &plan->view->tensors[tensor];
    const char *name = tmc_file_string(plan->view, record->name);
    tmc_tensor_desc *desc = &plan->descs[tensor];
    if (shape->rank != record->rank)
        return tmc_fail_field(err, TMC_E_SHAPE, "input_shapes", "input %u '%s': rank %d, expected %d", input, name,
                              shape->rank, record->rank);
    for (int32_t d = 0; d < record->rank; d++) {
        int32_t low = record->dims_max[d] > record->dims[d] ? 1 : record->dims[d];
        if (shape->dims[d] < low || shape->dims[d] > record->dims_max[d])
            return tmc_fail_field(err, TMC_E_SHAPE, "input_shapes", "input %u '%s': dim %d is %d, expected %d to %d",
                                  input, name, d, shape->dims[d], low, record->dims_max[d]);
        *changed |= shape->dims[d] != desc->dims[d];
        desc->dims[d] = shape->dims[d];
    }
    return tmc_tensor_check(desc, err);
}

static tmc_status infer_node(tmc_plan *plan, const tmc_step *node, tmc_error *err) {
    tmc_tensor_desc outputs[MAX_OUTPUTS];
    tmc_quantization declared[MAX_OUTPUTS];
    for (uint32_t o = 0; o < node->op.output_count; o++) declared[o] = node->op.outputs[o]->quantization;
    const tmc_infer_args args = {.op = node->op.op,
                                 .params = node->op.params,
                                 .input_count = node->op.input_count,
                                 .output_count = node->op.output_count,
                                 .inputs = node->op.inputs,
                                 .outputs = outputs,
                                 .err = err,
                                 .quantization = declared};
    TMC_TRY(tmc_infer(&args));
    for (uint32_t o = 0; o < node->op.output_count; o++)
        plan->descs[node->tensors[node->op.input_count + o]] = outputs[o];
    return TMC_OK;
}

/* The file's shapes were verified at the default input shapes: only other ones need inference. */
static tmc_status choose_shapes(tmc_plan *plan, const tmc_plan_options *options, tmc_error *err) {
    const tmc_file_view *view = plan->view;
    bool changed = false;
    for (uint32_t t = 0; t < view->tensor_count; t++) plan->descs[t] = tmc_graph_tensor(view, &view->tensors[t]);
    for (uint32_t i = 0; i < options->input_count; i++)
        TMC_TRY(take_input_shape(plan, i, &options->input_shapes[i], &changed, err));
    for (uint32_t i = 0; changed && i < plan->node_count; i++)
        if (infer_node(plan, &plan->nodes[i], err) != TMC_OK)
            return tmc_plan_fail_at(view, plan->nodes[i].file_index, err);
    return TMC_OK;
}

/* --------------------------------------------------------------------------------------------------------- build */

/* The kernel table names a kernel once for all levels. */
static void name_kernel(tmc_step *node, const char *name, tmc_isa isa) {
    const char *parts[] = {name, "__", tmc_isa_name(isa)};
    size_t length = 0;
    for (size_t p = 0; name && p < sizeof parts / sizeof *parts; p++)
        for (const char *c = parts[p]; *c && length + 1 < sizeof node->kernel; c++) node->kernel[length++] = *c;
    node->kernel[length] = 0;
    node->isa = isa;
}

static tmc_status prepare_nodes(tmc_plan *plan, tmc_plan_work *work, tmc_error *err) {
    tmc_storage_begin(plan, work);
    for (uint32_t i = 0; i < plan->node_count; i++) {
        tmc_step *node = &plan->nodes[i];
        tmc_op_setup setup = {.isa = TMC_ISA_REF};
        node->in_place = work->still[i];
        if (node->functions.prepare(&node->op, &plan->kernels, plan->threads, &setup, err) != TMC_OK)
            return tmc_plan_fail_at(plan->view, node->file_index, err);
        name_kernel(node, setup.kernel, setup.isa);
        node->scratch_bytes = setup.scratch_bytes;
        tmc_storage_add_node(plan, work, i, &setup);
    }
    return TMC_OK;
}

static tmc_status lay_out(tmc_plan *plan, tmc_plan_work *work, bool views, tmc_error *err) {
    if (views)
        tmc_views_choose(plan, work);
    else
        tmc_views_clear(plan, work);
    TMC_TRY(prepare_nodes(plan, work, err));
    return tmc_storage_lay_out(plan, work, err);
}

/* A sixteenth is what a layout may lose anyway, up to a sixth is worth fewer copies: U-Net 256 takes 13 % more. */
static bool too_large(uint64_t bytes, uint64_t without_views) { return bytes > without_views + without_views / 6; }

/* The lower bound of the arena without views spares its layout in all but a few graphs. */
static tmc_status choose_views(tmc_plan *plan, tmc_plan_work *work, tmc_plan_views views, tmc_error *err) {
    if (views == TMC_VIEWS_NONE) return lay_out(plan, work, false, err);
    tmc_views_clear(plan, work);
    TMC_TRY(prepare_nodes(plan, work, err));
    const uint64_t bound = tmc_storage_bound(plan, work);
    if (!tmc_views_choose(plan, work)) return tmc_storage_lay_out(plan, work, err);
    TMC_TRY(prepare_nodes(plan, work, err));
    TMC_TRY(tmc_storage_lay_out(plan, work, err));
    if (views == TMC_VIEWS_ALWAYS || !too_large(plan->arena_bytes, bound)) return TMC_OK;
    const uint64_t with_views = plan->arena_bytes;
    TMC_TRY(lay_out(plan, work, false, err));
    return too_large(with_views, plan->arena_bytes) ? TMC_OK : lay_out(plan, work, true, err);
}

static tmc_status fill_plan(tmc_plan *plan, tmc_plan_work *work, const tmc_plan_options *options, tmc_plan_views views,
                            tmc_error *err) {
    fill_nodes(plan, work);
    TMC_TRY(choose_shapes(plan, options, err));
    fill_last_uses(plan, work);
    TMC_TRY(choose_views(plan, work, views, err));
    if (options->arena_limit && plan->arena_bytes > options->arena_limit)
        return tmc_fail_field(err, TMC_E_LIMIT, "arena_limit", "a run needs %llu bytes, the limit is %llu",
                              (unsigned long long)plan->arena_bytes, (unsigned long long)options->arena_limit);
    tmc_storage_finish(plan, work);
    return TMC_OK;
}

static tmc_status check_options(const tmc_file_view *view, const tmc_plan_options *options, tmc_error *err) {
    if (options->flags & ~TMC_PLAN_EXTERNAL_IO)
        return tmc_fail_field(err, TMC_E_ARG, "flags", "unknown plan flags 0x%x", options->flags);
    if (options->threads < 1 || options->threads > TMC_THREADS_MAX)
        return tmc_fail_field(err, TMC_E_ARG, "threads", "%u threads, expected 1 to %u", options->threads,
                              TMC_THREADS_MAX);
    if (options->input_count && options->input_count != view->graph->input_count)
        return tmc_fail_field(err, TMC_E_ARG, "input_count", "%u input shapes, the model has %u inputs",
                              options->input_count, view->graph->input_count);
    if (options->input_count && !options->input_shapes)
        return tmc_fail_field(err, TMC_E_ARG, "input_shapes", "NULL with input_count %u", options->input_count);
    return TMC_OK;
}

static tmc_status choose_kernels(const tmc_plan_options *options, tmc_kernels *kernels, tmc_error *err) {
    tmc_cpu cpu;
    if ((uint32_t)options->max_isa > TMC_ISA_LAST)
        return tmc_fail_field(err, TMC_E_ARG, "max_isa", "unknown instruction set %d", (int)options->max_isa);
    tmc_cpu_query(&cpu);
    const tmc_isa isa = tmc_cpu_choose_isa(&cpu, options->max_isa);
    if (isa == TMC_ISA_AUTO)
        return tmc_fail_field(err, TMC_E_UNSUPPORTED, "max_isa", "this CPU or this build has no %s",
                              tmc_isa_name(options->max_isa));
    tmc_kernels_select(isa, kernels);
    tmc_kernels_take_features(kernels, cpu.features);
    kernels->caches = (tmc_caches){cpu.l1_bytes, cpu.l2_bytes};
    return TMC_OK;
}

tmc_status tmc_plan_build(const tmc_file_view *view, const tmc_plan_options *options, tmc_plan_views views,
                          tmc_plan **out, tmc_error *err) {
    tmc_plan_work work = {0};
    tmc_carver carver = {0};
    tmc_plan *plan = NULL;
    tmc_kernels kernels;
    uint32_t nodes;
    uint64_t slots;
    TMC_TRY(check_options(view, options, err));
    TMC_TRY(choose_kernels(options, &kernels, err));
    tmc_plan_work_carve(&work, view, &carver);
    if (carver.overflow) return tmc_fail(err, TMC_E_LIMIT, "the graph is too large to plan");
    const size_t work_bytes = (size_t)carver.used;
    void *block = tmc_alloc(options->allocator, work_bytes);
    if (!block) return tmc_fail(err, TMC_E_NOMEM, "no memory for %zu bytes of work space of planning", work_bytes);
    carver = (tmc_carver){.base = block};
    tmc_plan_work_carve(&work, view, &carver);
    find_live(view, &work, &nodes, &slots);
    tmc_status status = allocate_plan(view, options, nodes, slots, &plan, err);
    if (status == TMC_OK) {
        plan->kernels = kernels;
        status = fill_plan(plan, &work, options, views, err);
        if (status != TMC_OK) tmc_free(options->allocator, plan, plan->bytes);
    }
    tmc_free(options->allocator, block, work_bytes);
    if (status == TMC_OK) *out = plan;
    return status;
}
