/* Runs one operator without a model or a planner: infer, prepare, run. Every tensor and the scratch lie flush against
 * guard pages, outputs start as 0xCD bytes, so reads and writes outside tensors and forgotten outputs show. */
#ifndef TMC_TEST_OP_RUNNER_H
#define TMC_TEST_OP_RUNNER_H

#include "graph/tensor.h"
#include "lib/guard.h"

#define OP_MAX_TENSORS 64

typedef struct op_tensor {
    tmc_tensor_desc desc; /* dtype 0: absent optional input */
    const void *data;
    size_t bytes; /* 0: dense bytes of desc; else of packed data */
} op_tensor;

typedef struct op_call {
    uint16_t op; /* tmc_op_code */
    const void *params;
    const op_tensor *inputs;
    uint32_t input_count, output_count;
    tmc_isa isa;       /* 0: TMC_ISA_REF; LEVEL_MULADD (lib/levels.h) too */
    uint32_t features; /* of base/features.h, beyond the level */
    uint32_t threads;  /* 0 and 1: serial; else a pool of its own */
    uint32_t in_place; /* 0: none; 1 + i: output 0 overwrites input i, E_STATE if prepare does not allow it */
    uint32_t pitch;    /* elements between the rows of every tensor that the operator takes so; 0xCD stays there */
    guard_side guard;  /* on which side of the tensors the guard page lies */
    const tmc_quantization *quantization; /* of each output, for operators that make i8 numbers; else NULL */
    bool infer_only;                      /* stop after shape inference; the outputs have no data */
} op_call;

typedef struct op_result {
    tmc_status status;
    tmc_error err; /* of the failed step */
    tmc_tensor_desc descs[OP_MAX_TENSORS];
    void *data[OP_MAX_TENSORS]; /* dense, malloc'd; NULL after a failure */
    uint32_t output_count;
    const char *kernel; /* what prepare reported */
    tmc_isa isa;
    size_t scratch_bytes;
} op_result;

/* Returns result->status. Free the result in every case. */
tmc_status op_run(const op_call *call, op_result *result);
void op_result_free(op_result *result);

/* A dense description; dims beyond `rank` are 0. */
tmc_tensor_desc op_desc(tmc_dtype dtype, int32_t rank, const int32_t *dims);

/* Levels with the bits of TMC_ISA_REF that this build and CPU can run, TMC_ISA_REF first, the best last; returns how
 * many. lib/levels.h has all. */
size_t op_isa_levels(tmc_isa levels[4]);
/* Any level, SSE4.1 too. */
bool op_isa_available(tmc_isa isa);

#endif
