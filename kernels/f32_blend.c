#include "kernels/f32_blend_list.h"

void tmc_f32_blend_select(tmc_isa isa, tmc_f32_blend_kernel *kernel) {
    static const tmc_f32_blend_kernel all[] = {
#define TMC_F32_BLEND_X(isa, ISA) {tmc_f32_blend__##isa, "f32_blend__" #isa, TMC_ISA_##ISA},
#include "kernels/f32_blend.inc"
#undef TMC_F32_BLEND_X
    };
    *kernel = all[0]; /* portable */
    for (size_t i = 1; i < sizeof all / sizeof *all; i++) {
        if (all[i].isa == isa) *kernel = all[i];
    }
}
