#include "ops/qs8_gemm.h"
#include "ops/weights.h"

static tmc_implicit_gemm product_of(const tmc_op_node *node) {
    const tmc_fully_connected_params *p = node->params;
    const tmc_tensor_desc *x = node->inputs[0], *w = node->inputs[1];
    tmc_implicit_gemm g = {.batch = 1, .groups = 1, .lo = p->act.lo, .hi = p->act.hi};
    g.y = tmc_gemm_axis_rows(1);
    g.x = tmc_gemm_axis_rows((int32_t)tmc_dims_product(x->dims, 0, x->rank - 1));
    g.channels = (size_t)w->dims[1];
    g.columns = (size_t)w->dims[0];
    g.input_pitch = tmc_tensor_pitch(x);
    g.output_pitch = tmc_tensor_pitch(node->outputs[0]);
    return g;
}

static tmc_status fully_connected_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                          tmc_op_setup *setup, tmc_error *err) {
    const tmc_implicit_gemm g = product_of(node);
    if (node->inputs[0]->dtype == TMC_I8) return tmc_qs8_gemm_prepare(node, &g, kernels, threads, setup, err);
    tmc_implicit_gemm_kernel(&g, &kernels->conv, &setup->kernel, &setup->isa);
    return tmc_weights_scratch(node, &setup->scratch_bytes, err);
}

static tmc_status run_qs8(const tmc_op_run *run) {
    const tmc_fully_connected_params *p = run->node->params;
    const tmc_implicit_gemm product = product_of(run->node);
    const tmc_qs8_gemm g = tmc_qs8_gemm_of(run, &product, &p->act);
    return tmc_qs8_gemm_run(&g, run->kernels, run->exec);
}

static tmc_status fully_connected_run(const tmc_op_run *run) {
    if (run->node->inputs[0]->dtype == TMC_I8) return run_qs8(run);
    const tmc_pack_shape shape = tmc_weights_shape(run->node);
    tmc_implicit_gemm g = product_of(run->node);
    g.input = run->inputs[0];
    g.output = run->outputs[0];
    TMC_TRY(tmc_weights_panels(run, &shape, &g.panels));
    return tmc_implicit_gemm_run(&g, run->kernels, run->exec);
}

TMC_DEFINE_OP(fully_connected, fully_connected_prepare, fully_connected_run)
