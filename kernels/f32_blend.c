#include "kernels/f32_blend_list.h"
#include "kernels/ladder.h"

void tmc_f32_blend_select(tmc_isa isa, tmc_f32_blend_kernel *kernel) {
    static const tmc_f32_blend_kernel all[] = {
#define TMC_F32_BLEND_X(isa, ISA) {tmc_f32_blend__##isa, "f32_blend__" #isa, TMC_ISA_##ISA},
#include "kernels/f32_blend.inc"
#undef TMC_F32_BLEND_X
    };
    tmc_isa steps[TMC_LADDER_MAX];
    const size_t n = tmc_ladder(isa, steps);
    for (size_t s = 0; s < n; s++)
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            if (all[i].isa == steps[s]) *kernel = all[i];
}
