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
                                            .channels = channels,
                                            .a = o->pointers,
                                            .w = o->z + channels,
                                            .bias = o->z,
                                            .c = o->y,
                                            .lo = -INFINITY,
                                            .hi = INFINITY};
    for (size_t t = 0; t < TAPS; t++) o->pointers[t] = o->x + t * channels;
    bench_kernel item = {.name = kernel->name, .fn = call_dwconv, .context = &call, .macs = TAPS * channels};
    item.read = (2 * TAPS + 1) * channels * sizeof(float);
    item.written = channels * sizeof(float);
    snprintf(item.size, sizeof item.size, "%d taps, %zu channels", TAPS, channels);
    bench_kernel_report(run, &item);
}

static void report_dwconv_row(bench_run *run, bench_operands *o, const tmc_f32_dwconv_row_kernel *kernel,
                              size_t channels, size_t stride) {
    enum { PIXELS = 12 };
    const size_t kw = kernel->kw, columns = (PIXELS - 1) * stride + kw;
    dwconv_call call = {.row = kernel->fn};
    call.row_args = (tmc_f32_dwconv_row_args){.pixels = PIXELS,
                                              .channels = channels,
                                              .kernel_h = kw,
                                              .stride = stride,
                                              .rows = o->pointers,
                                              .w = o->z + channels,
                                              .bias = o->z,
                                              .c = o->y,
                                              .lo = -INFINITY,
                                              .hi = INFINITY};
    for (size_t y = 0; y < kw; y++) o->pointers[y] = o->x + y * columns * channels;
    bench_kernel item = {.name = kernel->name, .fn = call_dwconv_row, .context = &call};
    item.macs = PIXELS * kw * kw * channels;
    item.read = (kw * columns + kw * kw + 1) * channels * sizeof(float);
    item.written = PIXELS * channels * sizeof(float);
    snprintf(item.size, sizeof item.size, "%d pixels s%zu, %zu channels", PIXELS, stride, channels);
    bench_kernel_report(run, &item);
}

void bench_dwconv_kernels(bench_run *run, const tmc_f32_conv_kernels *table, bench_operands *operands) {
    report_dwconv(run, operands, &table->dwconv, 32);
    report_dwconv(run, operands, &table->dwconv, 144);
    for (size_t i = 0; i < sizeof table->dwconv_row / sizeof *table->dwconv_row; i++) {
        report_dwconv_row(run, operands, &table->dwconv_row[i], 32, 1);
        report_dwconv_row(run, operands, &table->dwconv_row[i], 144, 1);
        report_dwconv_row(run, operands, &table->dwconv_row[i], 32, 2);
    }
}
