/* The threads of a session: a pool of its own, the caller's pthreadpool, or none. In a forked child the threads of the
 * parent do not exist: runs are serial there, and nothing is joined. */
#ifndef TMC_BASE_THREADS_H
#define TMC_BASE_THREADS_H

#include "base/pool.h"

typedef struct tmc_threads {
    tmc_pool *workers;        /* or NULL */
    struct pthreadpool *pool; /* the caller's, or NULL */
    uint32_t threads;         /* that run: at most as many as wanted, >= 1 */
    bool degraded;
    int64_t process; /* that started the workers */
} tmc_threads;

/* Starts options->threads (1..TMC_THREADS_MAX) threads in `memory` of tmc_threads_bytes. Never fails: what cannot be
 * had leaves fewer threads, and `degraded` set. */
void tmc_threads_start(tmc_threads *threads, void *memory, const tmc_pool_options *options);

/* The caller's pool instead, of which up to `wanted` threads are used; it is never destroyed. */
void tmc_threads_borrow(tmc_threads *threads, struct pthreadpool *pool, uint32_t wanted);

void tmc_threads_stop(tmc_threads *threads);

/* Bytes, at a multiple of TMC_ALIGN; 0 for 1 thread. */
size_t tmc_threads_bytes(uint32_t threads);

/* Fills pool and thread count of a run in the process that calls. */
void tmc_threads_use(const tmc_threads *threads, tmc_exec *exec);

/* Around the loops of a run. */
void tmc_threads_begin(const tmc_exec *exec);
void tmc_threads_end(const tmc_exec *exec);

#endif
