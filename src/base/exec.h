/* The execution context of a run: threads, stop requests, and loops over independent tasks.
 *
 * A task is a tile of an operator's output. Which thread computes it never changes a bit, so tasks are handed out
 * dynamically: each of the `threads` slots takes the next index until none is left, which balances unequal cores. */
#ifndef TMC_BASE_EXEC_H
#define TMC_BASE_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tmcnn/tmcnn.h"

struct pthreadpool;
struct tmc_pool;

typedef struct tmc_exec {
    struct pthreadpool *pool;   /* the caller's, or NULL */
    uint32_t threads;           /* slots that may run at once, >= 1 */
    const int32_t *cancel_flag; /* or NULL */
    uint64_t deadline_ns;       /* on tmc_clock_ns; UINT64_MAX: none */
    int32_t stop;               /* tmc_status that ended the loops early, set atomically; TMC_OK while running */
    struct tmc_pool *workers;   /* the session's own, or NULL; neither: serial */
} tmc_exec;

/* `index` in [0, count); `slot` in [0, threads): no two tasks that run at once share a slot, so it may choose scratch.
 */
typedef void (*tmc_task_fn)(void *context, size_t index, size_t slot);

/* Runs every task, on the calling thread and the pool's; returns when all have ended. Before each task the cancel flag
 * and the deadline are looked at; after a stop the remaining tasks are skipped and the reason is returned. Tasks should
 * stay under 5 ms, for a prompt stop, and near 0.1 ms where the loop is long enough to give each thread several: at its
 * end threads wait for each other for up to one task. Sets the floating-point mode of each thread for the time of its
 * tasks. */
tmc_status tmc_exec_loop(tmc_exec *exec, size_t count, tmc_task_fn task, void *context);

/* Cancel flag and deadline, for loops that are no tasks. Cheap: a load, and a clock read where there is a deadline. */
tmc_status tmc_exec_poll(tmc_exec *exec);

/* Monotonic time. */
uint64_t tmc_clock_ns(void);

/* Round to nearest even, no flush to zero, no traps; the returned word goes back into tmc_fpenv_restore. */
uint64_t tmc_fpenv_enter(void);
void tmc_fpenv_restore(uint64_t saved);

#endif
