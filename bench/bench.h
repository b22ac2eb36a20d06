/* tmcnn-bench: what its parts share. */
#ifndef TMC_BENCH_BENCH_H
#define TMC_BENCH_BENCH_H

#include <stdbool.h>

#include "bench/machine.h"
#include "bench/probe.h"
#include "io/json.h"

enum { BENCH_OK = 0, BENCH_FAILED = 1, BENCH_USAGE = 2, BENCH_INTERRUPTED = 130 };

typedef struct bench_options {
    const char *command; /* probe, kernels, layers, models, all */
    tmc_isa isa;         /* never AUTO once parsed */
    uint32_t threads;    /* 0: not given */
    double time_ms;      /* for each item; 0: not given */
    const char *json_path, *filter;
    uint32_t top; /* rows of the table of losses; 0: all */
    char **models;
    int model_count;
} bench_options;

/* BENCH_OK, BENCH_USAGE with a message printed; *done: help was printed. */
int bench_options_parse(int argc, char **argv, bench_options *options, bool *done);

typedef struct bench_run {
    bench_options options;
    bench_machine machine;
    uint32_t threads;         /* the larger count of models, and that of layers if given */
    bench_ceilings one, many; /* at one thread and at `threads` */
    json_writer json;
} bench_run;

/* Each prints its table while it measures, and adds its section to the JSON. The results are exit statuses. */
int bench_kernels(bench_run *run);
int bench_layers(bench_run *run);
int bench_models(bench_run *run);

/* Before and after everything else. */
int bench_probe_section(bench_run *run, const char *when);

bool bench_selected(const bench_run *run, const char *text);
double bench_item_ms(const bench_run *run, double otherwise);
/* File name without folders. */
const char *bench_base_name(const char *path);

#endif
