#include <string.h>

#include "ops/op.h"
#include "ops/strided.h"
#include "ops/tiles.h"

#define CHECK_CHUNK 65536u /* indices between two looks at the cancel flag */
#define TASK_BYTES (256u << 10)

typedef struct {
    const char *data;
    char *out;
    const void *indices;
    bool wide; /* i64 */
    int64_t dim;
    size_t count, run_bytes; /* indices; bytes that each of them moves, per outer element */
    tmc_tiles tiles;
} job;

static int64_t index_at(const job *j, size_t at) {
    if (j->wide) return ((const int64_t *)j->indices)[at];
    return ((const int32_t *)j->indices)[at];
}

/* All indices before the first byte is written: a failure leaves the output as it was. */
static tmc_status check_indices(const tmc_op_run *r, const job *j) {
    for (size_t at = 0; at < j->count; at++) {
        if (at % CHECK_CHUNK == 0) TMC_TRY(tmc_exec_poll(r->exec));
        const int64_t index = index_at(j, at);
        if (index < -j->dim || index >= j->dim)
            return tmc_fail_field(r->err, TMC_E_RANGE, "indices", "index %lld at position %zu, expected %lld to %lld",
                                  (long long)index, at, (long long)-j->dim, (long long)j->dim - 1);
    }
    return TMC_OK;
}

static void gather_task(void *context, size_t task, size_t slot) {
    (void)slot;
    const job *j = context;
    const tmc_tile tile = tmc_tiles_get(&j->tiles, task);
    for (size_t o = tile.first[0]; o < tile.first[0] + tile.count[0]; o++) {
        const char *src = j->data + o * (size_t)j->dim * j->run_bytes + tile.first[2];
        char *dst = j->out + o * j->count * j->run_bytes + tile.first[2];
        for (size_t at = tile.first[1]; at < tile.first[1] + tile.count[1]; at++) {
            int64_t index = index_at(j, at);
            if (index < 0) index += j->dim;
            tmc_copy_run(dst + at * j->run_bytes, src + (size_t)index * j->run_bytes, tile.count[2]);
        }
    }
}

static tmc_status run(const tmc_op_run *r) {
    const tmc_axis_params *p = r->node->params;
    const tmc_tensor_desc *data = r->node->inputs[0], *indices = r->node->inputs[1];
    job j = {.data = r->inputs[0], .out = r->outputs[0], .indices = r->inputs[1]};
    j.wide = indices->dtype == TMC_I64;
    j.dim = data->dims[p->axis];
    j.count = tmc_tensor_elements(indices);
    j.run_bytes = tmc_dims_product(data->dims, p->axis + 1, data->rank) * tmc_dtype_size(data->dtype);
    TMC_TRY(check_indices(r, &j));
    j.tiles = tmc_tiles_split(tmc_dims_product(data->dims, 0, p->axis), j.count, j.run_bytes, TASK_BYTES);
    return tmc_exec_loop(r->exec, j.tiles.total, gather_task, &j);
}

TMC_DEFINE_OP(gather, tmc_prepare_nothing, run)
