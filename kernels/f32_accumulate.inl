/* The steps of the reductions and the two orders in which they run; shared by reduce and softmax. */
#ifndef TMC_KERNELS_F32_ACCUMULATE_INL
#define TMC_KERNELS_F32_ACCUMULATE_INL

#include "kernels/f32_elementary.inl"
#include "kernels/f32_unroll.h"

typedef vecf (*reduce_step)(vecf acc, vecf x, vecf m);

TMC_INLINE vecf step_sum(vecf acc, vecf x, vecf m) { return (void)m, vec_add(acc, x); }
TMC_INLINE vecf step_sum_abs(vecf acc, vecf x, vecf m) { return (void)m, vec_add(acc, math_abs(x)); }
TMC_INLINE vecf step_sum_square(vecf acc, vecf x, vecf m) { return (void)m, vec_fma(x, x, acc); }
TMC_INLINE vecf step_sum_square_diff(vecf acc, vecf x, vecf m) {
    vecf d = vec_sub(x, m);
    return vec_fma(d, d, acc);
}
TMC_INLINE vecf step_sum_exp(vecf acc, vecf x, vecf m) { return vec_add(acc, math_exp(vec_sub(x, m))); }
TMC_INLINE vecf step_max(vecf acc, vecf x, vecf m) { return (void)m, math_max_nan(acc, x); }
TMC_INLINE vecf step_min(vecf acc, vecf x, vecf m) { return (void)m, math_min_nan(acc, x); }
TMC_INLINE vecf step_prod(vecf acc, vecf x, vecf m) { return (void)m, vec_mul(acc, x); }

#define ROW_PARTIALS 16
#define ROW_VECTORS (ROW_PARTIALS / VEC_WIDTH)

/* partial[j] takes x[j], x[j + 16], x[j + 32], ... */
TMC_INLINE void accumulate_row(size_t n, const float *x, float m, float partial[ROW_PARTIALS], reduce_step step) {
    vecf acc[ROW_VECTORS], mv = vec_set(m);
    TMC_UNROLL
    for (size_t v = 0; v < ROW_VECTORS; v++) acc[v] = vec_load(partial + v * VEC_WIDTH);
    size_t i = 0;
    for (; i + ROW_PARTIALS <= n; i += ROW_PARTIALS) {
        TMC_UNROLL
        for (size_t v = 0; v < ROW_VECTORS; v++) acc[v] = step(acc[v], vec_load(x + i + v * VEC_WIDTH), mv);
    }
    TMC_UNROLL
    for (size_t v = 0; v < ROW_VECTORS; v++) vec_store(partial + v * VEC_WIDTH, acc[v]);

    for (; i + VEC_WIDTH <= n; i += VEC_WIDTH) {
        float *p = partial + i % ROW_PARTIALS;
        vec_store(p, step(vec_load(p), vec_load(x + i), mv));
    }
    if (i < n) {
        float *p = partial + i % ROW_PARTIALS;
        vec_store_head(p, step(vec_load_head(p, n - i), vec_load_head(x + i, n - i), mv), n - i);
    }
}

/* acc[c] takes x[c], x[stride + c], ...: one chain per column. Four vectors of columns at a time hide the latency of
 * the addition. */
#define COLUMN_VECTORS 4

TMC_INLINE void accumulate_columns(size_t rows, size_t cols, size_t stride, const float *x, const float *m, float *out,
                                   int with_m, reduce_step step) {
    size_t c = 0;
    for (; c + COLUMN_VECTORS * VEC_WIDTH <= cols; c += COLUMN_VECTORS * VEC_WIDTH) {
        vecf acc[COLUMN_VECTORS], mv[COLUMN_VECTORS];
        TMC_UNROLL
        for (size_t v = 0; v < COLUMN_VECTORS; v++) {
            acc[v] = vec_load(out + c + v * VEC_WIDTH);
            mv[v] = with_m ? vec_load(m + c + v * VEC_WIDTH) : vec_zero();
        }
        for (size_t r = 0; r < rows; r++) {
            TMC_UNROLL
            for (size_t v = 0; v < COLUMN_VECTORS; v++)
                acc[v] = step(acc[v], vec_load(x + r * stride + c + v * VEC_WIDTH), mv[v]);
        }
        TMC_UNROLL
        for (size_t v = 0; v < COLUMN_VECTORS; v++) vec_store(out + c + v * VEC_WIDTH, acc[v]);
    }
    for (; c + VEC_WIDTH <= cols; c += VEC_WIDTH) {
        vecf acc = vec_load(out + c), mv = with_m ? vec_load(m + c) : vec_zero();
        for (size_t r = 0; r < rows; r++) acc = step(acc, vec_load(x + r * stride + c), mv);
        vec_store(out + c, acc);
    }
    size_t rest = cols - c;
    if (rest) {
        vecf acc = vec_load_head(out + c, rest), mv = with_m ? vec_load_head(m + c, rest) : vec_zero();
        for (size_t r = 0; r < rows; r++) acc = step(acc, vec_load_head(x + r * stride + c, rest), mv);
        vec_store_head(out + c, acc, rest);
    }
}

#endif
