#include "bench/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cpu/cpu.h"

#define KERNEL_MS 20

void bench_kernel_report(bench_run *run, const bench_kernel *k) {
    char symbol[64];
    snprintf(symbol, sizeof symbol, "%s__%s", k->name, tmc_isa_name(k->isa));
    if (bench_interrupted || !bench_selected(run, symbol)) return;
    bench_time time = bench_measure(k->fn, k->context, bench_item_ms(run, KERNEL_MS));
    bench_ceilings ceilings = run->one;
    if (k->int8 && ceilings.int8_gmacs > 0) ceilings.gmacs = ceilings.int8_gmacs;
    bench_floor floor = bench_floor_of(&ceilings, k->macs, k->read, k->written);
    const double gmacs = (double)k->macs / time.best_ns, gbs = (double)(k->read + k->written) / time.best_ns;
    const double fraction = floor.ns / time.best_ns;
    char rates[40];
    snprintf(rates, sizeof rates, "%9s %9s", "-", "-");
    if (k->macs) snprintf(rates, sizeof rates, "%9.1f %9.1f", 2 * gmacs, gmacs);
    printf("  %-42s %-26s %10.1f %10.1f %s %9.1f %7.0f %s\n", symbol, k->size, time.best_ns, time.median_ns, rates, gbs,
           100 * fraction, floor.bound);
    json_writer *json = &run->json;
    json_open_object(json, NULL);
    json_string(json, "kernel", symbol);
    json_string(json, "size", k->size);
    json_number(json, "best_ns", time.best_ns);
    json_number(json, "median_ns", time.median_ns);
    json_integer(json, "macs", (int64_t)k->macs);
    json_integer(json, "bytes", (int64_t)(k->read + k->written));
    json_number(json, "gmacs", gmacs);
    json_number(json, "gflops", 2 * gmacs);
    json_number(json, "gbs", gbs);
    json_number(json, "floor_ns", floor.ns);
    json_number(json, "fraction", fraction);
    json_string(json, "bound", floor.bound);
    json_close_object(json);
}

int bench_kernels(bench_run *run) {
    bench_operands *operands = tmc_alloc(&tmc_allocator_libc, sizeof *operands);
    if (!operands) {
        fputs("tmcnn-bench: no memory for the kernels' operands\n", stderr);
        return BENCH_FAILED;
    }
    memset(operands->zeros, 0, sizeof operands->zeros);
    uint32_t state = 1;
    for (size_t i = 0; i < BENCH_OPERAND_FLOATS; i++) {
        state = state * 1664525u + 1013904223u;
        operands->x[i] = operands->z[i] = 0.25f + (float)(state >> 8) / 11184811.0f;
        operands->y[i] = 0;
    }
    printf(
        "\nKernels, 1 thread, times of one call; %% is the floor (see docs/benchmarks/ours.md) divided by the best\n");
    printf("  %-42s %-26s %10s %10s %9s %9s %9s %7s %s\n", "kernel", "size", "best ns", "median ns", "GFLOP/s",
           "GMAC/s", "GB/s", "%", "bound");
    json_open_array(&run->json, "kernels");
    tmc_kernels table;
    tmc_cpu cpu;
    tmc_cpu_query(&cpu);
    tmc_kernels_select(run->options.isa, &table);
    tmc_kernels_take_features(&table, cpu.features);
    bench_conv_kernels(run, &table.conv, operands);
    bench_qs8_gemm_kernels(run, &table.qs8_gemm, operands);
    bench_winograd_kernels(run, &table.winograd, operands);
    bench_math_kernels(run, &table, operands);
    bench_qs8_kernels(run, &table, operands);
    json_close_array(&run->json);
    tmc_free(&tmc_allocator_libc, operands, sizeof *operands);
    return BENCH_OK;
}
