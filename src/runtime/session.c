#include "runtime/session.h"

#include <string.h>

#include "base/abi.h"
#include "base/alloc.h"
#include "base/carve.h"
#include "cpu/topology.h"
#include "runtime/digest.h"
#include "runtime/guard.h"
#include "runtime/model.h"

static void carve_session(tmc_session **session, tmc_session *tables, const tmc_plan *plan, tmc_carver *carver) {
    const tmc_file_graph *graph = plan->view->graph;
    *session = tmc_carve(carver, 1, sizeof **session);
    tables->inputs = tmc_carve(carver, graph->input_count, sizeof *tables->inputs);
    tables->outputs = tmc_carve(carver, graph->output_count, sizeof *tables->outputs);
    tables->slots = tmc_carve(carver, plan->slot_count, sizeof *tables->slots);
    tables->times = tmc_carve(carver, plan->node_count, sizeof *tables->times);
    tables->pool = tmc_carve_aligned(carver, 1, tmc_threads_bytes(plan->threads), TMC_ALIGN);
    tables->arena = tmc_carve_aligned(carver, 1, plan->arena_bytes, TMC_ALIGN);
}

uint64_t tmc_session_bytes(const tmc_plan *plan) {
    tmc_session *session, tables;
    tmc_carver carver = {0};
    carve_session(&session, &tables, plan, &carver);
    return carver.overflow ? UINT64_MAX : carver.used;
}

/* ---------------------------------------------------------------------------------------------------- addresses */

static void *address_of_place(const tmc_session *session, const tmc_place *place) {
    const tmc_binding *binding = NULL;
    switch (place->store) {
    case TMC_STORE_NONE: return NULL;
    case TMC_STORE_WEIGHTS: return (void *)(session->plan->view->weights + place->offset); /* nothing writes there */
    case TMC_STORE_ARENA: break;
    case TMC_STORE_INPUT: binding = &session->inputs[place->index]; break;
    case TMC_STORE_OUTPUT: binding = &session->outputs[place->index]; break;
    }
    if (binding && binding->bound) return (uint8_t *)binding->bound + place->start;
    return place->offset == TMC_NO_OFFSET ? NULL : session->arena + place->offset;
}

void *tmc_session_address(const tmc_session *session, const tmc_binding *binding) {
    return address_of_place(session, &session->plan->places[binding->tensor]);
}

void tmc_session_resolve(tmc_session *session) {
    const tmc_plan *plan = session->plan;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const tmc_step *node = &plan->nodes[i];
        for (uint32_t k = 0; k < node->op.input_count + node->op.output_count; k++) {
            const uint32_t tensor = node->tensors[k];
            session->slots[node->slot + k] =
                tensor == TMC_FILE_NONE ? NULL : address_of_place(session, &plan->places[tensor]);
        }
    }
}

/* --------------------------------------------------------------------------------------------- one call at a time */

tmc_status tmc_session_enter(const tmc_session *session, tmc_error *err) {
    int32_t *busy = (int32_t *)&session->busy; /* the one field that a const session changes */
    if (__atomic_exchange_n(busy, 1, __ATOMIC_ACQUIRE))
        return tmc_fail(err, TMC_E_BUSY, "another call uses this session: give each thread its own session");
    return TMC_OK;
}

void tmc_session_leave(const tmc_session *session) { __atomic_store_n((int32_t *)&session->busy, 0, __ATOMIC_RELEASE); }

/* --------------------------------------------------------------------------------------------- creation and release */

void tmc_session_options_init(tmc_session_options *options) {
    if (options) *options = (tmc_session_options){.struct_size = sizeof *options};
}

static tmc_status read_options(tmc_session_options *options, const tmc_session_options *given, const tmc_plan *plan,
                               tmc_error *err) {
    tmc_session_options_init(options);
    TMC_TRY(tmc_options_read(options, sizeof *options, given, err));
    if (options->flags || options->reserved)
        return tmc_fail_field(err, TMC_E_ARG, "flags", "unknown session flags 0x%x, reserved %u", options->flags,
                              options->reserved);
    if (!options->allocator) options->allocator = &plan->allocator;
    if (!options->allocator->alloc || !options->allocator->free)
        return tmc_fail_field(err, TMC_E_ARG, "allocator", "an allocator needs both alloc and free");
    if (!TMC_THREADS && options->threadpool)
        return tmc_fail_field(err, TMC_E_UNSUPPORTED, "threadpool", "this build has no threads");
    return TMC_OK;
}

static tmc_status take_block(const tmc_session_options *options, uint64_t needed, void **block, tmc_error *err) {
    if (options->memory) {
        if ((uintptr_t)options->memory % TMC_ALIGN)
            return tmc_fail_field(err, TMC_E_BUFFER, "memory", "the block must start at a multiple of %u", TMC_ALIGN);
        if (options->memory_bytes < needed)
            return tmc_fail_field(err, TMC_E_BUFFER, "memory_bytes", "%zu bytes, a session of this plan needs %llu",
                                  options->memory_bytes, (unsigned long long)needed);
        *block = options->memory;
        return TMC_OK;
    }
    if (needed > SIZE_MAX) return tmc_fail(err, TMC_E_LIMIT, "a session does not fit into the address space");
    *block = tmc_alloc(options->allocator, (size_t)needed);
    if (*block) return TMC_OK;
    return tmc_fail(err, TMC_E_NOMEM, "no memory for a session of %llu bytes", (unsigned long long)needed);
}

