#include "format/packing_i8.h"
#include "graph/window.h"
#include "ops/qs8.h"
#include "ops/tiles.h"

/* Multiply-accumulates of a task: some 0.1 ms on a desktop core, 1 ms on the slowest phone core. */
#define TASK_MACS (1u << 21)
#define MIN_PART 64 /* channels: whole cache lines */

typedef struct {
    tmc_window y, x;
    size_t out_h, out_w, channels, in_pitch, out_pitch;
    bool pairs;                      /* two output rows at once */
    bool plane;                      /* a window of one tap: all rows as one */
    size_t rows, row_blocks;         /* output rows of all images; tasks divide them */
    size_t parts, channels_per_part; /* every task does one part of the channels */
    tmc_qs8_dwconv_fn kernel;
    tmc_qs8_dwconv_args args; /* what all calls share */
    const int8_t *input;
    int8_t *output;
} job;

static job job_of(const tmc_op_node *node, const tmc_kernels *kernels) {
    const tmc_conv_params *p = node->params;
    const tmc_tensor_desc *in = node->inputs[0], *out = node->outputs[0];
    const tmc_qs8_bounds bounds = tmc_qs8_bounds_of(&p->act, &out->quantization);
    job j = {.y = tmc_conv_window(p, 1, tmc_spatial_dim(in, p->spatial, 1)),
             .x = tmc_conv_window(p, 2, tmc_spatial_dim(in, p->spatial, 2)),
             .out_h = (size_t)tmc_spatial_dim(out, p->spatial, 1),
             .out_w = (size_t)tmc_spatial_dim(out, p->spatial, 2),
             .channels = (size_t)in->dims[in->rank - 1],
             .in_pitch = tmc_tensor_pitch(in),
             .out_pitch = tmc_tensor_pitch(out),
             .kernel = kernels->qs8_dwconv.fn};
    j.rows = (size_t)in->dims[0] * j.out_h;
    j.pairs = j.y.stride == 1 && j.y.dilation == 1 &&
              tmc_qs8_dwconv_pairs((size_t)j.y.kernel, (size_t)j.x.kernel, (size_t)j.x.stride, (size_t)j.x.dilation,
                                   j.channels);
    j.plane = j.y.kernel == 1 && j.x.kernel == 1 && j.out_h == (size_t)j.y.in && j.out_w == (size_t)j.x.in &&
              j.y.stride == 1 && j.x.stride == 1 && !j.y.pad_begin && !j.x.pad_begin;
    j.args = (tmc_qs8_dwconv_args){
        .pixels = j.out_w,
        .kernel_h = (size_t)j.y.kernel,
        .kernel_w = (size_t)j.x.kernel,
        .stride = (size_t)j.x.stride,
        .dilation = (size_t)j.x.dilation,
        .pad = (size_t)j.x.pad_begin,
        .columns = (size_t)j.x.in,
        .channels = j.channels,
        .row_step = (ptrdiff_t)((size_t)j.y.dilation * (size_t)j.x.in * j.in_pitch),
        .a_pitch = j.in_pitch,
        .c_pitch = j.out_pitch,
        .lo = bounds.lo,
        .hi = bounds.hi,
        .zero_point = out->quantization.zero_point,
        .padding = (int8_t)in->quantization.zero_point,
    };
    return j;
}

tmc_status tmc_qs8_depthwise_conv_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                          tmc_op_setup *setup, tmc_error *err) {
    (void)threads;
    if (node->inputs[1]->packing != TMC_PACK_I8_DEPTHWISE)
        return tmc_fail_field(err, TMC_E_UNSUPPORTED, "packing", "i8 weights are not packed; convert the model again");
    setup->kernel = kernels->qs8_dwconv.name;
    setup->isa = kernels->qs8_dwconv.isa;
    return TMC_OK;
}

/* Taps of the window at `start` that lie before position `end` of the axis. */
static size_t taps_before(const tmc_window *w, int64_t start, int64_t end, size_t rows) {
    if (end <= start) return 0;
    const int64_t taps = (end - start + w->dilation - 1) / w->dilation;
    return taps < (int64_t)rows ? (size_t)taps : rows;
}

