#include "kernels/qs8_math_list.h"

#define TAKE(kernel, suffix, ISA)                                                                                      \
    kernels->kernel.run = tmc_qs8_##kernel##__##suffix, kernels->kernel.name = "qs8_" #kernel,                         \
    kernels->kernel.isa = ISA;

void tmc_qs8_math_select(tmc_isa isa, uint32_t features, tmc_qs8_math_kernels *kernels) {
#define X(name, type) TAKE(name, ref, TMC_ISA_REF)
    TMC_QS8_MATH_KERNELS(X)
#undef X
#if defined(__x86_64__) || defined(__i386__)
    if (isa == TMC_ISA_SSE41) {
#define X(name, type) TAKE(name, sse41, TMC_ISA_SSE41)
        TMC_QS8_MATH_KERNELS(X)
#undef X
    }
    if (isa == TMC_ISA_AVX2 || isa == TMC_ISA_AVX512) {
#define X(name, type) TAKE(name, avx2, TMC_ISA_AVX2)
        TMC_QS8_MATH_KERNELS(X)
#undef X
    }
    if (isa == TMC_ISA_AVX512) {
        TAKE(add, avx512, TMC_ISA_AVX512)
        TAKE(mul, avx512, TMC_ISA_AVX512)
    }
    if (isa == TMC_ISA_AVX512 && features & TMC_FEATURE_AVX512_VBMI) {
        kernels->table.run = tmc_qs8_table_vbmi__avx512;
        kernels->table.name = "qs8_table_vbmi";
        kernels->table.isa = TMC_ISA_AVX512;
    }
#elif defined(__aarch64__)
    (void)features;
    if (isa == TMC_ISA_NEON) {
#define X(name, type) TAKE(name, neon, TMC_ISA_NEON)
        TMC_QS8_MATH_KERNELS(X)
#undef X
    }
#else
    (void)isa;
    (void)features;
#endif
}
