#include "kernels/f32_winograd_list.h"
#include "kernels/ladder.h"

void tmc_f32_winograd_select(tmc_isa isa, tmc_f32_winograd_kernels *kernels) {
    static const tmc_f32_winograd_kernel all[] = {
#define TMC_F32_WINOGRAD_X(m, isa, ISA)                                                                                \
    {tmc_f32_winograd_##m##x##m##_input__##isa, tmc_f32_winograd_##m##x##m##_output__##isa, m,                         \
     "f32_winograd_" #m "x" #m "__" #isa, TMC_ISA_##ISA},
#include "kernels/f32_winograd.inc"
#undef TMC_F32_WINOGRAD_X
    };
    tmc_isa steps[TMC_LADDER_MAX];
    const size_t n = tmc_ladder(isa, steps);
    for (size_t s = 0; s < n; s++)
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            if (all[i].isa == steps[s]) kernels->size[all[i].m == 4] = all[i];
}
