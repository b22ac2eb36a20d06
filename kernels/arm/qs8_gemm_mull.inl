/* qs8_gemm without a dot product: define QS8_MR, QS8_NR and QS8_NAME first. Bytes are multiplied to int16
 * and added in pairs to int32: two sums for each column, each of two of a group's four k.
 *
 * Two products fit into an int16 unless both are (-128)^2, so where no weight of the panel is -128 those of two groups
 * are added there, which saves a quarter of the instructions. Whether this holds is asked once per call of many rows.
 */
#include "kernels/arm/qs8_gemm.h"

#define QS8_MANY 8                     /* rows */
#define QS8_AHEAD (QS8_NV > 1 ? 2 : 1) /* vectors */

TMC_INLINE void load_group(int8x16_t to[QS8_NV], const int8_t *w) {
    QS8_UNROLL
    for (size_t v = 0; v < QS8_NV; v++) to[v] = vld1q_s8(w + 16 * v);
}

/* One group of four k for a row, or two. Step after step for QS8_AHEAD vectors, since in-order cores wait for each. */
TMC_INLINE void add_group(int32x4_t acc[QS8_NV][2], const int8x16_t w[QS8_NV], int8x16_t in) {
    QS8_UNROLL
    for (size_t v = 0; v < QS8_NV; v += QS8_AHEAD) {
        int16x8_t y[2 * QS8_AHEAD];
        QS8_UNROLL
        for (size_t u = 0; u < QS8_AHEAD; u++) {
            y[2 * u] = vmull_s8(vget_low_s8(w[v + u]), vget_low_s8(in));
            y[2 * u + 1] = vmull_high_s8(w[v + u], in);
        }
        QS8_UNROLL
        for (size_t u = 0; u < 2 * QS8_AHEAD; u++) acc[v + u / 2][u % 2] = vpadalq_s16(acc[v + u / 2][u % 2], y[u]);
    }
}

TMC_INLINE void add_groups(int32x4_t acc[QS8_NV][2], const int8x16_t w[QS8_NV], const int8x16_t w2[QS8_NV],
                           int8x16_t in, int8x16_t in2) {
    QS8_UNROLL
    for (size_t v = 0; v < QS8_NV; v += QS8_AHEAD) {
        int16x8_t y[2 * QS8_AHEAD];
        QS8_UNROLL
        for (size_t u = 0; u < QS8_AHEAD; u++) {
            y[2 * u] = vmull_s8(vget_low_s8(w[v + u]), vget_low_s8(in));
            y[2 * u + 1] = vmull_high_s8(w[v + u], in);
        }
        QS8_UNROLL
        for (size_t u = 0; u < QS8_AHEAD; u++) {
            y[2 * u] = vmlal_s8(y[2 * u], vget_low_s8(w2[v + u]), vget_low_s8(in2));
            y[2 * u + 1] = vmlal_high_s8(y[2 * u + 1], w2[v + u], in2);
        }
        QS8_UNROLL
        for (size_t u = 0; u < 2 * QS8_AHEAD; u++) acc[v + u / 2][u % 2] = vpadalq_s16(acc[v + u / 2][u % 2], y[u]);
    }
}

TMC_INLINE int8x16_t broadcast(const char *p) { return vreinterpretq_s8_s32(vdupq_n_s32(four_bytes(p))); }

TMC_INLINE void run_height(const tmc_qs8_gemm_args *args, tmc_qs8_tiles *t, size_t height, bool by_two) {
    const size_t kc = args->kc, next_step = args->next_step;
    const ptrdiff_t a_step = t->a_step;
    const char *a_tile = t->a, *next = t->next;
    int8_t *c = t->c;
    for (size_t i = t->count; i > 0; i--) {
        int32x4_t acc[QS8_MR][QS8_NV][2];
        QS8_UNROLL
        for (size_t v = 0; v < QS8_NV; v++) {
            QS8_UNROLL
            for (size_t r = 0; r < height; r++) acc[r][v][0] = acc[r][v][1] = vdupq_n_s32(0);
        }
        const int8_t *w = (const int8_t *)args->panel + TMC_QS8_PANEL_HEADER * QS8_NR;
        const char *a_y = a_tile;
        for (size_t y = args->taps_y; y > 0; y--, a_y += args->y_step) {
            const char *a_x = a_y;
            for (size_t x = args->taps_x; x > 0; x--, a_x += args->x_step) {
                const char *a = a_x;
                size_t k = kc;
                for (; by_two && k >= 8; k -= 8, a += 8, w += 8 * QS8_NR) {
                    TMC_PREFETCH(next);
                    next += 2 * next_step;
                    int8x16_t w1[QS8_NV], w2[QS8_NV];
                    load_group(w1, w);
                    load_group(w2, w + 4 * QS8_NR);
                    QS8_UNROLL
                    for (size_t r = 0; r < height; r++) {
                        const char *row = a + (ptrdiff_t)r * a_step;
                        const int8x16_t in = broadcast(row), in2 = broadcast(row + 4);
                        add_groups(acc[r], w1, w2, in, in2);
                    }
                }
                for (; k > 0; k -= 4, a += 4, w += 4 * QS8_NR) {
                    int8x16_t w1[QS8_NV];
                    load_group(w1, w);
                    QS8_UNROLL
                    for (size_t r = 0; r < height; r++) {
                        add_group(acc[r], w1, broadcast(a + (ptrdiff_t)r * a_step));
                    }
                }
            }
        }
        int32x4_t sums[QS8_MR][QS8_NV];
        QS8_UNROLL
        for (size_t v = 0; v < QS8_NV; v++) {
            const int32x4_t bias = vld1q_s32((const int32_t *)args->panel + 4 * v);
            QS8_UNROLL
            for (size_t r = 0; r < height; r++) sums[r][v] = vaddq_s32(bias, vpaddq_s32(acc[r][v][0], acc[r][v][1]));
        }
        end_tile(args, sums, height, c, t->c_step);
        a_tile += (ptrdiff_t)height * a_step;
        c += (ptrdiff_t)height * t->c_step;
    }
    t->next = next;
}

static bool has_lowest(const int8_t *w, size_t bytes) {
    int8x16_t low = vdupq_n_s8(0);
    for (size_t i = 0; i < bytes; i += 16) low = vminq_s8(low, vld1q_s8(w + i));
    return vminvq_s8(low) == -128;
}

static void run_two(const tmc_qs8_gemm_args *args, tmc_qs8_tiles *t) {
    if (t->rows == QS8_MR)
        run_height(args, t, QS8_MR, true);
    else
        run_height(args, t, 1, false);
}

static void run_one(const tmc_qs8_gemm_args *args, tmc_qs8_tiles *t) {
    if (t->rows == QS8_MR)
        run_height(args, t, QS8_MR, false);
    else
        run_height(args, t, 1, false);
}

void QS8_NAME(const tmc_qs8_gemm_args *args) {
    const int8_t *w = (const int8_t *)args->panel + TMC_QS8_PANEL_HEADER * QS8_NR;
    const size_t bytes = args->taps_y * args->taps_x * args->kc * QS8_NR;
    const bool by_two = args->rows >= QS8_MANY && !has_lowest(w, bytes);
    tmc_qs8_gemm_cut(args, QS8_NR, TMC_QS8_HEIGHTS(QS8_MR, 1, 0, 0), by_two ? run_two : run_one);
}
