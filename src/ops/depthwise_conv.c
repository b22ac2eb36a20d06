#include <math.h>

#include "base/checked.h"
#include "graph/window.h"
#include "ops/qs8.h"
#include "ops/tiles.h"
#include "ops/weights.h"

#define MAX_TAPS 64
/* Multiply-accumulates of a task: some 0.1 ms on a desktop core, 1 ms on the slowest phone core. */
#define TASK_MACS (1u << 20)
#define MIN_PART 64 /* channels */

typedef struct depthwise {
    tmc_window y, x;
    size_t out_h, out_w, channels, in_pitch, out_pitch;
    const tmc_f32_dwconv_row_kernel *row; /* NULL: no kernel for this window */
    const tmc_conv_params *params;
} depthwise;

/* Columns that the last window reaches past the row. */
static int64_t overhang(const depthwise *d) {
    return (int64_t)(d->out_w - 1) * d->x.stride - d->x.pad_begin + d->x.kernel - d->x.in;
}

/* A row of whole tiles: the larger ones take an eighth less time per pixel, where they do not waste more. */
static const tmc_f32_dwconv_row_kernel *best_tile(const tmc_f32_dwconv_row_kernel tiles[2], size_t pixels) {
    const size_t small = tmc_round_up(pixels, 4);
    return pixels >= tiles[1].pixels && tmc_div_up(pixels, tiles[1].pixels) * tiles[1].pixels * 8 <= small * 9
               ? &tiles[1]
               : &tiles[0];
}

static const tmc_f32_dwconv_row_kernel *row_kernel(const depthwise *d, const tmc_f32_conv_kernels *kernels) {
    const int32_t half = d->x.kernel / 2;
    if (d->x.dilation != 1 || d->x.stride > 2 || d->y.kernel > TMC_F32_DWCONV_ROW_MAX_H) return NULL;
    if (d->channels < TMC_F32_DWCONV_ROW_MIN_CHANNELS || d->out_w < 4) return NULL;
    if (d->x.pad_begin > half || overhang(d) > half) return NULL;
    if (d->x.kernel != 3 && d->x.kernel != 5) return NULL;
    return best_tile(kernels->dwconv_row[d->x.kernel == 5], d->out_w);
}

static depthwise geometry_of(const tmc_op_node *node, const tmc_f32_conv_kernels *kernels) {
    const tmc_conv_params *p = node->params;
    const tmc_tensor_desc *in = node->inputs[0], *out = node->outputs[0];
    depthwise d;
    d.y = tmc_conv_window(p, 1, tmc_spatial_dim(in, p->spatial, 1));
    d.x = tmc_conv_window(p, 2, tmc_spatial_dim(in, p->spatial, 2));
    d.out_h = (size_t)tmc_spatial_dim(out, p->spatial, 1);
    d.out_w = (size_t)tmc_spatial_dim(out, p->spatial, 2);
    d.channels = (size_t)in->dims[in->rank - 1];
    d.in_pitch = tmc_tensor_pitch(in);
    d.out_pitch = tmc_tensor_pitch(out);
    d.params = p;
    d.row = row_kernel(&d, kernels);
    return d;
}

static tmc_status depthwise_conv_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                         tmc_op_setup *setup, tmc_error *err) {
    const tmc_conv_params *p = node->params;
    if (p->spatial > 2)
        return tmc_fail_field(err, TMC_E_UNSUPPORTED, "spatial",
                              "depthwise_conv over %d axes, only 1 and 2 are supported", p->spatial);
    if (node->inputs[0]->dtype == TMC_I8) return tmc_qs8_depthwise_conv_prepare(node, kernels, threads, setup, err);
    const depthwise d = geometry_of(node, &kernels->conv);
    TMC_TRY(tmc_weights_scratch(node, &setup->scratch_bytes, err));
    setup->scratch_bytes += d.channels * sizeof(float); /* zeros for padding */
    setup->kernel = d.row ? d.row->name : kernels->conv.dwconv.name;
    setup->isa = d.row ? d.row->isa : kernels->conv.dwconv.isa;
    return TMC_OK;
}

