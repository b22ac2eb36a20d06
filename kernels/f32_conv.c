#include "kernels/f32_conv_list.h"

#define GEMM(mr, nr, isa, ISA)                                                                                         \
    (tmc_f32_gemm_kernel) {                                                                                            \
        tmc_f32_gemm_##mr##x##nr##__##isa, mr, nr, "f32_gemm_" #mr "x" #nr "__" #isa, TMC_ISA_##ISA                    \
    }
#define TMC_F32_GEMM_X(mr, nr, isa, ISA)                                                                               \
    if (TMC_ISA_##ISA == level) kernels->gemm[tmc_f32_gemm_index(nr)] = GEMM(mr, nr, isa, ISA);
#define TMC_F32_GEMV_X(panels, nr, isa, ISA)                                                                           \
    if (TMC_ISA_##ISA == level)                                                                                        \
        kernels->gemv = (tmc_f32_gemv_kernel){tmc_f32_gemv_##panels##x##nr##__##isa, panels,                           \
                                              "f32_gemv_" #panels "x" #nr "__" #isa, TMC_ISA_##ISA};
#define TMC_F32_DWCONV_X(isa, ISA)                                                                                     \
    if (TMC_ISA_##ISA == level)                                                                                        \
        kernels->dwconv = (tmc_f32_dwconv_kernel){tmc_f32_dwconv_1p__##isa, "f32_dwconv_1p__" #isa, TMC_ISA_##ISA};
#define TMC_F32_DWCONV_ROW_X(kw, isa, ISA)                                                                             \
    if (TMC_ISA_##ISA == level)                                                                                        \
        kernels->dwconv_row[kw == 5] = (tmc_f32_dwconv_row_kernel){tmc_f32_dwconv_row_4p##kw##k__##isa, kw, 4,         \
                                                                   "f32_dwconv_row_4p" #kw "k__" #isa, TMC_ISA_##ISA};
#define TMC_F32_POOL_X(kind, isa, ISA)                                                                                 \
    if (TMC_ISA_##ISA == level)                                                                                        \
        kernels->kind##_pool =                                                                                         \
            (tmc_f32_pool_kernel){tmc_f32_##kind##_pool_1p__##isa, "f32_" #kind "_pool_1p__" #isa, TMC_ISA_##ISA};

/* Replaces the entries for which this build has a kernel of exactly `level`. */
static void take_level(tmc_isa level, tmc_f32_conv_kernels *kernels) {
#include "kernels/f32_dwconv.inc"
#include "kernels/f32_gemm.inc"
#include "kernels/f32_gemv.inc"
#include "kernels/f32_pool.inc"
}

void tmc_f32_conv_select(tmc_isa isa, tmc_f32_conv_kernels *kernels) {
    take_level(TMC_ISA_REF, kernels);
    if (isa != TMC_ISA_REF) take_level(isa, kernels);
}
