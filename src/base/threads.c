#define _POSIX_C_SOURCE 200809L
#include "base/threads.h"

#if TMC_THREADS

#include <pthreadpool.h>
#include <unistd.h>

static int64_t this_process(void) { return (int64_t)getpid(); }

size_t tmc_threads_bytes(uint32_t threads) { return tmc_pool_bytes(threads); }

void tmc_threads_start(tmc_threads *threads, void *memory, const tmc_pool_options *options) {
    const uint32_t started = options->threads > 1 ? tmc_pool_start(memory, options) : 1;
    *threads = (tmc_threads){.workers = started > 1 ? memory : NULL,
                             .threads = started,
                             .degraded = started < options->threads,
                             .process = this_process()};
}

void tmc_threads_borrow(tmc_threads *threads, struct pthreadpool *pool, uint32_t wanted) {
    const size_t available = pthreadpool_get_threads_count(pool);
    *threads = (tmc_threads){.pool = pool,
                             .threads = available < wanted ? (uint32_t)available : wanted,
                             .degraded = available < wanted,
                             .process = this_process()};
}

void tmc_threads_stop(tmc_threads *threads) {
    if (threads->workers && threads->process == this_process()) tmc_pool_stop(threads->workers);
    *threads = (tmc_threads){.threads = 1};
}

void tmc_threads_use(const tmc_threads *threads, tmc_exec *exec) {
    const bool mine = threads->process == this_process();
    exec->workers = mine ? threads->workers : NULL;
    exec->pool = mine ? threads->pool : NULL;
    exec->threads = mine ? threads->threads : 1;
}

void tmc_threads_begin(const tmc_exec *exec) {
    if (exec->workers) tmc_pool_begin(exec->workers);
}

void tmc_threads_end(const tmc_exec *exec) {
    if (exec->workers) tmc_pool_end(exec->workers);
}

#else

size_t tmc_threads_bytes(uint32_t threads) {
    (void)threads;
    return 0;
}

void tmc_threads_start(tmc_threads *threads, void *memory, const tmc_pool_options *options) {
    (void)memory;
    *threads = (tmc_threads){.threads = 1, .degraded = options->threads > 1};
}

/* Nobody can hand in a pool: tmc_session_create refuses one. */
void tmc_threads_borrow(tmc_threads *threads, struct pthreadpool *pool, uint32_t wanted) {
    (void)pool;
    *threads = (tmc_threads){.threads = 1, .degraded = wanted > 1};
}

void tmc_threads_stop(tmc_threads *threads) { *threads = (tmc_threads){.threads = 1}; }

void tmc_threads_use(const tmc_threads *threads, tmc_exec *exec) {
    exec->workers = NULL;
    exec->pool = NULL;
    exec->threads = threads->threads;
}

void tmc_threads_begin(const tmc_exec *exec) { (void)exec; }

void tmc_threads_end(const tmc_exec *exec) { (void)exec; }

#endif
