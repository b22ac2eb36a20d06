#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* sched_setaffinity */
#endif
#include "base/pool.h"

#if TMC_THREADS

#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sched.h>
#include <sys/syscall.h>
#endif

#include "base/alloc.h"
#include "base/park.h"

/* What is written by different threads lies this far apart: a line, and the one that is prefetched with it. */
#define APART 128u

#define SPIN_NS 50000u      /* a worker between loops: more than most operators take to prepare theirs */
#define SPIN_MAX_NS 250000u /* the caller for a worker's last task */
#define STALL_NS 200000u    /* and 4 tasks: longer than that, the worker was not running */
#define WAKE_NS 20000u      /* work left for which waking a worker pays */
#define SHORT_RUN_NS 200000u
#define SHORT_LOOP_NS 4000u /* to hand over tasks, and what they read and write, costs 1 to 2 us */
#define KNOWN_LOOPS 256     /* of a run, whose length is remembered */

#define STACK_BYTES 65536u /* besides what the system itself needs */

/* Why a worker rests; for how long at first, and at most. One that stops in the middle of a task costs the caller a
 * time slice of the scheduler, some ms; one that is woken on the caller's processor costs 20 us. */
typedef enum { STALLED, CROWDED } reason;

static const uint64_t most_ns[] = {[STALLED] = 1000000000u, [CROWDED] = 32000000u};

#define CROWDED_NS 2000000u /* the first rest; after a stall of n ns it is 4 n */

#if defined(__linux__)
typedef cpu_set_t processors;
#else
typedef uint32_t processors;
#endif

typedef struct {
    alignas(TMC_ALIGN) uint32_t parked; /* 1: sleeps or is about to; whoever wakes it sets it back */
    uint32_t resting;                   /* 1: takes no tasks */
    uint32_t crowded;                   /* 1: parked because it woke up on the caller's processor */
    /* Of the last loop in which it kept the caller asleep: when its tasks were done, its processor time until then. */
    uint64_t ended_ns, used_ns;
    /* The caller's own. */
    uint64_t judged_ns;     /* used_ns when last judged */
    uint64_t rest_until_ns; /* end of the current rest */
    uint64_t rest_ns[2];    /* the last one, by reason */
    uint32_t slot;
    struct tmc_pool *pool;
    pthread_t id;
    processors set, allowed; /* what the pool has set; what it would be without the pool */
    int32_t avoided;         /* the processor that is missing in the set; -1: none */
    bool placed;             /* the system has taken the set */
    uint32_t thread;         /* its number in the system; 0: has not begun */
    uint8_t apart[APART - (96 + 2 * sizeof(processors) + 12) % APART];
} worker;

/* Tasks of a slot that nobody owns: the first in the low half, the end in the high half. Their own thread takes the
 * first, another one the last: rows of a picture stay with the core that has the rows above, and neighbours, in its
 * cache, node after node. */
typedef struct {
    alignas(TMC_ALIGN) uint64_t tasks;
    uint64_t busy; /* 1: its own thread, a worker, has tasks */
    uint8_t apart[APART - 2 * sizeof(uint64_t)];
} range;

_Static_assert(sizeof(worker) % APART == 0 && sizeof(range) == APART, "workers lie apart");

struct tmc_pool {
    /* What workers read while they spin: written once per loop. */
    alignas(TMC_ALIGN) uint32_t loops; /* published so far */
    uint32_t quit;                     /* 1: workers end */
    uint32_t workers;
    int32_t processor; /* the caller's; -1: unknown */
    uint64_t spin_ns, big_cores;
    range *ranges; /* of slots 0..workers */
    tmc_parking parking;
    uint8_t apart[APART];

    /* The loop. Written by the caller while no task is owned; read by who owns one. */
    tmc_exec *exec;
    tmc_task_fn task;
    void *context;
    /* The caller's own. */
    uint64_t run_begin_ns, run_ns; /* of the current run, of the last */
    uint32_t resting, cores;
    uint32_t loop;                 /* of this run */
    uint32_t loop_ns[KNOWN_LOOPS]; /* on one thread, in the last run; 0: not known */
    uint8_t apart_too[APART];

    size_t unfinished; /* tasks of the loop that have not ended */
    uint32_t waiting;  /* 1: the caller sleeps until they have */
    uint8_t apart_again[APART];

    worker worker[];
};

static inline uint32_t load(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }

static inline void store(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_SEQ_CST); }

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" : : : "memory"); /* some tens of cycles; yield is none on most cores */
#endif
}

