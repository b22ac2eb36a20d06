/* The families of kernels/f32_conv.h: gemm from its list, the others from the table of the level. */
#include <math.h>
#include <stdio.h>

#include "bench/kernels.h"
#include "kernels/f32_conv_list.h"

typedef struct {
    tmc_f32_gemm_fn fn;
    tmc_f32_gemm_args args;
} gemm_call;

static void call_gemm(void *context) {
    gemm_call *c = context;
    c->fn(&c->args);
}

static void report_gemm(bench_run *run, bench_operands *o, const tmc_f32_gemm_kernel *kernel, size_t taps, size_t kc) {
    const size_t k = taps * kc, mr = kernel->mr, nr = kernel->nr;
    if (mr > sizeof o->rows / sizeof *o->rows || mr * k > BENCH_OPERAND_FLOATS) return;
    gemm_call call = {.fn = kernel->fn};
    call.args = (tmc_f32_gemm_args){.rows = mr,
                                    .columns = nr,
                                    .taps = taps,
                                    .kc = kc,
                                    .a = o->pointers,
                                    .a_stride = mr,
                                    .w = o->z + nr,
                                    .bias = o->z,
                                    .w2 = o->z + nr, /* of kernels of two panels */
                                    .bias2 = o->z,
                                    .c = o->rows,
                                    .lo = -INFINITY,
                                    .hi = INFINITY};
    for (size_t t = 0; t < taps; t++)
        for (size_t r = 0; r < mr; r++) o->pointers[t * mr + r] = o->x + r * k + t * kc;
    for (size_t r = 0; r < mr; r++) o->rows[r] = o->y + r * nr;
    bench_kernel item = {
        .name = kernel->name, .isa = kernel->isa, .fn = call_gemm, .context = &call, .macs = mr * nr * k};
    item.read = (mr * k + (k + 1) * nr) * sizeof(float);
    item.written = mr * nr * sizeof(float);
    snprintf(item.size, sizeof item.size, "k %zu = %zu x %zu", k, taps, kc);
    bench_kernel_report(run, &item);
}

/* Every geometry of the level, also one that the table does not take, and what the table takes from lower levels. */
static bool gemm_wanted(const bench_run *run, const tmc_f32_conv_kernels *table, const tmc_f32_gemm_kernel *kernel) {
    for (size_t i = 0; i < sizeof table->gemm / sizeof *table->gemm; i++)
        if (table->gemm[i].fn == kernel->fn) return true;
    return kernel->isa == run->options.isa;
}

static void report_gemms(bench_run *run, const tmc_f32_conv_kernels *table, bench_operands *o) {
    static const tmc_f32_gemm_kernel kernels[] = {
#define TMC_F32_GEMM_X(mr, nr, isa, ISA)                                                                               \
    {tmc_f32_gemm_##mr##x##nr##__##isa, mr, nr, "f32_gemm_" #mr "x" #nr, TMC_ISA_##ISA},
#include "kernels/f32_gemm.inc"
#undef TMC_F32_GEMM_X
    };
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        if (!gemm_wanted(run, table, &kernels[i])) continue;
        report_gemm(run, o, &kernels[i], 3, 9); /* the first layer: three rows of 3 x 3 channels */
        report_gemm(run, o, &kernels[i], 1, 64);
        report_gemm(run, o, &kernels[i], 1, 128);
        report_gemm(run, o, &kernels[i], 1, 512);
    }
}

typedef struct {
    tmc_f32_gemv_fn fn;
    tmc_f32_gemv_args args;
} gemv_call;

static void call_gemv(void *context) {
    gemv_call *c = context;
    c->fn(&c->args);
}

static void report_gemv(bench_run *run, bench_operands *o, const tmc_f32_gemv_kernel *kernel, size_t k) {
    const size_t panels = kernel->panels, stride = 16 * (1 + k);
    if (panels * stride > BENCH_OPERAND_FLOATS) return;
    gemv_call call = {.fn = kernel->fn};
    call.args = (tmc_f32_gemv_args){.panels = panels,
                                    .k = k,
                                    .panel_stride = stride,
                                    .a = o->x,
                                    .w = o->z,
                                    .c = o->y,
                                    .lo = -INFINITY,
                                    .hi = INFINITY};
    bench_kernel item = {
        .name = kernel->name, .isa = kernel->isa, .fn = call_gemv, .context = &call, .macs = panels * 16 * k};
    item.read = (panels * stride + k) * sizeof(float);
    item.written = panels * 16 * sizeof(float);
    snprintf(item.size, sizeof item.size, "k %zu, %zu panels", k, panels);
    bench_kernel_report(run, &item);
}

typedef struct {
    tmc_f32_pool_fn fn;
    tmc_f32_pool_args args;
} pool_call;

static void call_pool(void *context) {
    pool_call *c = context;
    c->fn(&c->args);
}

static void report_pool(bench_run *run, bench_operands *o, const tmc_f32_pool_kernel *kernel) {
    enum { CHANNELS = 64, PIXELS = 8, STRIDE = 2 };
    static const size_t windows[] = {2, 3, 7};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        const size_t side = windows[i], row = ((PIXELS - 1) * STRIDE + side) * CHANNELS;
        pool_call call = {.fn = kernel->fn};
        call.args = (tmc_f32_pool_args){.pixels = PIXELS,
                                        .taps_y = side,
                                        .taps_x = side,
                                        .channels = CHANNELS,
                                        .a = o->x,
                                        .a_step = STRIDE * CHANNELS,
                                        .y_step = row,
                                        .x_step = CHANNELS,
                                        .c_step = CHANNELS,
                                        .c = o->y,
                                        .divisor = (float)(side * side)};
        bench_kernel item = {.name = kernel->name, .isa = kernel->isa, .fn = call_pool, .context = &call};
        item.read = side * row * sizeof(float);
        item.written = PIXELS * CHANNELS * sizeof(float);
        snprintf(item.size, sizeof item.size, "%zux%zu s%d, %d pixels, %d ch", side, side, STRIDE, PIXELS, CHANNELS);
        bench_kernel_report(run, &item);
    }
}

void bench_conv_kernels(bench_run *run, const tmc_f32_conv_kernels *table, bench_operands *operands) {
    report_gemms(run, table, operands);
    report_gemv(run, operands, &table->gemv, 64);
    report_gemv(run, operands, &table->gemv, 512);
    bench_dwconv_kernels(run, table, operands);
    report_pool(run, operands, &table->max_pool);
    report_pool(run, operands, &table->average_pool);
}
