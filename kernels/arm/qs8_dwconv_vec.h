/* The operations of qs8_dwconv_vec.inl on NEON, for eight channels. DW_DOT 1: the dot product of four bytes; 0: of
 * two bytes, in two steps. */
#ifndef TMC_KERNELS_ARM_QS8_DWCONV_VEC_H
#define TMC_KERNELS_ARM_QS8_DWCONV_VEC_H

#include <string.h>

#include "base/checked.h"
#include "kernels/arm/qs8_neon.h"
#include "kernels/qs8_dwconv_list.h"

#define DW_CHANNELS 8
#define DW_VECTORS 2
#define DW_BIAS 0

typedef struct {
    int32x4_t v[2];
} dw_sum;

static inline dw_sum dw_sum_load(const int32_t *p) { return (dw_sum){{vld1q_s32(p), vld1q_s32(p + 4)}}; }

/* Four taps of each channel, as they lie in the panel; those of the window one row lower. */
typedef dw_sum dw_raw;

static inline dw_raw dw_raw_load(const int8_t *p) {
    return (dw_raw){{vreinterpretq_s32_s8(vld1q_s8(p)), vreinterpretq_s32_s8(vld1q_s8(p + 16))}};
}
static inline dw_raw dw_raw_zero(void) { return (dw_raw){{vdupq_n_s32(0), vdupq_n_s32(0)}}; }
static inline dw_raw dw_raw_and(dw_raw w, uint32_t mask) {
    const int32x4_t m = vreinterpretq_s32_u32(vdupq_n_u32(mask));
    return (dw_raw){{vandq_s32(w.v[0], m), vandq_s32(w.v[1], m)}};
}
static inline int32x4_t dw_next(int32x4_t w, int32x4_t before) {
    return vreinterpretq_s32_u32(
        vsriq_n_u32(vreinterpretq_u32_s32(vshlq_n_s32(w, 8)), vreinterpretq_u32_s32(before), 24));
}
static inline dw_raw dw_raw_next(dw_raw w, dw_raw before) {
    return (dw_raw){{dw_next(w.v[0], before.v[0]), dw_next(w.v[1], before.v[1])}};
}

#if DW_DOT
typedef dw_raw dw_weights, dw_column;

static inline dw_weights dw_weights_of(dw_raw w) { return w; }

static inline dw_column dw_splat(int8_t value) {
    const int32x4_t v = vreinterpretq_s32_s8(vdupq_n_s8(value));
    return (dw_column){{v, v}};
}

static inline dw_sum dw_dot(dw_sum acc, dw_column x, dw_weights w) {
    return (dw_sum){{vdotq_s32(acc.v[0], vreinterpretq_s8_s32(x.v[0]), vreinterpretq_s8_s32(w.v[0])),
                     vdotq_s32(acc.v[1], vreinterpretq_s8_s32(x.v[1]), vreinterpretq_s8_s32(w.v[1]))}};
}

/* [16 channels][4 rows] bytes. */
#define DW_RECORD 64

static inline dw_column dw_column_load(const char *record, size_t lane) {
    return dw_raw_load((const int8_t *)record + 4 * lane);
}

static inline void dw_interleave(const int8_t *x, const ptrdiff_t at[4], ptrdiff_t pitch, size_t count, char *records,
                                 size_t step) {
    for (; count > 0; count--, x += pitch, records += step) {
        int8_t *to = (int8_t *)records;
        const int8x16x2_t even = vzipq_s8(vld1q_s8(x + at[0]), vld1q_s8(x + at[2]));
        const int8x16x2_t odd = vzipq_s8(vld1q_s8(x + at[1]), vld1q_s8(x + at[3]));
        const int8x16x2_t low = vzipq_s8(even.val[0], odd.val[0]), high = vzipq_s8(even.val[1], odd.val[1]);
        vst1q_s8(to, low.val[0]);
        vst1q_s8(to + 16, low.val[1]);
        vst1q_s8(to + 32, high.val[0]);
        vst1q_s8(to + 48, high.val[1]);
    }
}

#else
typedef struct {
    int8x16_t low, high; /* taps 0 and 1, 2 and 3 of each channel */
} dw_weights;
typedef dw_weights dw_column;

