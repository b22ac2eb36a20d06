#include "lib/levels.h"

#include <math.h>

#include "lib/op_runner.h"

size_t level_list(tmc_isa levels[LEVELS_MAX]) {
    size_t n = op_isa_levels(levels);
    if (op_isa_available(TMC_ISA_SSE41)) levels[n++] = TMC_ISA_SSE41;
    return n;
}

tmc_isa level_best_exact(void) {
    tmc_isa levels[4];
    return levels[op_isa_levels(levels) - 1];
}

tmc_isa level_twin(tmc_isa isa) { return isa == TMC_ISA_SSE41 ? LEVEL_MULADD : TMC_ISA_REF; }

#if defined(__x86_64__) || defined(__i386__)
void tmc_muladd_select(tmc_isa isa, tmc_kernels *kernels);

void level_kernels(tmc_isa isa, tmc_kernels *kernels) {
    tmc_kernels reference;
    if (isa != LEVEL_MULADD) {
        tmc_kernels_select(isa, kernels);
        return;
    }
    tmc_muladd_select(TMC_ISA_REF, kernels);
    tmc_kernels_select(TMC_ISA_REF, &reference);
    kernels->math.lrn = reference.math.lrn; /* portable C, so fused, at every level */
}
#else
void level_kernels(tmc_isa isa, tmc_kernels *kernels) { tmc_kernels_select(isa, kernels); }
#endif

float level_fma(tmc_isa isa, float a, float b, float c) { return isa == TMC_ISA_SSE41 ? a * b + c : fmaf(a, b, c); }
