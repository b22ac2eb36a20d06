#include "ops/chunk.h"
#include "ops/op.h"
#include "ops/tiles.h"

#define LINE 64 /* elements: whole cache lines of any type */

static const tmc_f32_unary_kernel *find_kernel(const tmc_kernels *kernels, int32_t kind) {
    switch (kind) {
#define X(NAME, name)                                                                                                  \
    case TMC_UNARY_##NAME: return &kernels->math.unary[TMC_F32_UNARY_##NAME];
        TMC_F32_UNARY_KERNELS(X)
#undef X
    default: return NULL;
    }
}

static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err) {
    (void)threads;
    const tmc_unary_params *p = node->params;
    setup->in_place_mask = 1;
    if (node->inputs[0]->dtype != TMC_F32) return TMC_OK;
    const tmc_f32_unary_kernel *kernel = find_kernel(kernels, p->kind);
    if (!kernel) return tmc_fail(err, TMC_E_UNSUPPORTED, "unary %s has no f32 kernel", tmc_unary_name(p->kind));
    setup->kernel = kernel->name;
    setup->isa = kernel->isa;
    return TMC_OK;
}

/* Rows of the last axis where a tensor has a pitch, else all elements as one row. */
typedef struct {
    const char *x;
    char *y;
    size_t x_pitch, y_pitch, element; /* bytes */
    tmc_tiles tiles;                  /* 1, rows, elements of a row */
    int32_t kind;
    float alpha, beta;
    tmc_f32_unary_fn kernel;
} job;

/* In 64 bits; what does not fit the type wraps when it is stored. */
static int64_t apply(int32_t kind, int64_t a) {
    int64_t negated = (int64_t)(0 - (uint64_t)a);
    switch (kind) {
    case TMC_UNARY_NEG: return negated;
    case TMC_UNARY_ABS: return a < 0 ? negated : a;
    default: return (a > 0) - (a < 0);
    }
}

static void integer_run(const job *j, size_t count, const void *x, void *y) {
    for (size_t i = 0; i < count; i++) {
        switch (j->element) {
        case 1: ((uint8_t *)y)[i] = !((const uint8_t *)x)[i]; break;
        case 4: ((int32_t *)y)[i] = (int32_t)(uint32_t)apply(j->kind, ((const int32_t *)x)[i]); break;
        default: ((int64_t *)y)[i] = apply(j->kind, ((const int64_t *)x)[i]); break;
        }
    }
}

static void task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const tmc_tile tile = tmc_tiles_get(&j->tiles, index);
    for (size_t r = tile.first[1]; r < tile.first[1] + tile.count[1]; r++) {
        const void *x = j->x + r * j->x_pitch + tile.first[2] * j->element;
        void *y = j->y + r * j->y_pitch + tile.first[2] * j->element;
        if (j->kernel)
            j->kernel(tile.count[2], x, y, j->alpha, j->beta);
        else
            integer_run(j, tile.count[2], x, y);
    }
}

static tmc_status run(const tmc_op_run *run) {
    const tmc_unary_params *p = run->node->params;
    const tmc_tensor_desc *x = run->node->inputs[0], *y = run->node->outputs[0];
    job j = {.x = run->inputs[0], .y = run->outputs[0], .kind = p->kind, .alpha = p->alpha, .beta = p->beta};
    size_t rows = 1, cols = tmc_tensor_elements(x);
    j.element = tmc_dtype_size(x->dtype);
    if (x->pitch || y->pitch) {
        cols = (size_t)x->dims[x->rank - 1];
        rows = tmc_dims_product(x->dims, 0, x->rank - 1);
        j.x_pitch = tmc_tensor_pitch(x) * j.element;
        j.y_pitch = tmc_tensor_pitch(y) * j.element;
    }
    const size_t share = rows > 1 ? tmc_chunk_share(rows, cols, 1, run->exec->threads) * cols
                                  : tmc_chunk_share(cols, 1, LINE, run->exec->threads);
    j.tiles = tmc_tiles_split(1, rows, cols, tmc_min_size(share, TMC_TASK_ELEMENTS));
    if (x->dtype == TMC_F32) j.kernel = find_kernel(run->kernels, p->kind)->run;
    return tmc_exec_loop(run->exec, j.tiles.total, task, &j);
}

TMC_DEFINE_OP(unary, prepare, run)
