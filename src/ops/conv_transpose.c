#include "format/packing_i8.h"
#include "graph/window.h"
#include "ops/qs8_gemm.h"
#include "ops/weights.h"

/* Outputs o with (o + pad) % stride == residue, for which taps t with t * dilation % stride == residue read input
 * (o + pad - t * dilation) / stride: neighbours of the phase read neighbours of the input. */
static tmc_gemm_axis phase_axis(const tmc_op_node *node, int axis, size_t residue) {
    const tmc_conv_params *p = node->params;
    const int32_t stride = p->stride[axis], dilation = p->dilation[axis], pad = p->pad_begin[axis];
    const tmc_phase phase = tmc_phase_of((size_t)p->kernel[axis], (size_t)stride, (size_t)dilation, residue);
    tmc_gemm_axis a = tmc_gemm_axis_rows(1);
    a.in = tmc_spatial_dim(node->inputs[0], p->spatial, axis);
    a.out = tmc_spatial_dim(node->outputs[0], p->spatial, axis);
    a.out_first = (int32_t)((residue + (size_t)stride - (size_t)(pad % stride)) % (size_t)stride);
    a.out_step = stride;
    a.count = a.out_first < a.out ? (a.out - a.out_first - 1) / stride + 1 : 0;
    a.taps = (int32_t)phase.count;
    a.tap_step = (int32_t) - (int64_t)(phase.step * (size_t)dilation / (size_t)stride);
    a.in_first = (int32_t)(((int64_t)a.out_first + pad - (int64_t)phase.first * dilation) / stride);
    return a;
}

/* The product of the phase with these residues. */
static tmc_implicit_gemm phase_of(const tmc_op_node *node, const tmc_pack_shape *shape, size_t ry, size_t rx) {
    const tmc_conv_params *p = node->params;
    tmc_implicit_gemm g = {
        .y = phase_axis(node, 1, ry), .x = phase_axis(node, 2, rx), .lo = p->act.lo, .hi = p->act.hi};
    g.batch = (size_t)node->inputs[0]->dims[0];
    g.groups = shape->groups;
    g.channels = shape->channels;
    g.columns = shape->columns;
    g.input_pitch = tmc_tensor_pitch(node->inputs[0]);
    g.output_pitch = tmc_tensor_pitch(node->outputs[0]);
    g.group_floats = (size_t)tmc_pack_group_floats(shape);
    return g;
}

static size_t zero_floats(const tmc_op_node *node, const tmc_pack_shape *shape) {
    size_t most = 0;
    for (size_t ry = 0; ry < shape->stride[1]; ry++)
        for (size_t rx = 0; rx < shape->stride[2]; rx++) {
            const tmc_implicit_gemm g = phase_of(node, shape, ry, rx);
            const size_t floats = tmc_implicit_gemm_zeros(&g.y, &g.x, g.channels);
            if (floats > most) most = floats;
        }
    return most;
}

static tmc_status prepare_qs8(const tmc_op_node *node, const tmc_pack_shape *shape, const tmc_kernels *kernels,
                              uint32_t threads, tmc_op_setup *setup, tmc_error *err) {
    for (size_t ry = 0; ry < shape->stride[1]; ry++)
        for (size_t rx = 0; rx < shape->stride[2]; rx++) {
            const tmc_implicit_gemm g = phase_of(node, shape, ry, rx);
            TMC_TRY(tmc_qs8_gemm_prepare(node, &g, kernels, threads, setup, err));
        }
    return TMC_OK;
}

static tmc_status run_qs8(const tmc_op_run *run) {
    const tmc_conv_params *p = run->node->params;
    const tmc_pack_shape shape = tmc_weights_shape(run->node);
    const char *panels = run->inputs[1];
    for (size_t ry = 0; ry < shape.stride[1]; ry++)
        for (size_t rx = 0; rx < shape.stride[2]; rx++) {
            const tmc_implicit_gemm product = phase_of(run->node, &shape, ry, rx);
            tmc_qs8_gemm g = tmc_qs8_gemm_of(run, &product, &p->act);
            g.panels = panels;
            g.group_bytes = (size_t)tmc_i8_group_bytes(&shape);
            TMC_TRY(tmc_qs8_gemm_run(&g, run->kernels, run->exec));
            panels +=
                tmc_i8_panels_bytes(shape.columns, (size_t)product.y.taps * (size_t)product.x.taps * shape.channels);
        }
    return TMC_OK;
}

static tmc_status conv_transpose_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                         tmc_op_setup *setup, tmc_error *err) {
    const tmc_conv_params *p = node->params;
    if (p->spatial > 2)
        return tmc_fail_field(err, TMC_E_UNSUPPORTED, "spatial",
                              "conv_transpose over %d axes, only 1 and 2 are supported", p->spatial);
    const tmc_pack_shape shape = tmc_weights_shape(node);
    if (node->inputs[0]->dtype == TMC_I8) return prepare_qs8(node, &shape, kernels, threads, setup, err);
    TMC_TRY(tmc_weights_scratch(node, &setup->scratch_bytes, err));
    setup->scratch_bytes += zero_floats(node, &shape) * sizeof(float);
    const tmc_implicit_gemm g = phase_of(node, &shape, 0, 0);
    tmc_implicit_gemm_kernel(&g, &kernels->conv, &setup->kernel, &setup->isa);
    return TMC_OK;
}

static tmc_status conv_transpose_run(const tmc_op_run *run) {
    if (run->node->inputs[0]->dtype == TMC_I8) return run_qs8(run);
    const tmc_pack_shape shape = tmc_weights_shape(run->node);
    const float *panels, *zeros = NULL;
    TMC_TRY(tmc_weights_panels(run, &shape, &panels));
    const size_t floats = zero_floats(run->node, &shape);
    if (floats) TMC_TRY(tmc_weights_zeros(run, floats, &zeros));
    for (size_t ry = 0; ry < shape.stride[1]; ry++)
        for (size_t rx = 0; rx < shape.stride[2]; rx++) {
            tmc_implicit_gemm g = phase_of(run->node, &shape, ry, rx);
            g.input = run->inputs[0];
            g.output = run->outputs[0];
            g.panels = panels;
            g.zeros = zeros;
            TMC_TRY(tmc_implicit_gemm_run(&g, run->kernels, run->exec));
            panels += tmc_panels_floats(g.columns, (size_t)g.y.taps * (size_t)g.x.taps * g.channels);
        }
    return TMC_OK;
}

TMC_DEFINE_OP(conv_transpose, conv_transpose_prepare, conv_transpose_run)
