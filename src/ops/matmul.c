#include <math.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "format/packing.h"
#include "ops/implicit_gemm.h"
#include "ops/op.h"

/* [m, k] times [k, n] */
typedef struct matrix_dims {
    size_t m, k, n;
} matrix_dims;

static matrix_dims dims_of(const tmc_op_node *node) {
    const tmc_tensor_desc *a = node->inputs[0], *b = node->inputs[1];
    return (matrix_dims){(size_t)a->dims[a->rank - 2], (size_t)a->dims[a->rank - 1], (size_t)b->dims[b->rank - 1]};
}

static tmc_implicit_gemm product_of(matrix_dims d) {
    tmc_implicit_gemm g = {.batch = 1, .groups = 1, .channels = d.k, .columns = d.n, .lo = -INFINITY, .hi = INFINITY};
    g.input_pitch = d.k;
    g.output_pitch = d.n;
    g.y = tmc_gemm_axis_rows(1);
    g.x = tmc_gemm_axis_rows((int32_t)d.m);
    return g;
}

static tmc_status matmul_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                 tmc_op_setup *setup, tmc_error *err) {
    (void)threads;
    const matrix_dims d = dims_of(node);
    const uint64_t floats = (uint64_t)tmc_panel_columns_up(d.n) * (d.k + 1);
    if (floats > (TMC_FILE_MAX_TENSOR_BYTES - TMC_ALIGN) / sizeof(float))
        return tmc_fail(err, TMC_E_LIMIT, "the packed second matrix would be over %u bytes", TMC_FILE_MAX_TENSOR_BYTES);
    setup->scratch_bytes = (size_t)floats * sizeof(float);
    const tmc_implicit_gemm g = product_of(d);
    tmc_implicit_gemm_kernel(&g, &kernels->conv, &setup->kernel, &setup->isa);
    return TMC_OK;
}

typedef struct packing_job {
    matrix_dims d;
    const float *b;
    float *panels;
} packing_job;

/* 16 columns: one panel or (8 + 4) two. */
static void pack_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const packing_job *job = context;
    const size_t first = index * 16, left = job->d.n - first;
    tmc_pack_panels(job->panels + tmc_panel_offset(first, job->d.k), job->b + first, tmc_min_size(left, 16), job->d.k,
                    1, job->d.n, NULL);
}

/* Number of the matrix of `in` that belongs to matrix `index` of the output: broadcast axes do not advance. */
static size_t matrix_index(const tmc_tensor_desc *in, const tmc_tensor_desc *out, size_t index) {
    size_t position = 0, step = 1;
    for (int32_t axis = out->rank - 3; axis >= 0; axis--) {
        const int32_t in_axis = axis - (out->rank - in->rank);
        const size_t at = index % (size_t)out->dims[axis];
        index /= (size_t)out->dims[axis];
        if (in_axis < 0) continue;
        if (in->dims[in_axis] > 1) position += at * step;
        step *= (size_t)in->dims[in_axis];
    }
    return position;
}

static tmc_status matmul_run(const tmc_op_run *run) {
    const tmc_tensor_desc *const *in = run->node->inputs, *y = run->node->outputs[0];
    const matrix_dims d = dims_of(run->node);
    const size_t batch = tmc_dims_product(y->dims, 0, y->rank - 2);
    packing_job pack = {d, NULL, run->scratch};
    tmc_implicit_gemm g = product_of(d);
    g.panels = run->scratch;
    for (size_t i = 0; i < batch; i++) {
        const float *b = (const float *)run->inputs[1] + matrix_index(in[1], y, i) * d.k * d.n;
        if (b != pack.b) {
            pack.b = b;
            TMC_TRY(tmc_exec_loop(run->exec, tmc_div_up(d.n, 16), pack_task, &pack));
        }
        g.input = (const float *)run->inputs[0] + matrix_index(in[0], y, i) * d.m * d.k;
        g.output = (float *)run->outputs[0] + i * d.m * d.n;
        TMC_TRY(tmc_implicit_gemm_run(&g, run->kernels, run->exec));
    }
    return TMC_OK;
}

TMC_DEFINE_OP(matmul, matmul_prepare, matmul_run)
