/* The kernels that exist in portable C only: rare or long enough for it, at every level. */
#ifndef TMC_KERNELS_F32_MATH_REF_H
#define TMC_KERNELS_F32_MATH_REF_H

#include "kernels/f32_math.h"

void tmc_f32_binary_pow__ref(const tmc_f32_binary_args *args);
void tmc_f32_binary_mod__ref(const tmc_f32_binary_args *args);
void tmc_f32_lrn__ref(size_t rows, size_t channels, const float *x, float *y, size_t size, float alpha, float beta,
                      float bias);

#endif
