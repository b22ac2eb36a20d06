/* A session's own threads: every task exactly once whatever the threads do, stops, stalls, idle time, signals. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sched.h>
#include <sys/syscall.h>
#endif

#include "base/alloc.h"
#include "base/pool.h"
#include "lib/random.h"

#if TMC_THREADS

enum { MOST = 9, TASKS = 400 };

static const uint64_t ms = 1000000;

static void sleep_ns(uint64_t ns) {
    const struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    nanosleep(&t, NULL);
}

static tmc_exec start(uint32_t threads, uint32_t cores) {
    const tmc_pool_options options = {.threads = threads, .cores = cores};
    tmc_exec exec = {.threads = threads, .deadline_ns = UINT64_MAX};
    exec.workers = aligned_alloc(TMC_ALIGN, tmc_pool_bytes(threads));
    memset(exec.workers, 0xCD, tmc_pool_bytes(threads));
    assert_int_equal(tmc_pool_start(exec.workers, &options), threads);
    return exec;
}

static void stop(tmc_exec *exec) {
    tmc_pool_stop(exec->workers);
    free(exec->workers);
}

/* --------------------------------------------------------------------------------------------------- exactly once */

typedef struct {
    uint32_t done[TASKS], clashes, slots;
    uint32_t in_slot[MOST];
    uint64_t task_ns; /* the longest; a task's own length follows from its index */
    const uint32_t *written_before;
} tally;

static void tally_task(void *context, size_t index, size_t slot) {
    tally *t = context;
    /* A plain read of what the caller wrote before the loop, and plain writes that it reads after: ThreadSanitizer
     * sees here whether the loop orders them. */
    if (*t->written_before != 42 || slot >= t->slots || __atomic_fetch_add(&t->in_slot[slot], 1, __ATOMIC_SEQ_CST))
        __atomic_fetch_add(&t->clashes, 1, __ATOMIC_SEQ_CST);
    if (t->task_ns) {
        const uint64_t end = tmc_clock_ns() + t->task_ns * (index % 7) / 7;
        while (tmc_clock_ns() < end) continue;
    }
    t->done[index]++;
    __atomic_fetch_sub(&t->in_slot[slot], 1, __ATOMIC_SEQ_CST);
}

static void check_loop(tmc_exec *exec, size_t count, uint64_t task_ns) {
    uint32_t written = 42;
    tally t = {.slots = exec->threads, .task_ns = task_ns, .written_before = &written};
    assert_int_equal(tmc_exec_loop(exec, count, tally_task, &t), TMC_OK);
    for (size_t i = 0; i < TASKS; i++) assert_int_equal(t.done[i], i < count);
    assert_int_equal(t.clashes, 0);
}

static void every_task_once(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 5);
    for (uint32_t threads = 2; threads <= MOST; threads++) {
        const uint32_t cores[] = {0, 1, MOST};
        tmc_exec exec = start(threads, cores[threads % 3]);
        for (int run = 0; run < 15; run++) {
            const bool announced = random_u32(&r) % 4 != 0;
            if (announced) tmc_pool_begin(exec.workers);
            for (int i = 0; i < 25; i++) {
                const uint64_t lengths[] = {0, 0, 2000, 30000};
                check_loop(&exec, random_u32(&r) % (i % 3 ? 12 : TASKS), lengths[random_u32(&r) % 4]);
                if (random_u32(&r) % 8 == 0) sleep_ns(random_u32(&r) % 100000);
            }
            if (announced) tmc_pool_end(exec.workers);
        }
        stop(&exec);
    }
}

/* Workers that are still starting, or are woken up to end. */
static void start_and_stop(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        tmc_exec exec = start(2 + (uint32_t)i % 4, MOST);
        if (i % 3 == 0) tmc_pool_begin(exec.workers);
        if (i % 2) check_loop(&exec, 20, 0);
        if (i % 3 == 0) tmc_pool_end(exec.workers);
        stop(&exec);
    }
}

static void outer_task(void *context, size_t index, size_t slot) {
    (void)index;
    tmc_exec *inner = context;
    if (slot == 0) check_loop(inner, 50, 0);
}

/* A task may use another pool. */
static void loops_inside_loops(void **state) {
    (void)state;
    tmc_exec outer = start(3, MOST), inner = start(3, MOST);
    for (int i = 0; i < 50; i++) assert_int_equal(tmc_exec_loop(&outer, 9, outer_task, &inner), TMC_OK);
    stop(&inner);
    stop(&outer);
}

