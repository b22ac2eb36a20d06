#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "graph/window.h"
#include "ops/op.h"

#define MAX_TAPS 64
/* Multiply-accumulates of a task: some 0.1 ms on a desktop core, 1 ms on the slowest phone core. */
#define TASK_MACS (1u << 20)

typedef struct depthwise {
    tmc_window y, x;
    size_t out_h, out_w, channels;
    const tmc_f32_dwconv_row_kernel *row; /* NULL: no kernel for this window */
    bool row_padding;                     /* some windows reach over the top or bottom */
    const tmc_conv_params *params;
} depthwise;

static const tmc_f32_dwconv_row_kernel *row_kernel(const depthwise *d, const tmc_f32_conv_kernels *kernels) {
    if (d->x.dilation != 1 || d->x.stride > 2 || d->y.kernel > MAX_TAPS) return NULL;
    for (size_t i = 0; i < sizeof kernels->dwconv_row / sizeof *kernels->dwconv_row; i++)
        if (kernels->dwconv_row[i].kw == (size_t)d->x.kernel) return &kernels->dwconv_row[i];
    return NULL;
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
    d.row = row_kernel(&d, kernels);
    d.row_padding = d.y.pad_begin || d.y.pad_end;
    d.params = p;
    return d;
}

/* Zeros stand in for padding taps and for an absent bias. A row kernel reads them as a piece of an input row, as long
 * as its pixels in one step need. */
static uint64_t zero_floats(const depthwise *d) {
    if (!d->row || !d->row_padding) return d->channels;
    return ((d->row->pixels - 1) * (uint64_t)d->x.stride + d->row->kw) * d->channels;
}

static tmc_status depthwise_conv_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                         tmc_op_setup *setup, tmc_error *err) {
    (void)threads;
    const tmc_conv_params *p = node->params;
    if (p->spatial > 2)
        return tmc_fail_field(err, TMC_E_UNSUPPORTED, "spatial",
                              "depthwise_conv over %d axes, only 1 and 2 are supported", p->spatial);
    const depthwise d = geometry_of(node, &kernels->conv);
    const uint64_t bytes = zero_floats(&d) * sizeof(float);
    if (bytes > TMC_FILE_MAX_TENSOR_BYTES)
        return tmc_fail(err, TMC_E_LIMIT, "scratch would be over %u bytes", TMC_FILE_MAX_TENSOR_BYTES);
    setup->scratch_bytes = (size_t)bytes;
    setup->kernel = d.row ? d.row->name : kernels->conv.dwconv.name;
    setup->isa = d.row ? d.row->isa : kernels->conv.dwconv.isa;
    return TMC_OK;
}

typedef struct job {
    depthwise d;
    const tmc_f32_conv_kernels *kernels;
    const float *input, *w, *bias, *zeros;
    float *output;
    size_t rows, rows_per_task; /* output rows of all images */
} job;

/* One pixel of any window; `image` is the picture that it lies in. */
static void run_pixel(const job *j, const float *image, int32_t iy0, int32_t ix0, float *c) {
    const depthwise *d = &j->d;
    const float *a[MAX_TAPS];
    const size_t taps = (size_t)d->y.kernel * (size_t)d->x.kernel;
    tmc_f32_dwconv_args args = {.channels = d->channels, .a = a, .bias = j->bias, .c = c};
    int32_t ky = 0, kx = 0;
    for (size_t done = 0; done < taps; done += args.taps) {
        args.taps = tmc_min_size(taps - done, MAX_TAPS);
        for (size_t t = 0; t < args.taps; t++) {
            const int32_t iy = iy0 + ky * d->y.dilation, ix = ix0 + kx * d->x.dilation;
            const bool inside = iy >= 0 && iy < d->y.in && ix >= 0 && ix < d->x.in;
            a[t] = inside ? image + ((size_t)iy * (size_t)d->x.in + (size_t)ix) * d->channels : j->zeros;
            if (++kx == d->x.kernel) kx = 0, ky++;
        }
        const bool last = done + args.taps == taps;
        args.w = j->w + done * d->channels;
        args.lo = last ? d->params->act.lo : -INFINITY;
        args.hi = last ? d->params->act.hi : INFINITY;
        j->kernels->dwconv.fn(&args);
        args.bias = NULL;
    }
}

