#include <string.h>

#include "kernels/ladder.h"
#include "kernels/qs8_gemm_list.h"

static void take(tmc_qs8_gemm_kernels *to, tmc_isa isa, const char *name, tmc_qs8_gemm_fn fn, size_t mr, size_t nr) {
    to->gemm[tmc_qs8_gemm_index(nr)] = (tmc_qs8_gemm_kernel){fn, mr, nr, name, isa};
}

/* The wide form of a level; a dot product of the same level takes bytes. */
static void take_wide(tmc_qs8_gemm_kernels *to, tmc_isa level, uint32_t features) {
    to->gemv.fn = NULL;
    to->widen = NULL;
    to->widen_panel = NULL;
#if defined(__x86_64__) || defined(__i386__)
    if (level == TMC_ISA_SSE41) {
        to->gemv = (tmc_qs8_gemm_kernel){tmc_qs8_gemv__sse41, 1, 16, "qs8_gemv", level};
        to->widen = tmc_qs8_widen__sse41;
        to->widen_panel = tmc_qs8_widen_panel__sse41;
    }
    if (level == TMC_ISA_AVX2 && !(features & TMC_FEATURE_AVX_VNNI)) {
        to->gemv = (tmc_qs8_gemm_kernel){tmc_qs8_gemv__avx2, 1, 16, "qs8_gemv", level};
        to->widen = tmc_qs8_widen__avx2;
        to->widen_panel = tmc_qs8_widen_panel__avx2;
    }
#else
    (void)level;
    (void)features;
#endif
}

/* Only whole levels, since panels and activations are wide or not for all of them. */
static void take_level(tmc_isa level, uint32_t features, tmc_qs8_gemm_kernels *to) {
    if (level == TMC_ISA_AVX512 && !(features & TMC_FEATURE_AVX512_VNNI)) return;
#define TMC_QS8_GEMM_X(kernel, mr, nr, isa, ISA, feature)                                                              \
    if (level == TMC_ISA_##ISA && (features & (feature)) == (feature))                                                 \
        take(to, level, "qs8_gemm_" #kernel, tmc_qs8_gemm_##kernel##__##isa, mr, nr);
#include "kernels/qs8_gemm.inc"
    take_wide(to, level, features);
}

void tmc_qs8_gemm_select(tmc_isa isa, uint32_t features, tmc_qs8_gemm_kernels *kernels) {
    tmc_isa steps[TMC_LADDER_MAX];
    const size_t n = tmc_ladder(isa, steps);
    memset(kernels, 0, sizeof *kernels);
    for (size_t i = 0; i < n; i++) take_level(steps[i], features, kernels);
}
