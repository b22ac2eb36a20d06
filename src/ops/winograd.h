/* Convolutions by Winograd's algorithm, where the file has the transformed weights: docs/winograd.md. */
#ifndef TMC_OPS_WINOGRAD_H
#define TMC_OPS_WINOGRAD_H

#include "ops/op.h"

/* A conv node whose weights have a Winograd packing. */
bool tmc_winograd_used(const tmc_op_node *node);

/* As the members of tmc_op_functions, for these nodes. */
tmc_status tmc_winograd_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                tmc_op_setup *setup, tmc_error *err);
tmc_status tmc_winograd_run(const tmc_op_run *run);

#endif
