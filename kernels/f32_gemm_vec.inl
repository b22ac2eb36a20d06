/* gemm on vectors: include after kernels/vec/vec_<isa>.h with GEMM_MR, GEMM_NR and GEMM_NAME defined; GEMM_NR2 too for
 * the kernels of two neighbouring panels, the second one VEC_WIDTH wide or, with vec_load4 and vec_store4, 4. */
#include <stdint.h>

#include "kernels/f32_conv_list.h"
#include "kernels/f32_gemm_cut.h"
#include "kernels/f32_unroll.h"

#define GEMM_NV1 (GEMM_NR / VEC_WIDTH) /* vectors of the first panel */
#ifdef GEMM_NR2
#define GEMM_NV (GEMM_NV1 + 1)
#define GEMM_COLUMNS (GEMM_NR + GEMM_NR2)
#else
#define GEMM_NV GEMM_NV1
#define GEMM_COLUMNS GEMM_NR
#define GEMM_NR2 0
#endif

/* With fewer running sums than this the FMA units wait for their own results (latency 4, two units), so a shorter tile
 * would not be faster: it runs at the least height, its last row standing in for the missing ones. */
#define GEMM_SUMS 8
#ifndef GEMM_LEAST /* more where lower tiles are too rare for code of their own */
#define GEMM_LEAST ((GEMM_SUMS + GEMM_NV - 1) / GEMM_NV)
#endif

/* One row of the panels: p of the first one, q of the second. */
TMC_INLINE void load_row(const float *p, const float *q, vecf row[GEMM_NV]) {
    TMC_UNROLL
    for (size_t v = 0; v < GEMM_NV1; v++) row[v] = vec_load(p + v * VEC_WIDTH);
#if GEMM_NR2 == VEC_WIDTH
    row[GEMM_NV1] = vec_load(q);
#elif GEMM_NR2
    row[GEMM_NV1] = vec_load4(q);
#else
    (void)q;
#endif
}

TMC_INLINE void store_row(float *p, const vecf row[GEMM_NV]) {
    TMC_UNROLL
    for (size_t v = 0; v < GEMM_NV1; v++) vec_store(p + v * VEC_WIDTH, row[v]);
#if GEMM_NR2 == VEC_WIDTH
    vec_store(p + GEMM_NR, row[GEMM_NV1]);
#elif GEMM_NR2
    vec_store4(p + GEMM_NR, row[GEMM_NV1]);
#endif
}

#ifdef VEC_FMA_LANE
/* Four k with one load per row: an FMA by lane needs no broadcast. */
TMC_INLINE void k4_step(size_t height, vecf acc[][GEMM_NV], const vecf x[], const float *w) {
#define GEMM_LANE(lane)                                                                                                \
    TMC_UNROLL                                                                                                         \
    for (size_t v = 0; v < GEMM_NV; v++) {                                                                             \
        vecf wv = vec_load(w + lane * GEMM_NR + v * VEC_WIDTH);                                                        \
        TMC_UNROLL                                                                                                     \
        for (size_t r = 0; r < height; r++) acc[r][v] = VEC_FMA_LANE(acc[r][v], wv, x[r], lane);                       \
    }
    GEMM_LANE(0)
    GEMM_LANE(1)
    GEMM_LANE(2)
    GEMM_LANE(3)
#undef GEMM_LANE
}
#endif

/* Row r of a tile in A and C. */
#define GEMM_A(r) (steps ? a_first + (ptrdiff_t)(r)*a_step : a[r] + k)
#define GEMM_C(r) (steps ? c_first + (ptrdiff_t)(r)*c_step : c_rows[r] + t->c_offset)

/* `steps`: rows lie a_step and c_step apart. That has code of its own, since with a short k the finding of rows is what
 * a tile costs. */
