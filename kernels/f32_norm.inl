/* f32_norm_columns and f32_norm_row: the last pass of group and layer normalisation. The mean is subtracted before the
 * scale is applied: folded into one multiply-add, a mean much larger than the deviation would cost the result its
 * digits. */
#include "kernels/f32_math_declare.inl"

void VEC_SYMBOL(f32_norm_columns)(size_t rows, size_t channels, const float *x, const float *mean, const float *scale,
                                  const float *shift, float *y) {
    for (size_t r = 0; r < rows; r++, x += channels, y += channels) {
        size_t c = 0;
        for (; c + VEC_WIDTH <= channels; c += VEC_WIDTH) {
            vecf d = vec_sub(vec_load(x + c), vec_load(mean + c));
            vec_store(y + c, vec_fma(d, vec_load(scale + c), vec_load(shift + c)));
        }
        size_t rest = channels - c;
        if (rest) {
            vecf d = vec_sub(vec_load_head(x + c, rest), vec_load_head(mean + c, rest));
            d = vec_fma(d, vec_load_head(scale + c, rest), vec_load_head(shift + c, rest));
            vec_store_head(y + c, d, rest);
        }
    }
}

void VEC_SYMBOL(f32_norm_row)(size_t n, const float *x, float mean, float rstd, const float *scale, const float *shift,
                              float *y) {
    vecf m = vec_set(mean), s = vec_set(rstd), t = vec_zero();
    size_t i = 0;
    for (; i + VEC_WIDTH <= n; i += VEC_WIDTH) {
        if (shift) t = vec_load(shift + i);
        vecf d = vec_mul(vec_sub(vec_load(x + i), m), s);
        vec_store(y + i, vec_fma(d, vec_load(scale + i), t));
    }
    size_t rest = n - i;
    if (rest) {
        if (shift) t = vec_load_head(shift + i, rest);
        vecf d = vec_mul(vec_sub(vec_load_head(x + i, rest), m), s);
        vec_store_head(y + i, vec_fma(d, vec_load_head(scale + i, rest), t), rest);
    }
}
