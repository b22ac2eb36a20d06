#include "kernels/kernels.h"

void tmc_kernels_select(tmc_isa isa, tmc_kernels *kernels) {
    kernels->isa = isa;
    kernels->caches = (tmc_caches){32 * 1024, 256 * 1024};
    tmc_f32_conv_select(isa, &kernels->conv);
    tmc_f32_math_select(isa, &kernels->math);
    tmc_f32_blend_select(isa, &kernels->blend);
    tmc_f32_winograd_select(isa, &kernels->winograd);
    tmc_kernels_take_features(kernels, 0);
}

void tmc_kernels_take_features(tmc_kernels *kernels, uint32_t features) {
    tmc_qs8_gemm_select(kernels->isa, features, &kernels->qs8_gemm);
    tmc_qs8_math_select(kernels->isa, features, &kernels->qs8_math);
    tmc_qs8_dwconv_select(kernels->isa, features, &kernels->qs8_dwconv);
}