TMC_INLINE void run_height(const tmc_f32_gemm_args *args, tmc_gemm_tiles *t, size_t height, bool steps) {
    const size_t next_step = args->next_step;
    const ptrdiff_t a_step = args->a_step, c_step = t->c_step;
    ptrdiff_t a_offset = steps ? (ptrdiff_t)t->first * a_step : 0;
    const float *const *a_rows = args->a + (steps ? 0 : t->first);
    float *const *c_rows = t->c, *c_first = t->c[0] + t->c_offset;
    const char *next = t->next;
    for (size_t i = t->count; i > 0; i--) {
        vecf acc[GEMM_MR][GEMM_NV];
        if (args->bias) {
            vecf b[GEMM_NV];
            load_row(args->bias, args->bias2, b);
            TMC_UNROLL
            for (size_t r = 0; r < height; r++) {
                TMC_UNROLL
                for (size_t v = 0; v < GEMM_NV; v++) acc[r][v] = b[v];
            }
        } else {
            TMC_UNROLL
            for (size_t r = 0; r < height; r++) load_row(GEMM_C(r), GEMM_C(r) + GEMM_NR, acc[r]);
        }

        const float *w = args->w, *w2 = GEMM_NR2 ? args->w2 : w, *const *tap = a_rows;
        for (size_t n = args->taps; n > 0; n--, tap += args->a_stride) {
            const float *a[GEMM_MR], *a_first = tap[0] + a_offset;
            if (!steps) {
                TMC_UNROLL
                for (size_t r = 0; r < height; r++) a[r] = tap[r];
            }
            const size_t kc = args->kc;
            size_t k = 0;
#ifdef VEC_FMA_LANE
            for (; k + 4 <= kc; k += 4, a_first += 4, w += 4 * GEMM_NR, next += 4 * next_step) {
                TMC_PREFETCH(next);
                vecf x[GEMM_MR];
                TMC_UNROLL
                for (size_t r = 0; r < height; r++) x[r] = vec_load(GEMM_A(r));
                k4_step(height, acc, x, w);
            }
#endif
            for (; k < kc; k++, a_first++, w += GEMM_NR, w2 += GEMM_NR2, next += next_step) {
                if ((uintptr_t)next % 64 < next_step) TMC_PREFETCH(next); /* once for each cache line */
                vecf wv[GEMM_NV];
                load_row(w, w2, wv);
                TMC_UNROLL
                for (size_t r = 0; r < height; r++) {
                    vecf x = vec_set(*GEMM_A(r));
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
        TMC_UNROLL
        for (size_t r = 0; r < height; r++) store_row(GEMM_C(r), acc[r]);
        if (steps)
            a_offset += (ptrdiff_t)height * a_step, c_first += (ptrdiff_t)height * c_step;
        else
            a_rows += height, c_rows += height;
    }
    t->next = next;
}

#if GEMM_MR > 8 || GEMM_LEAST < 2
#error "every height from GEMM_LEAST to GEMM_MR needs a body"
#endif

TMC_INLINE void run_heights(const tmc_f32_gemm_args *args, tmc_gemm_tiles *t, bool steps) {
    switch (t->rows) {
#if GEMM_LEAST < 7 && GEMM_MR > 7
    case 7: run_height(args, t, 7, steps); break;
#endif
#if GEMM_LEAST < 6 && GEMM_MR > 6
    case 6: run_height(args, t, 6, steps); break;
#endif
#if GEMM_LEAST < 5 && GEMM_MR > 5
    case 5: run_height(args, t, 5, steps); break;
#endif
#if GEMM_LEAST < 4 && GEMM_MR > 4
    case 4: run_height(args, t, 4, steps); break;
#endif
#if GEMM_LEAST < 3 && GEMM_MR > 3
    case 3: run_height(args, t, 3, steps); break;
#endif
#if GEMM_LEAST < GEMM_MR
    case GEMM_LEAST: run_height(args, t, GEMM_LEAST, steps); break;
#endif
    default: run_height(args, t, GEMM_MR, steps); break;
    }
}

static void run_named(const tmc_f32_gemm_args *args, tmc_gemm_tiles *t) { run_heights(args, t, false); }

static void run_stepped(const tmc_f32_gemm_args *args, tmc_gemm_tiles *t) { run_heights(args, t, true); }

void GEMM_NAME(const tmc_f32_gemm_args *args) {
    tmc_gemm_cut(args, GEMM_MR, GEMM_LEAST, GEMM_NR, GEMM_NR2, run_named, run_stepped);
}
