/* Repetition of one thing on one or more threads until a time is used up. */
#ifndef TMC_BENCH_MEASURE_H
#define TMC_BENCH_MEASURE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_MAX_THREADS 64

/* Set by SIGINT and SIGTERM: everything that repeats ends early and reports what it has. */
extern volatile sig_atomic_t bench_interrupted;

typedef void (*bench_fn)(void *context);

typedef struct bench_time {
    double best_ns, median_ns; /* of one call */
} bench_time;

/* Calls are timed in batches that are long against the clock; several of them even if that takes longer. */
bench_time bench_measure(bench_fn fn, void *context, double budget_ms);

/* Best time in which every thread did one call, all at the same time; contexts[i] is thread i's. 0: no threads. */
double bench_measure_threads(bench_fn fn, void *const *contexts, uint32_t threads, double budget_ms);

#endif
