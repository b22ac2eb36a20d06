/* A plan: the nodes that will run, their shapes and kernels, and the place of every tensor. One block, immutable after
 * tmc_plan_build; it reads the model's file in place and must not outlive it. */
#ifndef TMC_PLAN_PLAN_H
#define TMC_PLAN_PLAN_H

#include "format/reader.h"
#include "ops/op.h"

/* Where a tensor's bytes are. */
typedef enum tmc_store {
    TMC_STORE_NONE = 0,    /* nowhere: nothing that runs touches it */
    TMC_STORE_WEIGHTS = 1, /* the file's WGHT section at `offset` */
    TMC_STORE_ARENA = 2,   /* the arena at `offset` */
    TMC_STORE_INPUT = 3,   /* graph input `index`: the caller's buffer if one is bound, else the arena at `offset` */
    TMC_STORE_OUTPUT = 4   /* graph output `index`: likewise */
} tmc_store;

#define TMC_NO_OFFSET UINT64_MAX /* inputs and outputs of a plan with TMC_PLAN_EXTERNAL_IO */

typedef struct tmc_place {
    tmc_store store;
    uint32_t index;
    uint64_t start;  /* bytes from the start of the caller's buffer, where the tensor is a part of what is bound */
    uint64_t offset; /* of the tensor itself, `start` included */
} tmc_place;

/* Longest is "f32_reduce_columns_sum_square_diff__avx512". */
enum { TMC_KERNEL_SYMBOL = 44 };

typedef struct tmc_step {
    tmc_op_node op;
    tmc_op_functions functions;
    const uint32_t *tensors;        /* of the file: inputs (TMC_FILE_NONE: absent), then outputs */
    char kernel[TMC_KERNEL_SYMBOL]; /* without "tmc_"; empty: none */
    tmc_isa isa;
    bool in_place; /* output 0 lies where an input lies, or nothing moves at all */
    uint32_t file_index;
    uint32_t slot; /* of its first tensor in a table of all nodes' tensors */
    uint64_t scratch_offset;
    size_t scratch_bytes;
} tmc_step;

struct tmc_plan {
    int32_t references;
    tmc_model *model; /* kept alive by src/runtime */
    tmc_allocator allocator;
    size_t bytes; /* of this block */
    const tmc_file_view *view;
    uint32_t flags; /* TMC_PLAN_* */
    uint32_t threads;
    tmc_kernels kernels;
    tmc_tensor_desc *descs; /* of every tensor of the file */
    tmc_place *places;
    tmc_step *nodes; /* those that run, in order */
    uint32_t node_count;
    uint32_t slot_count;
    const tmc_tensor_desc **slots; /* description of each node's tensors; NULL: absent */
    uint64_t arena_bytes, activation_bytes, scratch_bytes, live_bytes;
};

/* Whether tensors may lie inside others (plan/views.h). AUTO: unless that makes the arena larger than copying does by
 * more than a sixteenth. The others are for tests. */
typedef enum tmc_plan_views { TMC_VIEWS_AUTO = 0, TMC_VIEWS_NONE, TMC_VIEWS_ALWAYS } tmc_plan_views;

/* Makes a plan with one reference and no model set. `options` complete (see tmc_options_read), with an allocator.
 * Takes one block for the plan and one for the time of the call. Errors: as tmc_plan_create. */
tmc_status tmc_plan_build(const tmc_file_view *view, const tmc_plan_options *options, tmc_plan_views views,
                          tmc_plan **plan, tmc_error *err);

/* Every node gives the same bits on every CPU. */
bool tmc_plan_exact(const tmc_plan *plan);

/* Tensor index of a graph input or output; `index` is within the graph's count. */
uint32_t tmc_plan_input_tensor(const tmc_file_view *view, uint32_t index);
uint32_t tmc_plan_output_tensor(const tmc_file_view *view, uint32_t index);

/* Puts a node's index and name before the message of an error that it made. */
tmc_status tmc_plan_fail_at(const tmc_file_view *view, uint32_t file_index, tmc_error *err);

#endif
