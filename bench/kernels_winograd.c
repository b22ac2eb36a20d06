/* The transforms of kernels/f32_winograd.h; their products are gemm's. They add and multiply, so the bytes count. */
#include <math.h>
#include <stdio.h>

#include "bench/kernels.h"

enum { CHANNELS = 64 };

typedef struct {
    const tmc_f32_winograd_kernel *kernel;
    tmc_f32_winograd_input_args input;
    tmc_f32_winograd_weights_args weights;
    tmc_f32_winograd_output_args output;
} winograd_call;

static void call_input(void *context) {
    winograd_call *c = context;
    c->kernel->input(&c->input);
}

static void call_weights(void *context) {
    winograd_call *c = context;
    c->kernel->weights(&c->weights);
}

static void call_output(void *context) {
    winograd_call *c = context;
    c->kernel->output(&c->output);
}

static void report(bench_run *run, winograd_call *call, const char *step, bench_fn fn, size_t read, size_t written) {
    bench_kernel item = {.name = call->kernel->name, .isa = call->kernel->isa, .fn = fn, .context = call};
    item.read = read * CHANNELS * sizeof(float);
    item.written = written * CHANNELS * sizeof(float);
    snprintf(item.size, sizeof item.size, "%s, %d channels", step, CHANNELS);
    bench_kernel_report(run, &item);
}

void bench_winograd_kernels(bench_run *run, const tmc_f32_winograd_kernels *table, bench_operands *o) {
    for (size_t i = 0; i < sizeof table->size / sizeof *table->size; i++) {
        winograd_call call = {.kernel = &table->size[i]};
        const size_t m = call.kernel->m, alpha = m + 2, positions = alpha * alpha;
        for (size_t p = 0; p < positions; p++) o->pointers[p] = o->x + p * CHANNELS;
        call.input =
            (tmc_f32_winograd_input_args){.channels = CHANNELS, .a = o->pointers, .v = o->y, .v_stride = 17 * CHANNELS};
        call.weights = (tmc_f32_winograd_weights_args){
            .channels = CHANNELS / 16, .width = 16, .g = o->x, .u = o->y, .u_stride = 17 * CHANNELS};
        call.output = (tmc_f32_winograd_output_args){.columns = CHANNELS,
                                                     .rows = m,
                                                     .pixels = m,
                                                     .m = o->x,
                                                     .m_stride = CHANNELS,
                                                     .bias = o->z,
                                                     .c = o->y,
                                                     .row_stride = m * CHANNELS,
                                                     .pixel_stride = CHANNELS,
                                                     .lo = -INFINITY,
                                                     .hi = INFINITY};
        report(run, &call, "input", call_input, positions, positions);
        report(run, &call, "weights", call_weights, 9, positions);
        report(run, &call, "output", call_output, positions + 1, m * m);
    }
}
