/* The families qs8_dwconv and qs8_math, with the features of this CPU. */
#include <stdio.h>
#include <string.h>

#include "bench/kernels.h"

enum { VALUES = 8192, CHANNELS = 64, PIXELS = 14 };

typedef struct {
    const tmc_kernels *kernels;
    bench_operands *o;
    tmc_qs8_dwconv_args dwconv;
    tmc_qs8_binary_args binary;
    tmc_qs8_pool_args pool;
} qs8_call;

static void call_dwconv(void *context) {
    const qs8_call *c = context;
    c->kernels->qs8_dwconv.fn(&c->dwconv);
}

static void call_quantize(void *context) {
    const qs8_call *c = context;
    c->kernels->qs8_math.quantize.run(VALUES, c->o->x, (int8_t *)c->o->y, 0.1f, 3);
}

static void call_dequantize(void *context) {
    const qs8_call *c = context;
    c->kernels->qs8_math.dequantize.run(VALUES, (const int8_t *)c->o->x, c->o->y, 0.1f, 3);
}

static void call_table(void *context) {
    const qs8_call *c = context;
    c->kernels->qs8_math.table.run(VALUES, (const int8_t *)c->o->x, (int8_t *)c->o->y, (const int8_t *)c->o->z);
}

static void call_add(void *context) {
    const qs8_call *c = context;
    c->kernels->qs8_math.add.run(&c->binary);
}

static void call_mul(void *context) {
    const qs8_call *c = context;
    c->kernels->qs8_math.mul.run(&c->binary);
}

static void call_average_pool(void *context) {
    const qs8_call *c = context;
    c->kernels->qs8_math.average_pool.run(&c->pool);
}

static void call_max_pool(void *context) {
    const qs8_call *c = context;
    c->kernels->qs8_math.max_pool.run(&c->pool);
}

/* One output row, or two where the kernel takes them, between padding columns. */
static void report_dwconv(bench_run *run, qs8_call *call, size_t window, size_t channels, size_t stride) {
    bench_operands *o = call->o;
    const size_t rows = stride == 1 ? 2 : 1, columns = PIXELS * stride, in_rows = window + rows - 1;
    call->dwconv = (tmc_qs8_dwconv_args){.c_rows = rows,
                                         .pixels = PIXELS,
                                         .kernel_h = window,
                                         .kernel_w = window,
                                         .stride = stride,
                                         .dilation = 1,
                                         .pad = window / 2,
                                         .columns = columns,
                                         .channels = channels,
                                         .end = channels,
                                         .last = in_rows,
                                         .a = (const int8_t *)o->x,
                                         .row_step = (ptrdiff_t)(columns * channels),
                                         .a_pitch = channels,
                                         .c_pitch = channels,
                                         .w = o->z,
                                         .c = {(int8_t *)o->y, (int8_t *)o->y + PIXELS * channels},
                                         .lo = -128,
                                         .hi = 127};
    bench_kernel item = {.name = call->kernels->qs8_dwconv.name,
                         .isa = call->kernels->qs8_dwconv.isa,
                         .fn = call_dwconv,
                         .context = call};
    item.macs = rows * PIXELS * window * window * channels;
    item.read = in_rows * columns * channels;
    item.written = rows * PIXELS * channels;
    snprintf(item.size, sizeof item.size, "%zux%d px %zux%zu s%zu, %zu ch", rows, PIXELS, window, window, stride,
             channels);
    bench_kernel_report(run, &item);
}

static void report(bench_run *run, qs8_call *call, const char *name, tmc_isa isa, bench_fn fn, size_t read,
                   size_t written) {
    bench_kernel item = {.name = name, .isa = isa, .fn = fn, .context = call, .read = read, .written = written};
    snprintf(item.size, sizeof item.size, "%d", VALUES);
    bench_kernel_report(run, &item);
}

void bench_qs8_kernels(bench_run *run, const tmc_kernels *table, bench_operands *operands) {
    qs8_call call = {.kernels = table, .o = operands};
    const tmc_qs8_math_kernels *math = &table->qs8_math;
    const int8_t *x = (const int8_t *)operands->x;
    int8_t *y = (int8_t *)operands->y;
    for (size_t window = 3; window <= 5; window += 2)
        for (size_t stride = 1; stride <= 2; stride++) {
            report_dwconv(run, &call, window, 32, stride);
            report_dwconv(run, &call, window, 144, stride);
        }
    call.binary = (tmc_qs8_binary_args){.rows = 1,
                                        .cols = VALUES,
                                        .a = x,
                                        .b = (const int8_t *)operands->z,
                                        .a_col = 1,
                                        .b_col = 1,
                                        .y = y,
                                        .a_multiplier = 0.5f,
                                        .b_multiplier = 0.25f,
                                        .lo = -128,
                                        .hi = 127};
    call.pool = (tmc_qs8_pool_args){.pixels = 8,
                                    .taps_y = 3,
                                    .taps_x = 3,
                                    .channels = CHANNELS,
                                    .a = x,
                                    .a_step = CHANNELS,
                                    .y_step = 10 * CHANNELS,
                                    .x_step = CHANNELS,
                                    .c_step = CHANNELS,
                                    .c = y,
                                    .multiplier = 0.1f};
    report(run, &call, math->quantize.name, math->quantize.isa, call_quantize, 4 * VALUES, VALUES);
    report(run, &call, math->dequantize.name, math->dequantize.isa, call_dequantize, VALUES, 4 * VALUES);
    report(run, &call, math->table.name, math->table.isa, call_table, VALUES, VALUES);
    report(run, &call, math->add.name, math->add.isa, call_add, 2 * VALUES, VALUES);
    report(run, &call, math->mul.name, math->mul.isa, call_mul, 2 * VALUES, VALUES);
    report(run, &call, math->average_pool.name, math->average_pool.isa, call_average_pool, 30 * CHANNELS, 8 * CHANNELS);
    report(run, &call, math->max_pool.name, math->max_pool.isa, call_max_pool, 30 * CHANNELS, 8 * CHANNELS);
}
