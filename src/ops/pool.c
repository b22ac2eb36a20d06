#include <math.h>

#include "base/checked.h"
#include "graph/window.h"
#include "ops/op.h"

#define MAX_TAPS 64
#define TASK_ELEMENTS (1u << 20) /* read by a task: under 1 ms on the slowest core */
#define MIN_CHANNELS 64          /* of a task: whole cache lines, whole vectors */

typedef struct job {
    const tmc_op_node *node;
    tmc_window y, x;
    tmc_f32_pool_fn fn;
    const float *input;
    float *output;
    size_t out_h, out_w, channels;
    size_t rows, rows_per_task, channels_per_task;
} job;

/* Taps of the window at `start` that lie in [from, to): [*first, *first + result). */
static int32_t taps_within(const tmc_window *w, int64_t start, int64_t from, int64_t to, int32_t *first) {
    int64_t lo = start >= from ? 0 : (from - start + w->dilation - 1) / w->dilation;
    int64_t hi = start >= to ? 0 : (to - start - 1) / w->dilation + 1;
    if (hi > w->kernel) hi = w->kernel;
    *first = (int32_t)lo;
    return hi > lo ? (int32_t)(hi - lo) : 0;
}

/* What the average divides by: taps on the input or, with count_include_pad, on the input and its explicit padding; the
 * part of a window that rounding up adds is never counted. */
static float divisor_of(const job *j, int64_t iy0, int64_t ix0, int32_t taps) {
    const tmc_pool_params *p = j->node->params;
    if (j->node->op != TMC_OP_AVERAGE_POOL) return 1.0f;
    if (!p->count_include_pad) return (float)taps;
    int32_t first;
    int32_t y = taps_within(&j->y, iy0, -(int64_t)j->y.pad_begin, (int64_t)j->y.in + j->y.pad_end, &first);
    int32_t x = taps_within(&j->x, ix0, -(int64_t)j->x.pad_begin, (int64_t)j->x.in + j->x.pad_end, &first);
    return (float)(y * x);
}

static void run_pixel(const job *j, const float *image, int64_t iy0, int64_t ix0, size_t channels, float *c) {
    const float *a[MAX_TAPS];
    int32_t ky, kx, y_count = taps_within(&j->y, iy0, 0, j->y.in, &ky),
                    x_count = taps_within(&j->x, ix0, 0, j->x.in, &kx);
    const size_t taps = (size_t)y_count * (size_t)x_count;
    tmc_f32_pool_args args = {.channels = channels, .a = a, .c = c};
    int32_t y = 0, x = 0;
    for (size_t done = 0; done < taps; done += args.taps) {
        args.taps = tmc_min_size(taps - done, MAX_TAPS);
        for (size_t t = 0; t < args.taps; t++) {
            const size_t iy = (size_t)(iy0 + (int64_t)(ky + y) * j->y.dilation);
            const size_t ix = (size_t)(ix0 + (int64_t)(kx + x) * j->x.dilation);
            a[t] = image + (iy * (size_t)j->x.in + ix) * j->channels;
            if (++x == x_count) x = 0, y++;
        }
        args.divisor = done + args.taps == taps ? divisor_of(j, iy0, ix0, (int32_t)taps) : 1.0f;
        j->fn(&args);
        args.resume = true;
    }
}

static void lp1(const tmc_f32_pool_args *args) {
    for (size_t i = 0; i < args->channels; i++) {
        float acc = args->resume ? args->c[i] : 0.0f;
        for (size_t t = 0; t < args->taps; t++) acc += fabsf(args->a[t][i]);
        args->c[i] = acc;
    }
}

static void lp2(const tmc_f32_pool_args *args) {
    for (size_t i = 0; i < args->channels; i++) {
        float acc = args->resume ? args->c[i] : 0.0f;
        for (size_t t = 0; t < args->taps; t++) acc = fmaf(args->a[t][i], args->a[t][i], acc);
        args->c[i] = acc;
    }
}

static void pool_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const size_t blocks = tmc_div_up(j->channels, j->channels_per_task);
    const size_t channel = index % blocks * j->channels_per_task;
    const size_t channels = tmc_min_size(j->channels_per_task, j->channels - channel);
    const size_t first = index / blocks * j->rows_per_task, last = tmc_min_size(first + j->rows_per_task, j->rows);
    for (size_t row = first; row < last; row++) {
        const float *image = j->input + row / j->out_h * (size_t)j->y.in * (size_t)j->x.in * j->channels + channel;
        float *c = j->output + row * j->out_w * j->channels + channel;
        const int64_t iy0 = (int64_t)(row % j->out_h) * j->y.stride - j->y.pad_begin;
        for (size_t ox = 0; ox < j->out_w; ox++, c += j->channels) {
            run_pixel(j, image, iy0, (int64_t)ox * j->x.stride - j->x.pad_begin, channels, c);
            if (j->fn != lp2) continue;
            for (size_t i = 0; i < channels; i++) c[i] = sqrtf(c[i]);
        }
    }
}

