/* The benchmark's probe: its loops do the work that its rates are computed from, by their results and not by time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/measure.h"
#include "bench/probe.h"
#include "lib/guard.h"
#include "lib/op_runner.h"

/* Calls `check` for each level of this CPU. */
static void each_level(void (*check)(const bench_probe_loops *loops)) {
    tmc_isa levels[8];
    const size_t count = op_isa_levels(levels);
    for (size_t i = 0; i < count; i++) {
        const bench_probe_loops *loops = bench_probe_find(levels[i]);
        if (!loops) fail_msg("bench/probe.inc has no loops of level %s", tmc_isa_name(levels[i]));
        check(loops);
    }
}

/* Every lane of every chain counts its own steps from its own start: lanes times steps FMAs were done. */
static void check_fma(const bench_probe_loops *loops) {
    enum { STEPS = 1000 };
    const size_t n = loops->fmas_per_step;
    assert_in_range(n, 1, BENCH_PROBE_LANES);
    float lanes[BENCH_PROBE_LANES + 1];
    for (size_t i = 0; i <= n; i++) lanes[i] = (float)(3 * i);
    loops->fma(STEPS, 1.0f, 1.0f, lanes);
    for (size_t i = 0; i < n; i++) assert_true(lanes[i] == (float)(3 * i + STEPS));
    assert_true(lanes[n] == (float)(3 * n)); /* not a lane */
    for (size_t i = 0; i < n; i++) lanes[i] = (float)(16 * i);
    loops->fma(4, 0.5f, 1.0f, lanes); /* x / 16 + 1 + 1/2 + 1/4 + 1/8, exact */
    for (size_t i = 0; i < n; i++) assert_true(lanes[i] == (float)i + 1.875f);
}

static void test_fma(void **state) {
    (void)state;
    each_level(check_fma);
}

/* Every element matters to what is read, between guard pages. */
static void check_read(const bench_probe_loops *loops) {
    guard_buffer b = guard_alloc(2 * BENCH_PROBE_BLOCK * sizeof(float), GUARD_END);
    float *data = b.data, sink = -1;
    memset(data, 0, b.bytes);
    loops->read(data, 2 * BENCH_PROBE_BLOCK, &sink);
    assert_true(sink == 0);
    for (size_t i = 0; i < 2 * BENCH_PROBE_BLOCK; i++) {
        data[i] = 1;
        loops->read(data, 2 * BENCH_PROBE_BLOCK, &sink);
        assert_true(sink == 1);
        data[i] = 0;
    }
    guard_free(&b);
}

static void check_write_and_copy(const bench_probe_loops *loops) {
    enum { N = 2 * BENCH_PROBE_BLOCK };
    for (int side = 0; side < 2; side++) {
        guard_buffer a = guard_alloc(N * sizeof(float), side ? GUARD_START : GUARD_END);
        guard_buffer b = guard_alloc(N * sizeof(float), side ? GUARD_START : GUARD_END);
        float *x = a.data, *y = b.data;
        memset(y, 0, N * sizeof(float));
        loops->write(y, N, 3.0f);
        for (size_t i = 0; i < N; i++) assert_true(y[i] == 3.0f);
        for (size_t i = 0; i < N; i++) x[i] = (float)i;
        loops->copy(y, x, N);
        for (size_t i = 0; i < N; i++) assert_true(y[i] == (float)i);
        guard_free(&a);
        guard_free(&b);
    }
}

static void test_bandwidth_loops(void **state) {
    (void)state;
    each_level(check_read);
    each_level(check_write_and_copy);
}

