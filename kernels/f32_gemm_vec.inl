/* gemm on vectors: include after kernels/vec/vec_<isa>.h with GEMM_MR, GEMM_NR and GEMM_NAME defined. */
#include "kernels/f32_conv_list.h"
#include "kernels/f32_unroll.h"

#define GEMM_NV (GEMM_NR / VEC_WIDTH)

/* With fewer running sums than this the FMA units wait for their own results (latency 4, two units), so a shorter tile
 * would not be faster: it runs at the least height, its last row standing in for the missing ones. */
#define GEMM_SUMS 8
#define GEMM_LEAST (GEMM_SUMS / GEMM_NV)

/* Weights of deep layers come from memory, where the hardware's prefetchers leave half of the bandwidth unused: every
 * step asks for those 8 KiB on, into the L2 cache. A prefetch reads nothing and cannot fault. The assembler form uses
 * the pointer to the weights; of the builtin gcc makes a pointer of its own, and spills one of a tile of 14 rows. */
#if defined(__x86_64__) || defined(__i386__)
#define GEMM_AHEAD (8192 / sizeof(float))
#define GEMM_FETCH_AHEAD(p) __asm__ volatile("prefetcht1 %0" : : "m"(*(p)))
#else
#define GEMM_FETCH_AHEAD(p) (void)0
#endif

/* The row of the arguments that row r of a tile of `height` takes. Above 8 rows there is a body for every other height
 * only. */
TMC_INLINE size_t real_row(const tmc_f32_gemm_args *args, size_t height, size_t r) {
    return (height > GEMM_LEAST && height <= 8) || r < args->rows ? r : args->rows - 1;
}

/* The running sums of C. A panel with missing columns goes through a tile on the stack: it is rare, and masked moves of
 * every register are much code. */
TMC_INLINE void load_tile(const tmc_f32_gemm_args *args, size_t height, vecf acc[][GEMM_NV]) {
    const size_t columns = args->columns;
    float tile[GEMM_MR][GEMM_NR] = {{0}};
    if (columns < GEMM_NR) {
        for (size_t r = 0; r < args->rows; r++)
            for (size_t n = 0; n < columns; n++) tile[r][n] = args->c[r][args->c_offset + n];
    }
    TMC_UNROLL
    for (size_t r = 0; r < height; r++) {
        const float *c = columns < GEMM_NR ? tile[r] : args->c[real_row(args, height, r)] + args->c_offset;
        TMC_UNROLL
        for (size_t v = 0; v < GEMM_NV; v++) acc[r][v] = vec_load(c + v * VEC_WIDTH);
    }
}

TMC_INLINE void store_tile(const tmc_f32_gemm_args *args, size_t height, vecf acc[][GEMM_NV]) {
    const size_t columns = args->columns, offset = args->c_offset, rows = args->rows;
    /* Read before the first store, which the compiler must assume to change *args. */
    float *c[GEMM_MR];
    TMC_UNROLL
    for (size_t r = 0; r < height; r++) c[r] = args->c[real_row(args, height, r)] + offset;
    if (columns == GEMM_NR) {
        TMC_UNROLL
        for (size_t r = 0; r < height; r++) {
            TMC_UNROLL
            for (size_t v = 0; v < GEMM_NV; v++) vec_store(c[r] + v * VEC_WIDTH, acc[r][v]);
        }
        return;
    }
    float tile[GEMM_MR][GEMM_NR];
    TMC_UNROLL
    for (size_t r = 0; r < height; r++) {
        TMC_UNROLL
        for (size_t v = 0; v < GEMM_NV; v++) vec_store(tile[r] + v * VEC_WIDTH, acc[r][v]);
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t n = 0; n < columns; n++) c[r][n] = tile[r][n];
}

