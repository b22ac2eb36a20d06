#include "bench/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "bench/loaded.h"
#include "bench/measure.h"
#include "io/file.h"
#include "io/timing.h"

enum { LEAST_RUNS = 5, MOST_RUNS = 20000 };

/* A value of /proc/self/status in bytes; 0 where there is none. */
static double status_bytes(const char *key) {
    char line[128];
    double kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    if (!file) return 0;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0) kib = strtod(line + strlen(key), NULL);
    fclose(file);
    return kib * 1024;
}

/* Forgets the peak so far (Linux 4.0). False: what follows would be the parent's peak. */
static bool reset_peak(void) {
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (!file) return false;
    bool ok = fputs("5", file) >= 0;
    return fclose(file) == 0 && ok;
}

static tmc_status run_warm(const bench_loaded *m, double budget_ms, bench_child_result *r, tmc_error *err) {
    double *samples = malloc(MOST_RUNS * sizeof *samples), used = 0;
    size_t n = 0;
    tmc_status status = samples ? TMC_OK : TMC_E_NOMEM;
    while (!status && n < MOST_RUNS && (n < LEAST_RUNS || used < budget_ms * 1e6)) {
        double start = timing_now_ns();
        status = tmc_session_run(m->session, NULL, err);
        samples[n] = timing_now_ns() - start;
        used += samples[n++];
    }
    if (!status) {
        timing_summary summary = timing_summarise(samples, n);
        r->median_ns = summary.median;
        r->p90_ns = summary.p90;
        r->min_ns = summary.min;
        r->runs = (double)n;
    }
    free(samples);
    return status;
}

static tmc_status time_verify(const char *path, double *ns, tmc_error *err) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    tmc_model_options options;
    tmc_model_options_init(&options);
    options.flags = TMC_MODEL_BORROW;
    tmc_status status = io_read_file(path, options.max_bytes, &bytes, &size, err);
    void *aligned = status ? NULL : tmc_alloc(&tmc_allocator_libc, size + 1);
    if (!status && !aligned) status = TMC_E_NOMEM;
    if (aligned) memcpy(aligned, bytes, size);
    for (int i = 0; i < 5 && !status; i++) {
        tmc_model *model = NULL;
        double start = timing_now_ns();
        status = tmc_model_open_memory(aligned, size, &options, &model, err);
        double time = timing_now_ns() - start;
        if (i == 0 || time < *ns) *ns = time;
        tmc_model_release(&model);
    }
    if (aligned) tmc_free(&tmc_allocator_libc, aligned, size + 1);
    free(bytes);
    return status;
}

static void describe(const bench_loaded *m, const bench_ceilings *ceilings, bench_child_result *r) {
    tmc_memory memory = {.struct_size = sizeof memory};
    tmc_session_info info = {.struct_size = sizeof info};
    tmc_plan_memory(m->plan, &memory);
    tmc_session_get_info(m->session, &info);
    r->planned_bytes = (double)(memory.model_bytes + memory.plan_bytes + memory.session_bytes);
    r->threads = info.threads;
    for (uint32_t i = 0; ceilings && i < tmc_plan_node_count(m->plan); i++) {
        bench_node node;
        bench_node_get(m->plan, i, ceilings, &node);
        r->floor_ns += node.floor.ns;
        r->macs += (double)node.report.macs;
    }
}

static tmc_status work(const char *path, bool mapped, tmc_isa isa, uint32_t threads, double warm_ms,
                       const bench_ceilings *ceilings, bench_child_result *r, tmc_error *err) {
    bench_loaded m;
    const bool peak_known = reset_peak();
    const double before = status_bytes("VmRSS:");
    TMC_TRY(bench_load(path, mapped, isa, threads, &m, err));
    r->open_ns = m.open_ns;
    r->plan_ns = m.plan_ns;
    r->session_ns = m.session_ns;
    double start = timing_now_ns();
    tmc_status status = tmc_session_run(m.session, NULL, err);
    r->first_ns = timing_now_ns() - start;
    if (peak_known) r->resident_bytes = status_bytes("VmHWM:") - before;
    describe(&m, ceilings, r);
    if (!status && warm_ms > 0) status = run_warm(&m, warm_ms, r, err);
    bench_unload(&m);
    if (!status && warm_ms > 0) status = time_verify(path, &r->verify_ns, err);
    return status;
}

/* The child's whole life. */
static void child_main(int fd, const char *path, bool mapped, tmc_isa isa, uint32_t threads, double warm_ms,
                       const bench_ceilings *ceilings) {
    bench_child_result result;
    tmc_error err;
    tmc_error_init(&err);
    memset(&result, 0, sizeof result);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    tmc_status status = work(path, mapped, isa, threads, warm_ms, ceilings, &result, &err);
    if (status) {
        const char *message = err.message[0] ? err.message : tmc_status_text(status);
        fprintf(stderr, "tmcnn-bench: %s: %s [%s]\n", path, message, tmc_status_name(status));
        _exit(1);
    }
    _exit(write(fd, &result, sizeof result) == (ssize_t)sizeof result ? 0 : 1);
}

static bool receive(int fd, bench_child_result *result) {
    size_t got = 0;
    while (got < sizeof *result) {
        ssize_t n = read(fd, (char *)result + got, sizeof *result - got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        got += (size_t)n;
    }
    return true;
}

bool bench_child_run(const char *path, bool mapped, tmc_isa isa, uint32_t threads, double warm_ms,
                     const bench_ceilings *ceilings, bench_child_result *result) {
    int ends[2], status = 0;
    if (bench_interrupted) return false;
    if (pipe(ends)) return perror("tmcnn-bench: pipe"), false;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        child_main(ends[1], path, mapped, isa, threads, warm_ms, ceilings);
    }
    close(ends[1]);
    bool ok = child > 0 && receive(ends[0], result);
    close(ends[0]);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return ok;
}
