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

/* The first `count` lanes of a vector, all if count >= VEC_WIDTH. One body for whole and shorter vectors where a second
 * one would hold another exponential. */
TMC_INLINE vecf load_part(const float *p, size_t count) {
    return count >= VEC_WIDTH ? vec_load(p) : vec_load_head(p, count);
}
TMC_INLINE void store_part(float *p, vecf a, size_t count) {
    if (count >= VEC_WIDTH)
        vec_store(p, a);
    else
        vec_store_head(p, a, count);
}

#if VEC_WIDTH == 1

/* Both orders as the contract in kernels/f32_math.h has them. */
TMC_INLINE void accumulate_row(size_t n, const float *x, float m, float partial[ROW_PARTIALS], reduce_step step) {
    for (size_t i = 0; i < n; i++) partial[i % ROW_PARTIALS] = step(partial[i % ROW_PARTIALS], x[i], m);
}

TMC_INLINE void accumulate_columns(size_t rows, size_t cols, size_t stride, const float *x, const float *m, float *out,
                                   int with_m, reduce_step step) {
    for (size_t r = 0; r < rows; r++, x += stride)
        for (size_t c = 0; c < cols; c++) out[c] = step(out[c], x[c], with_m ? m[c] : 0.0f);
}

#else

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

    for (; i < n; i += VEC_WIDTH) {
        float *p = partial + i % ROW_PARTIALS;
        const size_t count = n - i;
        store_part(p, step(load_part(p, count), load_part(x + i, count), mv), count);
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
    for (; c < cols; c += VEC_WIDTH) {
        const size_t count = cols - c;
        vecf acc = load_part(out + c, count), mv = with_m ? load_part(m + c, count) : vec_zero();
        for (size_t r = 0; r < rows; r++) acc = step(acc, load_part(x + r * stride + c, count), mv);
        store_part(out + c, acc, count);
    }
}

#endif

#endif
