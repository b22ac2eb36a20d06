/* The threads of a session: a pthreadpool that has proved to work, the caller's pool, or none.
 *
 * pthreadpool (2021) ignores the result of pthread_create and then waits for ever, in pthreadpool_create or in
 * pthreadpool_destroy, for threads that do not exist; after fork its threads exist only in the parent. Therefore:
 *   - as many threads as the pool will need are first started together and ended: a lasting shortage is found here, at
 *     no cost to anybody;
 *   - the pool is made on a helper thread and must then run one task on each of its threads at once. The caller waits
 *     for that 1 s and 0.1 s per thread at most, then goes on without threads. A pool that comes up later is destroyed
 *     by the helper; one that never does stays behind with it on purpose (some KiB): nothing can stop a thread inside
 *     pthreadpool_create;
 *   - in a forked child the pool is neither used nor destroyed.
 * The helper blocks every signal that is not a fault of its own thread, and so do the pool's threads, which inherit its
 * mask: the process's other signal handlers never run on them. */
#ifndef TMC_BASE_THREADS_H
#define TMC_BASE_THREADS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/exec.h"

#define TMC_THREADS_MAX 64u

typedef struct tmc_threads {
    struct pthreadpool *pool; /* NULL: serial */
    uint32_t threads;         /* that run: at most as many as wanted, >= 1 */
    bool owned, degraded;
    int64_t process; /* that made the pool */
} tmc_threads;

/* `callers`: the caller's pool, used but never destroyed; NULL: an own pool of `wanted` threads (1..TMC_THREADS_MAX),
 * none for 1. Never fails: what cannot be had leaves fewer threads, and `degraded` set where that is fewer than wanted.
 */
void tmc_threads_start(tmc_threads *threads, struct pthreadpool *callers, uint32_t wanted);
void tmc_threads_stop(tmc_threads *threads);

/* Fills the pool and thread count of a run in the process that calls. */
void tmc_threads_use(const tmc_threads *threads, tmc_exec *exec);

#endif
