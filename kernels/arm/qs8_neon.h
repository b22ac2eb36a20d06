/* What the int8 kernels of NEON share: from sums to bytes. */
#ifndef TMC_KERNELS_ARM_QS8_NEON_H
#define TMC_KERNELS_ARM_QS8_NEON_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

#define VEC_WIDTH 4
#include "kernels/f32_unroll.h"

#if defined(__clang__) /* else it keeps tiles in memory whose last loop it does not unroll by itself */
#define QS8_UNROLL _Pragma("clang loop unroll(full)")
#else
#define QS8_UNROLL TMC_UNROLL
#endif

/* The zero point and the bounds with it, as the narrowing leaves numbers. */
typedef struct q_limits {
    int16x8_t zero;
    int8x16_t lo, hi;
} q_limits;

TMC_INLINE q_limits q_limits_of(float lo, float hi, int32_t zero_point) {
    const q_limits l = {vdupq_n_s16((int16_t)zero_point), vdupq_n_s8((int8_t)((int32_t)lo + zero_point)),
                        vdupq_n_s8((int8_t)((int32_t)hi + zero_point))};
    return l;
}

/* rint(float(acc) * m). The conversion saturates, as all that follows, so bounds of bytes can wait until there are
 * bytes. */
TMC_INLINE int32x4_t q_requantize(int32x4_t acc, float32x4_t m) {
    return vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(acc), m));
}

/* Four vectors as 16 outputs. */
TMC_INLINE int8x16_t q_pack(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d, const q_limits *l) {
    const int16x8_t low = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(a), b), l->zero);
    const int16x8_t high = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(c), d), l->zero);
    return vminq_s8(vmaxq_s8(vqmovn_high_s16(vqmovn_s16(low), high), l->lo), l->hi);
}

#endif