/* ----------------------------------------------------------------------------------------------------------- stops */

typedef struct {
    int32_t flag;
    uint32_t executed;
    size_t raise_at;
} cancelled;

static void cancelled_task(void *context, size_t index, size_t slot) {
    (void)slot;
    cancelled *c = context;
    __atomic_fetch_add(&c->executed, 1, __ATOMIC_SEQ_CST);
    if (index == c->raise_at) __atomic_store_n(&c->flag, 1, __ATOMIC_SEQ_CST);
}

/* Whoever sees the stop first; the tasks that nobody ran are millions, and not counted off one by one. */
static void a_stop_ends_the_loop(void **state) {
    (void)state;
    for (int i = 0; i < 40; i++) {
        tmc_exec exec = start(2 + (uint32_t)i % 3, MOST);
        const size_t count = 400000000;
        cancelled c = {.raise_at = i % 2 ? 3 : count / exec.threads + 3};
        exec.cancel_flag = &c.flag;
        tmc_pool_begin(exec.workers);
        if (i % 2 == 0) sleep_ns(100000); /* workers are awake: one of them raises the flag */
        const uint64_t begin = tmc_clock_ns();
        if (i % 2 == 0) exec.deadline_ns = begin + 50 * ms; /* unless it does not run */
        const tmc_status status = tmc_exec_loop(&exec, count, cancelled_task, &c);
        assert_true(status == TMC_E_CANCELLED || (i % 2 == 0 && status == TMC_E_TIMEOUT));
        assert_true(c.executed < count);
        c.executed = 0;
        assert_int_equal(tmc_exec_loop(&exec, 100, cancelled_task, &c), status);
        assert_int_equal(c.executed, 0);
        exec.stop = c.flag = 0;
        exec.deadline_ns = UINT64_MAX;
        check_loop(&exec, 100, 0);
        tmc_pool_end(exec.workers);
        stop(&exec);
    }
}

/* ---------------------------------------------------------------------------------------------------------- stalls */

typedef struct {
    uint32_t by_workers;
    uint64_t worker_sleeps_ns;
} stall;

static void stall_task(void *context, size_t index, size_t slot) {
    (void)index;
    stall *s = context;
    if (slot) {
        __atomic_fetch_add(&s->by_workers, 1, __ATOMIC_SEQ_CST);
        sleep_ns(s->worker_sleeps_ns);
    } else {
        const uint64_t end = tmc_clock_ns() + 20000;
        while (tmc_clock_ns() < end) continue;
    }
}

/* Runs loops until a worker has a task, for 20 s at most. */
static bool a_worker_takes_part(tmc_exec *exec, uint64_t worker_sleeps_ns) {
    const uint64_t give_up = tmc_clock_ns() + 20000 * ms;
    stall s = {.worker_sleeps_ns = worker_sleeps_ns};
    while (!s.by_workers && tmc_clock_ns() < give_up) tmc_exec_loop(exec, 40, stall_task, &s);
    return s.by_workers;
}

/* A worker that does not run while it owns a task, as when another process has its core, then rests for four times as
 * long: no task goes to it, and the caller does not wait. Later it takes part again. On a busy machine the caller may
 * be the one that does not run: once in some times is enough. */
static void a_stalled_worker_rests(void **state) {
    (void)state;
    tmc_exec exec = start(2, 0);
    uint32_t rests_seen = 0;
    tmc_pool_begin(exec.workers);
    for (int i = 0; i < 20 && rests_seen < 3; i++) {
        stall s = {0};
        assert_true(a_worker_takes_part(&exec, 10 * ms));
        const uint64_t end_of_rest = tmc_clock_ns() + 15 * ms;
        while (tmc_clock_ns() < end_of_rest) tmc_exec_loop(&exec, 40, stall_task, &s);
        rests_seen += s.by_workers == 0;
    }
    tmc_pool_end(exec.workers);
    assert_int_equal(rests_seen, 3);
    stop(&exec);
}

/* ----------------------------------------------------------------------------------------- a guest in the process */

static uint64_t process_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Between runs, and in a run that has no loop for long. */
static void idle_workers_sleep(void **state) {
    (void)state;
    tmc_exec exec = start(4, MOST);
    uint64_t used[2] = {0, 0};
    for (int i = 0; i < 10; i++) {
        const bool in_run = i % 2;
        tmc_pool_begin(exec.workers);
        for (int k = 0; k < 20; k++) check_loop(&exec, 40, 5000);
        if (!in_run) tmc_pool_end(exec.workers);
        sleep_ns(5 * ms);
        const uint64_t before = process_time();
        sleep_ns(100 * ms);
        used[in_run] += process_time() - before;
        if (in_run) tmc_pool_end(exec.workers);
    }
    printf("processor time of 4 threads in 500 ms: %.3f ms between runs, %.3f ms in a run\n", (double)used[0] * 1e-6,
           (double)used[1] * 1e-6);
    assert_true(used[0] < 25 * ms && used[1] < 25 * ms);
    stop(&exec);
}

