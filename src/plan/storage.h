/* Which tensors share memory, how long each piece of memory is in use, and where it lies.
 *
 * A storage is one piece of memory with all tensors that lie in it: an operator's output starts a new one or, where the
 * operator allows it, joins the storage of an input, as the same data under another shape (alias) or by overwriting
 * data that nobody reads again (in place). Never overwritten: graph inputs, constants, graph outputs. A storage
 * holds at most one graph output, because each can be bound to a buffer of its own. */
#ifndef TMC_PLAN_STORAGE_H
#define TMC_PLAN_STORAGE_H

#include "arena/arena.h"
#include "base/carve.h"
#include "plan/plan.h"

typedef struct tmc_storage {
    uint64_t bytes;
    uint32_t first, last; /* steps; a step is an index into plan->nodes */
    tmc_place place;
} tmc_storage;

/* Work space of planning; freed before tmc_plan_build returns. */
typedef struct tmc_plan_work {
    uint8_t *needed;       /* per tensor: something that runs, or the caller, reads it */
    uint8_t *live;         /* per file node: it runs */
    uint32_t *last_use;    /* per tensor: last step that reads or writes it */
    uint32_t *output;      /* per tensor: its index among the graph outputs, or TMC_FILE_NONE */
    uint32_t *storage_of;  /* per tensor: index into storages, or TMC_FILE_NONE */
    tmc_storage *storages; /* at most one per tensor */
    uint32_t storage_count;
    tmc_arena_item *items; /* storages in the arena, then scratch */
    void *arena_work;
} tmc_plan_work;

void tmc_plan_work_carve(tmc_plan_work *work, const tmc_file_view *view, tmc_carver *carver);

/* Storages of constants and graph inputs; before the first node. */
void tmc_storage_begin(tmc_plan *plan, tmc_plan_work *work);

/* Storage of the outputs of node `step`, whose prepare answered `setup`. Sets the node's in_place. */
void tmc_storage_add_node(tmc_plan *plan, tmc_plan_work *work, uint32_t step, const tmc_op_setup *setup);

/* Lays out the arena and sets every place, scratch offset and byte count of the plan. E_LIMIT. */
tmc_status tmc_storage_finish(tmc_plan *plan, tmc_plan_work *work, uint64_t arena_limit, tmc_error *err);

#endif
