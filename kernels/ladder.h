/* Which levels a table of kernels is filled from. */
#ifndef TMC_KERNELS_LADDER_H
#define TMC_KERNELS_LADDER_H

#include <stddef.h>

#include "tmcnn/tmcnn.h"

#define TMC_LADDER_MAX 3

/* The levels whose kernels a plan of level `isa` may use, portable C first, `isa` last: each takes the places for which
 * it has a kernel. All give the same bits, so SSE4.1, which does not, stands in no ladder but its own. Returns how
 * many. */
static inline size_t tmc_ladder(tmc_isa isa, tmc_isa steps[TMC_LADDER_MAX]) {
    size_t n = 0;
    steps[n++] = TMC_ISA_REF;
    if (isa == TMC_ISA_AVX512) steps[n++] = TMC_ISA_AVX2;
    if (isa != TMC_ISA_REF) steps[n++] = isa;
    return n;
}

#endif
