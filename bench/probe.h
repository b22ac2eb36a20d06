/* The machine's own ceilings at one instruction-set level: multiply-accumulate rate, bandwidth of each level of the
 * memory, clock. Each is the best of many short repetitions: on a shared machine the best is the ceiling, the rest is
 * what others took. */
#ifndef TMC_BENCH_PROBE_H
#define TMC_BENCH_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tmcnn/tmcnn.h"

/* The loops of one instruction set, written once in probe_loops.inl over kernels/vec. */
typedef struct bench_probe_loops {
    tmc_isa isa;
    size_t fmas_per_step; /* lanes times independent chains */
    /* lanes[i] = fma(lanes[i], x, y), `steps` times for each of fmas_per_step lanes. The chains start from memory,
     * each from its own value: chains that start alike are one chain to a compiler, and the rate of one counted twelve
     * times is above any machine's. */
    void (*fma)(size_t steps, float x, float y, float *lanes);
    /* n floats, a multiple of BENCH_PROBE_BLOCK, once. read: all of them influence *sink. */
    void (*read)(const float *p, size_t n, float *sink);
    void (*write)(float *p, size_t n, float value);
    void (*copy)(float *y, const float *x, size_t n);
} bench_probe_loops;

enum { BENCH_PROBE_BLOCK = 256, BENCH_PROBE_LANES = 512 /* fmas_per_step at most */ };

/* `steps` dot products of int8 into each of independent sums of int32, from and to BENCH_PROBE_LANES lanes; returns the
 * multiply-accumulates of a step. NULL where a level has no instruction of its own for them. */
typedef size_t (*bench_probe_dot_fn)(size_t steps, int32_t *lanes);
bench_probe_dot_fn bench_probe_dot(tmc_isa isa, uint32_t features);

/* NULL if this build has none for the level. */
const bench_probe_loops *bench_probe_find(tmc_isa isa);

#if defined(__x86_64__) || defined(__i386__)
size_t tmc_probe_dot_vnni__avx512(size_t steps, int32_t *lanes);
size_t tmc_probe_dot_vnni__avx2(size_t steps, int32_t *lanes);
size_t tmc_probe_dot__avx2(size_t steps, int32_t *lanes);
size_t tmc_probe_dot__sse41(size_t steps, int32_t *lanes);
#endif

enum { BENCH_L1, BENCH_L2, BENCH_L3, BENCH_MEMORY, BENCH_LEVELS };
extern const char *const bench_level_names[BENCH_LEVELS];

typedef struct bench_bandwidth {
    uint64_t capacity;        /* bytes that fit, of all threads together; 0: the machine has no such level */
    uint64_t probed;          /* bytes that each thread went over */
    double read, write, copy; /* GB/s of all threads together; copy: bytes read plus bytes written */
} bench_bandwidth;

typedef struct bench_ceilings {
    tmc_isa isa;
    uint32_t threads;
    double clock_ghz;
    double gmacs;      /* 1e9 multiply-accumulates per second */
    double int8_gmacs; /* the same of int8; 0: as of floats */
    bench_bandwidth level[BENCH_LEVELS];
} bench_ceilings;

/* False if memory or threads are short. */
bool bench_probe(tmc_isa isa, uint32_t threads, double item_ms, bench_ceilings *ceilings);

/* Several threads can do what one can: where a busy machine never let them run at the same time, one's rates stand. */
void bench_probe_at_least(bench_ceilings *many, const bench_ceilings *one);

/* The largest relative change of any ceiling from one probe to another, signed; *what names it. */
double bench_probe_drift(const bench_ceilings *before, const bench_ceilings *after, const char **what);

/* The time below which no implementation that does these multiply-accumulates and moves these bytes can come: the
 * larger of arithmetic at the peak and traffic at the bandwidth of the smallest level that holds all the bytes. */
typedef struct bench_floor {
    double ns;
    const char *bound; /* "fma", or the level's name */
} bench_floor;
bench_floor bench_floor_of(const bench_ceilings *ceilings, uint64_t macs, uint64_t read, uint64_t written);

#endif
