/* The session's own threads beside pthreadpool's: creation, the price of a loop, and models with 1 and 2 threads, on a
 * quiet machine and with one processor busy elsewhere.
 *
 *   bench-threads [--runs N] [--busy PROCESSOR] [MODEL.tmc ...]
 *
 * What is compared runs in turn; the best and the median of each are printed. Other load on the machine shows in the
 * median first. */
#define _GNU_SOURCE
#include <pthreadpool.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/pool.h"

enum { KINDS = 3, MAX_RUNS = 10000 };

typedef struct {
    double ms[MAX_RUNS];
    int count;
} samples;

static int compare_doubles(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void add(samples *s, uint64_t begin) {
    if (s->count < MAX_RUNS) s->ms[s->count++] = (double)(tmc_clock_ns() - begin) * 1e-6;
}

static double part(samples *s, int tenths) {
    qsort(s->ms, (size_t)s->count, sizeof *s->ms, compare_doubles);
    return s->ms[s->count * tenths / 10];
}

static void report(const char *name, samples *s) {
    printf("%-44s best %9.3f us   median %9.3f us\n", name, part(s, 0) * 1e3, part(s, 5) * 1e3);
    s->count = 0;
}

static tmc_pool *pool_new(void) {
    tmc_pool *pool = aligned_alloc(64, tmc_pool_bytes(2));
    const tmc_pool_options options = {.threads = 2, .cores = 2};
    if (!pool || tmc_pool_start(pool, &options) != 2) {
        fprintf(stderr, "no threads\n");
        exit(1);
    }
    return pool;
}

/* ------------------------------------------------------------------------------------------------------ creation */

static samples a, b, c;

static void bench_create(void) {
    for (int i = 0; i < 300; i++) {
        uint64_t begin = tmc_clock_ns();
        pthreadpool_t theirs = pthreadpool_create(2);
        pthreadpool_destroy(theirs);
        add(&a, begin);
        begin = tmc_clock_ns();
        tmc_pool *ours = pool_new();
        tmc_pool_stop(ours);
        add(&b, begin);
        free(ours);
    }
    report("create and destroy 2 threads: pthreadpool", &a);
    report("create and destroy 2 threads: own", &b);
}

/* --------------------------------------------------------------------------------------------------------- loops */

static void busy_task(void *context, size_t index, size_t slot) {
    (void)index, (void)slot;
    const uint64_t until = tmc_clock_ns() + *(const uint64_t *)context;
    while (tmc_clock_ns() < until) continue;
}

static void busy_task_1d(void *context, size_t index) { busy_task(context, index, 0); }

static void bench_loops(uint64_t task_ns, size_t tasks, long pause_ns, const char *what) {
    char name[96];
    pthreadpool_t theirs = pthreadpool_create(2);
    tmc_pool *ours = pool_new();
    tmc_exec exec = {.threads = 2, .deadline_ns = UINT64_MAX, .workers = ours};
    const struct timespec pause = {0, pause_ns};
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 50; i++) {
            if (pause_ns) nanosleep(&pause, NULL);
            const uint64_t begin = tmc_clock_ns();
            pthreadpool_parallelize_1d(theirs, busy_task_1d, &task_ns, tasks, PTHREADPOOL_FLAG_YIELD_WORKERS);
            add(&a, begin);
        }
        if (!pause_ns) tmc_pool_begin(ours);
        for (int i = 0; i < 50; i++) {
            if (pause_ns) nanosleep(&pause, NULL);
            const uint64_t begin = tmc_clock_ns();
            if (pause_ns) tmc_pool_begin(ours);
            tmc_exec_loop(&exec, tasks, busy_task, &task_ns);
            add(&b, begin);
            if (pause_ns) tmc_pool_end(ours);
        }
        if (!pause_ns) tmc_pool_end(ours);
        for (int i = 0; i < 50; i++) {
            if (pause_ns) nanosleep(&pause, NULL);
            const uint64_t begin = tmc_clock_ns();
            for (size_t k = 0; k < tasks; k++) busy_task(&task_ns, k, 0);
            add(&c, begin);
        }
    }
    snprintf(name, sizeof name, "%s: pthreadpool", what);
    report(name, &a);
    snprintf(name, sizeof name, "%s: own", what);
    report(name, &b);
    snprintf(name, sizeof name, "%s: one thread", what);
    report(name, &c);
    tmc_pool_stop(ours);
    free(ours);
    pthreadpool_destroy(theirs);
}

