/* Declares the kernels of one instruction set, VEC_ISA. Included where they are defined and where the table is filled.
 */
#include "kernels/f32_math.h"
#include "kernels/vec/vec_symbol.h"

#define X(NAME, name) void VEC_SYMBOL(f32_unary_##name)(size_t n, const float *x, float *y, float alpha, float beta);
TMC_F32_UNARY_KERNELS(X)
#undef X
#define X(NAME, name) void VEC_SYMBOL(f32_binary_##name)(const tmc_f32_binary_args *args);
TMC_F32_BINARY_KERNELS(X)
#undef X
#define X(NAME, name, identity, combine)                                                                               \
    void VEC_SYMBOL(f32_reduce_row_##name)(size_t n, const float *x, float m, float partial[16]);                      \
    void VEC_SYMBOL(f32_reduce_columns_##name)(size_t rows, size_t cols, size_t stride, const float *x,                \
                                               const float *m, float *acc);
TMC_F32_REDUCE_KERNELS(X)
#undef X
void VEC_SYMBOL(f32_scale_shift)(const tmc_f32_scale_shift_args *args);
void VEC_SYMBOL(f32_softmax_rows)(size_t rows, size_t n, const float *x, float *y, int log);
void VEC_SYMBOL(f32_softmax_columns)(size_t n, size_t cols, size_t stride, const float *x, float *y, int log);
void VEC_SYMBOL(f32_norm_columns)(size_t rows, size_t channels, const float *x, const float *mean, const float *scale,
                                  const float *shift, float *y);
void VEC_SYMBOL(f32_norm_row)(size_t n, const float *x, float mean, float rstd, const float *scale, const float *shift,
                              float *y);
