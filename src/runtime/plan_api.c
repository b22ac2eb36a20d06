/* The public functions of plans: options, references, queries. */
#include "base/abi.h"
#include "base/alloc.h"
#include "plan/report.h"
#include "runtime/guard.h"
#include "runtime/model.h"
#include "runtime/session.h"

void tmc_plan_options_init(tmc_plan_options *options) {
    if (options) *options = (tmc_plan_options){.struct_size = sizeof *options, .threads = 1};
}

static tmc_status create(tmc_model *model, const tmc_plan_options *given, tmc_plan **plan, tmc_error *err) {
    tmc_plan_options options;
    tmc_plan_options_init(&options);
    TMC_TRY(tmc_options_read(&options, sizeof options, given, err));
    if (!options.allocator) options.allocator = &model->allocator;
    if (!options.allocator->alloc || !options.allocator->free)
        return tmc_fail_field(err, TMC_E_ARG, "allocator", "an allocator needs both alloc and free");
    TMC_TRY(tmc_plan_build(&model->view, &options, TMC_VIEWS_AUTO, plan, err));
    (*plan)->model = tmc_model_retain(model);
    return TMC_OK;
}

tmc_status tmc_plan_create(tmc_model *model, const tmc_plan_options *options, tmc_plan **plan, tmc_error *err) {
    tmc_error e = {0};
    const tmc_guard guard = tmc_guard_enter();
    if (plan) *plan = NULL;
    if (!model || !plan)
        tmc_fail(&e, TMC_E_ARG, "%s is NULL", model ? "plan" : "model");
    else
        create(model, options, plan, &e);
    tmc_guard_leave(&guard);
    return tmc_error_export(&e, err);
}

tmc_plan *tmc_plan_retain(tmc_plan *plan) {
    if (plan) __atomic_fetch_add(&plan->references, 1, __ATOMIC_RELAXED);
    return plan;
}

void tmc_plan_release(tmc_plan **plan) {
    if (!plan || !*plan) return;
    tmc_plan *p = *plan;
    *plan = NULL;
    if (__atomic_sub_fetch(&p->references, 1, __ATOMIC_ACQ_REL)) return;
    const tmc_guard guard = tmc_guard_enter();
    tmc_model *model = p->model;
    const tmc_allocator allocator = p->allocator;
    tmc_free(&allocator, p, p->bytes);
    tmc_model_release(&model);
    tmc_guard_leave(&guard);
}

tmc_status tmc_plan_memory(const tmc_plan *plan, tmc_memory *memory) {
    if (!plan || !memory) return TMC_E_ARG;
    const tmc_memory m = {
        .model_bytes = plan->model->block_bytes,
        .plan_bytes = plan->bytes,
        .session_bytes = tmc_session_bytes(plan),
        .arena_bytes = plan->arena_bytes,
        .activation_bytes = plan->activation_bytes,
        .scratch_bytes = plan->scratch_bytes,
        .live_bytes = plan->live_bytes,
        .alignment = TMC_ALIGN,
    };
    return tmc_struct_write(memory, &m, sizeof m);
}

uint32_t tmc_plan_node_count(const tmc_plan *plan) { return plan ? plan->node_count : 0; }

tmc_status tmc_plan_node(const tmc_plan *plan, uint32_t index, tmc_node_report *report) {
    tmc_node_report r;
    if (!plan || !report || index >= plan->node_count) return TMC_E_ARG;
    tmc_plan_report(plan, index, &r);
    return tmc_struct_write(report, &r, sizeof r);
}
