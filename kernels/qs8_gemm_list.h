/* Declarations of all kernels of the family qs8_gemm; for the kernels themselves, the table and the kernel tests only.
 */
#ifndef TMC_KERNELS_QS8_GEMM_LIST_H
#define TMC_KERNELS_QS8_GEMM_LIST_H

#include "kernels/qs8_gemm.h"

#define TMC_QS8_GEMM_X(kernel, mr, nr, isa, ISA, feature)                                                              \
    void tmc_qs8_gemm_##kernel##__##isa(const tmc_qs8_gemm_args *args);
#include "kernels/qs8_gemm.inc"
#undef TMC_QS8_GEMM_X

void tmc_qs8_gemm__ref(const tmc_qs8_gemm_args *args, size_t nr);

#if defined(__x86_64__) || defined(__i386__)
#define TMC_QS8_WIDEN_X(isa)                                                                                           \
    void tmc_qs8_gemv__##isa(const tmc_qs8_gemm_args *args);                                                           \
    void tmc_qs8_widen__##isa(int16_t *to, const int8_t *from, size_t count);                                          \
    void tmc_qs8_widen_panel__##isa(void *to, const void *panel, size_t width, size_t k4);
TMC_QS8_WIDEN_X(sse41)
TMC_QS8_WIDEN_X(avx2)
#undef TMC_QS8_WIDEN_X
#endif

#endif
