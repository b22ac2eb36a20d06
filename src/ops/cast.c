/* Conversion of element types. To bool: 1 where x is not zero (so a NaN gives 1). From f32 to an integer: truncated
 * toward zero, limited to the type's range, NaN gives 0: defined, where a C cast is not. From integer to integer: the
 * low bits. From integer to f32: rounded to nearest even. */
#include <string.h>

#include "ops/chunk.h"
#include "ops/op.h"

#define BLOCK 256u

static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err) {
    (void)kernels, (void)threads, (void)err;
    setup->in_place_mask = node->inputs[0]->dtype == node->outputs[0]->dtype;
    return TMC_OK;
}

static void load_integers(uint8_t dtype, const void *x, size_t n, int64_t *v) {
    switch (dtype) {
    case TMC_I32:
        for (size_t i = 0; i < n; i++) v[i] = ((const int32_t *)x)[i];
        break;
    case TMC_I8:
        for (size_t i = 0; i < n; i++) v[i] = ((const int8_t *)x)[i];
        break;
    case TMC_I64: memcpy(v, x, n * sizeof *v); break;
    default: /* u8 and bool */
        for (size_t i = 0; i < n; i++) v[i] = ((const uint8_t *)x)[i];
        break;
    }
}

static void store_integers(uint8_t dtype, const int64_t *v, size_t n, void *y) {
    switch (dtype) {
    case TMC_F32:
        for (size_t i = 0; i < n; i++) ((float *)y)[i] = (float)v[i];
        break;
    case TMC_I32:
        for (size_t i = 0; i < n; i++) ((int32_t *)y)[i] = (int32_t)(uint32_t)v[i];
        break;
    case TMC_I64: memcpy(y, v, n * sizeof *v); break;
    case TMC_BOOL:
        for (size_t i = 0; i < n; i++) ((uint8_t *)y)[i] = v[i] != 0;
        break;
    default: /* u8 and i8: the same low byte */
        for (size_t i = 0; i < n; i++) ((uint8_t *)y)[i] = (uint8_t)v[i];
        break;
    }
}

/* Limits are given as floats: the least value, and the first one that is too large. */
static int64_t truncate(float a, float least, float over, int64_t min, int64_t max) {
    if (a != a) return 0;
    if (a < least) return min;
    return a >= over ? max : (int64_t)a;
}

static void integers_of_floats(uint8_t dtype, const float *x, size_t n, int64_t *v) {
    switch (dtype) {
    case TMC_I32:
        for (size_t i = 0; i < n; i++) v[i] = truncate(x[i], -0x1p31f, 0x1p31f, INT32_MIN, INT32_MAX);
        break;
    case TMC_I64:
        for (size_t i = 0; i < n; i++) v[i] = truncate(x[i], -0x1p63f, 0x1p63f, INT64_MIN, INT64_MAX);
        break;
    case TMC_U8:
        for (size_t i = 0; i < n; i++) v[i] = truncate(x[i], 0.0f, 256.0f, 0, UINT8_MAX);
        break;
    case TMC_I8:
        for (size_t i = 0; i < n; i++) v[i] = truncate(x[i], -128.0f, 128.0f, INT8_MIN, INT8_MAX);
        break;
    default: /* bool */
        for (size_t i = 0; i < n; i++) v[i] = x[i] != 0.0f;
        break;
    }
}

typedef struct {
    const uint8_t *x;
    uint8_t *y;
    uint8_t from, to;
    size_t from_size, to_size, count;
} job;

static void task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    tmc_chunk c = tmc_chunk_at(j->count, TMC_TASK_ELEMENTS, index);
    int64_t wide[BLOCK];
    for (size_t i = c.begin; i < c.begin + c.count; i += BLOCK) {
        size_t n = tmc_min_size(BLOCK, c.begin + c.count - i);
        const void *x = j->x + i * j->from_size;
        if (j->from == TMC_F32) {
            integers_of_floats(j->to, x, n, wide);
        } else {
            load_integers(j->from, x, n, wide);
        }
        store_integers(j->to, wide, n, j->y + i * j->to_size);
    }
}

/* f32 to f32 is a copy and must not go through integers. */
static void copy_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    tmc_chunk c = tmc_chunk_at(j->count, TMC_TASK_ELEMENTS, index);
    if (j->x != j->y) memcpy(j->y + c.begin * j->to_size, j->x + c.begin * j->to_size, c.count * j->to_size);
}

static tmc_status run(const tmc_op_run *run) {
    uint8_t from = run->node->inputs[0]->dtype, to = run->node->outputs[0]->dtype;
    job j = {run->inputs[0],
             run->outputs[0],
             from,
             to,
             tmc_dtype_size(from),
             tmc_dtype_size(to),
             tmc_tensor_elements(run->node->inputs[0])};
    return tmc_exec_loop(run->exec, tmc_chunk_count(j.count, TMC_TASK_ELEMENTS), from == to ? copy_task : task, &j);
}

TMC_DEFINE_OP(cast, prepare, run)
