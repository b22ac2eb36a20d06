/* Whole models as a user meets them: load, first answer, steady answers, memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/child.h"
#include "bench/measure.h"
#include "io/timing.h"

#define MODEL_MS 1000

enum { LEAST_STARTS = 3, MOST_STARTS = 9 };

/* Medians over several starts, each in a process of its own. */
typedef struct {
    double open_ms, plan_ms, session_ms, first_ms, cold_ms, resident_mib; /* resident: 0 where not known */
} cold_start;

static double median(double *values, uint32_t count) { return timing_summarise(values, count).median; }

static bool measure_starts(const bench_run *run, const char *path, bool mapped, uint32_t threads, cold_start *out) {
    double open[MOST_STARTS], plan[MOST_STARTS], session[MOST_STARTS], first[MOST_STARTS], cold[MOST_STARTS],
        resident[MOST_STARTS], used = 0;
    uint32_t n = 0;
    while (n < LEAST_STARTS || (n < MOST_STARTS && used < bench_item_ms(run, MODEL_MS) / 2)) {
        bench_child_result r;
        if (!bench_child_run(path, mapped, run->options.isa, threads, 0, NULL, &r)) return false;
        open[n] = r.open_ns * 1e-6;
        plan[n] = r.plan_ns * 1e-6;
        session[n] = r.session_ns * 1e-6;
        first[n] = r.first_ns * 1e-6;
        cold[n] = open[n] + plan[n] + session[n] + first[n];
        resident[n] = r.resident_bytes / 1048576.0;
        used += cold[n++];
    }
    *out = (cold_start){median(open, n),  median(plan, n), median(session, n),
                        median(first, n), median(cold, n), median(resident, n)};
    return true;
}

static void add_start(json_writer *json, const char *key, const cold_start *c, double warm_ms) {
    json_open_object(json, key);
    json_number(json, "open_ms", c->open_ms);
    json_number(json, "plan_ms", c->plan_ms);
    json_number(json, "session_ms", c->session_ms);
    json_number(json, "first_ms", c->first_ms);
    json_number(json, "cold_ms", c->cold_ms);
    json_number(json, "cold_over_warm", c->cold_ms / warm_ms);
    if (c->resident_mib > 0) json_number(json, "resident_mib", c->resident_mib);
    json_close_object(json);
}

static void print_header(uint32_t threads) {
    printf("\nModels, %u thread%s. floor: see docs/benchmarks/ours.md; %%: floor / median and floor / best.\n"
           "cold: open with all checks, plan, session, first run, in a fresh process; x: cold / median; planned, "
           "resident: "
           "private copy\n",
           threads, threads > 1 ? "s" : "");
    printf("  %-22s %7s %8s %8s %8s %8s %4s %4s %5s |%8s %8s %8s %8s %8s %5s |%8s %5s |%8s %8s\n", "", "", "median",
           "p90", "best", "floor", "%", "%", "", "open", "verify", "plan", "first", "cold", "", "cold", "", "planned",
           "resident");
    printf("  %-22s %7s %8s %8s %8s %8s %4s %4s %5s |%8s %8s %8s %8s %8s %5s |%8s %5s |%8s %8s\n", "model", "MMAC",
           "ms", "ms", "ms", "ms", "med", "best", "gain", "map. ms", "ms", "ms", "map. ms", "map. ms", "x", "copy ms",
           "x", "MiB", "MiB");
}

/* What is known of one model at one thread count; gain: how many times as fast as one thread, 0 if not known. */
typedef struct {
    const char *name;
    uint32_t threads;
    bench_child_result warm;
    cold_start mapped, copied;
    double gain;
} measured;