static inline uint32_t left_in(uint64_t tasks) { return (uint32_t)(tasks >> 32) - (uint32_t)tasks; }

/* Owns a task of a range: true, and which. */
static bool take_from(range *r, bool last, size_t *index) {
    uint64_t tasks = __atomic_load_n(&r->tasks, __ATOMIC_RELAXED);
    while (left_in(tasks)) {
        const uint64_t after = last ? tasks - (1ull << 32) : tasks + 1;
        if (!__atomic_compare_exchange_n(&r->tasks, &tasks, after, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) continue;
        *index = last ? (size_t)(after >> 32) : (size_t)(uint32_t)tasks;
        return true;
    }
    return false;
}

/* Owns a task: one of the slot's own, or another's. The loop stays as it is until the owner has counted the task off
 * `unfinished`. */
static bool take(tmc_pool *pool, uint32_t slot, size_t *index) {
    const uint32_t slots = load(&pool->workers) + 1;
    if (take_from(&pool->ranges[slot], false, index)) return true;
    for (uint32_t i = 1; i < slots; i++)
        if (take_from(&pool->ranges[(slot + i) % slots], true, index)) return true;
    return false;
}

static size_t count_untaken(const tmc_pool *pool) {
    size_t untaken = 0;
    for (uint32_t i = 0; i <= load(&pool->workers); i++)
        untaken += left_in(__atomic_load_n(&pool->ranges[i].tasks, __ATOMIC_SEQ_CST));
    return untaken;
}

/* One task, or after a stop none of those that are left. Returns how many are over. */
static size_t run_task(tmc_pool *pool, size_t index, uint32_t slot) {
    size_t over = 1;
    if (tmc_exec_poll(pool->exec) == TMC_OK)
        pool->task(pool->context, index, slot);
    else
        for (uint32_t i = 0; i <= load(&pool->workers); i++)
            over += left_in(__atomic_exchange_n(&pool->ranges[i].tasks, 0, __ATOMIC_ACQ_REL));
    return over;
}

/* ------------------------------------------------------------------------------------------------------- workers */

static uint64_t processor_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void work(worker *w, size_t index) {
    tmc_pool *pool = w->pool;
    size_t done = 0;
    __atomic_store_n(&pool->ranges[w->slot].busy, 1, __ATOMIC_RELAXED);
    do done += run_task(pool, index, w->slot);
    while (take(pool, w->slot, &index));
    if (load(&pool->waiting)) {
        __atomic_store_n(&w->ended_ns, tmc_clock_ns(), __ATOMIC_RELAXED);
        __atomic_store_n(&w->used_ns, processor_time(), __ATOMIC_RELAXED);
    }
    if (__atomic_sub_fetch(&pool->unfinished, done, __ATOMIC_SEQ_CST) == 0 && load(&pool->waiting))
        tmc_unpark(&pool->parking, &pool->waiting);
    __atomic_store_n(&pool->ranges[w->slot].busy, 0, __ATOMIC_RELAXED);
}

static int32_t this_processor(void) {
#if defined(__linux__)
    return sched_getcpu();
#else
    return -1;
#endif
}

/* The scheduler puts a worker on the caller's processor when the others have more to do: then it can only get in the
 * way. */
static bool is_crowded(const worker *w) {
    const int32_t callers = __atomic_load_n(&w->pool->processor, __ATOMIC_RELAXED);
    return callers >= 0 && callers == this_processor();
}

static bool has_work(const worker *w) { return !load(&w->resting) && count_untaken(w->pool); }

/* Waits for a loop for a short time, while more are to be expected. */
static bool spin_for_work(const worker *w) {
    tmc_pool *pool = w->pool;
    uint64_t until = 0;
    const uint32_t loops = load(&pool->loops);
    if (is_crowded(w)) return false;
    if (has_work(w)) return true;
    while (!load(&w->resting) && !load(&pool->quit)) {
        for (int i = 0; i < 32; i++) {
            if (__atomic_load_n(&pool->loops, __ATOMIC_RELAXED) != loops) return true;
            relax();
        }
        const uint64_t now = tmc_clock_ns();
        if (!until) until = now + pool->spin_ns;
        if (now >= until || is_crowded(w)) break;
    }
    return false;
}

static void park(worker *w) {
    const bool crowded = is_crowded(w);
    store(&w->crowded, crowded);
    store(&w->parked, 1);
    /* Either this sees what a waker has just written, or the waker sees `parked`. */
    if ((has_work(w) && !crowded) || load(&w->pool->quit))
        store(&w->parked, 0);
    else
        tmc_park(&w->pool->parking, &w->parked);
}

/* A preference: where the system refuses, or none of the big cores is allowed, the worker runs anywhere. */
static void prefer_big_cores(uint64_t big_cores) {
#if defined(__linux__)
    cpu_set_t allowed, wanted;
    if (!big_cores || sched_getaffinity(0, sizeof allowed, &allowed)) return;
    CPU_ZERO(&wanted);
    for (int i = 0; i < 64; i++)
        if ((big_cores >> i & 1) && CPU_ISSET(i, &allowed)) CPU_SET(i, &wanted);
    if (CPU_COUNT(&wanted)) sched_setaffinity(0, sizeof wanted, &wanted);
#else
    (void)big_cores;
#endif
}

static void *worker_main(void *context) {
    worker *w = context;
    size_t index;
    prefer_big_cores(w->pool->big_cores);
#if defined(__linux__)
    store(&w->thread, (uint32_t)syscall(SYS_gettid));
#endif
    tmc_fpenv_enter();
    while (!load(&w->pool->quit)) {
        if (!load(&w->resting) && !is_crowded(w) && take(w->pool, w->slot, &index))
            work(w, index);
        else if (!spin_for_work(w))
            park(w);
    }
    return NULL;
}

/* -------------------------------------------------------------------------------------------- starting and stopping */

size_t tmc_pool_bytes(uint32_t threads) {
    return threads > 1 ? sizeof(tmc_pool) + threads * sizeof(range) + (threads - 1) * sizeof(worker) : 0;
}

static void block_signals(sigset_t *saved) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
    sigset_t blocked;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, saved);
}

