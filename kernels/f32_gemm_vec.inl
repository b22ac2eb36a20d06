/* gemm on vectors: include after kernels/vec/vec_<isa>.h with GEMM_MR, GEMM_NR and GEMM_NAME defined. A tile of fewer
 * rows has its own loop, so that a short tile costs its own rows only. */
#include "kernels/f32_conv_list.h"
#include "kernels/f32_unroll.h"

#define GEMM_NV (GEMM_NR / VEC_WIDTH)

/* The running sums of C. A panel with missing columns goes through a tile on the stack: it is rare, and masked moves of
 * every register are much code. */
TMC_INLINE void load_tile(const tmc_f32_gemm_args *args, size_t rows, vecf acc[][GEMM_NV]) {
    const size_t columns = args->columns;
    float tile[GEMM_MR][GEMM_NR] = {{0}};
    if (columns < GEMM_NR) {
        for (size_t r = 0; r < rows; r++)
            for (size_t n = 0; n < columns; n++) tile[r][n] = args->c[r][args->c_offset + n];
    }
    TMC_UNROLL
    for (size_t r = 0; r < rows; r++) {
        const float *c = columns < GEMM_NR ? tile[r] : args->c[r] + args->c_offset;
        TMC_UNROLL
        for (size_t v = 0; v < GEMM_NV; v++) acc[r][v] = vec_load(c + v * VEC_WIDTH);
    }
}

TMC_INLINE void store_tile(const tmc_f32_gemm_args *args, size_t rows, vecf acc[][GEMM_NV]) {
    const size_t columns = args->columns, offset = args->c_offset;
    /* Read before the first store, which the compiler must assume to change *args. */
    float *c[GEMM_MR];
    TMC_UNROLL
    for (size_t r = 0; r < rows; r++) c[r] = args->c[r] + offset;
    if (columns == GEMM_NR) {
        TMC_UNROLL
        for (size_t r = 0; r < rows; r++) {
            TMC_UNROLL
            for (size_t v = 0; v < GEMM_NV; v++) vec_store(c[r] + v * VEC_WIDTH, acc[r][v]);
        }
        return;
    }
    float tile[GEMM_MR][GEMM_NR];
    TMC_UNROLL
    for (size_t r = 0; r < rows; r++) {
        TMC_UNROLL
        for (size_t v = 0; v < GEMM_NV; v++) vec_store(tile[r] + v * VEC_WIDTH, acc[r][v]);
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t n = 0; n < columns; n++) args->c[r][offset + n] = tile[r][n];
}

#ifdef VEC_FMA_LANE
/* Four k with one load per row: an FMA by lane needs no broadcast. */
TMC_INLINE void k4_step(size_t rows, vecf acc[][GEMM_NV], const float *const a[], size_t k, const float **w) {
    vecf x[GEMM_MR];
    TMC_UNROLL
    for (size_t r = 0; r < rows; r++) x[r] = vec_load(a[r] + k);
#define GEMM_LANE(lane)                                                                                                \
    TMC_UNROLL                                                                                                         \
    for (size_t v = 0; v < GEMM_NV; v++) {                                                                             \
        vecf wv = vec_load(*w + lane * GEMM_NR + v * VEC_WIDTH);                                                       \
        TMC_UNROLL                                                                                                     \
        for (size_t r = 0; r < rows; r++) acc[r][v] = VEC_FMA_LANE(acc[r][v], wv, x[r], lane);                         \
    }
    GEMM_LANE(0)
    GEMM_LANE(1)
    GEMM_LANE(2)
    GEMM_LANE(3)
#undef GEMM_LANE
    *w += 4 * GEMM_NR;
}
#endif

TMC_INLINE void gemm_rows(const tmc_f32_gemm_args *args, size_t rows) {
    vecf acc[GEMM_MR][GEMM_NV];
    if (args->bias) {
        TMC_UNROLL
        for (size_t v = 0; v < GEMM_NV; v++) {
            vecf b = vec_load(args->bias + v * VEC_WIDTH);
            TMC_UNROLL
            for (size_t r = 0; r < rows; r++) acc[r][v] = b;
        }
    } else {
        load_tile(args, rows, acc);
    }

    const float *w = args->w;
    const float *const *tap = args->a;
    const size_t kc = args->kc, a_stride = args->a_stride;
    for (size_t t = args->taps; t > 0; t--, tap += a_stride) {
        const float *a[GEMM_MR];
        TMC_UNROLL
        for (size_t r = 0; r < rows; r++) a[r] = tap[r];
        size_t k = 0;
#ifdef VEC_FMA_LANE
        for (; k + 4 <= kc; k += 4) k4_step(rows, acc, a, k, &w);
#endif
        for (; k < kc; k++, w += GEMM_NR) {
            vecf wv[GEMM_NV];
            TMC_UNROLL
            for (size_t v = 0; v < GEMM_NV; v++) wv[v] = vec_load(w + v * VEC_WIDTH);
            TMC_UNROLL
            for (size_t r = 0; r < rows; r++) {
                vecf x = vec_set(a[r][k]);
                TMC_UNROLL
                for (size_t v = 0; v < GEMM_NV; v++) acc[r][v] = vec_fma(x, wv[v], acc[r][v]);
            }
        }
    }

    const vecf lo = vec_set(args->lo), hi = vec_set(args->hi);
    TMC_UNROLL
    for (size_t r = 0; r < rows; r++) {
        TMC_UNROLL
        for (size_t v = 0; v < GEMM_NV; v++) acc[r][v] = vec_min(hi, vec_max(lo, acc[r][v]));
    }
    store_tile(args, rows, acc);
}

void GEMM_NAME(const tmc_f32_gemm_args *args) {
    switch (args->rows) {
    case 1: gemm_rows(args, 1); break;
    case 2: gemm_rows(args, 2); break;
    case 3: gemm_rows(args, 3); break;
    case 4: gemm_rows(args, 4); break;
#if GEMM_MR >= 5
    case 5: gemm_rows(args, 5); break;
#endif
#if GEMM_MR >= 6
    case 6: gemm_rows(args, 6); break;
#endif
#if GEMM_MR >= 8
    case 7: gemm_rows(args, 7); break;
    case 8: gemm_rows(args, 8); break;
#endif
    default: break;
    }
}
