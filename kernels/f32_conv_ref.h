/* The portable bodies that the geometries of a family share; for kernels/ref only. */
#ifndef TMC_KERNELS_F32_CONV_REF_H
#define TMC_KERNELS_F32_CONV_REF_H

#include "kernels/f32_conv_list.h"

void tmc_f32_gemm__ref(const tmc_f32_gemm_args *args, size_t nr);
void tmc_f32_dwconv_row__ref(const tmc_f32_dwconv_row_args *args, size_t kw);

#endif