/* The smallest stack that the system allows holds what it keeps there itself: thread-local storage, signal frames. */
static bool set_stack(pthread_attr_t *attr) {
    const long least = sysconf(_SC_THREAD_STACK_MIN), page = sysconf(_SC_PAGESIZE);
    const size_t bytes = (size_t)(least > 0 ? least : 16384) + STACK_BYTES, unit = (size_t)(page > 0 ? page : 65536);
    return !pthread_attr_setstacksize(attr, (bytes + unit - 1) / unit * unit);
}

static void start_workers(tmc_pool *pool, uint32_t wanted, const pthread_attr_t *attr) {
    for (uint32_t i = 0; i < wanted; i++) {
        worker *w = &pool->worker[i];
        *w = (worker){.slot = i + 1, .pool = pool, .avoided = -1};
        if (pthread_create(&w->id, attr, worker_main, w) && (!attr || pthread_create(&w->id, NULL, worker_main, w)))
            break;
        store(&pool->workers, i + 1);
    }
}

uint32_t tmc_pool_start(tmc_pool *pool, const tmc_pool_options *options) {
    pthread_attr_t attr;
    sigset_t saved;
    *pool = (tmc_pool){.cores = options->cores,
                       .processor = -1,
                       .run_ns = UINT64_MAX,
                       .loop = KNOWN_LOOPS,
                       .spin_ns = options->threads <= options->cores ? SPIN_NS : 0};
    pool->ranges = (range *)&pool->worker[options->threads - 1];
    for (uint32_t i = 0; i < options->threads; i++) pool->ranges[i] = (range){.tasks = 0};
    /* The caller runs on one of them too. */
    if ((uint32_t)__builtin_popcountll(options->big_cores) >= options->threads) pool->big_cores = options->big_cores;
    if (!tmc_parking_start(&pool->parking)) return 1;
    const bool has_attr = !pthread_attr_init(&attr);
    const bool small = has_attr && set_stack(&attr);
    block_signals(&saved);
    start_workers(pool, options->threads - 1, small ? &attr : NULL);
    pthread_sigmask(SIG_SETMASK, &saved, NULL);
    if (has_attr) pthread_attr_destroy(&attr);
    if (!pool->workers) tmc_parking_stop(&pool->parking);
    return pool->workers + 1;
}

void tmc_pool_stop(tmc_pool *pool) {
    store(&pool->quit, 1);
    for (uint32_t i = 0; i < pool->workers; i++) {
        if (load(&pool->worker[i].parked)) tmc_unpark(&pool->parking, &pool->worker[i].parked);
    }
    for (uint32_t i = 0; i < pool->workers; i++) pthread_join(pool->worker[i].id, NULL);
    tmc_parking_stop(&pool->parking);
}

/* ---------------------------------------------------------------------------------------------------- the caller */