#ifdef VEC_FMA_LANE
/* Four k with one load per row: an FMA by lane needs no broadcast. */
TMC_INLINE void k4_step(size_t height, vecf acc[][GEMM_NV], const float *const a[], size_t k, const float **w) {
    vecf x[GEMM_MR];
    TMC_UNROLL
    for (size_t r = 0; r < height; r++) x[r] = vec_load(a[r] + k);
#define GEMM_LANE(lane)                                                                                                \
    TMC_UNROLL                                                                                                         \
    for (size_t v = 0; v < GEMM_NV; v++) {                                                                             \
        vecf wv = vec_load(*w + lane * GEMM_NR + v * VEC_WIDTH);                                                       \
        TMC_UNROLL                                                                                                     \
        for (size_t r = 0; r < height; r++) acc[r][v] = VEC_FMA_LANE(acc[r][v], wv, x[r], lane);                       \
    }
    GEMM_LANE(0)
    GEMM_LANE(1)
    GEMM_LANE(2)
    GEMM_LANE(3)
#undef GEMM_LANE
    *w += 4 * GEMM_NR;
}
#endif

TMC_INLINE void gemm_tile(const tmc_f32_gemm_args *args, size_t height) {
    vecf acc[GEMM_MR][GEMM_NV];
    if (args->bias) {
        TMC_UNROLL
        for (size_t v = 0; v < GEMM_NV; v++) {
            vecf b = vec_load(args->bias + v * VEC_WIDTH);
            TMC_UNROLL
            for (size_t r = 0; r < height; r++) acc[r][v] = b;
        }
    } else {
        load_tile(args, height, acc);
    }

    const float *w = args->w;
    const float *const *tap = args->a;
    const size_t kc = args->kc, a_stride = args->a_stride;
    for (size_t t = args->taps; t > 0; t--, tap += a_stride) {
        const float *a[GEMM_MR];
        TMC_UNROLL
        for (size_t r = 0; r < height; r++) a[r] = tap[real_row(args, height, r)];
        size_t k = 0;
#ifdef VEC_FMA_LANE
        for (; k + 4 <= kc; k += 4) k4_step(height, acc, a, k, &w);
#endif
        for (; k < kc; k++, w += GEMM_NR) {
            GEMM_FETCH_AHEAD(w + GEMM_AHEAD);
            vecf wv[GEMM_NV];
            TMC_UNROLL
            for (size_t v = 0; v < GEMM_NV; v++) wv[v] = vec_load(w + v * VEC_WIDTH);
            TMC_UNROLL
            for (size_t r = 0; r < height; r++) {
                vecf x = vec_set(a[r][k]);
                TMC_UNROLL
                for (size_t v = 0; v < GEMM_NV; v++) acc[r][v] = vec_fma(x, wv[v], acc[r][v]);
            }
        }
    }

    const vecf lo = vec_set(args->lo), hi = vec_set(args->hi);
    TMC_UNROLL
    for (size_t r = 0; r < height; r++) {
        TMC_UNROLL
        for (size_t v = 0; v < GEMM_NV; v++) acc[r][v] = vec_min(hi, vec_max(lo, acc[r][v]));
    }
    store_tile(args, height, acc);
}

void GEMM_NAME(const tmc_f32_gemm_args *args) {
    switch (args->rows) {
#if GEMM_MR >= 14 && GEMM_LEAST < 14
    case 14:
    case 13: gemm_tile(args, 14); break;
    case 12:
    case 11: gemm_tile(args, 12); break;
    case 10:
    case 9: gemm_tile(args, 10); break;
#endif
#if GEMM_MR >= 8 && GEMM_LEAST < 8
    case 8: gemm_tile(args, 8); break;
    case 7: gemm_tile(args, 7); break;
#endif
#if GEMM_MR >= 6 && GEMM_LEAST < 6
    case 6: gemm_tile(args, 6); break;
#endif
#if GEMM_MR >= 5 && GEMM_LEAST < 5
    case 5: gemm_tile(args, 5); break;
#endif
#if GEMM_MR >= 4 && GEMM_LEAST < 4
    case 4: gemm_tile(args, 4); break;
    case 3: gemm_tile(args, 3); break;
#endif
    default: gemm_tile(args, GEMM_LEAST); break;
    }
}