/* Output pixels [begin, end) of a row, whose windows do not reach over its ends. */
static void run_inner(const job *j, const float *image, int32_t iy0, size_t begin, size_t end, float *c) {
    const depthwise *d = &j->d;
    const float *rows[MAX_TAPS];
    const size_t stride = (size_t)d->x.stride, kernel_h = (size_t)d->y.kernel;
    tmc_f32_dwconv_row_args args = {.channels = d->channels,
                                    .kernel_h = kernel_h,
                                    .stride = stride,
                                    .rows = rows,
                                    .w = j->w,
                                    .bias = j->bias,
                                    .lo = d->params->act.lo,
                                    .hi = d->params->act.hi};
    const bool padded = iy0 < 0 || iy0 + (d->y.kernel - 1) * d->y.dilation >= d->y.in;
    for (size_t ox = begin; ox < end; ox += args.pixels) {
        args.pixels = padded ? tmc_min_size(end - ox, d->row->pixels) : end - ox;
        const size_t ix = ox * stride - (size_t)d->x.pad_begin;
        for (size_t ky = 0; ky < kernel_h; ky++) {
            const int32_t iy = iy0 + (int32_t)ky * d->y.dilation;
            const bool inside = iy >= 0 && iy < d->y.in;
            rows[ky] = inside ? image + ((size_t)iy * (size_t)d->x.in + ix) * d->channels : j->zeros;
        }
        args.c = c + ox * d->channels;
        d->row->fn(&args);
    }
}

/* The outputs whose windows lie between the left and the right edge. */
static void inner_range(const depthwise *d, size_t *begin, size_t *end) {
    const int64_t last_start = d->x.in - tmc_window_extent(&d->x); /* of a window inside */
    *begin = *end = 0;
    if (!d->row || last_start < 0) return;
    *begin = tmc_min_size(tmc_div_up((size_t)d->x.pad_begin, (size_t)d->x.stride), d->out_w);
    *end = tmc_min_size((size_t)((last_start + d->x.pad_begin) / d->x.stride) + 1, d->out_w);
    if (*end < *begin) *end = *begin;
}

static void depthwise_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const depthwise *d = &j->d;
    size_t begin, end;
    inner_range(d, &begin, &end);
    const size_t first = index * j->rows_per_task, last = tmc_min_size(first + j->rows_per_task, j->rows);
    for (size_t row = first; row < last; row++) {
        const float *image = j->input + row / d->out_h * (size_t)d->y.in * (size_t)d->x.in * d->channels;
        float *c = j->output + row * d->out_w * d->channels;
        const int32_t iy0 = (int32_t)(row % d->out_h) * d->y.stride - d->y.pad_begin;
        for (size_t ox = 0; ox < d->out_w; ox++) {
            if (ox == begin && end > begin) {
                run_inner(j, image, iy0, begin, end, c);
                ox = end - 1;
                continue;
            }
            run_pixel(j, image, iy0, (int32_t)ox * d->x.stride - d->x.pad_begin, c + ox * d->channels);
        }
    }
}

static tmc_status depthwise_conv_run(const tmc_op_run *run) {
    const tmc_op_node *node = run->node;
    job j = {.d = geometry_of(node, &run->kernels->conv), .kernels = &run->kernels->conv};
    const depthwise *d = &j.d;
    const size_t zeros = (size_t)zero_floats(d);
    memset(run->scratch, 0, zeros * sizeof(float));
    j.zeros = run->scratch;
    j.input = run->inputs[0];
    j.w = run->inputs[1];
    j.bias = node->input_count > 2 && run->inputs[2] ? run->inputs[2] : j.zeros;
    j.output = run->outputs[0];
    j.rows = (size_t)node->inputs[0]->dims[0] * d->out_h;
    const uint64_t macs = (uint64_t)d->out_w * d->channels * (uint32_t)d->y.kernel * (uint32_t)d->x.kernel;
    j.rows_per_task = macs < TASK_MACS ? TASK_MACS / (size_t)macs : 1;
    if (run->exec->threads > 1)
        j.rows_per_task = tmc_min_size(j.rows_per_task, tmc_div_up(j.rows, 4 * (size_t)run->exec->threads));
    return tmc_exec_loop(run->exec, tmc_div_up(j.rows, j.rows_per_task), depthwise_task, &j);
}

const tmc_op_functions tmc_op_depthwise_conv = {depthwise_conv_prepare, depthwise_conv_run};
