#include "kernels/f32_winograd_list.h"
#include "kernels/ladder.h"

static void take(tmc_f32_winograd_kernels *to, tmc_isa isa, const char *name, tmc_f32_winograd_input_fn input,
                 tmc_f32_winograd_weights_fn weights, tmc_f32_winograd_output_fn output, size_t m) {
    to->size[m == 4] = (tmc_f32_winograd_kernel){input, weights, output, m, name, isa};
}

void tmc_f32_winograd_select(tmc_isa isa, tmc_f32_winograd_kernels *kernels) {
    tmc_isa steps[TMC_LADDER_MAX];
    const size_t n = tmc_ladder(isa, steps);
    for (size_t s = 0; s < n; s++) {
#define TMC_F32_WINOGRAD_X(m, isa, ISA)                                                                                \
    if (steps[s] == TMC_ISA_##ISA)                                                                                     \
        take(kernels, TMC_ISA_##ISA, "f32_winograd_" #m "x" #m, tmc_f32_winograd_##m##x##m##_input__##isa,             \
             tmc_f32_winograd_##m##x##m##_weights__##isa, tmc_f32_winograd_##m##x##m##_output__##isa, m);
#include "kernels/f32_winograd.inc"
    }
}
