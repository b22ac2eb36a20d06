/* The convolutions of docs/operators.md as plain loops over one chain of fmaf: what every kernel and operator must
 * equal bit for bit. Shapes as tmc_infer gives them; 1 or 2 spatial axes. `bias` may be NULL. */
#ifndef TMC_TEST_NAIVE_CONV_H
#define TMC_TEST_NAIVE_CONV_H

#include "graph/op.h"
#include "graph/tensor.h"

void naive_conv(const tmc_conv_params *p, const tmc_tensor_desc *x_desc, const float *x, const float *w,
                const float *bias, const tmc_tensor_desc *y_desc, float *y);
void naive_depthwise_conv(const tmc_conv_params *p, const tmc_tensor_desc *x_desc, const float *x, const float *w,
                          const float *bias, const tmc_tensor_desc *y_desc, float *y);
void naive_conv_transpose(const tmc_conv_params *p, const tmc_tensor_desc *x_desc, const float *x, const float *w,
                          const float *bias, const tmc_tensor_desc *y_desc, float *y);

#endif
