/* Every node of a model in steady state: where the time goes that the machine could save. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/loaded.h"
#include "bench/measure.h"
#include "io/timing.h"

#define MODEL_MS 1000

enum { LEAST_RUNS = 10, MOST_RUNS = 2000 };

typedef struct {
    bench_node node;
    uint32_t index;
    timing_summary time; /* ns */
} layer;

typedef struct {
    layer *layers;
    double *samples; /* node after node, MOST_RUNS each */
    uint32_t count, runs;
    double best_ns; /* of a whole run, the sum of its nodes */
} profile;

static double lost(const layer *l) { return l->time.min - l->node.floor.ns; }

static int by_loss(const void *a, const void *b) {
    double x = lost(a), y = lost(b);
    return (x < y) - (x > y);
}

static bool profile_make(const bench_loaded *m, const bench_ceilings *ceilings, profile *p) {
    memset(p, 0, sizeof *p);
    p->count = tmc_plan_node_count(m->plan);
    p->layers = calloc(p->count, sizeof *p->layers);
    p->samples = calloc((size_t)p->count * MOST_RUNS, sizeof *p->samples);
    if (!p->layers || !p->samples) return false;
    for (uint32_t i = 0; i < p->count; i++) {
        p->layers[i].index = i;
        bench_node_get(m->plan, i, ceilings, &p->layers[i].node);
    }
    return true;
}

static void profile_free(profile *p) {
    free(p->layers);
    free(p->samples);
}

static tmc_status profile_run(const bench_loaded *m, profile *p, double budget_ms, tmc_error *err) {
    tmc_run_options options;
    tmc_run_options_init(&options);
    tmc_status status = tmc_session_run(m->session, &options, err); /* warms up */
    options.flags = TMC_RUN_PROFILE;
    double used = 0;
    while (!status && p->runs < MOST_RUNS && (p->runs < LEAST_RUNS || used < budget_ms * 1e6) && !bench_interrupted) {
        double total = 0;
        status = tmc_session_run(m->session, &options, err);
        for (uint32_t i = 0; i < p->count; i++) {
            tmc_node_profile node = {.struct_size = sizeof node};
            tmc_session_profile(m->session, i, &node);
            p->samples[(size_t)i * MOST_RUNS + p->runs] = (double)node.last_ns;
            total += (double)node.last_ns;
        }
        if (!p->runs || total < p->best_ns) p->best_ns = total;
        used += total;
        p->runs++;
    }
    for (uint32_t i = 0; i < p->count && p->runs; i++)
        p->layers[i].time = timing_summarise(p->samples + (size_t)i * MOST_RUNS, p->runs);
    return status;
}

static void shape_text(const tmc_node_report *r, char *out, size_t size) {
    int used = 0;
    out[0] = 0;
    for (int d = 0; d < r->output_rank && used >= 0 && (size_t)used < size; d++)
        used += snprintf(out + used, size - (size_t)used, "%s%d", d ? "x" : "", r->output_dims[d]);
}

static bool selected(const bench_run *run, const layer *l) {
    const tmc_node_report *r = &l->node.report;
    return bench_selected(run, r->name) || bench_selected(run, r->op) || bench_selected(run, r->kernel);
}

static void print_losses(const bench_run *run, const profile *p) {
    printf("  %9s %9s %9s %9s %5s %-6s %8s %8s  %-16s %-30s %-18s %s\n", "lost us", "best us", "median us", "floor us",
           "%", "bound", "GMAC/s", "GB/s", "operator", "kernel", "output", "node");
    uint32_t rows = 0;
    for (uint32_t i = 0; i < p->count && (!run->options.top || rows < run->options.top); i++) {
        const layer *l = &p->layers[i];
        const tmc_node_report *r = &l->node.report;
        char shape[64];
        if (!selected(run, l)) continue;
        shape_text(r, shape, sizeof shape);
        printf("  %9.1f %9.1f %9.1f %9.1f %5.0f %-6s %8.1f %8.1f  %-16s %-30s %-18s %s\n", lost(l) * 1e-3,
               l->time.min * 1e-3, l->time.median * 1e-3, l->node.floor.ns * 1e-3, 100 * l->node.floor.ns / l->time.min,
               l->node.floor.bound, (double)r->macs / l->time.min, (double)l->node.bytes / l->time.min, r->op,
               r->kernel, shape, r->name);
        rows++;
    }
}

