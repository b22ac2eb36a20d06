/* qs8_gemm with products of 2x8 by 8x2 bytes: define QS8_MR, QS8_NR, QS8_HEIGHTS, QS8_NAME and QS8_TILES first.
 * QS8_TILES, the dot product's, does the heights below four: there the panel's rearranging would cost more than the
 * products save. Two groups of four k of the panel, zipped, are columns of eight k; eight k of two rows of A are one
 * register. A sum is 2x2: two columns of a row, then of the next. */
#include "kernels/arm/qs8_gemm.h"

#define QS8_PAIRS (QS8_MR / 2)
#define QS8_BLOCKS (QS8_NR / 2) /* pairs of columns */

/* Eight k: two groups of the panel, whose distance is 4 * QS8_NR, or 0 at the end of an odd number of groups. */
#define QS8_STEP(distance)                                                                                             \
    QS8_UNROLL                                                                                                         \
    for (size_t v = 0; v < QS8_NV; v++) {                                                                              \
        const int32x4_t first = vld1q_s32((const int32_t *)w + 4 * v);                                                 \
        const int32x4_t second = vld1q_s32((const int32_t *)(w + (distance)) + 4 * v);                                 \
        const int8x16_t low = vreinterpretq_s8_s32(vzip1q_s32(first, second));                                         \
        const int8x16_t high = vreinterpretq_s8_s32(vzip2q_s32(first, second));                                        \
        QS8_UNROLL                                                                                                     \
        for (size_t p = 0; p < pairs; p++) {                                                                           \
            acc[p][2 * v] = vmmlaq_s32(acc[p][2 * v], in[p], low);                                                     \
            acc[p][2 * v + 1] = vmmlaq_s32(acc[p][2 * v + 1], in[p], high);                                            \
        }                                                                                                              \
    }

TMC_INLINE uint64x1_t load_four(const char *p) { return vcreate_u64((uint32_t)four_bytes(p)); }

TMC_INLINE void run_height(const tmc_qs8_gemm_args *args, tmc_qs8_tiles *t, size_t height) {
    const size_t kc = args->kc, next_step = 2 * args->next_step, pairs = height / 2;
    const ptrdiff_t a_step = t->a_step;
    const char *a_tile = t->a, *next = t->next;
    int8_t *c = t->c;
    for (size_t i = t->count; i > 0; i--) {
        int32x4_t acc[QS8_PAIRS][QS8_BLOCKS];
        QS8_UNROLL
        for (size_t v = 0; v < QS8_BLOCKS; v++) {
            const int32x2_t bias = vld1_s32((const int32_t *)args->panel + 2 * v);
            QS8_UNROLL
            for (size_t p = 0; p < pairs; p++) acc[p][v] = vcombine_s32(bias, bias);
        }
        const int8_t *w = (const int8_t *)args->panel + TMC_QS8_PANEL_HEADER * QS8_NR;
        const char *a_y = a_tile;
        for (size_t y = args->taps_y; y > 0; y--, a_y += args->y_step) {
            const char *a_x = a_y;
            for (size_t x = args->taps_x; x > 0; x--, a_x += args->x_step) {
                const char *a = a_x;
                int8x16_t in[QS8_PAIRS];
                size_t k = kc;
                for (; k >= 8; k -= 8, a += 8, w += 8 * QS8_NR) {
                    TMC_PREFETCH(next);
                    next += next_step;
                    QS8_UNROLL
                    for (size_t p = 0; p < pairs; p++) {
                        const int8_t *row = (const int8_t *)a + 2 * (ptrdiff_t)p * a_step;
                        in[p] = vcombine_s8(vld1_s8(row), vld1_s8(row + a_step));
                    }
                    QS8_STEP(4 * QS8_NR)
                }
                if (k > 0) { /* four k and zeros, which any weights may be multiplied by */
                    QS8_UNROLL
                    for (size_t p = 0; p < pairs; p++) {
                        const char *row = a + 2 * (ptrdiff_t)p * a_step;
                        in[p] = vreinterpretq_s8_u64(vcombine_u64(load_four(row), load_four(row + a_step)));
                    }
                    QS8_STEP(0)
                    w += 4 * QS8_NR;
                }
            }
        }
        int32x4_t rows[QS8_MR][QS8_NV];
        QS8_UNROLL
        for (size_t p = 0; p < pairs; p++) {
            QS8_UNROLL
            for (size_t v = 0; v < QS8_NV; v++) {
                const int64x2_t a = vreinterpretq_s64_s32(acc[p][2 * v]), b = vreinterpretq_s64_s32(acc[p][2 * v + 1]);
                rows[2 * p][v] = vreinterpretq_s32_s64(vzip1q_s64(a, b));
                rows[2 * p + 1][v] = vreinterpretq_s32_s64(vzip2q_s64(a, b));
            }
        }
        end_tile(args, rows, height, c, t->c_step);
        a_tile += (ptrdiff_t)height * a_step;
        c += (ptrdiff_t)height * t->c_step;
    }
    t->next = next;
}

static void run_tiles(const tmc_qs8_gemm_args *args, tmc_qs8_tiles *t) {
    QS8_CASE(4)
    if (t->rows < 4)
        QS8_TILES(args, t);
    else
        run_height(args, t, QS8_MR);
}

void QS8_NAME(const tmc_qs8_gemm_args *args) { tmc_qs8_gemm_cut(args, QS8_NR, QS8_HEIGHTS, run_tiles); }
