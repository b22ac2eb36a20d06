/* One micro-kernel at one size: what it does, and how to call it. */
#ifndef TMC_BENCH_KERNELS_H
#define TMC_BENCH_KERNELS_H

#include "bench/bench.h"
#include "bench/measure.h"
#include "kernels/kernels.h"

enum { BENCH_OPERAND_FLOATS = 1 << 16 };

/* Operands that the kernels share; no kernel's work depends on the values. */
typedef struct bench_operands {
    float x[BENCH_OPERAND_FLOATS], z[BENCH_OPERAND_FLOATS], y[BENCH_OPERAND_FLOATS]; /* in (0.25, 1.75); y is written */
    float zeros[256];
    const float *pointers[256];
    float *rows[64];
    int32_t index[256];
} bench_operands;

typedef struct bench_kernel {
    const char *name; /* in the kernel table */
    tmc_isa isa;
    char size[40];
    bench_fn fn;
    void *context;
    uint64_t macs, read, written; /* bytes of tensors, once each */
    bool int8;                    /* rated by the ceiling of int8 */
} bench_kernel;

/* Measures, prints and records one kernel, if it is selected. */
void bench_kernel_report(bench_run *run, const bench_kernel *kernel);

void bench_conv_kernels(bench_run *run, const tmc_f32_conv_kernels *table, bench_operands *operands);
void bench_dwconv_kernels(bench_run *run, const tmc_f32_conv_kernels *table, bench_operands *operands);
void bench_winograd_kernels(bench_run *run, const tmc_f32_winograd_kernels *table, bench_operands *operands);
void bench_qs8_gemm_kernels(bench_run *run, const tmc_qs8_gemm_kernels *table, bench_operands *operands);
void bench_math_kernels(bench_run *run, const tmc_kernels *table, bench_operands *operands);
void bench_qs8_kernels(bench_run *run, const tmc_kernels *table, bench_operands *operands);

#endif