/* Twice as long as last time, unless the worker has kept up for long since then. */
static void rest(tmc_pool *pool, worker *w, reason why, uint64_t least, uint64_t now) {
    uint64_t *last = &w->rest_ns[why];
    const bool relapse = *last && now - w->rest_until_ns < 4 * *last;
    const uint64_t wanted = relapse && 2 * *last > least ? 2 * *last : least;
    *last = wanted < most_ns[why] ? wanted : most_ns[why];
    w->rest_until_ns = now + *last;
    store(&w->resting, 1);
    pool->resting++;
}

/* Wakes as many workers as there are tasks for. */
static void wake(tmc_pool *pool, size_t tasks) {
    for (uint32_t i = 0; i < pool->workers && tasks; i++) {
        worker *w = &pool->worker[i];
        if (load(&w->resting)) continue;
        if (load(&w->parked) && load(&w->crowded) && !w->placed) {
            rest(pool, w, CROWDED, CROWDED_NS, tmc_clock_ns());
            continue;
        }
        tasks--;
        if (load(&w->parked)) tmc_unpark(&pool->parking, &w->parked);
    }
}

static bool any_parked(const tmc_pool *pool) {
    for (uint32_t i = 0; i < pool->workers; i++) {
        if (load(&pool->worker[i].parked) && !load(&pool->worker[i].resting)) return true;
    }
    return false;
}

/* Keeps a worker away from a processor, the caller's, or lets it run nowhere else. Whoever else has changed the
 * worker's processors since the last time is obeyed. */
static void place(worker *w, int32_t processor, bool there) {
#if defined(__linux__)
    cpu_set_t set;
    const pid_t thread = (pid_t)load(&w->thread);
    if (!thread) return;
    w->avoided = there ? -1 : processor; /* also where the system refuses: it is not asked again */
    w->placed = false;
    if (sched_getaffinity(thread, sizeof set, &set)) return;
    if (!CPU_EQUAL(&set, &w->set)) w->allowed = set;
    set = w->allowed;
    if (there) {
        CPU_ZERO(&set);
        if (CPU_ISSET((size_t)processor, &w->allowed)) CPU_SET((size_t)processor, &set);
    } else {
        CPU_CLR((size_t)processor, &set);
    }
    w->placed = !sched_setaffinity(thread, sizeof set, &set);
    if (w->placed) w->set = set;
#else
    (void)w, (void)processor, (void)there;
#endif
}

static void note_processor(tmc_pool *pool) {
    if (!pool->cores) return;
    const int32_t processor = this_processor();
    if (processor != pool->processor) __atomic_store_n(&pool->processor, processor, __ATOMIC_RELAXED);
    if (!pool->spin_ns) return;
    for (uint32_t i = 0; i < pool->workers; i++)
        if (pool->worker[i].avoided != processor) place(&pool->worker[i], processor, false);
}

void tmc_pool_begin(tmc_pool *pool) {
    pool->run_begin_ns = tmc_clock_ns();
    note_processor(pool);
    pool->loop = 0;
    if (pool->run_ns > SHORT_RUN_NS) wake(pool, pool->workers);
}

void tmc_pool_end(tmc_pool *pool) {
    __atomic_store_n(&pool->processor, -1, __ATOMIC_RELAXED);
    pool->run_ns = tmc_clock_ns() - pool->run_begin_ns;
    pool->loop = KNOWN_LOOPS;
}

/* The caller waited for `lost` ns for a worker that did not run. Was that less than the worker has saved it since the
 * last time? Then it goes on: so does a single late one on a quiet machine, and the half of a core in long loops. */
static void judge(tmc_pool *pool, worker *w, uint64_t lost) {
    const uint64_t used = __atomic_load_n(&w->used_ns, __ATOMIC_RELAXED), saved = used - w->judged_ns;
    w->judged_ns = used;
    if (saved < 2 * lost) rest(pool, w, STALLED, 4 * lost, tmc_clock_ns());
}

static void end_rests(tmc_pool *pool, uint64_t now) {
    for (uint32_t i = 0; i < pool->workers; i++) {
        worker *w = &pool->worker[i];
        if (!load(&w->resting) || now < w->rest_until_ns) continue;
        store(&w->crowded, 0);
        store(&w->resting, 0);
        pool->resting--;
    }
}

static bool is_finished(const tmc_pool *pool) { return !__atomic_load_n(&pool->unfinished, __ATOMIC_SEQ_CST); }

static bool spin_for_end(const tmc_pool *pool, uint64_t until) {
    do {
        for (int i = 0; i < 32; i++) {
            if (is_finished(pool)) return true;
            relax();
        }
    } while (tmc_clock_ns() < until);
    return false;
}

