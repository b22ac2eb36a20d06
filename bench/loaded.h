/* A model file made ready to run. */
#ifndef TMC_BENCH_LOADED_H
#define TMC_BENCH_LOADED_H

#include <stdbool.h>

#include "bench/probe.h"
#include "tmcnn/tmcnn.h"

typedef struct bench_loaded {
    tmc_model *model;
    tmc_plan *plan;
    tmc_session *session;
    tmc_model_info info;
    double open_ns, plan_ns, session_ns;
} bench_loaded;

/* Opens, plans, makes a session, fills the inputs. On failure everything is released. */
tmc_status bench_load(const char *path, bool mapped, tmc_isa isa, uint32_t threads, bench_loaded *loaded,
                      tmc_error *err);
void bench_unload(bench_loaded *loaded);

/* A node's report, its floor, and the bytes counted for it: none where an operator moves no data. */
typedef struct bench_node {
    tmc_node_report report;
    bench_floor floor;
    uint64_t bytes;
} bench_node;
void bench_node_get(const tmc_plan *plan, uint32_t index, const bench_ceilings *ceilings, bench_node *node);

#endif
