#include "kernels/ladder.h"
#include "kernels/qs8_dwconv_list.h"

void tmc_qs8_dwconv_select(tmc_isa isa, uint32_t features, tmc_qs8_dwconv_kernel *kernel) {
    tmc_isa steps[TMC_LADDER_MAX];
    const size_t n = tmc_ladder(isa, steps);
    for (size_t s = 0; s < n; s++) {
#define TMC_QS8_DWCONV_X(symbol, suffix, ISA, feature)                                                                 \
    if (steps[s] == TMC_ISA_##ISA && (features & (feature)) == (feature))                                              \
        *kernel = (tmc_qs8_dwconv_kernel){tmc_qs8_##symbol##__##suffix, "qs8_" #symbol, TMC_ISA_##ISA};
#include "kernels/qs8_dwconv.inc"
    }
}