static void choose_tasks(job *j, uint32_t threads) {
    const uint64_t pixel = (uint64_t)(uint32_t)j->y.kernel * (uint32_t)j->x.kernel;
    const uint64_t row = pixel * j->out_w * j->channels;
    j->channels_per_task = j->channels;
    j->rows_per_task = row < TASK_ELEMENTS ? TASK_ELEMENTS / (size_t)row : 1;
    const size_t wanted = threads > 1 ? 4 * (size_t)threads : 1;
    j->rows_per_task = tmc_min_size(j->rows_per_task, tmc_div_up(j->rows, wanted));
    /* Few rows with much in each, a global pool: cut across the channels as well. */
    while (j->channels_per_task > MIN_CHANNELS &&
           (pixel * j->out_w * j->channels_per_task > TASK_ELEMENTS ||
            tmc_div_up(j->rows, j->rows_per_task) * tmc_div_up(j->channels, j->channels_per_task) < wanted))
        j->channels_per_task = tmc_round_up(tmc_div_up(j->channels_per_task, 2), 16);
}

static tmc_status pool_run(const tmc_op_run *run, tmc_f32_pool_fn fn) {
    const tmc_op_node *node = run->node;
    const tmc_pool_params *p = node->params;
    const tmc_tensor_desc *in = node->inputs[0], *out = node->outputs[0];
    job j = {.node = node, .fn = fn, .input = run->inputs[0], .output = run->outputs[0]};
    j.y = tmc_pool_window(p, 1, tmc_spatial_dim(in, p->spatial, 1));
    j.x = tmc_pool_window(p, 2, tmc_spatial_dim(in, p->spatial, 2));
    j.out_h = (size_t)tmc_spatial_dim(out, p->spatial, 1);
    j.out_w = (size_t)tmc_spatial_dim(out, p->spatial, 2);
    j.channels = (size_t)in->dims[in->rank - 1];
    j.rows = (size_t)in->dims[0] * j.out_h;
    choose_tasks(&j, run->exec->threads);
    const size_t blocks = tmc_div_up(j.channels, j.channels_per_task);
    return tmc_exec_loop(run->exec, tmc_div_up(j.rows, j.rows_per_task) * blocks, pool_task, &j);
}

static tmc_status check_axes(const tmc_op_node *node, tmc_error *err) {
    const tmc_pool_params *p = node->params;
    if (p->spatial > 2)
        return tmc_fail_field(err, TMC_E_UNSUPPORTED, "spatial", "pool over %d axes, only 1 and 2 are supported",
                              p->spatial);
    return TMC_OK;
}

static tmc_status max_pool_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                   tmc_op_setup *setup, tmc_error *err) {
    (void)threads;
    setup->kernel = kernels->conv.max_pool.name;
    setup->isa = kernels->conv.max_pool.isa;
    return check_axes(node, err);
}

static tmc_status average_pool_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                       tmc_op_setup *setup, tmc_error *err) {
    (void)threads;
    setup->kernel = kernels->conv.average_pool.name;
    setup->isa = kernels->conv.average_pool.isa;
    return check_axes(node, err);
}

static tmc_status lp_pool_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                  tmc_op_setup *setup, tmc_error *err) {
    (void)kernels;
    (void)threads;
    (void)setup;
    return check_axes(node, err);
}

static tmc_status max_pool_run(const tmc_op_run *run) { return pool_run(run, run->kernels->conv.max_pool.fn); }

static tmc_status average_pool_run(const tmc_op_run *run) { return pool_run(run, run->kernels->conv.average_pool.fn); }

static tmc_status lp_pool_run(const tmc_op_run *run) {
    const tmc_pool_params *p = run->node->params;
    return pool_run(run, p->p == 1 ? lp1 : lp2);
}

const tmc_op_functions tmc_op_max_pool = {max_pool_prepare, max_pool_run};
const tmc_op_functions tmc_op_average_pool = {average_pool_prepare, average_pool_run};
const tmc_op_functions tmc_op_lp_pool = {lp_pool_prepare, lp_pool_run};