/* -------------------------------------------------------------------------------------------------------- models */

static const char *const kind_names[KINDS] = {"1 thread", "2 threads, own", "2 threads, pthreadpool"};

static void fail(const char *what, const tmc_error *err) {
    fprintf(stderr, "%s: %s\n", what, err->message);
    exit(1);
}

static void fill(tmc_session *session, tmc_error *err) {
    tmc_tensor_info info = {.struct_size = sizeof info};
    uint32_t state = 1;
    for (uint32_t i = 0; !tmc_session_input(session, i, &info); i++) {
        float *data = calloc(1, info.bytes);
        for (size_t k = 0; info.dtype == TMC_F32 && k < info.bytes / sizeof *data; k++) {
            state = state * 1664525u + 1013904223u;
            data[k] = (float)(state >> 8) / 8388608.0f - 1.0f;
        }
        if (tmc_session_write_input(session, i, data, info.bytes, err)) fail("input", err);
        free(data);
    }
}

static void bench_model(const char *path, int runs) {
    static samples times[KINDS];
    tmc_error err;
    tmc_error_init(&err);
    tmc_model *model = NULL;
    tmc_session *sessions[KINDS] = {NULL};
    pthreadpool_t theirs = pthreadpool_create(2);
    if (tmc_model_open_file(path, NULL, &model, &err)) fail(path, &err);
    for (int k = 0; k < KINDS; k++) {
        tmc_plan_options po;
        tmc_session_options so;
        tmc_plan *plan = NULL;
        tmc_plan_options_init(&po);
        tmc_session_options_init(&so);
        po.threads = k ? 2 : 1;
        if (k == 2) so.threadpool = theirs;
        if (tmc_plan_create(model, &po, &plan, &err) || tmc_session_create(plan, &so, &sessions[k], &err))
            fail(path, &err);
        tmc_plan_release(&plan);
        fill(sessions[k], &err);
    }
    for (int done = 0; done < runs; done += 10) {
        for (int k = 0; k < KINDS; k++) {
            for (int i = 0; i < 10; i++) {
                const uint64_t begin = tmc_clock_ns();
                if (tmc_session_run(sessions[k], NULL, &err)) fail(path, &err);
                add(&times[k], begin);
            }
        }
    }
    const char *name = strrchr(path, '/');
    for (int k = 0; k < KINDS; k++)
        printf("%-24s %-24s best %8.3f ms (x%.2f)   median %8.3f ms (x%.2f)   90th percentile %8.3f ms\n",
               name ? name + 1 : path, kind_names[k], part(&times[k], 0), part(&times[0], 0) / part(&times[k], 0),
               part(&times[k], 5), part(&times[0], 5) / part(&times[k], 5), part(&times[k], 9));
    for (int k = 0; k < KINDS; k++) {
        times[k].count = 0;
        tmc_session_release(&sessions[k]);
    }
    pthreadpool_destroy(theirs);
    tmc_model_release(&model);
}

/* Ends with this process. */
static pid_t start_busy_process(int processor) {
    const pid_t pid = fork();
    if (pid) return pid;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (sched_setaffinity(0, sizeof set, &set)) _exit(1);
    for (volatile unsigned n = 0;; n++) continue;
}

int main(int argc, char **argv) {
    int runs = 50, busy = -1, first = 1;
    for (; first + 1 < argc && !strncmp(argv[first], "--", 2); first += 2) {
        if (!strcmp(argv[first], "--runs")) runs = atoi(argv[first + 1]);
        if (!strcmp(argv[first], "--busy")) busy = atoi(argv[first + 1]);
    }
    const pid_t busy_process = busy >= 0 ? start_busy_process(busy) : 0;
    if (busy >= 0) printf("processor %d is busy with another process\n", busy);
    if (first == argc) {
        bench_create();
        bench_loops(0, 2, 0, "2 empty tasks, loop after loop");
        bench_loops(5000, 16, 0, "16 tasks of 5 us, loop after loop");
        bench_loops(20000, 16, 2000000, "16 tasks of 20 us, 2 ms after the last");
    }
    for (int i = first; i < argc; i++) bench_model(argv[i], runs);
    if (busy_process > 0) {
        kill(busy_process, SIGKILL);
        waitpid(busy_process, NULL, 0);
    }
    return 0;
}
