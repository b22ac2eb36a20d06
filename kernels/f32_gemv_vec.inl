/* gemv on vectors, GEMV_PANELS panels of 16 columns side by side: with one row a single panel has too few accumulators
 * to hide the latency of the FMA, and the weights could not stream at the speed of the caches. Define GEMV_PANELS (2
 * where vectors of 4 fill 8 of 16 registers so, else 4) and GEMV_NAME first. */
#include "kernels/f32_conv_list.h"
#include "kernels/f32_unroll.h"

#define GEMV_NR 16
#define GEMV_NV (GEMV_NR / VEC_WIDTH)

TMC_INLINE void gemv_panels(const tmc_f32_gemv_args *args, size_t panels) {
    vecf acc[GEMV_PANELS][GEMV_NV];
    const float *w[GEMV_PANELS];
    TMC_UNROLL
    for (size_t i = 0; i < panels; i++) {
        w[i] = args->w + i * args->panel_stride;
        TMC_UNROLL
        for (size_t v = 0; v < GEMV_NV; v++) acc[i][v] = vec_load(w[i] + v * VEC_WIDTH);
        w[i] += GEMV_NR;
    }
    const float *a = args->a;
    const size_t k_end = args->k;
    for (size_t k = 0; k < k_end; k++) {
        vecf x = vec_set(a[k]);
        TMC_UNROLL
        for (size_t i = 0; i < panels; i++) {
            TMC_UNROLL
            for (size_t v = 0; v < GEMV_NV; v++)
                acc[i][v] = vec_fma(x, vec_load(w[i] + k * GEMV_NR + v * VEC_WIDTH), acc[i][v]);
        }
    }
    const vecf lo = vec_set(args->lo), hi = vec_set(args->hi);
    TMC_UNROLL
    for (size_t i = 0; i < panels; i++) {
        TMC_UNROLL
        for (size_t v = 0; v < GEMV_NV; v++)
            vec_store(args->c + i * GEMV_NR + v * VEC_WIDTH, vec_min(hi, vec_max(lo, acc[i][v])));
    }
}

void GEMV_NAME(const tmc_f32_gemv_args *args) {
    switch (args->panels) {
    case 1: gemv_panels(args, 1); break;
    case 2: gemv_panels(args, 2); break;
#if GEMV_PANELS > 2
    case 3: gemv_panels(args, 3); break;
    case 4: gemv_panels(args, 4); break;
#endif
    default: break;
    }
}
