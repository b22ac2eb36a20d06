/* Where tensors lie in one block: pure arithmetic on life times, no tensors and no graph in sight. */
#ifndef TMC_ARENA_ARENA_H
#define TMC_ARENA_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TMC_ARENA_ALIGN 64u

typedef struct tmc_arena_item {
    uint64_t bytes;       /* any; the space taken is rounded up to TMC_ARENA_ALIGN */
    uint32_t first, last; /* steps at which it is in use, both included; first <= last */
    uint64_t offset;      /* result, a multiple of TMC_ARENA_ALIGN */
} tmc_arena_item;

/* Bytes of work space for `count` items; aligned as for uint64_t. */
uint64_t tmc_arena_work_bytes(uint32_t count);

/* Sets every offset so that items whose steps meet never share a byte. *total: bytes of the block. Returns false if
 * it does not fit in 64 bits. Deterministic. Up to TMC_ARENA_EXACT_ITEMS items three heuristics compete (largest first,
 * in order of time, largest product of bytes and steps first; all best fit) until one reaches the lower bound; more are
 * pooled by size class so that time stays n log n for any file. */
#define TMC_ARENA_EXACT_ITEMS 4096u
bool tmc_arena_plan(tmc_arena_item *items, uint32_t count, void *work, uint64_t *total);

/* The largest sum of rounded sizes in use at one step: no layout can be smaller. */
uint64_t tmc_arena_live(const tmc_arena_item *items, uint32_t count, void *work);

/* True if no two items share both a step and a byte, and all lie in [0, total); else the first such pair is named
 * (*a == *b: it leaves the block). Compares every pair: for tests and debugging. */
bool tmc_arena_check(const tmc_arena_item *items, uint32_t count, uint64_t total, uint32_t *a, uint32_t *b);

/* One line per item, in the order given: "  3  steps 2..5  bytes 4096  at 128..4224". */
typedef void (*tmc_arena_line_fn)(void *user, const char *line);
void tmc_arena_print(const tmc_arena_item *items, uint32_t count, tmc_arena_line_fn line, void *user);

#endif
