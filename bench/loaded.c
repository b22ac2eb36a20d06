#include "bench/loaded.h"

#include <string.h>

#include "io/timing.h"

tmc_status bench_load(const char *path, bool mapped, tmc_isa isa, uint32_t threads, bench_loaded *l, tmc_error *err) {
    tmc_model_options model_options;
    tmc_plan_options plan_options;
    memset(l, 0, sizeof *l);
    l->info.struct_size = sizeof l->info;
    tmc_model_options_init(&model_options);
    tmc_plan_options_init(&plan_options);
    if (mapped) model_options.flags |= TMC_MODEL_MMAP;
    plan_options.max_isa = isa;
    plan_options.threads = threads;
    double start = timing_now_ns();
    tmc_status status = tmc_model_open_file(path, &model_options, &l->model, err);
    double opened = timing_now_ns();
    if (!status) status = tmc_plan_create(l->model, &plan_options, &l->plan, err);
    double planned = timing_now_ns();
    if (!status) status = tmc_session_create(l->plan, NULL, &l->session, err);
    l->open_ns = opened - start;
    l->plan_ns = planned - opened;
    l->session_ns = timing_now_ns() - planned;
    if (!status) status = tmc_model_get_info(l->model, &l->info);
    if (!status) status = timing_fill_inputs(l->session, l->info.input_count, err);
    if (status) bench_unload(l);
    return status;
}

void bench_unload(bench_loaded *loaded) {
    tmc_session_release(&loaded->session);
    tmc_plan_release(&loaded->plan);
    tmc_model_release(&loaded->model);
}

void bench_node_get(const tmc_plan *plan, uint32_t index, const bench_ceilings *ceilings, bench_node *node) {
    tmc_node_report *r = &node->report;
    memset(node, 0, sizeof *node);
    r->struct_size = sizeof *r;
    tmc_plan_node(plan, index, r);
    /* An in-place node without a kernel is a reshape: it names the same bytes anew. */
    const bool moves = !r->in_place || strcmp(r->kernel, r->op) != 0;
    const uint64_t read = moves ? r->read_bytes : 0, written = moves ? r->written_bytes : 0;
    node->bytes = read + written;
    node->floor = bench_floor_of(ceilings, r->macs, read, written);
}
