/* Cuts a run of independent items into tasks. */
#ifndef TMC_OPS_CHUNK_H
#define TMC_OPS_CHUNK_H

#include "base/checked.h"

/* Elements of one task of an element-wise operator: some 10 microseconds with vectors, under 1 ms in portable C for the
 * dearest function; far above the price of handing out a task. */
#define TMC_TASK_ELEMENTS 16384u

typedef struct tmc_chunk {
    size_t begin, count;
} tmc_chunk;

/* Items of a task, each of `item_elements` elements: at least one. */
static inline size_t tmc_chunk_items(size_t item_elements) {
    return item_elements >= TMC_TASK_ELEMENTS ? 1 : TMC_TASK_ELEMENTS / item_elements;
}

/* The same, where threads share the items: as many items for each, in whole steps, so that none waits for another's
 * last task. */
static inline size_t tmc_chunk_share(size_t items, size_t item_elements, size_t step, size_t threads) {
    const size_t most = tmc_chunk_items(item_elements);
    if (threads < 2 || items <= step) return most;
    return tmc_round_up(tmc_div_up(items, tmc_round_up(tmc_div_up(items, most), threads)), step);
}

static inline size_t tmc_chunk_count(size_t items, size_t per_task) { return tmc_div_up(items, per_task); }

static inline tmc_chunk tmc_chunk_at(size_t items, size_t per_task, size_t index) {
    size_t begin = index * per_task;
    return (tmc_chunk){begin, tmc_min_size(per_task, items - begin)};
}

#endif
