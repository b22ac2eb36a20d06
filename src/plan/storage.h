/* Which tensors share memory, how long each piece of memory is in use, and where it lies.
 *
 * A storage is one piece of memory with all tensors that lie in it: an operator's output starts a new one or, where the
 * operator allows it, joins the storage of an input, as the same data under another shape (alias) or by overwriting
 * data that nobody reads again (in place). Parts of a concat or split lie in the storage of the whole where
 * plan/views.h says so. Never overwritten: graph inputs, constants, graph outputs. A storage holds at most one graph
 * output, which fills it, because each can be bound to a buffer of its own. */
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

/* Where a tensor lies in another; a whole of its own names itself. The whole is no part of another. */
typedef struct tmc_tensor_view {
    uint32_t whole;
    uint64_t start; /* bytes */
} tmc_tensor_view;

/* Work space of planning; freed before tmc_plan_build returns. */
typedef struct tmc_plan_work {
    uint8_t *needed;        /* per tensor: something that runs, or the caller, reads it; later see views.c */
    uint8_t *live;          /* per file node: it runs */
    uint32_t *last_use;     /* per tensor: last step that reads or writes it */
    uint32_t *output;       /* per tensor: its index among the graph outputs, or TMC_FILE_NONE */
    tmc_tensor_view *views; /* per tensor */
    uint32_t *storage_of;   /* per tensor: index into storages, or TMC_FILE_NONE */
    uint8_t *still;         /* per step: all that the node would move is in its place already */
    uint64_t *start;        /* per tensor: bytes from the start of its storage */
    tmc_storage *storages;  /* at most one per tensor */
    uint32_t storage_count;
    tmc_arena_item *items; /* storages in the arena, then scratch */
    void *arena_work;
} tmc_plan_work;

void tmc_plan_work_carve(tmc_plan_work *work, const tmc_file_view *view, tmc_carver *carver);

/* Storages of constants and graph inputs; before the first node. */
void tmc_storage_begin(tmc_plan *plan, tmc_plan_work *work);

/* Storage of the outputs of node `step`, whose prepare answered `setup`. Sets the node's in_place where an output joins
 * an input's storage. */
void tmc_storage_add_node(tmc_plan *plan, tmc_plan_work *work, uint32_t step, const tmc_op_setup *setup);

/* After the last node: no layout of the arena can be smaller. */
uint64_t tmc_storage_bound(const tmc_plan *plan, tmc_plan_work *work);

/* Lays out the arena after the last node and sets plan->arena_bytes and live_bytes. E_LIMIT. */
tmc_status tmc_storage_lay_out(tmc_plan *plan, tmc_plan_work *work, tmc_error *err);

/* Takes over the layout: sets every place, scratch offset and other byte count of the plan. */
void tmc_storage_finish(tmc_plan *plan, tmc_plan_work *work);

#endif
