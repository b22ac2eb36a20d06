/* docs/winograd.md as plain loops: what every kernel and the operator must equal bit for bit, and the error bound. */
#ifndef TMC_TEST_NAIVE_WINOGRAD_H
#define TMC_TEST_NAIVE_WINOGRAD_H

#include "graph/op.h"
#include "graph/tensor.h"
#include "lib/levels.h"

#define NAIVE_WINOGRAD_ALPHA 6

/* `isa` is the level whose bits are wanted: SSE4.1 multiplies and adds where the others fuse.
 * One channel of one tile. d and v are alpha x alpha, y is tile x tile; alpha = tile + 2. */
void naive_winograd_input(tmc_isa isa, size_t tile, const float *d, float *v);
void naive_winograd_weights(tmc_isa isa, size_t tile, const float *g, float *u); /* g is 3 x 3, u alpha x alpha */
void naive_winograd_output(tmc_isa isa, size_t tile, const float *m, float bias, float *y);

/* A convolution with weights g [O,3,3,I]; `bias` may be NULL. */
void naive_winograd_conv(tmc_isa isa, size_t tile, const tmc_conv_params *p, const tmc_tensor_desc *x_desc,
                         const float *x, const float *g, const float *bias, const tmc_tensor_desc *y_desc, float *y);

/* For each output the convolution of w [O,3,3,I] in float64, clamped, and the bound of the distance from it. */
void naive_winograd_bound(size_t tile, const tmc_conv_params *p, const tmc_tensor_desc *x_desc, const float *x,
                          const float *w, const float *bias, const tmc_tensor_desc *y_desc, double *exact,
                          double *bound);

#endif
