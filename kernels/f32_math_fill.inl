/* static void fill_<VEC_ISA>(tmc_f32_math_kernels *): every entry but the few that are portable C everywhere. Needs
 * VEC_ISA, VEC_LEVEL, its tmc_isa, and label_entries. */
#include "kernels/f32_math_declare.inl"

#define JOIN_OF(a, b) a##b
#define JOIN(a, b) JOIN_OF(a, b)

static void JOIN(fill_, VEC_ISA)(tmc_f32_math_kernels *k) {
    label_entries(k, VEC_LEVEL);

#define X(NAME, name) k->unary[TMC_F32_UNARY_##NAME].run = VEC_SYMBOL(f32_unary_##name);
    TMC_F32_UNARY_KERNELS(X)
#undef X
#define X(NAME, name) k->binary[TMC_F32_BINARY_##NAME].run = VEC_SYMBOL(f32_binary_##name);
    TMC_F32_BINARY_KERNELS(X)
#undef X
#define X(NAME, name, identity, combine)                                                                               \
    k->reduce_row[TMC_F32_REDUCE_##NAME].run = VEC_SYMBOL(f32_reduce_row_##name);                                      \
    k->reduce_columns[TMC_F32_REDUCE_##NAME].run = VEC_SYMBOL(f32_reduce_columns_##name);
    TMC_F32_REDUCE_KERNELS(X)
#undef X
    k->scale_shift.run = VEC_SYMBOL(f32_scale_shift);
    k->softmax_rows.run = VEC_SYMBOL(f32_softmax_rows);
    k->softmax_columns.run = VEC_SYMBOL(f32_softmax_columns);
    k->norm_columns.run = VEC_SYMBOL(f32_norm_columns);
    k->norm_row.run = VEC_SYMBOL(f32_norm_row);
}

#undef JOIN
#undef JOIN_OF
