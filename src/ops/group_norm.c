/* Group and instance normalisation: mean and variance in two passes over x, a third one writes y. Each pass is cut into
 * blocks of pixels, whose sums per channel are taken in float in one chain and added up in double: the cut is part of
 * the definition, so the threads that share the blocks never change a bit, and large images cost no precision. */
#include <math.h>

#include "ops/chunk.h"
#include "ops/op.h"

#define PIXEL_BLOCK 256u

/* x as [images, pixels, channels]. */
typedef struct {
    size_t images, pixels, channels, blocks;
} geometry;

static geometry geometry_of(const tmc_tensor_desc *x) {
    geometry g = {(size_t)x->dims[0], tmc_dims_product(x->dims, 1, x->rank - 1), (size_t)x->dims[x->rank - 1], 0};
    g.blocks = tmc_chunk_count(g.pixels, PIXEL_BLOCK);
    return g;
}

/* Scratch: sums [images, blocks, channels], then means and scales [images, channels] each. */
static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err) {
    (void)threads;
    geometry g = geometry_of(node->inputs[0]);
    uint64_t floats;
    /* No factor is over 2^31: the product of two fits. */
    if (!tmc_mul_u64((uint64_t)g.images * g.channels, (uint64_t)g.blocks + 2, &floats) ||
        floats > SIZE_MAX / sizeof(float))
        return tmc_fail(err, TMC_E_LIMIT, "group_norm: the work space is larger than the address space");
    setup->in_place_mask = 1;
    setup->kernel = kernels->math.norm_columns.name;
    setup->isa = kernels->math.norm_columns.isa;
    setup->scratch_bytes = (size_t)floats * sizeof(float);
    return TMC_OK;
}

typedef struct {
    const tmc_f32_math_kernels *math;
    geometry g;
    size_t groups;
    float epsilon;
    const float *x, *scale, *shift;
    float *y;
    float *sums, *means, *scales;
    int kind; /* of the sums that sum_task takes */
} job;

typedef struct {
    size_t image, rows, offset; /* offset: first element of the block in x and y */
} block;

static block block_at(const geometry *g, size_t index) {
    size_t image = index / g->blocks;
    tmc_chunk c = tmc_chunk_at(g->pixels, PIXEL_BLOCK, index % g->blocks);
    return (block){image, c.count, (image * g->pixels + c.begin) * g->channels};
}

static void sum_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    size_t channels = j->g.channels;
    block b = block_at(&j->g, index);
    float *sums = j->sums + index * channels;
    for (size_t c = 0; c < channels; c++) sums[c] = 0.0f;
    j->math->reduce_columns[j->kind].run(b.rows, channels, channels, j->x + b.offset, j->means + b.image * channels,
                                         sums);
}

/* The blocks' sums of the channels of a group, over their count: channel after channel, block after block. */
static float group_mean(const job *j, size_t image, size_t group) {
    size_t width = j->g.channels / j->groups;
    double sum = 0;
    for (size_t c = group * width; c < (group + 1) * width; c++)
        for (size_t b = 0; b < j->g.blocks; b++) sum += (double)j->sums[(image * j->g.blocks + b) * j->g.channels + c];
    return (float)(sum / ((double)j->g.pixels * (double)width));
}

/* Of one image and group, from the sums of x. */
static void mean_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    size_t image = index / j->groups, group = index % j->groups, width = j->g.channels / j->groups;
    float mean = group_mean(j, image, group);
    float *means = j->means + image * j->g.channels + group * width;
    for (size_t c = 0; c < width; c++) means[c] = mean;
}

/* Likewise, from the sums of (x - mean)^2. */
static void scale_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    size_t image = index / j->groups, group = index % j->groups, width = j->g.channels / j->groups;
    float rstd = 1.0f / sqrtf(group_mean(j, image, group) + j->epsilon);
    float *scales = j->scales + image * j->g.channels + group * width;
    for (size_t c = 0; c < width; c++) scales[c] = j->scale[group * width + c] * rstd;
}

static void apply_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    block b = block_at(&j->g, index);
    size_t at = b.image * j->g.channels;
    j->math->norm_columns.run(b.rows, j->g.channels, j->x + b.offset, j->means + at, j->scales + at, j->shift,
                              j->y + b.offset);
}

static tmc_status run(const tmc_op_run *run) {
    const tmc_norm_params *p = run->node->params;
    geometry g = geometry_of(run->node->inputs[0]);
    float *scratch = run->scratch;
    size_t blocks = g.images * g.blocks, groups = g.images * (size_t)p->groups;
    job j = {.math = &run->kernels->math,
             .g = g,
             .groups = (size_t)p->groups,
             .epsilon = p->epsilon,
             .x = run->inputs[0],
             .scale = run->inputs[1],
             .shift = run->inputs[2],
             .y = run->outputs[0],
             .sums = scratch,
             .means = scratch + blocks * g.channels,
             .scales = scratch + (blocks + g.images) * g.channels,
             .kind = TMC_F32_REDUCE_SUM};
    TMC_TRY(tmc_exec_loop(run->exec, blocks, sum_task, &j));
    TMC_TRY(tmc_exec_loop(run->exec, groups, mean_task, &j));
    j.kind = TMC_F32_REDUCE_SUM_SQUARE_DIFF;
    TMC_TRY(tmc_exec_loop(run->exec, blocks, sum_task, &j));
    TMC_TRY(tmc_exec_loop(run->exec, groups, scale_task, &j));
    return tmc_exec_loop(run->exec, blocks, apply_task, &j);
}

TMC_DEFINE_OP(group_norm, prepare, run)
