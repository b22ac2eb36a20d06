/* How an operator is prepared and run. One file per family, ISA-free: loops over tiles, kernels from the table. */
#ifndef TMC_OPS_OP_H
#define TMC_OPS_OP_H

#include "base/error.h"
#include "base/exec.h"
#include "graph/op.h"
#include "graph/tensor.h"
#include "kernels/kernels.h"

/* The static facts of one node; shapes were inferred, so nothing here needs checking again. */
typedef struct tmc_op_node {
    uint16_t op;
    const void *params; /* the operator's parameter struct */
    uint32_t input_count, output_count;
    const tmc_tensor_desc *const *inputs; /* NULL entries: absent optional inputs */
    const tmc_tensor_desc *const *outputs;
} tmc_op_node;

/* What prepare decides. The planner clears it first. */
typedef struct tmc_op_setup {
    size_t scratch_bytes;   /* for all threads together */
    const char *kernel;     /* the name in the kernel table; NULL: the operator has no kernel family */
    tmc_isa isa;            /* of that kernel; TMC_ISA_REF by default */
    uint32_t in_place_mask; /* bit i: output 0 may overwrite input i (same bytes, element for element) */
    bool alias; /* output 0 is input 0 under another shape: run does nothing when they share memory, else copies */
} tmc_op_setup;

typedef struct tmc_op_run {
    const tmc_op_node *node;
    const tmc_kernels *kernels;
    const void *const *inputs; /* data, by the desc's pitch (or packed as it says); NULL: absent */
    void *const *outputs;      /* an in-place output equals its input, a view lies on its part of the whole;
                                * otherwise nothing overlaps */
    void *scratch;             /* TMC_ALIGN-aligned, scratch_bytes */
    tmc_exec *exec;
    tmc_error *err;
} tmc_op_run;

typedef struct tmc_op_functions {
    /* Pure: looks at shapes and the kernel table only. Errors: E_LIMIT, E_UNSUPPORTED. */
    tmc_status (*prepare)(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err);
    /* Allocates nothing. Errors: E_CANCELLED, E_TIMEOUT, E_RANGE (data-dependent index). */
    tmc_status (*run)(const tmc_op_run *run);
} tmc_op_functions;

/* E_UNSUPPORTED: the operator computes no i8 numbers. */
tmc_status tmc_op_no_i8(const tmc_op_node *node, tmc_error *err);

/* Both are there for a code that tmc_op_schema_find knows, else NULL. */
tmc_op_functions tmc_op_find(uint16_t op);

/* Ends an operator's file. The functions are fetched by code: a constant table would take 48 bytes of relocations and
 * 16 of table for each operator. */
#define TMC_DEFINE_OP(name, prepare, run)                                                                              \
    tmc_op_functions tmc_op_##name(void) { return (tmc_op_functions){prepare, run}; }

/* The operator reads its data inputs and writes its outputs by tmc_tensor_pitch; all others need dense tensors. */
bool tmc_op_takes_pitch(uint16_t op);

/* The same for one node, where it depends on parameters and on the input: weights are always dense. */
bool tmc_op_reads_pitch(const tmc_op_node *node, uint32_t input);
bool tmc_op_writes_pitch(const tmc_op_node *node);

#define X(code, NAME, name, in0, in1, out0, out1, params) tmc_op_functions tmc_op_##name(void);
TMC_OP_LIST(X)
#undef X

#endif
