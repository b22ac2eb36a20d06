/* The family qs8_gemm: what the table of the level takes. */
#include <stdio.h>
#include <string.h>

#include "bench/kernels.h"

typedef struct {
    tmc_qs8_gemm_fn fn;
    tmc_qs8_gemm_args args;
} gemm_call;

static void call_gemm(void *context) {
    gemm_call *c = context;
    c->fn(&c->args);
}

/* Some tiles of rows, as an operator calls it. */
static void report(bench_run *run, bench_operands *o, const tmc_qs8_gemm_kernel *kernel, size_t k, size_t element) {
    const size_t rows = kernel->mr > 1 ? 8 * kernel->mr : 1, nr = kernel->nr, width = nr > 16 ? 16 : nr;
    /* Rows 4096 bytes apart would meet in one set of the cache. */
    const size_t step = k * element + (k * element % 512 ? 0 : 64),
                 panel = width * (TMC_QS8_PANEL_HEADER + k * element);
    if (!kernel->fn || rows * step > sizeof o->x || 2 * panel > sizeof o->z || rows * nr > sizeof o->y) return;
    gemm_call call = {.fn = kernel->fn};
    call.args = (tmc_qs8_gemm_args){.rows = rows,
                                    .columns = nr,
                                    .taps_y = 1,
                                    .taps_x = 1,
                                    .kc = k * element,
                                    .a = o->x,
                                    .a_step = (ptrdiff_t)step,
                                    .panel = o->z,
                                    .panel2 = (const char *)o->z + panel,
                                    .c = (int8_t *)o->y,
                                    .c_step = (ptrdiff_t)nr,
                                    .lo = -128,
                                    .hi = 127};
    bench_kernel item = {.name = kernel->name, .isa = kernel->isa, .fn = call_gemm, .context = &call, .int8 = true};
    item.macs = rows * nr * k;
    item.read = rows * k * element + nr / width * panel;
    item.written = rows * nr;
    snprintf(item.size, sizeof item.size, "k %zu, %zu rows", k, rows);
    bench_kernel_report(run, &item);
}

void bench_qs8_gemm_kernels(bench_run *run, const tmc_qs8_gemm_kernels *table, bench_operands *operands) {
    static const size_t ks[] = {28, 64, 128, 512};
    const size_t element = tmc_qs8_gemm_is_wide(table) ? 2 : 1;
    for (size_t i = 0; i < TMC_QS8_GEMM_KERNELS; i++)
        for (size_t n = 0; n < sizeof ks / sizeof *ks; n++) report(run, operands, &table->gemm[i], ks[n], element);
    report(run, operands, &table->gemv, 512, element);
}
