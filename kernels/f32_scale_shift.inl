/* f32_scale_shift: y[r, c] = clamp(fma(x[r, c], scale[c], shift[c])). */
#include "kernels/f32_math_declare.inl"

void VEC_SYMBOL(f32_scale_shift)(const tmc_f32_scale_shift_args *args) {
    const vecf lo = vec_set(args->lo), hi = vec_set(args->hi);
    const float *x = args->x, *scale = args->scale, *shift = args->shift;
    const size_t channels = args->channels, x_row = args->x_row, y_row = args->y_row;
    float *y = args->y;
    for (size_t r = args->rows; r > 0; r--, x += x_row, y += y_row) {
        size_t c = 0;
        for (; c + VEC_WIDTH <= channels; c += VEC_WIDTH) {
            vecf v = vec_fma(vec_load(x + c), vec_load(scale + c), vec_load(shift + c));
            vec_store(y + c, vec_min(hi, vec_max(lo, v)));
        }
        size_t rest = channels - c;
        if (rest) {
            vecf v =
                vec_fma(vec_load_head(x + c, rest), vec_load_head(scale + c, rest), vec_load_head(shift + c, rest));
            vec_store_head(y + c, vec_min(hi, vec_max(lo, v)), rest);
        }
    }
}
