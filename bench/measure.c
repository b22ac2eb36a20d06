#include "bench/measure.h"

#include <sched.h>

#include "io/timing.h"

#if TMC_THREADS
#include <pthread.h>
#endif

volatile sig_atomic_t bench_interrupted;

/* A batch: long against the 25 ns of reading the clock, short against a scheduler's time slice. */
#define BATCH_NS 50e3
/* With several threads also long against the time in which they all start. */
#define TEAM_BATCH_NS 400e3
/* One batch may be cut up by the scheduler. */
enum { LEAST_BATCHES = 8 };

static double time_calls(bench_fn fn, void *context, size_t calls) {
    double start = timing_now_ns();
    for (size_t i = 0; i < calls; i++) fn(context);
    return timing_now_ns() - start;
}

static size_t calls_per_batch(bench_fn fn, void *context, double batch_ns) {
    size_t calls = 1;
    while (calls < (size_t)1 << 24 && time_calls(fn, context, calls) < batch_ns / 2) calls *= 2;
    return calls;
}

bench_time bench_measure(bench_fn fn, void *context, double budget_ms) {
    enum { SAMPLES = 1024 };
    double samples[SAMPLES], used = 0, best = 0;
    size_t calls = calls_per_batch(fn, context, BATCH_NS), count = 0;
    do {
        double time = time_calls(fn, context, calls);
        used += time;
        samples[count % SAMPLES] = time / (double)calls;
        if (!count || time / (double)calls < best) best = time / (double)calls;
        count++;
    } while ((used < budget_ms * 1e6 || count < LEAST_BATCHES) && !bench_interrupted);
    timing_summary summary = timing_summarise(samples, count < SAMPLES ? count : SAMPLES);
    return (bench_time){best, summary.median};
}

#if TMC_THREADS

typedef struct {
    bench_fn fn;
    size_t calls;
    uint32_t threads, arrived, round; /* the last two and stop are atomic */
    int32_t stop;
} team;

typedef struct {
    team *team;
    void *context;
    double start, end;
} member;

/* A barrier; the caller stands for `count` threads. Waits without sleeping, so that all leave together; yields, because
 * there may be fewer cores than threads. */
static void meet(team *t, uint32_t count) {
    uint32_t round = __atomic_load_n(&t->round, __ATOMIC_ACQUIRE);
    if (__atomic_add_fetch(&t->arrived, count, __ATOMIC_ACQ_REL) == t->threads) {
        __atomic_store_n(&t->arrived, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&t->round, round + 1, __ATOMIC_RELEASE);
        return;
    }
    for (uint32_t spins = 1; __atomic_load_n(&t->round, __ATOMIC_ACQUIRE) == round; spins++)
        if (spins % 256 == 0) sched_yield();
}

static void one_batch(member *m) {
    m->start = timing_now_ns();
    for (size_t i = 0; i < m->team->calls; i++) m->team->fn(m->context);
    m->end = timing_now_ns();
}

static void *member_main(void *context) {
    member *m = context;
    for (;;) {
        meet(m->team, 1);
        if (__atomic_load_n(&m->team->stop, __ATOMIC_ACQUIRE)) return NULL;
        one_batch(m);
        meet(m->team, 1);
    }
}

static double best_round(team *t, member *members, double budget_ms) {
    double best = 0, used = 0;
    do {
        meet(t, 1);
        one_batch(&members[0]);
        meet(t, 1);
        double start = members[0].start, end = members[0].end;
        for (uint32_t i = 1; i < t->threads; i++) {
            if (members[i].start < start) start = members[i].start;
            if (members[i].end > end) end = members[i].end;
        }
        used += end - start;
        if (best == 0 || end - start < best) best = end - start;
    } while (used < budget_ms * 1e6 && !bench_interrupted);
    return best / (double)t->calls;
}

double bench_measure_threads(bench_fn fn, void *const *contexts, uint32_t threads, double budget_ms) {
    if (threads == 1) return bench_measure(fn, contexts[0], budget_ms).best_ns;
    team t = {.fn = fn, .calls = calls_per_batch(fn, contexts[0], TEAM_BATCH_NS), .threads = threads};
    member members[BENCH_MAX_THREADS];
    pthread_t ids[BENCH_MAX_THREADS];
    uint32_t started = 1;
    for (uint32_t i = 0; i < threads; i++) members[i] = (member){&t, contexts[i], 0, 0};
    while (started < threads && !pthread_create(&ids[started], NULL, member_main, &members[started])) started++;
    double best = started == threads ? best_round(&t, members, budget_ms) : 0;
    __atomic_store_n(&t.stop, 1, __ATOMIC_RELEASE);
    meet(&t, threads - started + 1);
    for (uint32_t i = 1; i < started; i++) pthread_join(ids[i], NULL);
    return best;
}

#else

double bench_measure_threads(bench_fn fn, void *const *contexts, uint32_t threads, double budget_ms) {
    return threads == 1 ? bench_measure(fn, contexts[0], budget_ms).best_ns : 0;
}

#endif
