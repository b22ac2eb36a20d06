#include "kernels/kernels.h"

void tmc_kernels_select(tmc_isa isa, tmc_kernels *kernels) {
    kernels->isa = isa;
    kernels->caches = (tmc_caches){32 * 1024, 256 * 1024};
    tmc_f32_conv_select(isa, &kernels->conv);
    tmc_f32_math_select(isa, &kernels->math);
    tmc_f32_blend_select(isa, &kernels->blend);
    tmc_f32_winograd_select(isa, &kernels->winograd);
}
