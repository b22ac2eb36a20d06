/* A session: tables and arena in one block, used by one call at a time. */
#ifndef TMC_RUNTIME_SESSION_H
#define TMC_RUNTIME_SESSION_H

#include "base/threads.h"
#include "plan/plan.h"

/* One graph input or output. */
typedef struct tmc_binding {
    void *bound; /* the caller's buffer; NULL: the arena. Never written through for an input. */
    size_t bytes;
    uint32_t tensor;
    bool ready; /* in the arena: an input that was written; an output that a successful run left there */
} tmc_binding;

typedef struct tmc_node_times {
    uint64_t runs, total_ns, last_ns;
} tmc_node_times;

struct tmc_session {
    int32_t busy; /* 1 while a call uses the session; set atomically */
    bool owns_block;
    tmc_plan *plan;
    tmc_allocator allocator;
    size_t block_bytes; /* this struct, the tables, the threads' and the arena */
    tmc_threads threads;
    tmc_binding *inputs, *outputs;
    void **slots; /* address of each node's tensors, in the order of plan->slots */
    tmc_node_times *times;
    void *pool; /* memory of the session's own threads */
    uint8_t *arena;
};

/* Bytes of a session's block. The plan was checked to fit. */
uint64_t tmc_session_bytes(const tmc_plan *plan);

/* Where a graph input's or output's data are now; NULL if nothing is bound to an external one. */
void *tmc_session_address(const tmc_session *session, const tmc_binding *binding);

/* Every slot anew, after a binding changed. */
void tmc_session_resolve(tmc_session *session);

/* Takes the session for one call: E_BUSY if another has it. */
tmc_status tmc_session_enter(const tmc_session *session, tmc_error *err);
void tmc_session_leave(const tmc_session *session);

#endif