static void add_nodes(json_writer *json, const profile *p) {
    json_open_array(json, "nodes");
    for (uint32_t i = 0; i < p->count; i++) {
        const layer *l = &p->layers[i];
        const tmc_node_report *r = &l->node.report;
        char shape[64];
        shape_text(r, shape, sizeof shape);
        json_open_object(json, NULL);
        json_integer(json, "index", l->index);
        json_string(json, "node", r->name);
        json_string(json, "op", r->op);
        json_string(json, "kernel", r->kernel);
        json_string(json, "output", shape);
        json_number(json, "best_us", l->time.min * 1e-3);
        json_number(json, "median_us", l->time.median * 1e-3);
        json_number(json, "floor_us", l->node.floor.ns * 1e-3);
        json_string(json, "bound", l->node.floor.bound);
        json_integer(json, "macs", (int64_t)r->macs);
        json_integer(json, "bytes", (int64_t)l->node.bytes);
        json_close_object(json);
    }
    json_close_array(json);
}

/* Sums the nodes of one operator; false if an earlier node has it, so that each appears once. */
static bool total_of(const profile *p, uint32_t first, double *best, double *floor, uint32_t *nodes) {
    const char *op = p->layers[first].node.report.op;
    *best = *floor = *nodes = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        if (strcmp(p->layers[i].node.report.op, op) != 0) continue;
        if (i < first) return false;
        *best += p->layers[i].time.min;
        *floor += p->layers[i].node.floor.ns;
        ++*nodes;
    }
    return true;
}

static void report_operators(bench_run *run, const profile *p) {
    json_writer *json = &run->json;
    printf("  by operator: %-16s %6s %10s %10s %10s %5s\n", "", "nodes", "best us", "floor us", "lost us", "%");
    json_open_array(json, "operators");
    for (uint32_t i = 0; i < p->count; i++) {
        double best, floor;
        uint32_t nodes;
        if (!total_of(p, i, &best, &floor, &nodes)) continue;
        const char *op = p->layers[i].node.report.op;
        printf("               %-16s %6u %10.1f %10.1f %10.1f %5.0f\n", op, nodes, best * 1e-3, floor * 1e-3,
               (best - floor) * 1e-3, best > 0 ? 100 * floor / best : 0);
        json_open_object(json, NULL);
        json_string(json, "op", op);
        json_integer(json, "nodes", nodes);
        json_number(json, "best_us", best * 1e-3);
        json_number(json, "floor_us", floor * 1e-3);
        json_close_object(json);
    }
    json_close_array(json);
}

static void report(bench_run *run, const char *path, profile *p, uint32_t threads) {
    double floor = 0;
    json_writer *json = &run->json;
    for (uint32_t i = 0; i < p->count; i++) floor += p->layers[i].node.floor.ns;
    printf("\nLayers of %s, %u thread%s, %u runs: best run %.1f us, floor %.1f us, %.0f %%\n", bench_base_name(path),
           threads, threads > 1 ? "s" : "", p->runs, p->best_ns * 1e-3, floor * 1e-3, 100 * floor / p->best_ns);
    json_open_object(json, NULL);
    json_string(json, "model", bench_base_name(path));
    json_integer(json, "threads", threads);
    json_integer(json, "runs", p->runs);
    json_number(json, "best_us", p->best_ns * 1e-3);
    json_number(json, "floor_us", floor * 1e-3);
    add_nodes(json, p);
    qsort(p->layers, p->count, sizeof *p->layers, by_loss);
    print_losses(run, p);
    report_operators(run, p);
    json_close_object(json);
}

static int bench_model_layers(bench_run *run, const char *path) {
    const uint32_t threads = run->options.threads ? run->options.threads : 1;
    const bench_ceilings *ceilings = threads == 1 ? &run->one : &run->many;
    bench_loaded m;
    profile p;
    tmc_error err;
    tmc_error_init(&err);
    if (bench_load(path, true, run->options.isa, threads, &m, &err)) {
        fprintf(stderr, "tmcnn-bench: %s: %s [%s]\n", path, err.message, tmc_status_name(err.status));
        return BENCH_FAILED;
    }
    int result = BENCH_FAILED;
    if (!profile_make(&m, ceilings, &p)) {
        fprintf(stderr, "tmcnn-bench: %s: out of memory\n", path);
    } else if (profile_run(&m, &p, bench_item_ms(run, MODEL_MS), &err)) {
        fprintf(stderr, "tmcnn-bench: %s: %s [%s]\n", path, err.message, tmc_status_name(err.status));
    } else {
        result = BENCH_OK;
        if (p.runs) report(run, path, &p, threads);
    }
    profile_free(&p);
    bench_unload(&m);
    return result;
}

int bench_layers(bench_run *run) {
    int result = BENCH_OK;
    json_open_array(&run->json, "layers");
    for (int i = 0; i < run->options.model_count && !result && !bench_interrupted; i++)
        result = bench_model_layers(run, run->options.models[i]);
    json_close_array(&run->json);
    return result;
}
