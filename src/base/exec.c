#define _POSIX_C_SOURCE 200809L
#include "base/exec.h"

#include <time.h>

#if TMC_THREADS
#include <pthreadpool.h>

#include "base/pool.h"
#include "base/tsan.h"
#endif

uint64_t tmc_clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

tmc_status tmc_exec_poll(tmc_exec *exec) {
    int32_t stop = __atomic_load_n(&exec->stop, __ATOMIC_RELAXED);
    if (stop) return (tmc_status)stop;
    if (exec->cancel_flag && __atomic_load_n(exec->cancel_flag, __ATOMIC_RELAXED)) {
        stop = TMC_E_CANCELLED;
    } else if (exec->deadline_ns != UINT64_MAX && tmc_clock_ns() >= exec->deadline_ns) {
        stop = TMC_E_TIMEOUT;
    } else {
        return TMC_OK;
    }
    __atomic_store_n(&exec->stop, stop, __ATOMIC_RELAXED);
    return (tmc_status)stop;
}

static void run_serial(tmc_exec *exec, size_t count, tmc_task_fn task, void *context) {
    for (size_t i = 0; i < count && tmc_exec_poll(exec) == TMC_OK; i++) task(context, i, 0);
}

#if TMC_THREADS

typedef struct {
    tmc_exec *exec;
    size_t count, next;
    tmc_task_fn task;
    void *context;
} loop;

static void run_slot(void *arg, size_t slot) {
    loop *l = arg;
    TMC_TSAN_OBSERVE(l);
    uint64_t saved = tmc_fpenv_enter();
    while (tmc_exec_poll(l->exec) == TMC_OK) {
        size_t index = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
        if (index >= l->count) break;
        l->task(l->context, index, slot);
    }
    tmc_fpenv_restore(saved);
    TMC_TSAN_PUBLISH(l);
}

/* False, with nothing done, if the tasks are for the calling thread alone. */
static bool run_parallel(tmc_exec *exec, size_t count, tmc_task_fn task, void *context) {
    if (exec->workers) return tmc_pool_loop(exec->workers, exec, count, task, context);
    const size_t slots = count < exec->threads ? count : exec->threads;
    if (!exec->pool || slots < 2) return false;
    loop l = {exec, count, 0, task, context};
    TMC_TSAN_PUBLISH(&l);
    pthreadpool_parallelize_1d(exec->pool, run_slot, &l, slots, PTHREADPOOL_FLAG_YIELD_WORKERS);
    TMC_TSAN_OBSERVE(&l);
    return true;
}

#else

static bool run_parallel(tmc_exec *exec, size_t count, tmc_task_fn task, void *context) {
    (void)exec, (void)count, (void)task, (void)context;
    return false;
}

#endif

tmc_status tmc_exec_loop(tmc_exec *exec, size_t count, tmc_task_fn task, void *context) {
    const uint64_t saved = tmc_fpenv_enter();
    if (!run_parallel(exec, count, task, context)) run_serial(exec, count, task, context);
    tmc_fpenv_restore(saved);
    return (tmc_status)exec->stop;
}