typedef struct job {
    depthwise d;
    const tmc_f32_conv_kernels *kernels;
    const float *input, *w, *zeros;
    float *output;
    size_t rows, row_blocks, unit;   /* output rows of all images; tasks divide them in pairs, or not */
    size_t parts, channels_per_part; /* every task does one part of the channels */
} job;

/* Of output row `row`, counted over all images: its picture, and the first row of its window in that. */
static const float *image_of(const job *j, size_t row) {
    return j->input + row / j->d.out_h * (size_t)j->d.y.in * (size_t)j->d.x.in * j->d.in_pitch;
}

static int32_t first_row(const depthwise *d, size_t row) {
    return (int32_t)(row % d->out_h) * d->y.stride - d->y.pad_begin;
}

/* One pixel of any window; `image` is the picture that it lies in. */
static void run_pixel(const job *j, const float *image, int32_t iy0, int32_t ix0, float *c) {
    const depthwise *d = &j->d;
    const float *a[MAX_TAPS];
    tmc_f32_dwconv_args args = {.channels = d->channels, .a = a, .w = j->w, .c = c};
    args.all_taps = (size_t)d->y.kernel * (size_t)d->x.kernel;
    int32_t ky = 0, kx = 0;
    for (; args.first < args.all_taps; args.first += args.taps) {
        args.taps = tmc_min_size(args.all_taps - args.first, MAX_TAPS);
        for (size_t t = 0; t < args.taps; t++) {
            const int32_t iy = iy0 + ky * d->y.dilation, ix = ix0 + kx * d->x.dilation;
            const bool inside = iy >= 0 && iy < d->y.in && ix >= 0 && ix < d->x.in;
            a[t] = inside ? image + ((size_t)iy * (size_t)d->x.in + (size_t)ix) * d->in_pitch : j->zeros;
            if (++kx == d->x.kernel) kx = 0, ky++;
        }
        const bool last = args.first + args.taps == args.all_taps;
        args.lo = last ? d->params->act.lo : -INFINITY;
        args.hi = last ? d->params->act.hi : INFINITY;
        j->kernels->dwconv.fn(&args);
    }
}

/* Rows of the window of an output row, NULL above and below the image. */
static void input_rows(const depthwise *d, const float *image, int32_t iy0, const float **rows) {
    for (int32_t ky = 0; ky < d->y.kernel; ky++) {
        const int32_t iy = iy0 + ky * d->y.dilation;
        rows[ky] = iy >= 0 && iy < d->y.in ? image + (size_t)iy * (size_t)d->x.in * d->in_pitch : NULL;
    }
}

/* Output rows [row, row + count), count 1 or 2, panels [begin, end). */
static void run_rows(const job *j, size_t row, size_t count, size_t begin, size_t end) {
    const depthwise *d = &j->d;
    const float *rows[2][TMC_F32_DWCONV_ROW_MAX_H];
    tmc_f32_dwconv_row_args args = {.c_rows = count,
                                    .pixels = d->out_w,
                                    .kernel_h = (size_t)d->y.kernel,
                                    .stride = (size_t)d->x.stride,
                                    .pad = (size_t)d->x.pad_begin,
                                    .columns = (size_t)d->x.in,
                                    .channels = d->channels,
                                    .begin = begin,
                                    .end = end,
                                    .rows = {rows[0], rows[1]},
                                    .a_pitch = d->in_pitch,
                                    .c_pitch = d->out_pitch,
                                    .w = j->w,
                                    .zeros = j->zeros,
                                    .lo = d->params->act.lo,
                                    .hi = d->params->act.hi};
    for (size_t r = 0; r < count; r++, row++) {
        input_rows(d, image_of(j, row), first_row(d, row), rows[r]);
        args.c[r] = j->output + row * d->out_w * d->out_pitch;
    }
    d->row->fn(&args);
}

static void run_pixels(const job *j, size_t row) {
    const depthwise *d = &j->d;
    for (size_t ox = 0; ox < d->out_w; ox++)
        run_pixel(j, image_of(j, row), first_row(d, row), (int32_t)ox * d->x.stride - d->x.pad_begin,
                  j->output + (row * d->out_w + ox) * d->out_pitch);
}

