/* The levels of this CPU, and portable kernels that give the same bits as each. */
#ifndef TMC_TEST_LEVELS_H
#define TMC_TEST_LEVELS_H

#include "kernels/kernels.h"

/* No level of the library: portable C that multiplies and adds, for op_call.isa and level_kernels. */
#define LEVEL_MULADD ((tmc_isa)100)
#define LEVELS_MAX 5

/* Every level that this CPU can run, TMC_ISA_REF first; returns how many. */
size_t level_list(tmc_isa levels[LEVELS_MAX]);

/* The best level with the bits of TMC_ISA_REF: TMC_ISA_AUTO means SSE4.1 where there is no FMA. */
tmc_isa level_best_exact(void);

/* The portable twin of a level: TMC_ISA_REF, or LEVEL_MULADD for SSE4.1. */
tmc_isa level_twin(tmc_isa isa);

/* tmc_kernels_select, also for LEVEL_MULADD. */
void level_kernels(tmc_isa isa, tmc_kernels *kernels);

/* One step of a chain as the level computes it. */
float level_fma(tmc_isa isa, float a, float b, float c);

#endif