/* A worker that still has a task has lost its processor to somebody else, or is a slower one: it may go on here.
 * Several would be in each other's way. */
static void lend_processor(tmc_pool *pool) {
    worker *last = NULL;
    for (uint32_t i = 0; i < pool->workers; i++) {
        if (!__atomic_load_n(&pool->ranges[i + 1].busy, __ATOMIC_RELAXED)) continue;
        if (last) return;
        last = &pool->worker[i];
    }
    if (last && pool->processor >= 0) place(last, pool->processor, true);
}

static void sleep_for_end(tmc_pool *pool) {
    for (;;) {
        store(&pool->waiting, 1);
        if (is_finished(pool)) break;
        tmc_park(&pool->parking, &pool->waiting); /* may end early, by a worker late from an earlier loop */
        if (is_finished(pool)) break;
    }
    store(&pool->waiting, 0);
}

/* Until every owned task has ended. `task_ns`: what the caller's own tasks took on average. */
static void wait_for_end(tmc_pool *pool, uint64_t now, uint64_t task_ns) {
    uint64_t spin = task_ns < SPIN_NS ? SPIN_NS : task_ns < SPIN_MAX_NS ? task_ns : SPIN_MAX_NS;
    if (pool->spin_ns && spin_for_end(pool, now + spin)) return;
    if (pool->spin_ns) lend_processor(pool);
    sleep_for_end(pool);
    const uint64_t allowed = 4 * task_ns > STALL_NS ? 4 * task_ns : STALL_NS;
    for (uint32_t i = 0; i < pool->workers; i++) {
        worker *w = &pool->worker[i];
        const uint64_t ended = __atomic_load_n(&w->ended_ns, __ATOMIC_RELAXED);
        if (!load(&w->resting) && ended > now + allowed) judge(pool, w, ended - now);
    }
}

/* Divides the tasks among the caller, who has the first already, and the workers that do not rest. */
static void publish(tmc_pool *pool, uint32_t count) {
    const uint32_t slots = pool->workers + 1 - pool->resting;
    uint32_t begin = 1, slot = 0;
    __atomic_store_n(&pool->unfinished, count, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i <= pool->workers; i++) {
        if (i && load(&pool->worker[i - 1].resting)) continue;
        slot++;
        const uint32_t end = (uint32_t)((uint64_t)count * slot / slots);
        if (end > begin) {
            __atomic_store_n(&pool->ranges[i].tasks, (uint64_t)end << 32 | begin, __ATOMIC_SEQ_CST);
            begin = end;
        }
    }
    store(&pool->loops, pool->loops + 1);
}

/* The caller's part of a loop published at `begin`. Returns how many tasks are over by that, and in `task_ns` what one
 * took on average. */
static size_t run_own_tasks(tmc_pool *pool, uint64_t begin, uint64_t *task_ns) {
    size_t over = 0, index = 0, tasks = 0;
    bool sleepers = any_parked(pool);
    do {
        over += run_task(pool, index, 0);
        tasks++;
        if (!sleepers) continue;
        const size_t untaken = count_untaken(pool);
        if ((tmc_clock_ns() - begin) / tasks * untaken < WAKE_NS) continue;
        wake(pool, untaken);
        sleepers = false;
    } while (take(pool, 0, &index));
    *task_ns = (tmc_clock_ns() - begin) / tasks;
    return over;
}

bool tmc_pool_loop(tmc_pool *pool, tmc_exec *exec, size_t count, tmc_task_fn task, void *context) {
    if (count < 2 || count > UINT32_MAX) return false;
    const uint64_t begin = tmc_clock_ns();
    uint32_t unknown = 0, *length = pool->loop < KNOWN_LOOPS ? &pool->loop_ns[pool->loop++] : &unknown;
    if (*length && *length < SHORT_LOOP_NS) return false;
    if (pool->resting) {
        end_rests(pool, begin);
        if (pool->resting == pool->workers) return false;
    }
    note_processor(pool);
    pool->exec = exec;
    pool->task = task;
    pool->context = context;
    publish(pool, (uint32_t)count);
    uint64_t task_ns;
    const size_t over = run_own_tasks(pool, begin, &task_ns);
    *length = task_ns * count < UINT32_MAX ? (uint32_t)(task_ns * count) : UINT32_MAX;
    if (__atomic_sub_fetch(&pool->unfinished, over, __ATOMIC_SEQ_CST)) wait_for_end(pool, tmc_clock_ns(), task_ns);
    return true;
}

#endif