static void depthwise_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const size_t part = index % j->parts, begin = part * j->channels_per_part;
    const size_t end = part + 1 < j->parts ? begin + j->channels_per_part : tmc_depthwise_columns(j->d.channels);
    const size_t block = index / j->parts, units = tmc_div_up(j->rows, j->unit);
    const size_t first = block * units / j->row_blocks * j->unit;
    const size_t last = tmc_min_size((block + 1) * units / j->row_blocks * j->unit, j->rows);
    if (j->d.row)
        for (size_t row = first; row < last; row += 2) run_rows(j, row, tmc_min_size(last - row, 2), begin, end);
    else
        for (size_t row = first; row < last; row++) run_pixels(j, row);
}

/* A part is so many channels that their input rows, output row and weights stay in the first-level cache from one row
 * to the next. Not where these are few: whole rows of all channels then come faster, because the processor sees what to
 * fetch ahead. */
static void choose_parts(job *j, const tmc_caches *caches, uint32_t threads) {
    const depthwise *d = &j->d;
    const size_t taps = (size_t)d->y.kernel * (size_t)d->x.kernel, columns = tmc_depthwise_columns(d->channels);
    const size_t floats = (size_t)d->x.in * (size_t)d->y.kernel + d->out_w + 1 + taps; /* for each channel */
    j->channels_per_part =
        caches->l1_bytes / 4 * 3 / (floats * sizeof(float)) / TMC_DEPTHWISE_WIDTH * TMC_DEPTHWISE_WIDTH;
    if (!d->row || j->channels_per_part < MIN_PART) j->channels_per_part = columns;
    if (d->row && threads > 1 && j->rows * d->out_w < TMC_TASK_MIN_ROWS) {
        const size_t few = tmc_round_up(tmc_div_up(columns, 2 * threads), TMC_DEPTHWISE_WIDTH);
        j->channels_per_part = tmc_min_size(j->channels_per_part, few < MIN_PART ? MIN_PART : few);
    }
    j->parts = tmc_div_up(columns, j->channels_per_part);
    /* The last panel may write channels of the one before it: the same task does both. */
    if (j->parts > 1 && columns != d->channels &&
        columns - (j->parts - 1) * j->channels_per_part == TMC_DEPTHWISE_WIDTH)
        j->parts--;
}

/* As many rows for each thread, in pairs as far as that goes. */
static void choose_rows(job *j, uint32_t threads) {
    const depthwise *d = &j->d;
    const uint64_t row_macs = (uint64_t)d->out_w * tmc_min_size(d->channels, j->channels_per_part) *
                              (uint32_t)d->y.kernel * (uint32_t)d->x.kernel;
    const size_t pairs = tmc_div_up(j->rows, 2);
    size_t wanted = (size_t)(row_macs * j->rows / TASK_MACS) + 1;
    if (threads > 1) {
        const size_t least = tmc_div_up(4 * (size_t)threads, j->parts);
        wanted = tmc_min_size(wanted < least ? least : wanted, pairs);
        if (wanted > threads) wanted -= wanted % threads;
    }
    j->row_blocks = tmc_min_size(wanted, pairs);
    j->unit = j->rows % (2 * (size_t)threads) ? 1 : 2;
}

static tmc_status depthwise_conv_run(const tmc_op_run *run) {
    if (run->node->inputs[0]->dtype == TMC_I8) return tmc_qs8_depthwise_conv_run(run);
    const tmc_op_node *node = run->node;
    job j = {.d = geometry_of(node, &run->kernels->conv), .kernels = &run->kernels->conv};
    TMC_TRY(tmc_weights_depthwise(run, &j.w));
    TMC_TRY(tmc_weights_zeros(run, j.d.channels, &j.zeros));
    j.input = run->inputs[0];
    j.output = run->outputs[0];
    j.rows = (size_t)node->inputs[0]->dims[0] * j.d.out_h;
    choose_parts(&j, &run->kernels->caches, run->exec->threads);
    choose_rows(&j, run->exec->threads);
    return tmc_exec_loop(run->exec, j.row_blocks * j.parts, depthwise_task, &j);
}

TMC_DEFINE_OP(depthwise_conv, depthwise_conv_prepare, depthwise_conv_run)
