/* One axis of a slice, resolved as Python resolves x[begin:end:step]. */
#ifndef TMC_GRAPH_SLICE_H
#define TMC_GRAPH_SLICE_H

#include <stdint.h>

typedef struct tmc_slice_range {
    int64_t first; /* index of the first element taken */
    int64_t count; /* elements taken; <= 0: none */
} tmc_slice_range;

static inline int64_t tmc_slice_clamp(int64_t at, int64_t dim, int64_t lo, int64_t hi) {
    if (at < 0) at += dim;
    return at < lo ? lo : at > hi ? hi : at;
}

/* dim >= 1, step != 0. */
static inline tmc_slice_range tmc_slice_resolve(int64_t dim, int64_t begin, int64_t end, int64_t step) {
    int64_t lo = step > 0 ? 0 : -1, hi = step > 0 ? dim : dim - 1;
    int64_t from = tmc_slice_clamp(begin, dim, lo, hi), to = tmc_slice_clamp(end, dim, lo, hi);
    tmc_slice_range range = {from, step > 0 ? (to - from + step - 1) / step : (from - to - step - 1) / -step};
    return range;
}

#endif
