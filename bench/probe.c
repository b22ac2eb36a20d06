#include "bench/probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bench/machine.h"
#include "bench/measure.h"
#include "cpu/cpu.h"

#define BENCH_PROBE_X(isa, ISA) extern const bench_probe_loops tmc_probe__##isa;
#include "bench/probe.inc"
#undef BENCH_PROBE_X

const char *const bench_level_names[BENCH_LEVELS] = {"L1", "L2", "L3", "memory"};

const bench_probe_loops *bench_probe_find(tmc_isa isa) {
    static const bench_probe_loops *const all[] = {
#define BENCH_PROBE_X(isa, ISA) &tmc_probe__##isa,
#include "bench/probe.inc"
#undef BENCH_PROBE_X
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]->isa == isa) return all[i];
    return NULL;
}

bench_probe_dot_fn bench_probe_dot(tmc_isa isa, uint32_t features) {
#if defined(__x86_64__) || defined(__i386__)
    if (isa == TMC_ISA_AVX512 && features & TMC_FEATURE_AVX512_VNNI) return tmc_probe_dot_vnni__avx512;
    if (isa == TMC_ISA_AVX512 || isa == TMC_ISA_AVX2)
        return features & TMC_FEATURE_AVX_VNNI ? tmc_probe_dot_vnni__avx2 : tmc_probe_dot__avx2;
    if (isa == TMC_ISA_SSE41) return tmc_probe_dot__sse41;
#else
    (void)isa, (void)features;
#endif
    return NULL;
}

/* What one thread works on. */
typedef struct {
    const bench_probe_loops *loops;
    bench_probe_dot_fn dot;
    int32_t sums[BENCH_PROBE_LANES];
    float *data, sink, lanes[BENCH_PROBE_LANES];
    size_t floats, passes;
} work;

enum { FMA_STEPS = 4096, CLOCK_STEPS = 4096 };

static void call_fma(void *context) {
    work *w = context;
    w->loops->fma(FMA_STEPS, 0.5f, 1.0f, w->lanes); /* tends to 2 */
}

static void call_dot(void *context) {
    work *w = context;
    w->dot(FMA_STEPS, w->sums);
}

static void call_read(void *context) {
    work *w = context;
    for (size_t i = 0; i < w->passes; i++) w->loops->read(w->data, w->floats, &w->sink);
}

static void call_write(void *context) {
    work *w = context;
    for (size_t i = 0; i < w->passes; i++) w->loops->write(w->data, w->floats, 1.0f);
}

static void call_copy(void *context) {
    work *w = context;
    for (size_t i = 0; i < w->passes; i++) w->loops->copy(w->data + w->floats / 2, w->data, w->floats / 2);
}

/* A chain of additions between registers takes one cycle each on every CPU in use; the empty asm keeps each of them. */
static void call_clock(void *context) {
    work *w = context;
    uintptr_t sum = w->floats, step = w->passes;
    for (size_t i = 0; i < CLOCK_STEPS / 16; i++) {
#define STEP                                                                                                           \
    sum += step;                                                                                                       \
    __asm__ volatile("" : "+r"(sum));
#define STEP4 STEP STEP STEP STEP
        STEP4 STEP4 STEP4 STEP4
#undef STEP4
#undef STEP
    }
    w->floats = (size_t)sum;
}

/* Bytes each thread goes over to meet a level: well inside it, well outside the smaller one. */
static uint64_t probed_bytes(const bench_machine *m, int level, uint32_t threads) {
    const uint64_t last = m->l3_bytes ? m->l3_bytes : m->l2_bytes * threads, least = 64ull << 20, most = 256ull << 20;
    uint64_t l3 = m->l3_bytes / 4 > 2 * m->l2_bytes ? m->l3_bytes / 4 : 2 * m->l2_bytes;
    uint64_t memory = 4 * last < least ? least : 4 * last > most ? most : 4 * last;
    switch (level) {
    case BENCH_L1: return m->l1_bytes / 2;
    case BENCH_L2: return m->l2_bytes / 2;
    case BENCH_L3: return l3 * 2 > m->l3_bytes ? 0 : l3 / threads;
    default: return memory / threads;
    }
}

static uint64_t capacity(const bench_machine *m, int level, uint32_t threads) {
    return level == BENCH_L1   ? m->l1_bytes * threads
           : level == BENCH_L2 ? m->l2_bytes * threads
           : level == BENCH_L3 ? m->l3_bytes
                               : UINT64_MAX;
}

typedef struct {
    work work[BENCH_MAX_THREADS];
    void *contexts[BENCH_MAX_THREADS];
    uint32_t threads;
    double item_ms;
} team;

/* GB/s of all threads, 0 if they could not be started. */
static double bandwidth(team *t, bench_fn fn) {
    double ns = bench_measure_threads(fn, t->contexts, t->threads, t->item_ms);
    return ns > 0 ? (double)(t->work[0].floats * sizeof(float) * t->work[0].passes) * t->threads / ns : 0;
}

static bool probe_level(team *t, uint64_t bytes, bench_bandwidth *result) {
    const uint64_t block = 2 * BENCH_PROBE_BLOCK * sizeof(float); /* copy halves it */
    result->probed = bytes / block * block;
    for (uint32_t i = 0; i < t->threads; i++) {
        t->work[i].floats = (size_t)(result->probed / sizeof(float));
        t->work[i].passes = (size_t)((256u << 10) / result->probed + 1); /* calls cost nothing beside this */
    }
    result->read = bandwidth(t, call_read);
    result->write = bandwidth(t, call_write);
    result->copy = bandwidth(t, call_copy);
    return result->copy > 0;
}

