#include <math.h>

#include "base/checked.h"
#include "graph/window.h"
#include "kernels/prefetch.h"
#include "ops/op.h"

#define TASK_ELEMENTS (1u << 20) /* read by a task: under 1 ms on the slowest core */
#define MIN_CHANNELS 64          /* of a task: whole cache lines, whole vectors */

typedef struct job {
    const tmc_op_node *node;
    tmc_window y, x;
    tmc_f32_pool_fn fn;
    tmc_qs8_pool_fn fn_i8; /* NULL: f32 */
    const char *input;
    char *output;
    size_t size; /* of an element */
    size_t out_h, out_w, channels, in_pitch, out_pitch;
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

/* The same pixels on int8. The input's padding, where it counts, is its zero point: it adds nothing. */
static void run_pixels_i8(const job *j, const tmc_f32_pool_args *f, const char *a, char *c) {
    const tmc_quantization *in = &j->node->inputs[0]->quantization, *out = &j->node->outputs[0]->quantization;
    const tmc_qs8_pool_args args = {.pixels = f->pixels,
                                    .taps_y = f->taps_y,
                                    .taps_x = f->taps_x,
                                    .channels = f->channels,
                                    .a = (const int8_t *)a,
                                    .a_step = f->a_step,
                                    .y_step = f->y_step,
                                    .x_step = f->x_step,
                                    .c_step = f->c_step,
                                    .c = (int8_t *)c,
                                    .a_zero = in->zero_point,
                                    .zero_point = out->zero_point,
                                    .multiplier = (float)((double)in->scale / out->scale / (double)f->divisor)};
    j->fn_i8(&args);
}

/* Output pixels [ox, ox + pixels) of a row, whose windows have the same columns of taps. */
static void run_pixels(const job *j, const char *image, int64_t iy0, size_t ox, size_t pixels, size_t channels,
                       char *row) {
    const int64_t ix0 = (int64_t)ox * j->x.stride - j->x.pad_begin;
    int32_t ky, kx;
    const int32_t y_count = taps_within(&j->y, iy0, 0, j->y.in, &ky);
    const int32_t x_count = taps_within(&j->x, ix0, 0, j->x.in, &kx);
    const size_t iy = (size_t)(iy0 + (int64_t)ky * j->y.dilation), ix = (size_t)(ix0 + (int64_t)kx * j->x.dilation);
    const char *a = image + (iy * (size_t)j->x.in + ix) * j->in_pitch * j->size;
    char *c = row + ox * j->out_pitch * j->size;
    tmc_f32_pool_args args = {.pixels = pixels,
                              .taps_y = (size_t)y_count,
                              .taps_x = (size_t)x_count,
                              .channels = channels,
                              .a_step = (size_t)j->x.stride * j->in_pitch,
                              .y_step = (size_t)j->y.dilation * (size_t)j->x.in * j->in_pitch,
                              .x_step = (size_t)j->x.dilation * j->in_pitch,
                              .c_step = j->out_pitch,
                              .divisor = divisor_of(j, iy0, ix0, y_count * x_count)};
    if (j->fn_i8) {
        run_pixels_i8(j, &args, a, c);
        return;
    }
    args.a = (const float *)(const void *)a;
    args.c = (float *)(void *)c;
    j->fn(&args);
}

static void lp(const tmc_f32_pool_args *args, bool square) {
    for (size_t p = 0; p < args->pixels; p++)
        for (size_t i = 0; i < args->channels; i++) {
            float acc = 0.0f;
            for (size_t y = 0; y < args->taps_y; y++)
                for (size_t x = 0; x < args->taps_x; x++) {
                    const float v = args->a[p * args->a_step + y * args->y_step + x * args->x_step + i];
                    acc = square ? fmaf(v, v, acc) : acc + fabsf(v);
                }
            args->c[p * args->c_step + i] = square ? sqrtf(acc) : acc;
        }
}

static void lp1(const tmc_f32_pool_args *args) { lp(args, false); }
static void lp2(const tmc_f32_pool_args *args) { lp(args, true); }

/* The pixels from `ox` on whose windows lie between the left and the right edge, or 1. */
static size_t equal_windows(const job *j, size_t ox) {
    const int64_t start = (int64_t)ox * j->x.stride - j->x.pad_begin;
    const int64_t last = j->x.in - tmc_window_extent(&j->x); /* start of a window inside */
    if (start < 0 || start > last) return 1;
    return tmc_min_size((size_t)((last - start) / j->x.stride) + 1, j->out_w - ox);
}

/* What the next output row reads beside this one's: the processor fetches little of it where the input is a range of
 * channels of a wider tensor. */
static void prefetch_rows(const job *j, const char *image, int64_t iy0, size_t channels) {
    const int64_t last = iy0 + j->y.stride < j->y.in ? iy0 + j->y.stride : j->y.in;
    for (int64_t iy = iy0 < 0 ? 0 : iy0; iy < last; iy++) {
        const char *a = image + (size_t)iy * (size_t)j->x.in * j->in_pitch * j->size;
        for (int32_t x = 0; x < j->x.in; x++, a += j->in_pitch * j->size)
            for (size_t i = 0; i < channels * j->size; i += 64) TMC_PREFETCH(a + i);
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
        const char *image =
            j->input + (row / j->out_h * (size_t)j->y.in * (size_t)j->x.in * j->in_pitch + channel) * j->size;
        const int64_t iy0 = (int64_t)(row % j->out_h) * j->y.stride - j->y.pad_begin;
        if (row + 1 < last) prefetch_rows(j, image, iy0 + j->y.kernel, channels);
        for (size_t ox = 0, pixels; ox < j->out_w; ox += pixels) {
            pixels = equal_windows(j, ox);
            run_pixels(j, image, iy0, ox, pixels, channels,
                       j->output + (row * j->out_w * j->out_pitch + channel) * j->size);
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

/* fn_i8: for i8 tensors. */
static tmc_status pool_run(const tmc_op_run *run, tmc_f32_pool_fn fn, tmc_qs8_pool_fn fn_i8) {
    const tmc_op_node *node = run->node;
    const tmc_pool_params *p = node->params;
    const tmc_tensor_desc *in = node->inputs[0], *out = node->outputs[0];
    job j = {.node = node, .fn = fn, .input = run->inputs[0], .output = run->outputs[0]};
    if (in->dtype == TMC_I8) j.fn_i8 = fn_i8;
    j.size = tmc_dtype_size(in->dtype);
    j.y = tmc_pool_window(p, 1, tmc_spatial_dim(in, p->spatial, 1));
    j.x = tmc_pool_window(p, 2, tmc_spatial_dim(in, p->spatial, 2));
    j.out_h = (size_t)tmc_spatial_dim(out, p->spatial, 1);
    j.out_w = (size_t)tmc_spatial_dim(out, p->spatial, 2);
    j.channels = (size_t)in->dims[in->rank - 1];
    j.in_pitch = tmc_tensor_pitch(in);
    j.out_pitch = tmc_tensor_pitch(out);
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
    const bool i8 = node->inputs[0]->dtype == TMC_I8;
    setup->kernel = i8 ? kernels->qs8_math.max_pool.name : kernels->conv.max_pool.name;
    setup->isa = i8 ? kernels->qs8_math.max_pool.isa : kernels->conv.max_pool.isa;
    return check_axes(node, err);
}

static tmc_status average_pool_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                       tmc_op_setup *setup, tmc_error *err) {
    (void)threads;
    const bool i8 = node->inputs[0]->dtype == TMC_I8;
    setup->kernel = i8 ? kernels->qs8_math.average_pool.name : kernels->conv.average_pool.name;
    setup->isa = i8 ? kernels->qs8_math.average_pool.isa : kernels->conv.average_pool.isa;
    return check_axes(node, err);
}

static tmc_status lp_pool_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                  tmc_op_setup *setup, tmc_error *err) {
    (void)kernels;
    (void)threads;
    (void)setup;
    return check_axes(node, err);
}

static tmc_status max_pool_run(const tmc_op_run *run) {
    return pool_run(run, run->kernels->conv.max_pool.fn, run->kernels->qs8_math.max_pool.run);
}

static tmc_status average_pool_run(const tmc_op_run *run) {
    return pool_run(run, run->kernels->conv.average_pool.fn, run->kernels->qs8_math.average_pool.run);
}

static tmc_status lp_pool_run(const tmc_op_run *run) {
    const tmc_pool_params *p = run->node->params;
    return pool_run(run, p->p == 1 ? lp1 : lp2, NULL);
}

TMC_DEFINE_OP(max_pool, max_pool_prepare, max_pool_run)
TMC_DEFINE_OP(average_pool, average_pool_prepare, average_pool_run)
TMC_DEFINE_OP(lp_pool, lp_pool_prepare, lp_pool_run)
