/* The integers behind an f32 constant: element i is float(q[i] - z) * scale[c], c counted along one axis. Importers
 * make floats of quantised weights at once, so that every lowering and pass handles them like others; what only moves a
 * constant takes this record along, what changes its values drops it, and pass_qdq gets the integers back, bit for
 * bit. */
#ifndef TMC_CONVERT_INTEGERS_H
#define TMC_CONVERT_INTEGERS_H

#include "convert/ir.h"

typedef struct ir_integers {
    uint32_t count; /* of scales; positive, normal */
    int32_t axis;   /* that they are counted along; 0 where there is one */
    float *scales;
    int32_t *values; /* q - z of 32-bit integers, which a float does not hold; NULL: below 2^9, found by division */
} ir_integers;

/* Adds the f32 constant with its record: `values` q - z of `desc` (whose dtype is ignored), `wide`: they may be beyond
 * 2^9. A scale of 0 (a bias' product of two may be that small) or near
 * the largest float leaves no record. */
ir_id integers_add(ir_graph *graph, const char *name, const tmc_tensor_desc *desc, const int32_t *values, bool wide,
                   const float *scales, uint32_t count, int32_t axis);
void integers_free(ir_integers *integers);
bool integers_equal(const ir_integers *a, const ir_integers *b); /* both may be NULL */

/* Tensor `to` is tensor `from` with permuted axes, or with another shape of the same elements. */
void integers_permuted(ir_graph *graph, ir_id from, const int32_t *perm, ir_id to);
void integers_reshaped(ir_graph *graph, ir_id from, ir_id to);

/* q - z of all elements, to be freed; NULL without a record. */
int32_t *integers_read(const ir_tensor *tensor);
/* One scale for each of `channels` that lie along `axis`; false where they are counted otherwise. */
bool integers_scales(const ir_tensor *tensor, int32_t axis, uint32_t channels, float *scales);

#endif