/* 10 GMAC/s; L1 and L2 of 1000 and 10000 bytes at 100 and 50 GB/s, no L3, memory at 5 GB/s; copies move 1.5 times. */
static bench_ceilings example(void) {
    bench_ceilings c = {.threads = 1, .clock_ghz = 1, .gmacs = 10};
    c.level[BENCH_L1] = (bench_bandwidth){1000, 500, 100, 100, 150};
    c.level[BENCH_L2] = (bench_bandwidth){10000, 5000, 50, 50, 75};
    c.level[BENCH_MEMORY] = (bench_bandwidth){UINT64_MAX, 50000, 5, 5, 7.5};
    return c;
}

static void check_floor(uint64_t macs, uint64_t read, uint64_t written, double ns, const char *bound) {
    bench_ceilings c = example();
    bench_floor floor = bench_floor_of(&c, macs, read, written);
    assert_true(fabs(floor.ns - ns) < 1e-6);
    assert_string_equal(floor.bound, bound);
}

static void test_floor(void **state) {
    (void)state;
    check_floor(0, 0, 0, 0, "fma");
    check_floor(1000, 0, 0, 100, "fma");
    check_floor(1000, 500, 500, 100, "fma");
    check_floor(0, 1000, 0, 10, "L1");
    check_floor(0, 300, 700, 7, "L1");               /* the stores alone */
    check_floor(0, 500, 500, 1000 / 150.0, "L1");    /* both together, faster than either alone twice */
    check_floor(0, 1001, 0, 1001 / 50.0, "L2");      /* one byte too much for L1 */
    check_floor(0, 10001, 0, 10001 / 5.0, "memory"); /* there is no L3 */
}

static void test_drift(void **state) {
    (void)state;
    bench_ceilings before = example(), after = example();
    const char *what;
    assert_true(bench_probe_drift(&before, &after, &what) == 0);
    after.gmacs *= 1.02;
    after.level[BENCH_L2].write *= 0.9;
    assert_true(fabs(bench_probe_drift(&before, &after, &what) + 0.1) < 1e-9);
    assert_string_equal(what, "L2 write");
}

static void test_at_least(void **state) {
    (void)state;
    bench_ceilings one = example(), many = example();
    many.gmacs = 19;
    many.level[BENCH_L1].read = 90;
    many.level[BENCH_L1].write = 190;
    bench_probe_at_least(&many, &one);
    assert_true(many.gmacs == 19 && many.level[BENCH_L1].read == 100 && many.level[BENCH_L1].write == 190);
    assert_true(many.level[BENCH_L3].read == 0);
}

typedef struct counter {
    uint64_t calls;
    char padding[120];
} counter;

static void count_call(void *context) {
    counter *c = context;
    c->calls++;
}

/* Every thread does its share; a probe gives rates of every level that the machine has. */
static void test_threads(void **state) {
    (void)state;
    counter counters[3];
    void *contexts[3] = {&counters[0], &counters[1], &counters[2]};
    for (uint32_t threads = 1; threads <= (TMC_THREADS ? 3 : 1); threads++) {
        memset(counters, 0, sizeof counters);
        assert_true(bench_measure_threads(count_call, contexts, threads, 1) > 0);
        for (uint32_t i = 0; i < 3; i++) assert_true((counters[i].calls > 0) == (i < threads));
    }
    bench_ceilings c;
    assert_true(bench_probe(TMC_ISA_REF, 1, 1, &c));
    assert_true(c.gmacs > 0 && c.clock_ghz > 0);
    for (int i = 0; i < BENCH_LEVELS; i++)
        assert_true(!c.level[i].capacity == !c.level[i].read && !c.level[i].capacity == !c.level[i].copy);
    assert_true(c.level[BENCH_L1].capacity && c.level[BENCH_MEMORY].capacity);
    assert_false(bench_probe(TMC_ISA_REF, 0, 1, &c));
    assert_false(bench_probe(TMC_ISA_REF, BENCH_MAX_THREADS + 1, 1, &c));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fma),   cmocka_unit_test(test_bandwidth_loops), cmocka_unit_test(test_floor),
        cmocka_unit_test(test_drift), cmocka_unit_test(test_at_least),        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
