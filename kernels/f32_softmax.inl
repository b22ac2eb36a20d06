/* f32_softmax_rows and f32_softmax_columns: m = max x, e = exp(x - m), y = e / sum e; log: y = (x - m) - log(sum e).
 * The sum is that of f32_reduce over SUM_EXP: 16 partial sums and the tree in a row, one chain down a column. */
#include "kernels/f32_accumulate.inl"
#include "kernels/f32_math_declare.inl"

static float log_of(float a) {
    float y[VEC_WIDTH];
    vec_store(y, math_log(vec_set(a)));
    return y[0];
}

static float row_max(size_t n, const float *x) {
    float partial[ROW_PARTIALS];
    for (int j = 0; j < ROW_PARTIALS; j++) partial[j] = -MATH_INFINITY;
    accumulate_row(n, x, 0.0f, partial, step_max);
    return tmc_f32_reduce_tree(TMC_F32_REDUCE_MAX, partial);
}

/* y[i] = exp(x[i] - m). */
TMC_NOINLINE void row_exp(size_t n, const float *x, float *y, float m) {
    const vecf mv = vec_set(m);
    for (size_t i = 0; i < n; i += VEC_WIDTH)
        store_part(y + i, math_exp_low(vec_sub(load_part(x + i, n - i), mv)), n - i);
}

TMC_NOINLINE void row_add(size_t n, const float *x, float partial[ROW_PARTIALS]) {
    accumulate_row(n, x, 0.0f, partial, step_sum);
}

static float row_sum(size_t n, const float *x) {
    float partial[ROW_PARTIALS] = {0};
    row_add(n, x, partial);
    return tmc_f32_reduce_tree(TMC_F32_REDUCE_SUM, partial);
}

/* By way of the stack: y may be x, which is needed once more. */
static float row_sum_exp(size_t n, const float *x, float m) {
    float partial[ROW_PARTIALS] = {0}, e[16 * ROW_PARTIALS];
    const size_t block = sizeof e / sizeof *e;
    for (size_t i = 0; i < n; i += block) {
        const size_t count = n - i < block ? n - i : block;
        row_exp(count, x + i, e, m);
        row_add(count, e, partial);
    }
    return tmc_f32_reduce_tree(TMC_F32_REDUCE_SUM, partial);
}

static void row_divide(size_t n, float *y, float by) {
    vecf v = vec_set(by);
    for (size_t i = 0; i < n; i += VEC_WIDTH) store_part(y + i, vec_div(load_part(y + i, n - i), v), n - i);
}

static void row_subtract(size_t n, const float *x, float *y, float m, float log_sum) {
    vecf mv = vec_set(m), l = vec_set(log_sum);
    for (size_t i = 0; i < n; i += VEC_WIDTH)
        store_part(y + i, vec_sub(vec_sub(load_part(x + i, n - i), mv), l), n - i);
}

static void long_row(size_t n, const float *x, float *y, int log) {
    float m = row_max(n, x);
    if (log) {
        row_subtract(n, x, y, m, log_of(row_sum_exp(n, x, m)));
    } else {
        row_exp(n, x, y, m);
        row_divide(n, y, row_sum(n, y));
    }
}

typedef vecf (*pair_step)(vecf a, vecf b);
TMC_INLINE vecf pair_add(vecf a, vecf b) { return vec_add(a, b); }
TMC_INLINE vecf pair_max(vecf a, vecf b) { return math_max_nan(a, b); }

/* The tree over n <= 16 partial results of one element each. A missing one would be the identity, which changes
 * nothing: the maximum starts at -infinity, and a sum of exponentials is never -0. */
TMC_INLINE vecf short_tree(size_t n, vecf p[ROW_PARTIALS], pair_step step) {
    for (size_t h = ROW_PARTIALS / 2; h > 0; h /= 2)
        for (size_t j = 0; j < h && j + h < n; j++) p[j] = step(p[j], p[j + h]);
    return p[0];
}

/* VEC_WIDTH rows of n <= 16 at once, a row to a lane: the softmax over a few classes at every pixel of an image, where
 * vectors along the row would be nearly empty. A few times 10 ns for the block, where a row by itself costs 80. */
static void short_rows(size_t rows, size_t n, const float *x, float *y, int log) {
    float t[ROW_PARTIALS][VEC_WIDTH];
    vecf p[ROW_PARTIALS];
    for (size_t i = 0; i < n; i++) vec_store(t[i], vec_zero());
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < n; i++) t[i][r] = x[r * n + i];
    for (size_t i = 0; i < n; i++) p[i] = vec_load(t[i]);
    vecf m = short_tree(n, p, pair_max);
    for (size_t i = 0; i < n; i++) {
        vecf d = vec_sub(vec_load(t[i]), m);
        p[i] = math_exp_low(d);
        vec_store(t[i], log ? d : p[i]);
    }
    vecf sum = short_tree(n, p, pair_add), log_sum = log ? math_log(sum) : sum;
    for (size_t i = 0; i < n; i++) {
        vecf v = vec_load(t[i]);
        vec_store(t[i], log ? vec_sub(v, log_sum) : vec_div(v, sum));
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < n; i++) y[r * n + i] = t[i][r];
}

void VEC_SYMBOL(f32_softmax_rows)(size_t rows, size_t n, const float *x, float *y, int log) {
    if (n == 0) return;
    size_t step = VEC_WIDTH > 1 && n <= ROW_PARTIALS ? VEC_WIDTH : 1;
    for (size_t r = 0; r < rows; r += step) {
        if (step > 1) {
            short_rows(rows - r < step ? rows - r : step, n, x + r * n, y + r * n, log);
        } else {
            long_row(n, x + r * n, y + r * n, log);
        }
    }
}

/* `count` columns, a vector at most. */
static void columns_block(size_t n, size_t stride, const float *x, float *y, int log, size_t count) {
    vecf m = vec_set(-MATH_INFINITY), sum = vec_zero();
    for (size_t i = 0; i < n; i++) m = math_max_nan(m, load_part(x + i * stride, count));
    for (size_t i = 0; i < n; i++) {
        vecf e = math_exp_low(vec_sub(load_part(x + i * stride, count), m));
        sum = vec_add(sum, e);
        if (!log) store_part(y + i * stride, e, count);
    }
    vecf log_sum = log ? math_log(sum) : sum;
    for (size_t i = 0; i < n; i++) {
        vecf v = log ? vec_sub(vec_sub(load_part(x + i * stride, count), m), log_sum)
                     : vec_div(load_part(y + i * stride, count), sum);
        store_part(y + i * stride, v, count);
    }
}

void VEC_SYMBOL(f32_softmax_columns)(size_t n, size_t cols, size_t stride, const float *x, float *y, int log) {
    for (size_t c = 0; c < cols; c += VEC_WIDTH) columns_block(n, stride, x + c, y + c, log, cols - c);
}
