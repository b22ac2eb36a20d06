/* Copies a box of elements between two tensors of any strides: slices, joins, broadcasts, permutations and fills are
 * all this, with other strides. Describe the axes in the order of the destination, outermost first. */
#ifndef TMC_OPS_STRIDED_H
#define TMC_OPS_STRIDED_H

#include "ops/op.h"
#include "ops/plane.h"

#define TMC_STRIDED_AXES (2 * TMC_MAX_RANK) /* tile has two for each of the tensor's */

typedef struct tmc_strided {
    size_t element;                   /* bytes: 1, 2, 4 or 8 */
    ptrdiff_t src_offset, dst_offset; /* bytes from the tensors' starts to the first element */
    uint32_t rank;
    tmc_move_axis axes[TMC_STRIDED_AXES];
} tmc_strided;

/* Appends an axis; one of count 1 is dropped, one that continues the axis before it is merged into that. */
void tmc_strided_push(tmc_strided *box, size_t count, ptrdiff_t src, ptrdiff_t dst);

/* The bytes from one element to the next along each axis. */
void tmc_strided_steps(const tmc_tensor_desc *desc, ptrdiff_t strides[TMC_MAX_RANK]);

/* Same bytes for any number of threads. Errors: E_CANCELLED, E_TIMEOUT. */
tmc_status tmc_strided_copy(const tmc_strided *box, void *dst, const void *src, tmc_exec *exec);

/* An operator whose output is one box of its input: it only says which. `box` comes with `element` set. Nothing moves
 * where the planner laid the output over that box (src/plan/views.h). */
typedef void (*tmc_move_describe)(const tmc_op_node *node, tmc_strided *box);

/* Such an operator is an alias where the box turns out to be the whole input in order, as for a permutation that moves
 * axes of size 1 only. */
tmc_status tmc_move_prepare(const tmc_op_node *node, tmc_move_describe describe, tmc_op_setup *setup);
tmc_status tmc_move_run(const tmc_op_run *run, tmc_move_describe describe);

/* For operators that have nothing to prepare. */
tmc_status tmc_prepare_nothing(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                               tmc_op_setup *setup, tmc_error *err);

#define TMC_DEFINE_MOVE(name, describe)                                                                                \
    static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,                   \
                              tmc_op_setup *setup, tmc_error *err) {                                                   \
        (void)kernels, (void)threads, (void)err;                                                                       \
        return tmc_move_prepare(node, describe, setup);                                                                \
    }                                                                                                                  \
    static tmc_status run(const tmc_op_run *r) { return tmc_move_run(r, describe); }                                   \
    TMC_DEFINE_OP(name, prepare, run)

#endif
