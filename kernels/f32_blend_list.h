/* Declarations of the kernels of f32_blend.h, for the kernels themselves, the table and the kernel tests only. */
#ifndef TMC_KERNELS_F32_BLEND_LIST_H
#define TMC_KERNELS_F32_BLEND_LIST_H

#include "kernels/f32_blend.h"

#define TMC_F32_BLEND_X(isa, ISA) void tmc_f32_blend__##isa(const tmc_f32_blend_args *args);
#include "kernels/f32_blend.inc"
#undef TMC_F32_BLEND_X

#endif
