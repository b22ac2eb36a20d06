#include "kernels/f32_math.h"

#include <string.h>

#include "kernels/f32_math_ref.h"

#define LABEL(entry) (entry).name = stems, (entry).isa = isa, stems += strlen(stems) + 1

/* For a level that has every kind. The names are one text, one after the other with their ends: a pointer for each in a
 * constant table would cost 72 bytes of relocations and table per kernel. */
static void label_entries(tmc_f32_math_kernels *k, tmc_isa isa) {
    /* clang-format off */
    const char *stems =
#define X(NAME, name) "f32_unary_" #name "\0"
        TMC_F32_UNARY_KERNELS(X)
#undef X
#define X(NAME, name) "f32_binary_" #name "\0"
        TMC_F32_BINARY_KERNELS(X)
#undef X
#define X(NAME, name, identity, combine) "f32_reduce_row_" #name "\0f32_reduce_columns_" #name "\0"
        TMC_F32_REDUCE_KERNELS(X)
#undef X
        "f32_scale_shift\0f32_softmax_rows\0f32_softmax_columns\0f32_norm_columns\0f32_norm_row";
    /* clang-format on */
    for (size_t i = 0; i < TMC_F32_UNARY_COUNT; i++) LABEL(k->unary[i]);
    for (size_t i = 0; i < TMC_F32_BINARY_POW; i++) LABEL(k->binary[i]);
    for (size_t i = 0; i < TMC_F32_REDUCE_COUNT; i++) {
        LABEL(k->reduce_row[i]);
        LABEL(k->reduce_columns[i]);
    }
    LABEL(k->scale_shift);
    LABEL(k->softmax_rows);
    LABEL(k->softmax_columns);
    LABEL(k->norm_columns);
    LABEL(k->norm_row);
}

#define VEC_ISA ref
#define VEC_LEVEL TMC_ISA_REF
#include "kernels/f32_math_fill.inl"
#undef VEC_ISA
#undef VEC_LEVEL

#if defined(__x86_64__) || defined(__i386__)
#define VEC_ISA avx2
#define VEC_LEVEL TMC_ISA_AVX2
#include "kernels/f32_math_fill.inl"
#undef VEC_ISA
#undef VEC_LEVEL
#define VEC_ISA avx512
#include "kernels/f32_math_declare.inl"
#undef VEC_ISA
#define VEC_ISA sse41
#include "kernels/f32_math_declare.inl"
#undef VEC_ISA

/* Two levels that have some kinds only, over those of the next lower one: docs/decisions/0009-levels.md. */
#define SET(place, symbol, isa_suffix, ISA) (place).run = tmc_##symbol##__##isa_suffix, (place).isa = TMC_ISA_##ISA

static void add_avx512(tmc_f32_math_kernels *k) {
#define X(NAME, name) SET(k->unary[TMC_F32_UNARY_##NAME], f32_unary_##name, avx512, AVX512);
    TMC_F32_UNARY_GATES(X)
#undef X
}

static void add_sse41(tmc_f32_math_kernels *k) {
#define X(NAME, name) SET(k->unary[TMC_F32_UNARY_##NAME], f32_unary_##name, sse41, SSE41);
    TMC_F32_UNARY_GATES(X)
    TMC_F32_UNARY_CURVES(X)
    TMC_F32_UNARY_FUSED(X)
#undef X
#define X(NAME, name, identity, combine)                                                                               \
    SET(k->reduce_row[TMC_F32_REDUCE_##NAME], f32_reduce_row_##name, sse41, SSE41);                                    \
    SET(k->reduce_columns[TMC_F32_REDUCE_##NAME], f32_reduce_columns_##name, sse41, SSE41);
    TMC_F32_REDUCE_FUSED(X)
#undef X
    SET(k->scale_shift, f32_scale_shift, sse41, SSE41);
    SET(k->softmax_rows, f32_softmax_rows, sse41, SSE41);
    SET(k->softmax_columns, f32_softmax_columns, sse41, SSE41);
    SET(k->norm_columns, f32_norm_columns, sse41, SSE41);
    SET(k->norm_row, f32_norm_row, sse41, SSE41);
}
#elif defined(__aarch64__)
#define VEC_ISA neon
#define VEC_LEVEL TMC_ISA_NEON
#include "kernels/f32_math_fill.inl"
#undef VEC_ISA
#undef VEC_LEVEL
#endif

void tmc_f32_math_select(tmc_isa isa, tmc_f32_math_kernels *kernels) {
    fill_ref(kernels);
    kernels->binary[TMC_F32_BINARY_POW] =
        (tmc_f32_binary_kernel){tmc_f32_binary_pow__ref, "f32_binary_pow", TMC_ISA_REF};
    kernels->binary[TMC_F32_BINARY_MOD] =
        (tmc_f32_binary_kernel){tmc_f32_binary_mod__ref, "f32_binary_mod", TMC_ISA_REF};
    kernels->lrn = (tmc_f32_lrn_kernel){tmc_f32_lrn__ref, "f32_lrn", TMC_ISA_REF};
#if defined(__x86_64__) || defined(__i386__)
    if (isa == TMC_ISA_AVX2 || isa == TMC_ISA_AVX512) fill_avx2(kernels);
    if (isa == TMC_ISA_AVX512) add_avx512(kernels);
    if (isa == TMC_ISA_SSE41) add_sse41(kernels);
#elif defined(__aarch64__)
    if (isa == TMC_ISA_NEON) fill_neon(kernels);
#else
    (void)isa;
#endif
}

float tmc_f32_max_nan(float a, float b) {
    if (a != a) return a;
    return a > b ? a : b;
}

float tmc_f32_min_nan(float a, float b) {
    if (a != a) return a;
    return a < b ? a : b;
}

float tmc_f32_reduce_identity(int kind) {
    switch (kind) {
#define X(NAME, name, identity, combine)                                                                               \
    case TMC_F32_REDUCE_##NAME: return identity;
        TMC_F32_REDUCE_KERNELS(X)
#undef X
    default: return 0.0f;
    }
}

static float combine_add(float a, float b) { return a + b; }
static float combine_mul(float a, float b) { return a * b; }
static float combine_max(float a, float b) { return tmc_f32_max_nan(a, b); }
static float combine_min(float a, float b) { return tmc_f32_min_nan(a, b); }

static inline float tree(float partial[16], float (*combine)(float, float)) {
    for (int h = 8; h > 0; h /= 2)
        for (int j = 0; j < h; j++) partial[j] = combine(partial[j], partial[j + h]);
    return partial[0];
}

float tmc_f32_reduce_tree(int kind, float partial[16]) {
    switch (kind) {
#define X(NAME, name, identity, combine)                                                                               \
    case TMC_F32_REDUCE_##NAME: return tree(partial, combine_##combine);
        TMC_F32_REDUCE_KERNELS(X)
#undef X
    default: return 0.0f;
    }
}
