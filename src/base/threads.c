#define _POSIX_C_SOURCE 200809L
#include "base/threads.h"

#if TMC_THREADS

#include <errno.h>
#include <pthread.h>
#include <pthreadpool.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/tsan.h"

/* How long a caller waits for its pool. Its threads spin while they start: on an idle machine 4 take 0.1 ms, with five
 * times as many runnable threads as cores they were seen to take 170 ms. */
static uint64_t start_limit_ns(uint32_t wanted) { return 1000000000u + wanted * (uint64_t)100000000u; }

static void *wait_for_lock(void *lock) {
    pthread_mutex_lock(lock);
    pthread_mutex_unlock(lock);
    return NULL;
}

/* Can `count` threads exist at once? */
static bool threads_can_start(uint32_t count) {
    pthread_t ids[TMC_THREADS_MAX];
    pthread_mutex_t lock;
    uint32_t started = 0;
    if (pthread_mutex_init(&lock, NULL)) return false;
    pthread_mutex_lock(&lock);
    while (started < count && !pthread_create(&ids[started], NULL, wait_for_lock, &lock)) started++;
    pthread_mutex_unlock(&lock);
    for (uint32_t i = 0; i < started; i++) pthread_join(ids[i], NULL);
    pthread_mutex_destroy(&lock);
    return started == count;
}

typedef struct {
    uint32_t wanted, met;
    uint64_t deadline_ns;
} probe;

/* A thread stays in its task until all tasks are being run, so that all of them are met only by different threads. */
static void probe_task(void *context, size_t index) {
    (void)index;
    probe *p = context;
    TMC_TSAN_OBSERVE(p);
    __atomic_fetch_add(&p->met, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&p->met, __ATOMIC_ACQUIRE) < p->wanted && tmc_clock_ns() < p->deadline_ns) {
        struct timespec pause = {0, 20000};
        nanosleep(&pause, NULL);
    }
    TMC_TSAN_PUBLISH(p);
}

static bool pool_works(pthreadpool_t pool, uint32_t wanted) {
    probe p = {wanted, 0, tmc_clock_ns() + start_limit_ns(wanted)};
    TMC_TSAN_PUBLISH(&p);
    pthreadpool_parallelize_1d(pool, probe_task, &p, wanted, PTHREADPOOL_FLAG_YIELD_WORKERS);
    TMC_TSAN_OBSERVE(&p);
    /* met == wanted also when late tasks ran after the deadline one by one: then the deadline has passed. */
    return __atomic_load_n(&p.met, __ATOMIC_ACQUIRE) == wanted && tmc_clock_ns() < p.deadline_ns;
}

/* Shared by the caller and the helper; the last of the two to leave frees it. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t wanted;
    bool ready, abandoned;
    pthreadpool_t pool;
} start;

static void start_free(start *s) {
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static start *start_new(uint32_t wanted) {
    pthread_condattr_t monotonic;
    start *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->wanted = wanted;
    bool made = !pthread_condattr_init(&monotonic);
    if (made) {
        made = !pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) && !pthread_cond_init(&s->changed, &monotonic);
        pthread_condattr_destroy(&monotonic);
    }
    if (made && pthread_mutex_init(&s->lock, NULL)) {
        pthread_cond_destroy(&s->changed);
        made = false;
    }
    if (made) return s;
    free(s);
    return NULL;
}

static void *helper_main(void *context) {
    start *s = context;
    pthreadpool_t pool = pthreadpool_create(s->wanted);
    /* A pool whose probe fails has threads missing: destroying it would wait for them. */
    if (pool && !pool_works(pool, s->wanted)) pool = NULL;
    pthread_mutex_lock(&s->lock);
    bool abandoned = s->abandoned;
    s->pool = pool;
    s->ready = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (abandoned) {
        if (pool) pthreadpool_destroy(pool);
        start_free(s);
    }
    return NULL;
}

static bool helper_start(pthread_t *helper, start *s) {
    sigset_t all, saved;
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&all, faults[i]);
    if (pthread_sigmask(SIG_SETMASK, &all, &saved)) return false;
    bool started = !pthread_create(helper, NULL, helper_main, s);
    pthread_sigmask(SIG_SETMASK, &saved, NULL);
    return started;
}

static pthreadpool_t pool_start(uint32_t wanted) {
    pthread_t helper;
    if (!threads_can_start(wanted)) return NULL; /* wanted - 1 workers and the helper */
    start *s = start_new(wanted);
    if (!s) return NULL;
    if (!helper_start(&helper, s)) {
        start_free(s);
        return NULL;
    }
    uint64_t limit = tmc_clock_ns() + start_limit_ns(wanted);
    struct timespec until = {(time_t)(limit / 1000000000u), (long)(limit % 1000000000u)};
    pthread_mutex_lock(&s->lock);
    while (!s->ready && pthread_cond_timedwait(&s->changed, &s->lock, &until) != ETIMEDOUT) continue;
    bool ready = s->ready;
    pthreadpool_t pool = s->pool;
    s->abandoned = !ready;
    pthread_mutex_unlock(&s->lock);
    if (!ready) {
        pthread_detach(helper);
        return NULL;
    }
    pthread_join(helper, NULL);
    start_free(s);
    return pool;
}

static int64_t this_process(void) { return (int64_t)getpid(); }

static uint32_t pool_threads(struct pthreadpool *pool) { return (uint32_t)pthreadpool_get_threads_count(pool); }

static void pool_stop(struct pthreadpool *pool) { pthreadpool_destroy(pool); }

#else

/* Without threads nobody can hand in a pool: tmc_session_create refuses one. */
static struct pthreadpool *pool_start(uint32_t wanted) {
    (void)wanted;
    return NULL;
}

static int64_t this_process(void) { return 0; }

static uint32_t pool_threads(struct pthreadpool *pool) {
    (void)pool;
    return 1;
}

static void pool_stop(struct pthreadpool *pool) { (void)pool; }

#endif

void tmc_threads_start(tmc_threads *threads, struct pthreadpool *callers, uint32_t wanted) {
    threads->owned = !callers;
    threads->pool = callers ? callers : wanted > 1 ? pool_start(wanted) : NULL;
    threads->process = this_process();
    threads->threads = 1;
    if (threads->pool) {
        uint32_t available = pool_threads(threads->pool);
        threads->threads = available < wanted ? available : wanted;
    }
    threads->degraded = threads->threads < wanted;
}

void tmc_threads_stop(tmc_threads *threads) {
    if (threads->pool && threads->owned && threads->process == this_process()) pool_stop(threads->pool);
    threads->pool = NULL;
}

void tmc_threads_use(const tmc_threads *threads, tmc_exec *exec) {
    bool mine = threads->pool && threads->process == this_process();
    exec->pool = mine ? threads->pool : NULL;
    exec->threads = mine ? threads->threads : 1;
}
