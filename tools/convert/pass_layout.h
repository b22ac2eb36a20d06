/* How single operators take part in pass_layout. A permutation `perm` of rank r is applied to tensors as
 * new[i] = old[perm[i]]. */
#ifndef TMC_CONVERT_PASS_LAYOUT_H
#define TMC_CONVERT_PASS_LAYOUT_H

#include "convert/ir.h"

/* Rank of the tensors whose axes this node treats alike at any order: outputs, and the inputs of that rank that are no
 * constants. Permuting the axes of all of them, the node's parameters and its constants keeps the meaning. 0: no. */
int32_t layout_agnostic_rank(const ir_graph *graph, const ir_node *node);

/* Permutes parameters and constants of an agnostic node. */
void layout_permute_node(ir_graph *graph, ir_id node, const int32_t *perm);

/* The node reads `tensor`, makes something that is not permuted with it, and can read it permuted at no cost: a
 * reduction that drops axes, a reshape where no data move, a flattening in front of constant weights. */
bool layout_can_read(const ir_graph *graph, ir_id node, ir_id tensor, const int32_t *perm);
/* The tensor has been permuted already. */
void layout_read_permuted(ir_graph *graph, ir_id node, ir_id tensor, const int32_t *perm);

#endif