static bool allocate(team *t, uint64_t bytes) {
    for (uint32_t i = 0; i < t->threads; i++) {
        t->work[i].data = tmc_alloc(&tmc_allocator_libc, (size_t)bytes); /* as a session's arena: on huge pages */
        if (!t->work[i].data) return false;
        for (size_t k = 0; k < bytes / sizeof(float); k += 16) t->work[i].data[k] = 1.0f;
    }
    return true;
}

bool bench_probe(tmc_isa isa, uint32_t threads, double item_ms, bench_ceilings *ceilings) {
    const bench_probe_loops *loops = bench_probe_find(isa);
    bench_machine machine;
    tmc_cpu cpu;
    bench_machine_query(&machine);
    tmc_cpu_query(&cpu);
    memset(ceilings, 0, sizeof *ceilings);
    ceilings->isa = isa;
    ceilings->threads = threads;
    team *t = calloc(1, sizeof *t);
    if (!t || !loops || threads < 1 || threads > BENCH_MAX_THREADS) {
        free(t);
        return false;
    }
    t->threads = threads;
    t->item_ms = item_ms;
    for (uint32_t i = 0; i < threads; i++) {
        t->work[i].loops = loops;
        t->work[i].dot = bench_probe_dot(isa, cpu.features);
        t->contexts[i] = &t->work[i];
    }
    const uint64_t bytes_each = probed_bytes(&machine, BENCH_MEMORY, threads);
    bool ok = allocate(t, bytes_each);
    if (ok) {
        ceilings->clock_ghz = CLOCK_STEPS / bench_measure(call_clock, &t->work[0], item_ms).best_ns;
        double ns = bench_measure_threads(call_fma, t->contexts, threads, item_ms);
        ok = ns > 0;
        ceilings->gmacs = ok ? (double)loops->fmas_per_step * FMA_STEPS * threads / ns : 0;
        if (ok && t->work[0].dot) {
            ns = bench_measure_threads(call_dot, t->contexts, threads, item_ms);
            ceilings->int8_gmacs = (double)t->work[0].dot(0, t->work[0].sums) * FMA_STEPS * threads / ns;
        }
    }
    for (int level = 0; level < BENCH_LEVELS && ok; level++) {
        uint64_t bytes = probed_bytes(&machine, level, threads);
        if (!bytes) continue;
        ceilings->level[level].capacity = capacity(&machine, level, threads);
        ok = probe_level(t, bytes, &ceilings->level[level]);
    }
    for (uint32_t i = 0; i < threads && t->work[i].data; i++)
        tmc_free(&tmc_allocator_libc, t->work[i].data, (size_t)bytes_each);
    free(t);
    return ok;
}

static double larger(double a, double b) { return a > b ? a : b; }

void bench_probe_at_least(bench_ceilings *many, const bench_ceilings *one) {
    many->gmacs = larger(many->gmacs, one->gmacs);
    many->int8_gmacs = larger(many->int8_gmacs, one->int8_gmacs);
    for (int i = 0; i < BENCH_LEVELS; i++) {
        bench_bandwidth *m = &many->level[i];
        const bench_bandwidth *o = &one->level[i];
        if (!m->capacity || !o->capacity) continue;
        m->read = larger(m->read, o->read);
        m->write = larger(m->write, o->write);
        m->copy = larger(m->copy, o->copy);
    }
}

static void consider(double before, double after, const char *name, double *worst, const char **what) {
    if (before <= 0 || fabs(after / before - 1) < fabs(*worst)) return;
    *worst = after / before - 1;
    *what = name;
}

double bench_probe_drift(const bench_ceilings *before, const bench_ceilings *after, const char **what) {
    static const char *const names[BENCH_LEVELS][3] = {{"L1 read", "L1 write", "L1 copy"},
                                                       {"L2 read", "L2 write", "L2 copy"},
                                                       {"L3 read", "L3 write", "L3 copy"},
                                                       {"memory read", "memory write", "memory copy"}};
    double worst = 0;
    *what = "nothing";
    consider(before->clock_ghz, after->clock_ghz, "clock", &worst, what);
    consider(before->gmacs, after->gmacs, "multiply-accumulates", &worst, what);
    consider(before->int8_gmacs, after->int8_gmacs, "multiply-accumulates of int8", &worst, what);
    for (int i = 0; i < BENCH_LEVELS; i++) {
        const bench_bandwidth *b = &before->level[i], *a = &after->level[i];
        consider(b->read, a->read, names[i][0], &worst, what);
        consider(b->write, a->write, names[i][1], &worst, what);
        consider(b->copy, a->copy, names[i][2], &worst, what);
    }
    return worst;
}

bench_floor bench_floor_of(const bench_ceilings *ceilings, uint64_t macs, uint64_t read, uint64_t written) {
    bench_floor floor = {(double)macs / ceilings->gmacs, "fma"};
    if (read + written == 0) return floor;
    int level = BENCH_L1;
    while (level < BENCH_MEMORY && ceilings->level[level].capacity < read + written) level++;
    const bench_bandwidth *b = &ceilings->level[level];
    /* Loads and stores may overlap: each alone, and both together at the best total seen. */
    double ns = larger((double)read / b->read, (double)written / b->write);
    ns = larger(ns, (double)(read + written) / larger(b->copy, larger(b->read, b->write)));
    if (ns > floor.ns) floor = (bench_floor){ns, bench_level_names[level]};
    return floor;
}
