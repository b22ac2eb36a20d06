/* f32_scale_shift: y[r, c] = clamp(fma(x[r, c], scale[c], shift[c])). */
#include "kernels/f32_math_declare.inl"

void VEC_SYMBOL(f32_scale_shift)(size_t rows, size_t channels, const float *x, const float *scale, const float *shift,
                                 float *y, float lo, float hi) {
    vecf lov = vec_set(lo), hiv = vec_set(hi);
    for (size_t r = 0; r < rows; r++, x += channels, y += channels) {
        size_t c = 0;
        for (; c + VEC_WIDTH <= channels; c += VEC_WIDTH) {
            vecf v = vec_fma(vec_load(x + c), vec_load(scale + c), vec_load(shift + c));
            vec_store(y + c, vec_min(hiv, vec_max(lov, v)));
        }
        size_t rest = channels - c;
        if (rest) {
            vecf v =
                vec_fma(vec_load_head(x + c, rest), vec_load_head(scale + c, rest), vec_load_head(shift + c, rest));
            vec_store_head(y + c, vec_min(hiv, vec_max(lov, v)), rest);
        }
    }
}