static inline dw_weights dw_weights_of(dw_raw w) {
    const int16x8_t first = vreinterpretq_s16_s32(w.v[0]), second = vreinterpretq_s16_s32(w.v[1]);
    return (dw_weights){vreinterpretq_s8_s16(vuzp1q_s16(first, second)),
                        vreinterpretq_s8_s16(vuzp2q_s16(first, second))};
}

static inline dw_column dw_splat(int8_t value) { return (dw_column){vdupq_n_s8(value), vdupq_n_s8(value)}; }

/* Two products do not fit into an int16 where both are (-128)^2. */
static inline dw_sum dw_dot(dw_sum acc, dw_column x, dw_weights w) {
    const int16x8_t a = vmull_s8(vget_low_s8(x.low), vget_low_s8(w.low)), b = vmull_high_s8(x.low, w.low);
    const int16x8_t c = vmull_s8(vget_low_s8(x.high), vget_low_s8(w.high)), d = vmull_high_s8(x.high, w.high);
    return (dw_sum){{vpadalq_s16(vpadalq_s16(acc.v[0], a), c), vpadalq_s16(vpadalq_s16(acc.v[1], b), d)}};
}

/* [2][16 channels][2 rows] bytes. */
#define DW_RECORD 64

static inline dw_column dw_column_load(const char *record, size_t lane) {
    const int8_t *p = (const int8_t *)record + 2 * lane;
    return (dw_column){vld1q_s8(p), vld1q_s8(p + 32)};
}

static inline void dw_interleave(const int8_t *x, const ptrdiff_t at[4], ptrdiff_t pitch, size_t count, char *records,
                                 size_t step) {
    for (; count > 0; count--, x += pitch, records += step) {
        int8_t *to = (int8_t *)records;
        const int8x16x2_t low = vzipq_s8(vld1q_s8(x + at[0]), vld1q_s8(x + at[1]));
        const int8x16x2_t high = vzipq_s8(vld1q_s8(x + at[2]), vld1q_s8(x + at[3]));
        vst1q_s8(to, low.val[0]);
        vst1q_s8(to + 16, low.val[1]);
        vst1q_s8(to + 32, high.val[0]);
        vst1q_s8(to + 48, high.val[1]);
    }
}
#endif

/* Channels of one pixel as the first of the four taps: whatever the others hold meets weights of zero. */
static inline dw_column dw_pixel(const int8_t *p) {
    const int16x8_t words = vmovl_s8(vld1_s8(p));
#if DW_DOT
    return (dw_column){{vmovl_s16(vget_low_s16(words)), vmovl_high_s16(words)}};
#else
    return (dw_column){vreinterpretq_s8_s16(words), vdupq_n_s8(0)};
#endif
}

static inline void dw_pad(char *record, int8_t value) { memset(record, value, DW_RECORD); }

static inline dw_weights dw_weights_keep(dw_weights w) { return w; }

/* ------------------------------------------------------------------------------------------------------ outputs */

typedef struct {
    float32x4_t multiplier[2];
    q_limits limits;
} dw_end;

static inline dw_end dw_end_of(const tmc_qs8_dwconv_args *args, const float *multiplier) {
    return (dw_end){{vld1q_f32(multiplier), vld1q_f32(multiplier + 4)},
                    q_limits_of(args->lo, args->hi, args->zero_point)};
}

static inline void dw_store(int8_t *c, dw_sum acc, const dw_end *end) {
    const int16x4_t low = vqmovn_s32(q_requantize(acc.v[0], end->multiplier[0]));
    const int16x8_t words = vqmovn_high_s32(low, q_requantize(acc.v[1], end->multiplier[1]));
    const int8x8_t y = vqmovn_s16(vqaddq_s16(words, end->limits.zero));
    vst1_s8(c, vmin_s8(vmax_s8(y, vget_low_s8(end->limits.lo)), vget_low_s8(end->limits.hi)));
}

/* Eight channels of each of two pixels. */
static inline void dw_store_two(int8_t *c, int8_t *d, dw_sum acc, dw_sum acc2, const dw_end *end) {
    const float32x4_t m = end->multiplier[0], m2 = end->multiplier[1];
    const int8x16_t y = q_pack(q_requantize(acc.v[0], m), q_requantize(acc.v[1], m2), q_requantize(acc2.v[0], m),
                               q_requantize(acc2.v[1], m2), &end->limits);
    vst1_s8(c, vget_low_s8(y));
    vst1_s8(d, vget_high_s8(y));
}

#endif
