/* A session's worker threads.
 *
 * A loop over tasks is published as a count of tasks that nobody has taken yet. Whoever lowers that count owns a task,
 * and the caller, who takes tasks too, waits only for tasks that are owned. A worker that the scheduler does not run
 * thus takes no part and costs nothing; docs/decisions/0010-own-thread-pool.md has the figures.
 *
 * Workers spin for some microseconds after a loop, then sleep. On Linux they stay off the caller's processor, and one
 * that keeps the caller waiting goes on there. A worker that all the same takes much longer than its task should shares
 * its core with something else: it rests, for four times what was lost, up to 1 s if that happens again and again. */
#ifndef TMC_BASE_POOL_H
#define TMC_BASE_POOL_H

#include "base/exec.h"

#define TMC_THREADS_MAX 64u

typedef struct tmc_pool tmc_pool;

typedef struct tmc_pool_options {
    uint32_t threads;   /* 2..TMC_THREADS_MAX, the caller's among them */
    uint32_t cores;     /* that the process may use: more threads than cores do not spin. 0: unknown, and workers may
                         * share the caller's */
    uint64_t big_cores; /* bit n: processor n is of the faster kind; 0: all are alike */
} tmc_pool_options;

/* Bytes of a pool, at a multiple of TMC_ALIGN. */
size_t tmc_pool_bytes(uint32_t threads);

/* Starts the workers of a pool in `memory` and returns how many threads there are with the caller's: fewer than asked
 * for where the system gives no more. With 1 there is no pool. Nothing is allocated but what pthread_create takes.
 * Every signal that is not a fault of the thread itself is blocked in workers. */
uint32_t tmc_pool_start(tmc_pool *memory, const tmc_pool_options *options);

/* Ends and joins the workers; in the process that started them only. */
void tmc_pool_stop(tmc_pool *pool);

/* Around the loops of a run. Without these the pool works, but its workers sleep between any two loops. */
void tmc_pool_begin(tmc_pool *pool);
void tmc_pool_end(tmc_pool *pool);

/* tmc_exec_loop by the pool; false, with nothing done, if the caller had better run the tasks alone. */
bool tmc_pool_loop(tmc_pool *pool, tmc_exec *exec, size_t count, tmc_task_fn task, void *context);

#endif
