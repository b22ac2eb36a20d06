/* The run loop. Nothing here allocates: addresses were resolved when the session was made or a buffer was bound. */
#include "base/abi.h"
#include "runtime/finite.h"
#include "runtime/guard.h"
#include "runtime/session.h"

#define KNOWN_FLAGS (TMC_RUN_CHECK_FINITE | TMC_RUN_PROFILE)

void tmc_run_options_init(tmc_run_options *options) {
    if (options) *options = (tmc_run_options){.struct_size = sizeof *options};
}

static tmc_status read_options(tmc_run_options *options, const tmc_run_options *given, tmc_error *err) {
    tmc_run_options_init(options);
    TMC_TRY(tmc_options_read(options, sizeof *options, given, err));
    if ((options->flags & ~KNOWN_FLAGS) || options->reserved)
        return tmc_fail_field(err, TMC_E_ARG, "flags", "unknown run flags 0x%x, reserved %u", options->flags,
                              options->reserved);
    return TMC_OK;
}

static tmc_status check_ready(const tmc_session *s, tmc_error *err) {
    const tmc_file_graph *graph = s->plan->view->graph;
    const bool external = s->plan->flags & TMC_PLAN_EXTERNAL_IO;
    for (uint32_t i = 0; i < graph->input_count; i++) {
        if (s->inputs[i].bound || s->inputs[i].ready) continue;
        tmc_fail(err, TMC_E_STATE, "input %u was neither written nor bound", i);
        tmc_error_at_tensor(err, (int32_t)s->inputs[i].tensor);
        return TMC_E_STATE;
    }
    for (uint32_t i = 0; external && i < graph->output_count; i++) {
        if (s->outputs[i].bound) continue;
        tmc_fail(err, TMC_E_STATE, "output %u is not bound, as the plan asks", i);
        tmc_error_at_tensor(err, (int32_t)s->outputs[i].tensor);
        return TMC_E_STATE;
    }
    return TMC_OK;
}

static tmc_status check_finite(const tmc_session *s, const tmc_binding *bindings, uint32_t count, const char *what,
                               tmc_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const tmc_tensor_desc *desc = &s->plan->descs[bindings[i].tensor];
        if (tmc_all_finite(tmc_session_address(s, &bindings[i]), desc->dtype, tmc_tensor_elements(desc))) continue;
        tmc_fail(err, TMC_E_NONFINITE, "%s %u '%s' holds NaN or infinity", what, i,
                 tmc_file_string(s->plan->view, s->plan->view->tensors[bindings[i].tensor].name));
        tmc_error_at_tensor(err, (int32_t)bindings[i].tensor);
        return TMC_E_NONFINITE;
    }
    return TMC_OK;
}

static tmc_status run_node(tmc_session *s, const tmc_step *node, tmc_exec *exec, tmc_error *err) {
    const tmc_op_run run = {.node = &node->op,
                            .kernels = &s->plan->kernels,
                            .inputs = (const void *const *)(s->slots + node->slot),
                            .outputs = s->slots + node->slot + node->op.input_count,
                            .scratch = node->scratch_bytes ? s->arena + node->scratch_offset : NULL,
                            .exec = exec,
                            .err = err};
    tmc_status status = node->functions.run(&run);
    /* A stop seen inside the operator counts even if the operator did not hand it on: its output is incomplete. */
    return status == TMC_OK ? (tmc_status)exec->stop : status;
}

static tmc_status fail_node(const tmc_session *s, const tmc_step *node, tmc_status status, tmc_error *err) {
    if (status == TMC_E_CANCELLED)
        tmc_fail(err, status, "the caller cancelled the run");
    else if (status == TMC_E_TIMEOUT)
        tmc_fail(err, status, "the deadline passed");
    else if (err->status != status)
        tmc_fail(err, status, "%s", tmc_status_text(status));
    return tmc_plan_fail_at(s->plan->view, node->file_index, err);
}

static void record_time(tmc_node_times *times, uint64_t ns) {
    times->runs++;
    times->total_ns += ns;
    times->last_ns = ns;
}

static tmc_status run_nodes(tmc_session *s, const tmc_run_options *options, tmc_exec *exec, tmc_error *err) {
    const tmc_plan *plan = s->plan;
    const bool profile = options->flags & TMC_RUN_PROFILE;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const tmc_step *node = &plan->nodes[i];
        tmc_status status = tmc_exec_poll(exec);
        uint64_t begin = profile ? tmc_clock_ns() : 0;
        if (status == TMC_OK) status = run_node(s, node, exec, err);
        if (status != TMC_OK) return fail_node(s, node, status, err);
        if (profile) record_time(&s->times[i], tmc_clock_ns() - begin);
        if (options->progress) options->progress(options->progress_user, i + 1, plan->node_count);
    }
    return TMC_OK;
}

static uint64_t deadline(uint64_t timeout_ns) {
    if (!timeout_ns) return UINT64_MAX;
    uint64_t now = tmc_clock_ns();
    return timeout_ns < UINT64_MAX - now ? now + timeout_ns : UINT64_MAX;
}

static tmc_status run_taken(tmc_session *s, const tmc_run_options *options, tmc_error *err) {
    const tmc_file_graph *graph = s->plan->view->graph;
    const bool finite = options->flags & TMC_RUN_CHECK_FINITE;
    tmc_exec exec = {.cancel_flag = options->cancel_flag, .deadline_ns = deadline(options->timeout_ns)};
    TMC_TRY(check_ready(s, err));
    for (uint32_t i = 0; i < graph->output_count; i++) s->outputs[i].ready = false;
    tmc_threads_use(&s->threads, &exec);
    if (finite) TMC_TRY(check_finite(s, s->inputs, graph->input_count, "input", err));
    tmc_threads_begin(&exec);
    const tmc_status status = run_nodes(s, options, &exec, err);
    tmc_threads_end(&exec);
    TMC_TRY(status);
    if (finite) TMC_TRY(check_finite(s, s->outputs, graph->output_count, "output", err));
    for (uint32_t i = 0; i < graph->output_count; i++) s->outputs[i].ready = !s->outputs[i].bound;
    return TMC_OK;
}

tmc_status tmc_session_run(tmc_session *session, const tmc_run_options *options, tmc_error *err) {
    tmc_error e = {0};
    tmc_run_options o;
    const tmc_guard guard = tmc_guard_enter();
    if (!session)
        tmc_fail(&e, TMC_E_ARG, "session is NULL");
    else if (read_options(&o, options, &e) == TMC_OK && tmc_session_enter(session, &e) == TMC_OK) {
        run_taken(session, &o, &e);
        tmc_session_leave(session);
    }
    tmc_guard_leave(&guard);
    return tmc_error_export(&e, err);
}
