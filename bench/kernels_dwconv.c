/* The depthwise families of kernels/f32_conv.h. */
#include <math.h>
#include <stdio.h>

#include "bench/kernels.h"

typedef struct {
    tmc_f32_dwconv_fn pixel;
    tmc_f32_dwconv_row_fn row;
    tmc_f32_dwconv_args pixel_args;
    tmc_f32_dwconv_row_args row_args;
} dwconv_call;

static void call_dwconv(void *context) {
    dwconv_call *c = context;
    c->pixel(&c->pixel_args);
}

static void call_dwconv_row(void *context) {
    dwconv_call *c = context;
    c->row(&c->row_args);
}

static void report_dwconv(bench_run *run, bench_operands *o, const tmc_f32_dwconv_kernel *kernel, size_t channels) {
    enum { TAPS = 9 };
    dwconv_call call = {.pixel = kernel->fn};
    call.pixel_args = (tmc_f32_dwconv_args){.taps = TAPS,
                                            .all_taps = TAPS,
                                            .channels = channels,
                                            .a = o->pointers,
                                            .w = o->z,
                                            .c = o->y,
                                            .lo = -INFINITY,
                                            .hi = INFINITY};
    for (size_t t = 0; t < TAPS; t++) o->pointers[t] = o->x + t * channels;
    bench_kernel item = {
        .name = kernel->name, .isa = kernel->isa, .fn = call_dwconv, .context = &call, .macs = TAPS * channels};
    item.read = (2 * TAPS + 1) * channels * sizeof(float);
    item.written = channels * sizeof(float);
    snprintf(item.size, sizeof item.size, "%d taps, %zu channels", TAPS, channels);
    bench_kernel_report(run, &item);
}

/* Two output rows between padding columns, as most tiles of a layer are. */
static void report_dwconv_row(bench_run *run, bench_operands *o, const tmc_f32_dwconv_row_kernel *kernel,
                              size_t channels, size_t stride) {
    enum { PIXELS = 14, ROWS = 2 };
    const size_t kw = kernel->kw, in_rows = kw + (ROWS - 1) * stride;
    dwconv_call call = {.row = kernel->fn};
    tmc_f32_dwconv_row_args *args = &call.row_args;
    *args = (tmc_f32_dwconv_row_args){.c_rows = ROWS,
                                      .pixels = PIXELS,
                                      .kernel_h = kw,
                                      .stride = stride,
                                      .pad = kw / 2,
                                      .columns = PIXELS * stride,
                                      .channels = channels,
                                      .end = channels,
                                      .a_pitch = channels,
                                      .c_pitch = channels,
                                      .w = o->z,
                                      .zeros = o->zeros,
                                      .lo = -INFINITY,
                                      .hi = INFINITY};
    for (size_t r = 0; r < ROWS; r++) {
        args->rows[r] = o->pointers + r * kw;
        args->c[r] = o->y + r * PIXELS * channels;
        for (size_t y = 0; y < kw; y++) o->pointers[r * kw + y] = o->x + (r * stride + y) * args->columns * channels;
    }
    bench_kernel item = {.name = kernel->name, .isa = kernel->isa, .fn = call_dwconv_row, .context = &call};
    item.macs = ROWS * PIXELS * kw * kw * channels;
    item.read = (in_rows * args->columns + kw * kw + 1) * channels * sizeof(float);
    item.written = ROWS * PIXELS * channels * sizeof(float);
    snprintf(item.size, sizeof item.size, "%dx%d pixels s%zu, %zu ch", ROWS, PIXELS, stride, channels);
    bench_kernel_report(run, &item);
}

void bench_dwconv_kernels(bench_run *run, const tmc_f32_conv_kernels *table, bench_operands *operands) {
    report_dwconv(run, operands, &table->dwconv, 32);
    report_dwconv(run, operands, &table->dwconv, 144);
    for (size_t i = 0; i < 4; i++) {
        const tmc_f32_dwconv_row_kernel *kernel = &table->dwconv_row[i / 2][i % 2];
        if (i % 2 && kernel->fn == table->dwconv_row[i / 2][0].fn) continue; /* one tile only at this level */
        report_dwconv_row(run, operands, kernel, 32, 1);
        report_dwconv_row(run, operands, kernel, 144, 1);
        report_dwconv_row(run, operands, kernel, 32, 2);
    }
}
