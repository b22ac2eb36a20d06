#include <string.h>

#include "kernels/f32_conv_list.h"
#include "kernels/ladder.h"

/* The lists as tables. dwconv and dwconv_row share one list, so each of their tables drops the other's lines. */
static const tmc_f32_gemm_kernel gemms[] = {
#define TMC_F32_GEMM_X(mr, nr, isa, ISA)                                                                               \
    {tmc_f32_gemm_##mr##x##nr##__##isa, mr, nr, "f32_gemm_" #mr "x" #nr "__" #isa, TMC_ISA_##ISA},
#include "kernels/f32_gemm.inc"
};

static const tmc_f32_gemv_kernel gemvs[] = {
#define TMC_F32_GEMV_X(panels, nr, isa, ISA)                                                                           \
    {tmc_f32_gemv_##panels##x##nr##__##isa, panels, "f32_gemv_" #panels "x" #nr "__" #isa, TMC_ISA_##ISA},
#include "kernels/f32_gemv.inc"
};

static const tmc_f32_dwconv_kernel dwconvs[] = {
#define TMC_F32_DWCONV_X(isa, ISA) {tmc_f32_dwconv_1p__##isa, "f32_dwconv_1p__" #isa, TMC_ISA_##ISA},
#define TMC_F32_DWCONV_ROW_X(pixels, kw, isa, ISA)
#include "kernels/f32_dwconv.inc"
#undef TMC_F32_DWCONV_X
#undef TMC_F32_DWCONV_ROW_X
};

static const tmc_f32_dwconv_row_kernel dwconv_rows[] = {
#define TMC_F32_DWCONV_X(isa, ISA)
#define TMC_F32_DWCONV_ROW_X(pixels, kw, isa, ISA)                                                                     \
    {tmc_f32_dwconv_row_2x##pixels##p##kw##k__##isa, pixels, kw, "f32_dwconv_row_2x" #pixels "p" #kw "k__" #isa,       \
     TMC_ISA_##ISA},
#include "kernels/f32_dwconv.inc"
};

enum { POOL_max, POOL_average };

static const struct {
    int kind;
    tmc_f32_pool_kernel kernel;
} pools[] = {
#define TMC_F32_POOL_X(kind, isa, ISA)                                                                                 \
    {POOL_##kind, {tmc_f32_##kind##_pool_4p__##isa, "f32_" #kind "_pool_4p__" #isa, TMC_ISA_##ISA}},
#include "kernels/f32_pool.inc"
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Tiles of four stand in for tiles of seven where a level has none. */
static void take_row(const tmc_f32_dwconv_row_kernel *kernel, tmc_f32_dwconv_row_kernel entries[2]) {
    if (kernel->pixels == 4) entries[0] = *kernel;
    entries[1] = *kernel;
}

/* Replaces the entries for which this build has a kernel of exactly `level`. */
static void take_level(tmc_isa level, tmc_f32_conv_kernels *kernels) {
    for (size_t i = 0; i < COUNT(gemms); i++)
        if (gemms[i].isa == level) kernels->gemm[tmc_f32_gemm_index(gemms[i].nr)] = gemms[i];
    for (size_t i = 0; i < COUNT(gemvs); i++)
        if (gemvs[i].isa == level) kernels->gemv = gemvs[i];
    for (size_t i = 0; i < COUNT(dwconvs); i++)
        if (dwconvs[i].isa == level) kernels->dwconv = dwconvs[i];
    for (size_t i = 0; i < COUNT(dwconv_rows); i++)
        if (dwconv_rows[i].isa == level) take_row(&dwconv_rows[i], kernels->dwconv_row[dwconv_rows[i].kw == 5]);
    for (size_t i = 0; i < COUNT(pools); i++)
        if (pools[i].kernel.isa == level)
            *(pools[i].kind == POOL_max ? &kernels->max_pool : &kernels->average_pool) = pools[i].kernel;
}

void tmc_f32_conv_select(tmc_isa isa, tmc_f32_conv_kernels *kernels) {
    tmc_isa steps[TMC_LADDER_MAX];
    const size_t n = tmc_ladder(isa, steps);
    memset(kernels->gemm, 0, sizeof kernels->gemm);
    for (size_t i = 0; i < n; i++) take_level(steps[i], kernels);
}
