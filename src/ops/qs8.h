/* Operators on int8: what the files of their float neighbours call for i8 inputs. */
#ifndef TMC_OPS_QS8_H
#define TMC_OPS_QS8_H

#include "ops/op.h"

/* An activation's bounds as integers of the output, less its zero point. */
typedef struct tmc_qs8_bounds {
    float lo, hi;
} tmc_qs8_bounds;

tmc_qs8_bounds tmc_qs8_bounds_of(const tmc_act_params *act, const tmc_quantization *q);

#define TMC_QS8_OPERATOR(name)                                                                                         \
    tmc_status tmc_qs8_##name##_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,         \
                                        tmc_op_setup *setup, tmc_error *err);                                          \
    tmc_status tmc_qs8_##name##_run(const tmc_op_run *run);
TMC_QS8_OPERATOR(depthwise_conv)
TMC_QS8_OPERATOR(binary) /* add, sub, mul */
TMC_QS8_OPERATOR(mean)
#undef TMC_QS8_OPERATOR

#endif
