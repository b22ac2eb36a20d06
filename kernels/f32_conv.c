#include <string.h>

#include "kernels/f32_conv_list.h"
#include "kernels/ladder.h"

/* The lists become code, one call per kernel: a constant table would take 72 bytes of entry and 48 of relocations. */
static void take_gemm(tmc_f32_conv_kernels *to, tmc_isa isa, const char *name, tmc_f32_gemm_fn fn, size_t mr,
                      size_t nr) {
    to->gemm[tmc_f32_gemm_index(nr)] = (tmc_f32_gemm_kernel){fn, mr, nr, name, isa};
}

/* Tiles of four stand in for tiles of seven where a level has none. */
static void take_dwconv_row(tmc_f32_conv_kernels *to, tmc_isa isa, const char *name, tmc_f32_dwconv_row_fn fn,
                            size_t pixels, size_t kw) {
    tmc_f32_dwconv_row_kernel *entries = to->dwconv_row[kw == 5];
    entries[1] = (tmc_f32_dwconv_row_kernel){fn, pixels, kw, name, isa};
    if (pixels == 4) entries[0] = entries[1];
}

static void take_pool(tmc_f32_pool_kernel *to, tmc_isa isa, const char *name, tmc_f32_pool_fn fn) {
    *to = (tmc_f32_pool_kernel){fn, name, isa};
}

/* Replaces the entries for which this build has a kernel of exactly `level`. */
static void take_level(tmc_isa level, tmc_f32_conv_kernels *to) {
#define TMC_F32_GEMM_X(mr, nr, isa, ISA)                                                                               \
    if (level == TMC_ISA_##ISA)                                                                                        \
        take_gemm(to, level, "f32_gemm_" #mr "x" #nr, tmc_f32_gemm_##mr##x##nr##__##isa, mr, nr);
#include "kernels/f32_gemm.inc"
#define TMC_F32_GEMV_X(panels, nr, isa, ISA)                                                                           \
    if (level == TMC_ISA_##ISA)                                                                                        \
        to->gemv =                                                                                                     \
            (tmc_f32_gemv_kernel){tmc_f32_gemv_##panels##x##nr##__##isa, panels, "f32_gemv_" #panels "x" #nr, level};
#include "kernels/f32_gemv.inc"
#define TMC_F32_DWCONV_X(isa, ISA)                                                                                     \
    if (level == TMC_ISA_##ISA) to->dwconv = (tmc_f32_dwconv_kernel){tmc_f32_dwconv_1p__##isa, "f32_dwconv_1p", level};
#define TMC_F32_DWCONV_ROW_X(pixels, kw, isa, ISA)                                                                     \
    if (level == TMC_ISA_##ISA)                                                                                        \
        take_dwconv_row(to, level, "f32_dwconv_row_2x" #pixels "p" #kw "k",                                            \
                        tmc_f32_dwconv_row_2x##pixels##p##kw##k__##isa, pixels, kw);
#include "kernels/f32_dwconv.inc"
#define TMC_F32_POOL_X(kind, isa, ISA)                                                                                 \
    if (level == TMC_ISA_##ISA)                                                                                        \
        take_pool(&to->kind##_pool, level, "f32_" #kind "_pool_4p", tmc_f32_##kind##_pool_4p__##isa);
#include "kernels/f32_pool.inc"
}

void tmc_f32_conv_select(tmc_isa isa, tmc_f32_conv_kernels *kernels) {
    tmc_isa steps[TMC_LADDER_MAX];
    const size_t n = tmc_ladder(isa, steps);
    memset(kernels->gemm, 0, sizeof kernels->gemm);
    for (size_t i = 0; i < n; i++) take_level(steps[i], kernels);
}
