#include "format/packing_i8.h"
#include "graph/window.h"
#include "ops/qs8_gemm.h"
#include "ops/weights.h"
#include "ops/winograd.h"

static tmc_gemm_axis axis_of(const tmc_op_node *node, int axis) {
    const tmc_conv_params *p = node->params;
    tmc_gemm_axis a = tmc_gemm_axis_rows(1);
    a.in = tmc_spatial_dim(node->inputs[0], p->spatial, axis);
    a.out = a.count = tmc_spatial_dim(node->outputs[0], p->spatial, axis);
    a.in_first = -p->pad_begin[axis];
    a.in_step = p->stride[axis];
    a.taps = p->kernel[axis];
    a.tap_step = p->dilation[axis];
    return a;
}

static tmc_implicit_gemm product_of(const tmc_op_node *node, const tmc_pack_shape *shape) {
    const tmc_conv_params *p = node->params;
    tmc_implicit_gemm g = {.y = axis_of(node, 1), .x = axis_of(node, 2), .lo = p->act.lo, .hi = p->act.hi};
    g.batch = (size_t)node->inputs[0]->dims[0];
    g.groups = shape->groups;
    g.channels = shape->channels;
    g.columns = shape->columns;
    g.input_pitch = tmc_tensor_pitch(node->inputs[0]);
    g.output_pitch = tmc_tensor_pitch(node->outputs[0]);
    g.group_floats = (size_t)tmc_pack_group_floats(shape);
    return g;
}

static tmc_status conv_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                               tmc_op_setup *setup, tmc_error *err) {
    const tmc_conv_params *p = node->params;
    if (p->spatial > 2)
        return tmc_fail_field(err, TMC_E_UNSUPPORTED, "spatial", "conv over %d axes, only 1 and 2 are supported",
                              p->spatial);
    if (tmc_winograd_used(node)) return tmc_winograd_prepare(node, kernels, threads, setup, err);
    const tmc_pack_shape shape = tmc_weights_shape(node);
    const tmc_implicit_gemm g = product_of(node, &shape);
    if (node->inputs[0]->dtype == TMC_I8) return tmc_qs8_gemm_prepare(node, &g, kernels, threads, setup, err);
    TMC_TRY(tmc_weights_scratch(node, &setup->scratch_bytes, err));
    setup->scratch_bytes += tmc_implicit_gemm_zeros(&g.y, &g.x, g.channels) * sizeof(float);
    tmc_implicit_gemm_kernel(&g, &kernels->conv, &setup->kernel, &setup->isa);
    return TMC_OK;
}

static tmc_status run_qs8(const tmc_op_run *run) {
    const tmc_conv_params *p = run->node->params;
    const tmc_pack_shape shape = tmc_weights_shape(run->node);
    const tmc_implicit_gemm product = product_of(run->node, &shape);
    tmc_qs8_gemm g = tmc_qs8_gemm_of(run, &product, &p->act);
    g.group_bytes = (size_t)tmc_i8_group_bytes(&shape);
    return tmc_qs8_gemm_run(&g, run->kernels, run->exec);
}

static tmc_status conv_run(const tmc_op_run *run) {
    if (run->node->inputs[0]->dtype == TMC_I8) return run_qs8(run);
    if (tmc_winograd_used(run->node)) return tmc_winograd_run(run);
    const tmc_pack_shape shape = tmc_weights_shape(run->node);
    tmc_implicit_gemm g = product_of(run->node, &shape);
    g.input = run->inputs[0];
    g.output = run->outputs[0];
    TMC_TRY(tmc_weights_panels(run, &shape, &g.panels));
    const size_t zeros = tmc_implicit_gemm_zeros(&g.y, &g.x, g.channels);
    if (zeros) TMC_TRY(tmc_weights_zeros(run, zeros, &g.zeros));
    return tmc_implicit_gemm_run(&g, run->kernels, run->exec);
}

TMC_DEFINE_OP(conv, conv_prepare, conv_run)
