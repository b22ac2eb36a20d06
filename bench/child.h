/* One model in a process of its own: what is cold is cold, and its memory is its own. */
#ifndef TMC_BENCH_CHILD_H
#define TMC_BENCH_CHILD_H

#include <stdbool.h>

#include "bench/probe.h"

typedef struct bench_child_result {
    double open_ns, plan_ns, session_ns, first_ns;
    double median_ns, p90_ns, min_ns, runs; /* 0 unless asked for */
    double verify_ns;                       /* all checks of the file alone, bytes in the cache */
    double floor_ns, macs;
    double planned_bytes;  /* model, plan and session, as the plan states them */
    double resident_bytes; /* peak up to the end of the first run, less the empty process; 0 where not known */
    double threads;        /* that really run */
} bench_child_result;

/* `warm_ms`: time for steady runs, 0 for a start only; then `ceilings` may be NULL. False on failure, which the child
 * has printed, or after an interrupt. */
bool bench_child_run(const char *path, bool mapped, tmc_isa isa, uint32_t threads, double warm_ms,
                     const bench_ceilings *ceilings, bench_child_result *result);

#endif
