#ifndef TMC_OPS_RESIZE_H
#define TMC_OPS_RESIZE_H

#include "ops/op.h"

/* This resize reads its input (else: writes its output) by pitch. */
bool tmc_resize_takes_pitch(const tmc_op_node *node, bool as_input);

#endif
