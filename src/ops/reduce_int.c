#include "ops/reduce_int.h"

#include "graph/op.h"
#include "ops/chunk.h"

typedef struct {
    const tmc_reduce_axes *axes;
    int32_t kind;
    uint8_t dtype;
    const void *x;
    void *y;
} job;

static int64_t element(const job *j, size_t at) {
    return j->dtype == TMC_I32 ? ((const int32_t *)j->x)[at] : ((const int64_t *)j->x)[at];
}

static int64_t step(int32_t kind, int64_t acc, int64_t a) {
    switch (kind) {
    case TMC_REDUCE_MAX: return a > acc ? a : acc;
    case TMC_REDUCE_MIN: return a < acc ? a : acc;
    case TMC_REDUCE_PROD: return (int64_t)((uint64_t)acc * (uint64_t)a);
    default: return (int64_t)((uint64_t)acc + (uint64_t)a);
    }
}

static int64_t identity(int32_t kind) {
    switch (kind) {
    case TMC_REDUCE_MAX: return INT64_MIN;
    case TMC_REDUCE_MIN: return INT64_MAX;
    case TMC_REDUCE_PROD: return 1;
    default: return 0;
    }
}

static int64_t reduce_one(const job *j, size_t output) {
    const tmc_reduce_axes *a = j->axes;
    size_t base = a->inner_reduced ? tmc_loops_offset(&a->kept, output)
                                   : tmc_loops_offset(&a->kept, output / a->inner) + output % a->inner;
    size_t run = a->inner_reduced ? a->inner : 1;
    int64_t acc = identity(j->kind);
    for (size_t r = 0; r < a->reduced.count; r++) {
        size_t at = base + tmc_loops_offset(&a->reduced, r);
        for (size_t i = 0; i < run; i++) acc = step(j->kind, acc, element(j, at + i));
    }
    return j->kind == TMC_REDUCE_MEAN ? acc / (int64_t)a->per_output : acc;
}

static size_t outputs(const tmc_reduce_axes *a) { return a->kept.count * (a->inner_reduced ? 1 : a->inner); }

static void task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    tmc_chunk c = tmc_chunk_at(outputs(j->axes), tmc_chunk_items(j->axes->per_output), index);
    for (size_t i = c.begin; i < c.begin + c.count; i++) {
        int64_t value = reduce_one(j, i);
        if (j->dtype == TMC_I32) {
            ((int32_t *)j->y)[i] = (int32_t)(uint32_t)value;
        } else {
            ((int64_t *)j->y)[i] = value;
        }
    }
}

tmc_status tmc_reduce_int(const tmc_reduce_axes *axes, int32_t kind, uint8_t dtype, const void *x, void *y,
                          tmc_exec *exec) {
    job j = {axes, kind, dtype, x, y};
    return tmc_exec_loop(exec, tmc_chunk_count(outputs(axes), tmc_chunk_items(axes->per_output)), task, &j);
}
