/* f32_reduce_row_<kind> and f32_reduce_columns_<kind>. Define REDUCE_KINDS first, the list of kinds. */
#include "kernels/f32_accumulate.inl"
#include "kernels/f32_math_declare.inl"

#define WITH_M(kind) ((kind) == TMC_F32_REDUCE_SUM_SQUARE_DIFF || (kind) == TMC_F32_REDUCE_SUM_EXP)

#define X(NAME, name, identity, combine)                                                                               \
    void VEC_SYMBOL(f32_reduce_row_##name)(size_t n, const float *x, float m, float partial[16]) {                     \
        accumulate_row(n, x, m, partial, step_##name);                                                                 \
    }                                                                                                                  \
    void VEC_SYMBOL(f32_reduce_columns_##name)(size_t rows, size_t cols, size_t stride, const float *x,                \
                                               const float *m, float *acc) {                                           \
        accumulate_columns(rows, cols, stride, x, m, acc, WITH_M(TMC_F32_REDUCE_##NAME), step_##name);                 \
    }
REDUCE_KINDS(X)
#undef X
