/* The axes of a reduction, neighbours of one kind merged, axes of dim 1 dropped: kept and reduced ones alternate. */
#ifndef TMC_OPS_REDUCE_AXES_H
#define TMC_OPS_REDUCE_AXES_H

#include "graph/tensor.h"

/* Loops over some axes of a tensor, outermost first. */
typedef struct tmc_loops {
    int32_t rank;
    size_t dims[TMC_MAX_RANK], strides[TMC_MAX_RANK]; /* elements */
    size_t count;                                     /* product of dims */
} tmc_loops;

/* The element where step `index` of the loops stands, row-major. */
size_t tmc_loops_offset(const tmc_loops *loops, size_t index);

typedef struct tmc_reduce_axes {
    bool inner_reduced; /* the innermost axis is reduced: `inner` of each row; else kept: `inner` columns */
    size_t inner;
    tmc_loops kept;    /* outside the innermost axis; the output is [kept.count] or [kept.count, inner] */
    tmc_loops reduced; /* likewise */
    size_t per_output; /* elements reduced into one */
} tmc_reduce_axes;

/* mask: bit i set, axis i is reduced. A tensor with a pitch keeps its last axis, of dim 2 or more. */
tmc_reduce_axes tmc_reduce_axes_of(const tmc_tensor_desc *x, uint32_t mask);

#endif
