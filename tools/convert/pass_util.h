/* What the passes share: questions about tensors and nodes, and small rewrites. */
#ifndef TMC_CONVERT_PASS_UTIL_H
#define TMC_CONVERT_PASS_UTIL_H

#include <math.h>

#include "convert/ir.h"

/* The live node that produces the tensor, if it is of this operator; else IR_NONE. */
ir_id pass_producer(const ir_graph *graph, ir_id tensor, uint16_t op);
/* The node that alone reads the tensor, once; IR_NONE if there are several, none, or it is a model output. */
ir_id pass_only_user(const ir_graph *graph, ir_id tensor);

/* An f32 constant of one element. */
bool pass_scalar(const ir_graph *graph, ir_id tensor, float *value);
/* An f32 constant with no packing, as its data; else NULL. */
const float *pass_floats(const ir_graph *graph, ir_id tensor);
/* Equal to the precision of a constant that a framework printed or rounded to f32: 1e-6 relative. */
bool pass_near(double a, double b);

/* The dim has one value whatever the inputs' dims are. */
bool pass_dim_fixed(const ir_tensor *tensor, int32_t axis);
bool pass_dim_is(const ir_tensor *tensor, int32_t axis, int32_t value);
/* Equal at the default and at the other input dims. */
bool pass_same_shape(const ir_tensor *a, const ir_tensor *b);

/* The activation parameters of a node's operator, NULL if it has none. */
tmc_act_params *pass_act(const ir_node *node);
bool pass_act_is_none(const tmc_act_params *act);

/* Appends a node with one output, which takes the place of `replaced` (IR_NONE: of nothing) at all its uses. */
tmc_status pass_add(ir_graph *graph, const char *name, uint16_t op, const void *params, const ir_id *inputs,
                    uint32_t input_count, ir_id replaced, ir_id *output, tmc_error *err);
tmc_status pass_add_transpose(ir_graph *graph, const char *name, ir_id input, const int32_t *perm, ir_id *output,
                              tmc_error *err);

/* Parameters of the reshape of `from` to the shape of `to` that hold at all input dims; false if there are none. */
bool pass_reshape_params(const ir_tensor *from, const ir_tensor *to, tmc_shape_params *params);

/* Permutations of rank axes: out[i] = in[perm[i]]. */
bool pass_perm_is_identity(const int32_t *perm, int32_t rank);
void pass_perm_invert(const int32_t *perm, int32_t rank, int32_t *inverse);
/* The transposition moves axes of extent 1 only, so the bytes stay as they are. */
bool pass_perm_moves_no_data(const ir_tensor *input, const int32_t *perm);
tmc_tensor_desc pass_permuted(const tmc_tensor_desc *desc, const int32_t *perm);
/* [0, 2 .. rank-1, 1]: channels first to channels last. */
void pass_perm_channels_last(int32_t rank, int32_t *perm);
/* A constant with permuted axes as a new constant. */
ir_id pass_permuted_constant(ir_graph *graph, ir_id constant, const int32_t *perm);

#endif
