/* The kernel table: for one instruction set, the micro-kernels of every family with their geometry. It is filled once
 * when a plan is made and passed down; there is no global table. Portable C fills every entry first, then the levels of
 * ladder.h replace what they have: no entry is ever NULL. */
#ifndef TMC_KERNELS_KERNELS_H
#define TMC_KERNELS_KERNELS_H

#include "kernels/f32_blend.h"
#include "kernels/f32_conv.h"
#include "kernels/f32_math.h"
#include "kernels/f32_winograd.h"
#include "kernels/qs8_dwconv.h"
#include "kernels/qs8_gemm.h"
#include "kernels/qs8_math.h"
#include "tmcnn/tmcnn.h"

/* Data caches of one core, by which block sizes are chosen; no result depends on them. */
typedef struct tmc_caches {
    size_t l1_bytes, l2_bytes;
} tmc_caches;

typedef struct tmc_kernels {
    tmc_isa isa; /* never TMC_ISA_AUTO */
    tmc_caches caches;
    tmc_f32_conv_kernels conv;
    tmc_f32_math_kernels math;
    tmc_f32_blend_kernel blend;
    tmc_f32_winograd_kernels winograd;
    tmc_qs8_gemm_kernels qs8_gemm;
    tmc_qs8_dwconv_kernel qs8_dwconv;
    tmc_qs8_math_kernels qs8_math;
} tmc_kernels;

/* `isa` is a level that this CPU has; the caches are the small ones that every CPU has, until the planner knows more.
 */
void tmc_kernels_select(tmc_isa isa, tmc_kernels *kernels);

/* Takes the kernels for features that the CPU has beyond its level (base/features.h). */
void tmc_kernels_take_features(tmc_kernels *kernels, uint32_t features);

#endif