static void init_bindings(tmc_session *s) {
    const tmc_plan *plan = s->plan;
    const tmc_file_graph *graph = plan->view->graph;
    for (uint32_t i = 0; i < graph->input_count; i++) {
        uint32_t tensor = tmc_plan_input_tensor(plan->view, i);
        s->inputs[i] = (tmc_binding){.bytes = tmc_tensor_bytes(&plan->descs[tensor]), .tensor = tensor};
    }
    for (uint32_t i = 0; i < graph->output_count; i++) {
        uint32_t tensor = tmc_plan_output_tensor(plan->view, i);
        s->outputs[i] = (tmc_binding){.bytes = tmc_tensor_bytes(&plan->descs[tensor]), .tensor = tensor};
    }
}

static void start_threads(tmc_session *s, struct pthreadpool *callers) {
    const tmc_plan *plan = s->plan;
    tmc_topology topology = {0};
    if (plan->threads > 1 && !callers) tmc_topology_query(&topology);
    const tmc_pool_options options = {plan->threads, topology.cores, topology.big_cores};
    if (callers)
        tmc_threads_borrow(&s->threads, callers, plan->threads);
    else
        tmc_threads_start(&s->threads, s->pool, &options);
    if (s->threads.degraded)
        tmc_model_log(plan->model, TMC_LOG_WARNING, "fewer threads than planned could be started: runs take longer");
}

static tmc_status create(tmc_plan *plan, const tmc_session_options *given, tmc_session **out, tmc_error *err) {
    tmc_session_options options;
    void *block;
    TMC_TRY(read_options(&options, given, plan, err));
    const uint64_t bytes = tmc_session_bytes(plan);
    TMC_TRY(take_block(&options, bytes, &block, err));

    tmc_session *s, tables;
    tmc_carver carver = {.base = block};
    memset(&tables, 0, sizeof tables);
    carve_session(&s, &tables, plan, &carver);
    *s = tables;
    s->owns_block = !options.memory;
    s->plan = tmc_plan_retain(plan);
    s->allocator = *options.allocator;
    s->block_bytes = (size_t)bytes;
    memset(s->times, 0, plan->node_count * sizeof *s->times);
    init_bindings(s);
    tmc_session_resolve(s);
    start_threads(s, options.threadpool);
    *out = s;
    return TMC_OK;
}

tmc_status tmc_session_create(tmc_plan *plan, const tmc_session_options *options, tmc_session **session,
                              tmc_error *err) {
    tmc_error e = {0};
    const tmc_guard guard = tmc_guard_enter();
    if (session) *session = NULL;
    if (!plan || !session)
        tmc_fail(&e, TMC_E_ARG, "%s is NULL", plan ? "session" : "plan");
    else
        create(plan, options, session, &e);
    tmc_guard_leave(&guard);
    return tmc_error_export(&e, err);
}

void tmc_session_release(tmc_session **session) {
    if (!session || !*session) return;
    tmc_session *s = *session;
    *session = NULL;
    const tmc_guard guard = tmc_guard_enter();
    tmc_plan *plan = s->plan;
    const tmc_allocator allocator = s->allocator;
    tmc_threads_stop(&s->threads);
    if (s->owns_block) tmc_free(&allocator, s, s->block_bytes);
    tmc_plan_release(&plan);
    tmc_guard_leave(&guard);
}

/* ------------------------------------------------------------------------------------------------------- queries */

static tmc_status describe(const tmc_session *session, const tmc_binding *binding, tmc_tensor_info *info) {
    tmc_tensor_info i;
    const tmc_plan *plan = session->plan;
    tmc_model_describe(plan->view, binding->tensor, &plan->descs[binding->tensor], &i);
    return tmc_struct_write(info, &i, sizeof i);
}

tmc_status tmc_session_input(const tmc_session *session, uint32_t index, tmc_tensor_info *info) {
    if (!session || !info || index >= session->plan->view->graph->input_count) return TMC_E_ARG;
    return describe(session, &session->inputs[index], info);
}

tmc_status tmc_session_output(const tmc_session *session, uint32_t index, tmc_tensor_info *info) {
    if (!session || !info || index >= session->plan->view->graph->output_count) return TMC_E_ARG;
    return describe(session, &session->outputs[index], info);
}

tmc_status tmc_session_profile(const tmc_session *session, uint32_t node, tmc_node_profile *profile) {
    tmc_error e = {0};
    if (!session || !profile || node >= session->plan->node_count) return TMC_E_ARG;
    TMC_TRY(tmc_session_enter(session, &e));
    const tmc_node_times *t = &session->times[node];
    const tmc_node_profile p = {.runs = t->runs, .total_ns = t->total_ns, .last_ns = t->last_ns};
    tmc_session_leave(session);
    return tmc_struct_write(profile, &p, sizeof p);
}

tmc_status tmc_session_get_info(const tmc_session *session, tmc_session_info *info) {
    if (!session || !info) return TMC_E_ARG;
    tmc_exec exec;
    tmc_threads_use(&session->threads, &exec);
    tmc_session_info i = {.threads = exec.threads, .degraded = exec.threads < session->plan->threads};
    i.exact = tmc_plan_exact(session->plan);
    tmc_plan_digest(session->plan, i.digest);
    return tmc_struct_write(info, &i, sizeof i);
}
