/* qs8_gemm with the dot product of four bytes: define QS8_MR, QS8_NR, QS8_HEIGHTS, QS8_NAME and QS8_TILES first. The
 * panel's rows are the second operands as they are; 16 k of a row of A are one register, taken by element. */
#include "kernels/arm/qs8_gemm.h"

#define QS8_AHEAD (QS8_NV > 1 ? 2 : 1)

/* One group of four k: the lane of `in` that holds it. Two weights at once, so that in-order cores wait less. */
#define QS8_STEP(lane)                                                                                                 \
    QS8_UNROLL                                                                                                         \
    for (size_t v = 0; v < QS8_NV; v += QS8_AHEAD) {                                                                   \
        int8x16_t wv[QS8_AHEAD];                                                                                       \
        QS8_UNROLL                                                                                                     \
        for (size_t u = 0; u < QS8_AHEAD; u++) wv[u] = vld1q_s8(w + 16 * (v + u));                                     \
        QS8_UNROLL                                                                                                     \
        for (size_t u = 0; u < QS8_AHEAD; u++) {                                                                       \
            QS8_UNROLL                                                                                                 \
            for (size_t r = 0; r < height; r++) acc[r][v + u] = vdotq_laneq_s32(acc[r][v + u], wv[u], in[r], lane);    \
        }                                                                                                              \
    }                                                                                                                  \
    w += 4 * QS8_NR;

TMC_INLINE void run_height(const tmc_qs8_gemm_args *args, tmc_qs8_tiles *t, size_t height) {
    const size_t kc = args->kc, next_step = 4 * args->next_step;
    const ptrdiff_t a_step = t->a_step;
    const char *a_tile = t->a, *next = t->next;
    int8_t *c = t->c;
    for (size_t i = t->count; i > 0; i--) {
        int32x4_t acc[QS8_MR][QS8_NV];
        QS8_UNROLL
        for (size_t v = 0; v < QS8_NV; v++) {
            const int32x4_t bias = vld1q_s32((const int32_t *)args->panel + 4 * v);
            QS8_UNROLL
            for (size_t r = 0; r < height; r++) acc[r][v] = bias;
        }
        const int8_t *w = (const int8_t *)args->panel + TMC_QS8_PANEL_HEADER * QS8_NR;
        const char *a_y = a_tile;
        for (size_t y = args->taps_y; y > 0; y--, a_y += args->y_step) {
            const char *a_x = a_y;
            for (size_t x = args->taps_x; x > 0; x--, a_x += args->x_step) {
                const char *a = a_x;
                int8x16_t in[QS8_MR];
                size_t k = kc;
                for (; k >= 16; k -= 16, a += 16) {
                    TMC_PREFETCH(next);
                    next += next_step;
                    QS8_UNROLL
                    for (size_t r = 0; r < height; r++) in[r] = vld1q_s8((const int8_t *)a + (ptrdiff_t)r * a_step);
                    QS8_STEP(0)
                    QS8_STEP(1)
                    QS8_STEP(2)
                    QS8_STEP(3)
                }
                for (; k > 0; k -= 4, a += 4) {
                    QS8_UNROLL
                    for (size_t r = 0; r < height; r++)
                        in[r] = vreinterpretq_s8_s32(vdupq_n_s32(four_bytes(a + (ptrdiff_t)r * a_step)));
                    QS8_STEP(0)
                }
            }
        }
        end_tile(args, acc, height, c, t->c_step);
        a_tile += (ptrdiff_t)height * a_step;
        c += (ptrdiff_t)height * t->c_step;
    }
    t->next = next;
}

void QS8_TILES(const tmc_qs8_gemm_args *args, tmc_qs8_tiles *t) {
    QS8_CASE(4)
    QS8_CASE(2)
    QS8_CASE(1)
    run_height(args, t, QS8_MR);
}

void QS8_NAME(const tmc_qs8_gemm_args *args) { tmc_qs8_gemm_cut(args, QS8_NR, QS8_HEIGHTS, QS8_TILES); }
