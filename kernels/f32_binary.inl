/* f32_binary_<kind>: y = clamp(f(a, b)) over rows, each operand a vector or one value per row. */
#include "kernels/f32_elementary.inl"
#include "kernels/f32_math_declare.inl"
#include "kernels/f32_unroll.h"

typedef vecf (*binary_step)(vecf a, vecf b);

#if VEC_WIDTH == 1

TMC_INLINE void binary_rows(const tmc_f32_binary_args *g, binary_step step) {
    const size_t a_col = (size_t)g->a_col, b_col = (size_t)g->b_col;
    float *y = g->y;
    for (size_t r = 0; r < g->rows; r++) {
        const float *a = g->a + r * g->a_row, *b = g->b + r * g->b_row;
        for (size_t c = 0; c < g->cols; c++, a += a_col, b += b_col)
            *y++ = vec_min(g->hi, vec_max(g->lo, step(*a, *b)));
    }
}

#else

TMC_INLINE void binary_row(size_t n, const float *a, int a_col, const float *b, int b_col, float *y, vecf lo, vecf hi,
                           binary_step step) {
    size_t i = 0;
    vecf av = vec_set(*a), bv = vec_set(*b);
    for (; i + VEC_WIDTH <= n; i += VEC_WIDTH) {
        if (a_col) av = vec_load(a + i);
        if (b_col) bv = vec_load(b + i);
        vec_store(y + i, vec_min(hi, vec_max(lo, step(av, bv))));
    }
    if (i < n) {
        if (a_col) av = vec_load_head(a + i, n - i);
        if (b_col) bv = vec_load_head(b + i, n - i);
        vec_store_head(y + i, vec_min(hi, vec_max(lo, step(av, bv))), n - i);
    }
}

/* The four forms as constants, so that no loop tests which operand moves. */
TMC_INLINE void binary_rows(const tmc_f32_binary_args *g, binary_step step) {
    if (g->cols == 0) return;
    vecf lo = vec_set(g->lo), hi = vec_set(g->hi);
    for (size_t r = 0; r < g->rows; r++) {
        const float *a = g->a + r * g->a_row, *b = g->b + r * g->b_row;
        float *y = g->y + r * g->cols;
        if (g->a_col && g->b_col) {
            binary_row(g->cols, a, 1, b, 1, y, lo, hi, step);
        } else if (g->a_col) {
            binary_row(g->cols, a, 1, b, 0, y, lo, hi, step);
        } else {
            binary_row(g->cols, a, 0, b, g->b_col, y, lo, hi, step);
        }
    }
}

#endif

TMC_INLINE vecf step_add(vecf a, vecf b) { return vec_add(a, b); }
TMC_INLINE vecf step_sub(vecf a, vecf b) { return vec_sub(a, b); }
TMC_INLINE vecf step_mul(vecf a, vecf b) { return vec_mul(a, b); }
TMC_INLINE vecf step_div(vecf a, vecf b) { return vec_div(a, b); }
TMC_INLINE vecf step_min(vecf a, vecf b) { return math_min_nan(a, b); }
TMC_INLINE vecf step_max(vecf a, vecf b) { return math_max_nan(a, b); }
TMC_INLINE vecf step_prelu(vecf a, vecf b) { return vec_select(vec_lt(a, vec_zero()), vec_mul(a, b), a); }

#define X(NAME, name)                                                                                                  \
    void VEC_SYMBOL(f32_binary_##name)(const tmc_f32_binary_args *args) { binary_rows(args, step_##name); }
TMC_F32_BINARY_KERNELS(X)
#undef X