typedef struct {
    pthread_t caller;
    uint32_t by_workers, wrong;
    uint64_t end_ns;
    int processor; /* -1: any */
} guest;

static void guest_task(void *context, size_t index, size_t slot) {
    (void)index;
    guest *g = context;
    sigset_t blocked;
    volatile char stack[40 * 1024];
    stack[0] = stack[sizeof stack - 1] = 1;
    if (slot) {
        pthread_sigmask(SIG_BLOCK, NULL, &blocked);
        bool right = sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGUSR1) &&
                     !sigismember(&blocked, SIGSEGV) && !pthread_equal(pthread_self(), g->caller);
#if defined(__linux__)
        cpu_set_t set;
        if (g->processor >= 0)
            right &= !sched_getaffinity(0, sizeof set, &set) && CPU_COUNT(&set) == 1 && CPU_ISSET(g->processor, &set);
#endif
        __atomic_fetch_add(&g->wrong, !right, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&g->by_workers, 1, __ATOMIC_SEQ_CST);
    }
    sleep_ns(50000); /* lets a worker run */
}

static void check_guest(const tmc_pool_options *options, int processor) {
    tmc_exec exec = {.threads = options->threads, .deadline_ns = UINT64_MAX};
    guest g = {.caller = pthread_self(), .end_ns = tmc_clock_ns() + 20000 * ms, .processor = processor};
    exec.workers = aligned_alloc(TMC_ALIGN, tmc_pool_bytes(options->threads));
    assert_int_equal(tmc_pool_start(exec.workers, options), options->threads);
    while (!g.by_workers && tmc_clock_ns() < g.end_ns) {
        tmc_pool_begin(exec.workers);
        tmc_exec_loop(&exec, 64, guest_task, &g);
        tmc_pool_end(exec.workers);
    }
    assert_true(g.by_workers > 0);
    assert_int_equal(g.wrong, 0);
    stop(&exec);
}

static void signals_and_stack(void **state) {
    (void)state;
    sigset_t before, after;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    check_guest(&(tmc_pool_options){.threads = 3}, -1);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    for (int i = 1; i < 32; i++) assert_int_equal(sigismember(&before, i), sigismember(&after, i));
}

/* Workers stay on the big cores that the process may use; where there is none, or where there are fewer than threads,
 * they go anywhere. */
static void big_cores_are_preferred(void **state) {
    (void)state;
#if defined(__linux__)
    cpu_set_t allowed, after;
    assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    int last = 63, forbidden = 63;
    while (last > 0 && !CPU_ISSET(last, &allowed)) last--;
    while (forbidden > 0 && CPU_ISSET(forbidden, &allowed)) forbidden--;
    const uint64_t big = 1ull << last, absent = 1ull << forbidden;
    if (forbidden && CPU_ISSET(last, &allowed)) {
        check_guest(&(tmc_pool_options){.threads = 2, .big_cores = big | absent}, last);
        check_guest(&(tmc_pool_options){.threads = 2, .big_cores = absent}, -1);
        check_guest(&(tmc_pool_options){.threads = 4, .big_cores = big}, -1);
    }
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_true(CPU_EQUAL(&allowed, &after));
#else
    skip();
#endif
}

/* ------------------------------------------------------------------------------------------------------ processors */

#if defined(__linux__)

/* The first processors that this thread may use, and all of them; false where there is only one. */
static bool two_processors(int *first, int *second, cpu_set_t *all) {
    *first = *second = -1;
    if (sched_getaffinity(0, sizeof *all, all)) return false;
    for (int i = CPU_SETSIZE - 1; i >= 0; i--)
        if (CPU_ISSET((size_t)i, all)) *second = *first, *first = i;
    return *second >= 0;
}

static void pin(pid_t thread, int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)processor, &set);
    assert_int_equal(sched_setaffinity(thread, sizeof set, &set), 0);
}

typedef struct {
    int callers;            /* processor */
    uint32_t apart, beside; /* tasks of workers that may run there, and may not */
    pid_t worker;
    uint32_t begun, lent;
    uint64_t end_ns;
} placing;