/* Output rows [row, row + count) of one image, panels of columns [begin, end). */
static void run_rows(const job *j, size_t row, size_t count, size_t begin, size_t end) {
    const size_t line = (size_t)j->x.in * j->in_pitch, window = (size_t)j->y.kernel + count - 1;
    const int64_t iy0 = (int64_t)(row % j->out_h) * j->y.stride - j->y.pad_begin;
    tmc_qs8_dwconv_args args = j->args;
    args.c_rows = count;
    args.begin = begin;
    args.end = end;
    args.first = taps_before(&j->y, iy0, 0, window);
    args.last = taps_before(&j->y, iy0, j->y.in, window);
    const int64_t iy = args.first < args.last ? iy0 + (int64_t)args.first * j->y.dilation : 0;
    args.a = j->input + (row / j->out_h * (size_t)j->y.in + (size_t)iy) * line;
    for (size_t r = 0; r < count; r++) args.c[r] = j->output + (row + r) * j->out_w * j->out_pitch;
    j->kernel(&args);
}

static void run_plane(const job *j, size_t row, size_t count, size_t begin, size_t end) {
    tmc_qs8_dwconv_args args = j->args;
    args.c_rows = args.last = 1;
    args.first = 0;
    args.begin = begin;
    args.end = end;
    args.pixels = args.columns = count * j->out_w;
    args.a = j->input + row * j->out_w * j->in_pitch;
    args.c[0] = j->output + row * j->out_w * j->out_pitch;
    j->kernel(&args);
}

static void task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const size_t part = index % j->parts, begin = part * j->channels_per_part, block = index / j->parts;
    const size_t end = part + 1 < j->parts ? begin + j->channels_per_part : tmc_depthwise_columns(j->channels);
    const size_t unit = j->pairs ? 2 : 1, units = tmc_div_up(j->rows, unit);
    const size_t last = tmc_min_size((block + 1) * units / j->row_blocks * unit, j->rows);
    if (j->plane) {
        const size_t row = block * units / j->row_blocks;
        run_plane(j, row, last - row, begin, end);
        return;
    }
    for (size_t row = block * units / j->row_blocks * unit, count; row < last; row += count) {
        count = j->pairs && row + 1 < last && (row + 1) % j->out_h ? 2 : 1;
        run_rows(j, row, count, begin, end);
    }
}

/* A part is so many channels that their input rows stay in the first-level cache from one panel to the next, since each
 * reads a quarter of a cache line. */
static void choose_parts(job *j, const tmc_caches *caches, uint32_t threads) {
    const size_t columns = tmc_depthwise_columns(j->channels);
    const size_t bytes = (size_t)j->x.in * ((size_t)j->y.kernel + 1) + 2 * j->out_w; /* for each channel */
    size_t part = caches->l1_bytes / 4 * 3 / bytes / MIN_PART * MIN_PART;
    if (part < MIN_PART) part = MIN_PART;
    if (j->plane) part = columns; /* the kernel keeps to the cache */
    if (threads > 1 && j->rows * j->out_w < TMC_TASK_MIN_ROWS) {
        const size_t few = tmc_round_up(tmc_div_up(columns, 2 * threads), TMC_DEPTHWISE_WIDTH);
        part = tmc_min_size(part, few < MIN_PART ? MIN_PART : few);
    }
    j->channels_per_part = tmc_min_size(part, columns);
    j->parts = tmc_div_up(columns, j->channels_per_part);
    /* The last panel may write channels of the one before it: the same task does both. */
    if (j->parts > 1 && columns != j->channels &&
        columns - (j->parts - 1) * j->channels_per_part == TMC_DEPTHWISE_WIDTH)
        j->parts--;
}

static void choose_rows(job *j, uint32_t threads) {
    const uint64_t macs = (uint64_t)j->out_w * tmc_min_size(j->channels, j->channels_per_part) * (uint32_t)j->y.kernel *
                          (uint32_t)j->x.kernel * j->rows;
    const size_t units = tmc_div_up(j->rows, j->pairs ? 2 : 1);
    size_t wanted = (size_t)(macs / TASK_MACS) + 1;
    if (threads > 1) {
        const size_t least = tmc_div_up(4 * (size_t)threads, j->parts);
        wanted = tmc_min_size(wanted < least ? least : wanted, units);
        if (wanted > threads) wanted -= wanted % threads;
    }
    j->row_blocks = tmc_min_size(wanted, units);
}

tmc_status tmc_qs8_depthwise_conv_run(const tmc_op_run *run) {
    job j = job_of(run->node, run->kernels);
    j.args.w = run->inputs[1];
    j.input = run->inputs[0];
    j.output = run->outputs[0];
    choose_parts(&j, &run->kernels->caches, run->exec->threads);
    choose_rows(&j, run->exec->threads);
    return tmc_exec_loop(run->exec, j.row_blocks * j.parts, task, &j);
}