static void print_measured(const measured *m) {
    const bench_child_result *w = &m->warm;
    char resident[16] = "-", gain[16] = "-";
    if (m->copied.resident_mib > 0) snprintf(resident, sizeof resident, "%.2f", m->copied.resident_mib);
    if (m->gain > 0) snprintf(gain, sizeof gain, "%.2f", m->gain);
    printf("  %-22s %7.0f %8.3f %8.3f %8.3f %8.3f %4.0f %4.0f %5s |%8.3f %8.3f %8.3f %8.3f %8.3f %5.2f |%8.3f %5.2f "
           "|%8.2f "
           "%8s\n",
           m->name, w->macs * 1e-6, w->median_ns * 1e-6, w->p90_ns * 1e-6, w->min_ns * 1e-6, w->floor_ns * 1e-6,
           100 * w->floor_ns / w->median_ns, 100 * w->floor_ns / w->min_ns, gain, m->mapped.open_ms,
           w->verify_ns * 1e-6, m->mapped.plan_ms, m->mapped.first_ms, m->mapped.cold_ms,
           m->mapped.cold_ms * 1e6 / w->median_ns, m->copied.cold_ms, m->copied.cold_ms * 1e6 / w->median_ns,
           w->planned_bytes / 1048576.0, resident);
    if (w->threads < m->threads) printf("  %-22s only %.0f thread(s) could be started\n", "", w->threads);
}

static void add_measured(json_writer *json, const measured *m) {
    const bench_child_result *w = &m->warm;
    json_open_object(json, NULL);
    json_string(json, "model", m->name);
    json_integer(json, "threads", m->threads);
    json_integer(json, "threads_running", (int64_t)w->threads);
    json_integer(json, "runs", (int64_t)w->runs);
    json_integer(json, "macs", (int64_t)w->macs);
    json_number(json, "median_ms", w->median_ns * 1e-6);
    json_number(json, "p90_ms", w->p90_ns * 1e-6);
    json_number(json, "best_ms", w->min_ns * 1e-6);
    json_number(json, "floor_ms", w->floor_ns * 1e-6);
    json_number(json, "fraction", w->floor_ns / w->median_ns);
    if (m->gain > 0) json_number(json, "gain", m->gain);
    json_number(json, "verify_ms", w->verify_ns * 1e-6);
    json_number(json, "planned_mib", w->planned_bytes / 1048576.0);
    add_start(json, "mapped", &m->mapped, w->median_ns * 1e-6);
    add_start(json, "copied", &m->copied, w->median_ns * 1e-6);
    json_close_object(json);
}

/* False where a child failed; it has said why. `one_ms`: the median at one thread; set at one thread, used at more. */
static bool bench_one(bench_run *run, const char *path, uint32_t threads, double *one_ms) {
    const bench_ceilings *ceilings = threads == 1 ? &run->one : &run->many;
    const tmc_isa isa = run->options.isa;
    measured m = {.name = bench_base_name(path), .threads = threads};
    if (!bench_child_run(path, false, isa, threads, bench_item_ms(run, MODEL_MS), ceilings, &m.warm) ||
        !measure_starts(run, path, true, threads, &m.mapped) || !measure_starts(run, path, false, threads, &m.copied))
        return false;
    if (threads == 1) *one_ms = m.warm.median_ns * 1e-6;
    if (threads > 1 && *one_ms > 0) m.gain = *one_ms * 1e6 / m.warm.median_ns;
    print_measured(&m);
    add_measured(&run->json, &m);
    return true;
}

int bench_models(bench_run *run) {
    const int count = run->options.model_count;
    double *one = calloc((size_t)count, sizeof *one); /* medians at one thread */
    if (!one) return BENCH_FAILED;
    bool ok = true;
    json_open_array(&run->json, "models");
    for (uint32_t threads = 1; threads && ok && !bench_interrupted;
         threads = threads < run->threads ? run->threads : 0) {
        print_header(threads);
        for (int i = 0; i < count && ok && !bench_interrupted; i++)
            if (bench_selected(run, run->options.models[i]))
                ok = bench_one(run, run->options.models[i], threads, &one[i]);
    }
    json_close_array(&run->json);
    free(one);
    return ok || bench_interrupted ? BENCH_OK : BENCH_FAILED;
}
