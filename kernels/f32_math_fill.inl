/* static void fill_<VEC_ISA>(tmc_f32_math_kernels *): every entry that this instruction set has. Needs VEC_ISA and
 * VEC_LEVEL, its tmc_isa. */
#include "kernels/f32_math_declare.inl"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define JOIN_OF(a, b) a##b
#define JOIN(a, b) JOIN_OF(a, b)
#define SET(entry, stem)                                                                                               \
    (entry).run = VEC_SYMBOL(stem), (entry).name = #stem "__" TEXT(VEC_ISA), (entry).isa = VEC_LEVEL

static void JOIN(fill_, VEC_ISA)(tmc_f32_math_kernels *k) {
#define X(NAME, name) SET(k->unary[TMC_F32_UNARY_##NAME], f32_unary_##name);
    TMC_F32_UNARY_KERNELS(X)
#undef X
#define X(NAME, name) SET(k->binary[TMC_F32_BINARY_##NAME], f32_binary_##name);
    TMC_F32_BINARY_KERNELS(X)
#undef X
#define X(NAME, name, identity, combine)                                                                               \
    SET(k->reduce_row[TMC_F32_REDUCE_##NAME], f32_reduce_row_##name);                                                  \
    SET(k->reduce_columns[TMC_F32_REDUCE_##NAME], f32_reduce_columns_##name);
    TMC_F32_REDUCE_KERNELS(X)
#undef X
    SET(k->scale_shift, f32_scale_shift);
    SET(k->softmax_rows, f32_softmax_rows);
    SET(k->softmax_columns, f32_softmax_columns);
    SET(k->norm_columns, f32_norm_columns);
    SET(k->norm_row, f32_norm_row);
}

#undef SET
#undef JOIN
#undef JOIN_OF
#undef TEXT
#undef TEXT_OF
