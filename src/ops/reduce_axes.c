#include "ops/reduce_axes.h"

size_t tmc_loops_offset(const tmc_loops *loops, size_t index) {
    size_t offset = 0;
    for (int32_t i = loops->rank - 1; i >= 0; i--) {
        offset += index % loops->dims[i] * loops->strides[i];
        index /= loops->dims[i];
    }
    return offset;
}

static void push(tmc_loops *loops, size_t dim, size_t stride) {
    int32_t last = loops->rank - 1;
    loops->count *= dim;
    if (last >= 0 && loops->strides[last] == dim * stride) {
        loops->dims[last] *= dim;
        loops->strides[last] = stride;
        return;
    }
    loops->dims[loops->rank] = dim;
    loops->strides[loops->rank++] = stride;
}

static bool is_reduced(uint32_t mask, int32_t axis) { return mask >> axis & 1; }

tmc_reduce_axes tmc_reduce_axes_of(const tmc_tensor_desc *x, uint32_t mask) {
    tmc_reduce_axes axes = {.inner = 1, .kept.count = 1, .reduced.count = 1};
    int32_t end = x->rank;
    while (end > 0 && x->dims[end - 1] == 1) end--;
    if (end > 0) {
        axes.inner_reduced = is_reduced(mask, end - 1);
        for (; end > 0; end--) {
            if (x->dims[end - 1] != 1 && is_reduced(mask, end - 1) != axes.inner_reduced) break;
            axes.inner *= (size_t)x->dims[end - 1];
            if (x->pitch) { /* what lies before the last axis does not continue it */
                end--;
                break;
            }
        }
    }
    for (int32_t i = 0; i < end; i++) {
        if (x->dims[i] == 1) continue;
        size_t stride = i == x->rank - 1 ? 1 : tmc_dims_product(x->dims, i + 1, x->rank - 1) * tmc_tensor_pitch(x);
        push(is_reduced(mask, i) ? &axes.reduced : &axes.kept, (size_t)x->dims[i], stride);
    }
    axes.per_output = axes.reduced.count * (axes.inner_reduced ? axes.inner : 1);
    return axes;
}
