/* Declarations of the kernels of f32_winograd.h, for the kernels themselves, the table and the kernel tests only. */
#ifndef TMC_KERNELS_F32_WINOGRAD_LIST_H
#define TMC_KERNELS_F32_WINOGRAD_LIST_H

#include "kernels/f32_winograd.h"

#define TMC_F32_WINOGRAD_X(m, isa, ISA)                                                                                \
    void tmc_f32_winograd_##m##x##m##_input__##isa(const tmc_f32_winograd_input_args *args);                           \
    void tmc_f32_winograd_##m##x##m##_weights__##isa(const tmc_f32_winograd_weights_args *args);                       \
    void tmc_f32_winograd_##m##x##m##_output__##isa(const tmc_f32_winograd_output_args *args);
#include "kernels/f32_winograd.inc"
#undef TMC_F32_WINOGRAD_X

#endif
