/* Tiles of qs8_gemm on NEON: where their sums start and how they end. Include with QS8_MR, QS8_NR and QS8_HEIGHTS
 * (qs8_gemm_cut.h) defined. */
#ifndef TMC_KERNELS_ARM_QS8_GEMM_H
#define TMC_KERNELS_ARM_QS8_GEMM_H

#include <string.h>

#include "kernels/arm/qs8_neon.h"
#include "kernels/qs8_gemm_cut.h"
#include "kernels/qs8_gemm_list.h"

#define QS8_NV (QS8_NR / 4)  /* vectors of a row */
#define QS8_PER (4 / QS8_NV) /* rows that are packed together */

TMC_INLINE int32_t four_bytes(const char *p) {
    int32_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

TMC_INLINE void store_four(int8_t *p, int32_t x) { memcpy(p, &x, sizeof x); }

/* `acc` has one vector for each four columns. */
TMC_INLINE void end_tile(const tmc_qs8_gemm_args *args, int32x4_t (*acc)[QS8_NV], size_t height, int8_t *c,
                         ptrdiff_t c_step) {
    const q_limits limits = q_limits_of(args->lo, args->hi, args->zero_point);
    const float *multiplier = (const float *)args->panel + 2 * QS8_NR;
    QS8_UNROLL
    for (size_t v = 0; v < QS8_NV; v++) {
        const float32x4_t m = vld1q_f32(multiplier + 4 * v);
        QS8_UNROLL
        for (size_t r = 0; r < height; r++) acc[r][v] = q_requantize(acc[r][v], m);
    }
    QS8_UNROLL
    for (size_t r = 0; r < height; r += QS8_PER, c += QS8_PER * c_step) {
        int32x4_t four[4];
        QS8_UNROLL
        for (size_t v = 0; v < 4; v++) {
            const size_t row = r + v / QS8_NV;
            four[v] = acc[row < height ? row : height - 1][v % QS8_NV];
        }
        const int8x16_t y = q_pack(four[0], four[1], four[2], four[3], &limits);
#if QS8_NR == 16
        vst1q_s8(c, y);
#elif QS8_NR == 8
        vst1_s8(c, vget_low_s8(y));
        if (r + 1 < height) vst1_s8(c + c_step, vget_high_s8(y));
#else
        const int32x4_t rows = vreinterpretq_s32_s8(y);
        store_four(c, vgetq_lane_s32(rows, 0));
        if (r + 1 < height) store_four(c + c_step, vgetq_lane_s32(rows, 1));
        if (r + 2 < height) store_four(c + 2 * c_step, vgetq_lane_s32(rows, 2));
        if (r + 3 < height) store_four(c + 3 * c_step, vgetq_lane_s32(rows, 3));
#endif
    }
}

/* One function for all heights, of which only those of QS8_HEIGHTS stay. */
#define QS8_HEIGHT(i) (QS8_HEIGHTS >> 8 * i & 255)
#define QS8_HAS(h) (QS8_HEIGHT(1) == h || QS8_HEIGHT(2) == h || QS8_HEIGHT(3) == h)
#define QS8_CASE(h)                                                                                                    \
    if (QS8_HAS(h) && t->rows == h) {                                                                                  \
        run_height(args, t, h);                                                                                        \
        return;                                                                                                        \
    }

#endif
