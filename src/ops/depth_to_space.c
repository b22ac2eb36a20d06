#include "ops/strided.h"

/* Both operators move between [N, H, W, by, bx, C], the deep side (its last three axes are the channels, in the order
 * of the mode), and [N, H, by, W, bx, C], the wide side. */
typedef struct {
    ptrdiff_t n, h, w, by, bx, c; /* strides */
} sides;

static sides deep_side(const tmc_tensor_desc *deep, ptrdiff_t block, int32_t mode) {
    ptrdiff_t stride[TMC_MAX_RANK];
    tmc_strided_steps(deep, stride);
    const ptrdiff_t element = stride[3], channels = deep->dims[3] / (block * block);
    sides s = {stride[0], stride[1], stride[2], block * channels * element, channels * element, element};
    if (mode == TMC_BLOCK_CRD) {
        s.by = block * element;
        s.bx = element;
        s.c = block * block * element;
    }
    return s;
}

static sides wide_side(const tmc_tensor_desc *wide, ptrdiff_t block) {
    ptrdiff_t stride[TMC_MAX_RANK];
    tmc_strided_steps(wide, stride);
    return (sides){stride[0], block * stride[1], block * stride[2], stride[1], stride[2], stride[3]};
}

static void describe_to_space(const tmc_op_node *node, tmc_strided *box) {
    const tmc_block_params *p = node->params;
    const tmc_tensor_desc *in = node->inputs[0], *out = node->outputs[0];
    const size_t block = (size_t)p->block;
    const sides src = deep_side(in, p->block, p->mode), dst = wide_side(out, p->block);
    tmc_strided_push(box, (size_t)in->dims[0], src.n, dst.n);
    tmc_strided_push(box, (size_t)in->dims[1], src.h, dst.h);
    tmc_strided_push(box, block, src.by, dst.by);
    tmc_strided_push(box, (size_t)in->dims[2], src.w, dst.w);
    tmc_strided_push(box, block, src.bx, dst.bx);
    tmc_strided_push(box, (size_t)out->dims[3], src.c, dst.c);
}

static void describe_to_depth(const tmc_op_node *node, tmc_strided *box) {
    const tmc_block_params *p = node->params;
    const tmc_tensor_desc *in = node->inputs[0], *out = node->outputs[0];
    const size_t block = (size_t)p->block;
    const sides src = wide_side(in, p->block), dst = deep_side(out, p->block, TMC_BLOCK_DCR);
    tmc_strided_push(box, (size_t)out->dims[0], src.n, dst.n);
    tmc_strided_push(box, (size_t)out->dims[1], src.h, dst.h);
    tmc_strided_push(box, (size_t)out->dims[2], src.w, dst.w);
    tmc_strided_push(box, block, src.by, dst.by);
    tmc_strided_push(box, block, src.bx, dst.bx);
    tmc_strided_push(box, (size_t)in->dims[3], src.c, dst.c);
}

static tmc_status prepare_to_space(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                   tmc_op_setup *setup, tmc_error *err) {
    (void)kernels, (void)threads, (void)err;
    return tmc_move_prepare(node, describe_to_space, setup);
}

static tmc_status run_to_space(const tmc_op_run *run) { return tmc_move_run(run, describe_to_space); }

static tmc_status prepare_to_depth(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                   tmc_op_setup *setup, tmc_error *err) {
    (void)kernels, (void)threads, (void)err;
    return tmc_move_prepare(node, describe_to_depth, setup);
}

static tmc_status run_to_depth(const tmc_op_run *run) { return tmc_move_run(run, describe_to_depth); }

TMC_DEFINE_OP(depth_to_space, prepare_to_space, run_to_space)
TMC_DEFINE_OP(space_to_depth, prepare_to_depth, run_to_depth)
