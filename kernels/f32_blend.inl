/* The family blend on vectors: include after kernels/vec/vec_<isa>.h. */
#include "kernels/f32_blend_list.h"
#include "kernels/f32_unroll.h"

/* A pixel of few channels, where masked vectors would cost more than they bring, and portable C. */
TMC_INLINE void blend_few(size_t taps, size_t inner, const float *const *x, const float *w, float *y) {
    for (size_t i = 0; i < inner; i++) {
        float acc = x[0][i] * w[0];
        TMC_UNROLL
        for (size_t t = 1; t < taps; t++) acc = vec_fma_one(x[t][i], w[t], acc);
        y[i] = acc;
    }
}

TMC_INLINE void blend_row(size_t taps, size_t inner, const float *const *x, const float *w, float *y) {
    vecf wv[4];
    TMC_UNROLL
    for (size_t t = 0; t < taps; t++) wv[t] = vec_set(w[t]);
    size_t i = 0;
    for (; i + VEC_WIDTH <= inner; i += VEC_WIDTH) {
        vecf acc = vec_mul(vec_load(x[0] + i), wv[0]);
        TMC_UNROLL
        for (size_t t = 1; t < taps; t++) acc = vec_fma(vec_load(x[t] + i), wv[t], acc);
        vec_store(y + i, acc);
    }
    const size_t rest = inner - i;
    if (rest) {
        vecf acc = vec_mul(vec_load_head(x[0] + i, rest), wv[0]);
        TMC_UNROLL
        for (size_t t = 1; t < taps; t++) acc = vec_fma(vec_load_head(x[t] + i, rest), wv[t], acc);
        vec_store_head(y + i, acc, rest);
    }
}

TMC_INLINE void blend_rows(size_t taps, const tmc_f32_blend_args *args) {
    const int32_t *index = args->index;
    const float *w = args->weight;
    float *y = args->y;
    for (size_t o = args->outputs; o > 0; o--, index += taps, w += taps, y += args->y_stride) {
        const float *x[4];
        TMC_UNROLL
        for (size_t t = 0; t < taps; t++) x[t] = args->x + (size_t)index[t] * args->x_stride;
        if (VEC_WIDTH == 1 || 2 * args->inner < VEC_WIDTH)
            blend_few(taps, args->inner, x, w, y);
        else
            blend_row(taps, args->inner, x, w, y);
    }
}

void VEC_SYMBOL(f32_blend)(const tmc_f32_blend_args *args) {
    if (VEC_WIDTH == 1)
        blend_rows(args->taps, args);
    else if (args->taps == 2)
        blend_rows(2, args);
    else
        blend_rows(4, args);
}
