#include "kernels/f32_blend_list.h"
#include "kernels/ladder.h"

void tmc_f32_blend_select(tmc_isa isa, tmc_f32_blend_kernel *kernel) {
    tmc_isa steps[TMC_LADDER_MAX];
    const size_t n = tmc_ladder(isa, steps);
    for (size_t s = 0; s < n; s++) {
#define TMC_F32_BLEND_X(isa, ISA)                                                                                      \
    if (steps[s] == TMC_ISA_##ISA) *kernel = (tmc_f32_blend_kernel){tmc_f32_blend__##isa, "f32_blend", TMC_ISA_##ISA};
#include "kernels/f32_blend.inc"
    }
}
