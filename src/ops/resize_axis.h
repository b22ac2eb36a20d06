/* One axis of a resize: which input elements make output element o, and with which weights.
 *
 * Coordinates are IEEE doubles, computed as written in resize_axis.c, one rounding for each operation; weights are
 * rounded to float at the end. So every CPU has the same tables. */
#ifndef TMC_OPS_RESIZE_AXIS_H
#define TMC_OPS_RESIZE_AXIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graph/op.h"

typedef struct tmc_resize_axis {
    int32_t in, out;
    int32_t taps;                /* nearest 1, linear 2, cubic 4 */
    double scale;                /* 0: exactly out / in */
    double crop_begin, crop_end; /* tf_crop_and_resize */
} tmc_resize_axis;

/* Of an axis of the node's input and output. */
tmc_resize_axis tmc_resize_axis_get(const tmc_resize_params *params, int32_t axis, int32_t in, int32_t out);

/* False where every output element is the input element of the same index. */
bool tmc_resize_axis_changes(const tmc_resize_axis *axis, const tmc_resize_params *params);

/* Writes taps entries of index (0..in-1) and, unless nearest, weight for each o in [first, first + count); the arrays
 * start with output element 0. */
void tmc_resize_axis_fill(const tmc_resize_axis *axis, const tmc_resize_params *params, size_t first, size_t count,
                          int32_t *index, float *weight);

/* tf_crop_and_resize: the output elements *begin .. *end - 1 lie inside the input, the others get the extrapolation
 * value. */
void tmc_resize_axis_inside(const tmc_resize_axis *axis, const tmc_resize_params *params, size_t *begin, size_t *end);

#endif
