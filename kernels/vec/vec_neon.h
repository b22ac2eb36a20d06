/* Vectors of 4 floats with AArch64 Advanced SIMD. See vec.md for the meaning of each operation. */
#ifndef TMC_KERNELS_VEC_NEON_H
#define TMC_KERNELS_VEC_NEON_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

#define VEC_WIDTH 4
#define VEC_ISA neon
#include "kernels/vec/vec_symbol.h"

typedef float32x4_t vecf;
typedef int32x4_t veci;
typedef int32x4_t vecm; /* a mask: all ones or all zeros per lane */

static inline vecf vec_load(const float *p) { return vld1q_f32(p); }
static inline void vec_store(float *p, vecf a) { vst1q_f32(p, a); }
static inline vecf vec_set(float a) { return vdupq_n_f32(a); }
static inline vecf vec_zero(void) { return vdupq_n_f32(0.0f); }

/* First n lanes, 0 <= n < 4, without touching what lies behind them. */
static inline vecm vec_head_mask(size_t n) {
    static const int32_t lanes[8] = {-1, -1, -1, -1};
    return vld1q_s32(lanes + 4 - n);
}
static inline vecf vec_load_head(const float *p, size_t n) {
    vecf a = vec_zero();
    if (n > 0) a = vld1q_lane_f32(p, a, 0);
    if (n > 1) a = vld1q_lane_f32(p + 1, a, 1);
    if (n > 2) a = vld1q_lane_f32(p + 2, a, 2);
    return a;
}
static inline void vec_store_head(float *p, vecf a, size_t n) {
    if (n > 0) vst1q_lane_f32(p, a, 0);
    if (n > 1) vst1q_lane_f32(p + 1, a, 1);
    if (n > 2) vst1q_lane_f32(p + 2, a, 2);
}

static inline vecf vec_add(vecf a, vecf b) { return vaddq_f32(a, b); }
static inline vecf vec_sub(vecf a, vecf b) { return vsubq_f32(a, b); }
static inline vecf vec_mul(vecf a, vecf b) { return vmulq_f32(a, b); }
static inline vecf vec_div(vecf a, vecf b) { return vdivq_f32(a, b); }
static inline vecf vec_sqrt(vecf a) { return vsqrtq_f32(a); }
static inline vecf vec_fma(vecf a, vecf b, vecf c) { return vfmaq_f32(c, a, b); }
static inline vecf vec_fnma(vecf a, vecf b, vecf c) { return vfmsq_f32(c, a, b); } /* c - a b */
static inline float vec_fma_one(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

/* Not vminq_f32: that one orders zeros and quiets NaN differently from x86. */
static inline vecf vec_min(vecf a, vecf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
static inline vecf vec_max(vecf a, vecf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }

/* Exact, with the sign of a zero result kept. */
static inline vecf vec_floor(vecf a) { return vrndmq_f32(a); }
static inline vecf vec_ceil(vecf a) { return vrndpq_f32(a); }
static inline vecf vec_rint(vecf a) { return vrndnq_f32(a); }

static inline vecm vec_lt(vecf a, vecf b) { return vreinterpretq_s32_u32(vcltq_f32(a, b)); }
static inline vecm vec_le(vecf a, vecf b) { return vreinterpretq_s32_u32(vcleq_f32(a, b)); }
static inline vecm vec_eq(vecf a, vecf b) { return vreinterpretq_s32_u32(vceqq_f32(a, b)); }
static inline vecf vec_select(vecm mask, vecf yes, vecf no) { return vbslq_f32(vreinterpretq_u32_s32(mask), yes, no); }
static inline vecf vec_select_sign(vecf a, vecf yes, vecf no) {
    return vbslq_f32(vcltzq_s32(vreinterpretq_s32_f32(a)), yes, no);
}
static inline veci veci_keep(vecm mask, veci a) { return vandq_s32(mask, a); }

static inline veci vec_bits(vecf a) { return vreinterpretq_s32_f32(a); }
static inline vecf vec_from_bits(veci a) { return vreinterpretq_f32_s32(a); }
static inline veci veci_set(int32_t a) { return vdupq_n_s32(a); }
static inline veci veci_add(veci a, veci b) { return vaddq_s32(a, b); }
static inline veci veci_sub(veci a, veci b) { return vsubq_s32(a, b); }
static inline veci veci_and(veci a, veci b) { return vandq_s32(a, b); }
static inline veci veci_or(veci a, veci b) { return vorrq_s32(a, b); }
static inline veci veci_xor(veci a, veci b) { return veorq_s32(a, b); }
#define veci_shl(a, n) vshlq_n_s32(a, n)
#define veci_sar(a, n) vshrq_n_s32(a, n) /* arithmetic */
static inline vecf vec_from_int(veci a) { return vcvtq_f32_s32(a); }
static inline veci vec_to_int_even(vecf a) { return vcvtnq_s32_f32(a); } /* |a| < 2^31, ties to even */

#endif