static void placing_task(void *context, size_t index, size_t slot) {
    (void)index;
    placing *p = context;
    cpu_set_t set;
    if (slot && !sched_getaffinity(0, sizeof set, &set)) {
        __atomic_fetch_add(CPU_ISSET((size_t)p->callers, &set) ? &p->beside : &p->apart, 1, __ATOMIC_SEQ_CST);
        __atomic_store_n(&p->worker, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
    }
    sleep_ns(20000); /* lets a worker run */
}

/* Runs until workers had tasks, all of them apart from the caller. A loop in which the caller has lent its processor is
 * not one: a worker that was stopped between taking a task and starting it may then start there. */
static placing run_placed(tmc_exec *exec, int processor) {
    placing p = {.callers = processor, .end_ns = tmc_clock_ns() + 20000 * ms};
    pin(0, processor);
    do {
        p.apart = p.beside = 0;
        tmc_pool_begin(exec->workers);
        tmc_exec_loop(exec, 40, placing_task, &p);
        tmc_pool_end(exec->workers);
    } while ((!p.apart || p.beside) && tmc_clock_ns() < p.end_ns);
    return p;
}

static void lent_task(void *context, size_t index, size_t slot) {
    (void)index;
    placing *p = context;
    if (slot) __atomic_store_n(&p->begun, 1, __ATOMIC_SEQ_CST);
    while (tmc_clock_ns() < p->end_ns) {
        if (slot ? sched_getcpu() == p->callers : __atomic_load_n(&p->begun, __ATOMIC_SEQ_CST)) {
            __atomic_fetch_add(&p->lent, slot != 0, __ATOMIC_SEQ_CST);
            break;
        }
    }
    sleep_ns(20000); /* long enough a loop for two threads in the next run */
}

/* Whether a worker comes to the caller's processor while the caller waits for it. Not in a loop in which it rests. */
static bool is_lent(tmc_exec *exec, int processor) {
    const uint64_t end_ns = tmc_clock_ns() + 20000 * ms;
    pin(0, processor);
    while (tmc_clock_ns() < end_ns) {
        placing p = {.callers = processor, .end_ns = tmc_clock_ns() + 500 * ms};
        tmc_pool_begin(exec->workers);
        tmc_exec_loop(exec, 2, lent_task, &p);
        tmc_pool_end(exec->workers);
        if (p.lent) return true;
    }
    return false;
}

/* They follow the caller, stay where somebody else has put them, and may have its processor while it waits. */
static void workers_leave_the_callers_processor(void **state) {
    (void)state;
    int first, second;
    cpu_set_t all, set;
    if (!two_processors(&first, &second, &all)) skip();
    tmc_exec exec = start(2, MOST);
    pid_t moved = 0;
    for (int i = 0; i < 6; i++) {
        const placing p = run_placed(&exec, i % 2 ? second : first);
        assert_true(p.apart > 0);
        assert_int_equal(p.beside, 0);
        moved = p.worker;
    }
    for (int i = 0; i < 3; i++) {
        assert_true(is_lent(&exec, first));
        assert_int_equal(run_placed(&exec, first).beside, 0);
    }
    do { /* not while it is lent: somebody else's wish for the same processor would not show */
        run_placed(&exec, second);
        assert_int_equal(sched_getaffinity(moved, sizeof set, &set), 0);
    } while (CPU_ISSET((size_t)second, &set));
    pin(moved, second);
    run_placed(&exec, first);
    pin(0, second);
    check_loop(&exec, 40, 0);
    assert_int_equal(sched_getaffinity(moved, sizeof set, &set), 0);
    assert_true(CPU_COUNT(&set) == 1 && CPU_ISSET((size_t)second, &set));
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
    stop(&exec);
}

#else

static void workers_leave_the_callers_processor(void **state) {
    (void)state;
    skip();
}

#endif
#endif

int main(void) {
#if TMC_THREADS
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_once),
        cmocka_unit_test(start_and_stop),
        cmocka_unit_test(loops_inside_loops),
        cmocka_unit_test(a_stop_ends_the_loop),
        cmocka_unit_test(a_stalled_worker_rests),
        cmocka_unit_test(idle_workers_sleep),
        cmocka_unit_test(signals_and_stack),
        cmocka_unit_test(big_cores_are_preferred),
        cmocka_unit_test(workers_leave_the_callers_processor),
    };
    alarm(300);
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    printf("SKIPPED: this build has no threads\n");
    return 0;
#endif
}
