/* Declarations of all kernels of the families of f32_conv.h, from their lists; for the kernels themselves, the table
 * and the kernel tests only. */
#ifndef TMC_KERNELS_F32_CONV_LIST_H
#define TMC_KERNELS_F32_CONV_LIST_H

#include "kernels/f32_conv.h"

#define TMC_F32_GEMM_X(mr, nr, isa, ISA) void tmc_f32_gemm_##mr##x##nr##__##isa(const tmc_f32_gemm_args *args);
#include "kernels/f32_gemm.inc"
#undef TMC_F32_GEMM_X

#define TMC_F32_GEMV_X(panels, nr, isa, ISA) void tmc_f32_gemv_##panels##x##nr##__##isa(const tmc_f32_gemv_args *args);
#include "kernels/f32_gemv.inc"
#undef TMC_F32_GEMV_X

#define TMC_F32_DWCONV_X(isa, ISA) void tmc_f32_dwconv_1p__##isa(const tmc_f32_dwconv_args *args);
#define TMC_F32_DWCONV_ROW_X(pixels, kw, isa, ISA)                                                                     \
    void tmc_f32_dwconv_row_2x##pixels##p##kw##k__##isa(const tmc_f32_dwconv_row_args *args);
#include "kernels/f32_dwconv.inc"
#undef TMC_F32_DWCONV_X
#undef TMC_F32_DWCONV_ROW_X

#define TMC_F32_POOL_X(kind, isa, ISA) void tmc_f32_##kind##_pool_4p__##isa(const tmc_f32_pool_args *args);
#include "kernels/f32_pool.inc"
#undef TMC_F32_POOL_X

/* The clamp of every family, as the specification has it. */
static inline float tmc_f32_clamp(float x, float lo, float hi) {
    float t = x < lo ? lo : x;
    return t > hi ? hi : t;
}

#endif
