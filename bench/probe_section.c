#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/measure.h"

#define PROBE_MS 20

static void print_ceilings(const bench_ceilings *c, const char *when) {
    printf("\nCeilings of %u thread%s, %s: clock %.2f GHz, %.1f GMAC/s = %.1f GFLOP/s, %.1f multiply-accumulates a "
           "cycle\n",
           c->threads, c->threads > 1 ? "s" : "", when, c->clock_ghz, c->gmacs, 2 * c->gmacs, c->gmacs / c->clock_ghz);
    if (c->int8_gmacs > 0)
        printf("  int8: %.1f GMAC/s, %.1f multiply-accumulates a cycle\n", c->int8_gmacs, c->int8_gmacs / c->clock_ghz);
    printf("  %-8s %12s %12s %12s %12s\n", "level", "probed KiB", "read GB/s", "write GB/s", "copy GB/s");
    for (int i = 0; i < BENCH_LEVELS; i++) {
        const bench_bandwidth *b = &c->level[i];
        if (!b->capacity) continue;
        printf("  %-8s %12.0f %12.1f %12.1f %12.1f\n", bench_level_names[i], (double)b->probed * c->threads / 1024,
               b->read, b->write, b->copy);
    }
}

static void add_json(json_writer *json, const bench_ceilings *c) {
    json_open_object(json, NULL);
    json_integer(json, "threads", c->threads);
    json_number(json, "clock_ghz", c->clock_ghz);
    json_number(json, "gmacs", c->gmacs);
    json_number(json, "gflops", 2 * c->gmacs);
    if (c->int8_gmacs > 0) json_number(json, "int8_gmacs", c->int8_gmacs);
    json_open_array(json, "levels");
    for (int i = 0; i < BENCH_LEVELS; i++) {
        const bench_bandwidth *b = &c->level[i];
        if (!b->capacity) continue;
        json_open_object(json, NULL);
        json_string(json, "level", bench_level_names[i]);
        json_integer(json, "probed_bytes", (int64_t)(b->probed * c->threads));
        json_number(json, "read_gbs", b->read);
        json_number(json, "write_gbs", b->write);
        json_number(json, "copy_gbs", b->copy);
        json_close_object(json);
    }
    json_close_array(json);
    json_close_object(json);
}

/* The ceilings of one thread count; `one`: those of one thread, or NULL. With `previous`, the drift since then is
 * printed too. */
static bool probe_one(bench_run *run, uint32_t threads, const char *when, const bench_ceilings *one,
                      const bench_ceilings *previous, bench_ceilings *out) {
    if (!bench_probe(run->options.isa, threads, bench_item_ms(run, PROBE_MS), out)) {
        fprintf(stderr, "tmcnn-bench: no memory or no threads to probe level %s with %u threads\n",
                tmc_isa_name(run->options.isa), threads);
        return false;
    }
    if (one) bench_probe_at_least(out, one);
    print_ceilings(out, when);
    if (previous) {
        const char *what;
        double drift = bench_probe_drift(previous, out, &what);
        printf("  largest drift since the start: %s %+.1f %%, multiply-accumulates %+.1f %%\n", what, 100 * drift,
               100 * (out->gmacs / previous->gmacs - 1));
    }
    add_json(&run->json, out);
    return true;
}

int bench_probe_section(bench_run *run, const char *when) {
    const bool after = strcmp(when, "after") == 0;
    bench_ceilings one, many;
    json_open_array(&run->json, after ? "probe_after" : "probe");
    bool ok = probe_one(run, 1, when, NULL, after ? &run->one : NULL, &one);
    if (ok && run->threads > 1) ok = probe_one(run, run->threads, when, &one, after ? &run->many : NULL, &many);
    json_close_array(&run->json);
    if (!ok) return BENCH_FAILED;
    if (!after) {
        run->one = one;
        run->many = run->threads > 1 ? many : one;
    }
    return BENCH_OK;
}
