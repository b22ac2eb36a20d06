/* The operations of qs8_math_vec.inl on NEON: vectors of 16 elements, since bytes are widened in steps. */
#ifndef TMC_KERNELS_ARM_QS8_MATH_VEC_H
#define TMC_KERNELS_ARM_QS8_MATH_VEC_H

#include "kernels/arm/qs8_neon.h"

#define QM_BLOCK 16
#define QM_LANES 16
#define QM_VECTORS 1
#define QM(name) qm_##name

typedef int32x4x4_t qm_ints;
typedef float32x4x4_t qm_floats;
typedef int8x16_t qm_bytes;

#define QM_EACH(x)                                                                                                     \
    {                                                                                                                  \
        { x(0), x(1), x(2), x(3) }                                                                                     \
    }

static inline qm_floats qm_set1_ps(float a) {
    const float32x4_t v = vdupq_n_f32(a);
    return (qm_floats){{v, v, v, v}};
}
static inline qm_ints qm_set1_epi32(int32_t a) {
    const int32x4_t v = vdupq_n_s32(a);
    return (qm_ints){{v, v, v, v}};
}
static inline qm_floats qm_loadu_ps(const float *p) {
#define X(i) vld1q_f32(p + 4 * i)
    return (qm_floats)QM_EACH(X);
#undef X
}
static inline void qm_storeu_ps(float *p, qm_floats a) {
    vst1q_f32(p, a.val[0]);
    vst1q_f32(p + 4, a.val[1]);
    vst1q_f32(p + 8, a.val[2]);
    vst1q_f32(p + 12, a.val[3]);
}

#define QM_TWO(name, type, operation)                                                                                  \
    static inline type name(type a, type b) {                                                                          \
        return (type){{operation(a.val[0], b.val[0]), operation(a.val[1], b.val[1]), operation(a.val[2], b.val[2]),    \
                       operation(a.val[3], b.val[3])}};                                                                \
    }
QM_TWO(qm_mul_ps, qm_floats, vmulq_f32)
QM_TWO(qm_div_ps, qm_floats, vdivq_f32)
QM_TWO(qm_add_ps, qm_floats, vaddq_f32)
QM_TWO(qm_add_epi32, qm_ints, vaddq_s32)
#undef QM_TWO

static inline qm_floats qm_cvtepi32_ps(qm_ints a) {
#define X(i) vcvtq_f32_s32(a.val[i])
    return (qm_floats)QM_EACH(X);
#undef X
}

static inline qm_ints qm_widen(int16x8_t low, int16x8_t high) {
    return (qm_ints){
        {vmovl_s16(vget_low_s16(low)), vmovl_high_s16(low), vmovl_s16(vget_low_s16(high)), vmovl_high_s16(high)}};
}

static inline qm_ints qm_ints_of(const int8_t *p) {
    const int8x16_t x = vld1q_s8(p);
    return qm_widen(vmovl_s8(vget_low_s8(x)), vmovl_high_s8(x));
}

static inline qm_floats qm_floats_of(const int8_t *p, int32_t zero_point) {
    const int8x16_t x = vld1q_s8(p), zero = vdupq_n_s8((int8_t)zero_point);
    return qm_cvtepi32_ps(qm_widen(vsubl_s8(vget_low_s8(x), vget_low_s8(zero)), vsubl_high_s8(x, zero)));
}

/* The conversion to int32 does that. */
static inline qm_floats qm_zero_nan(qm_floats a) { return a; }

typedef q_limits qm_end;

static inline qm_end qm_end_of(float lo, float hi, int32_t zero_point) { return q_limits_of(lo, hi, zero_point); }

static inline int8x16_t qm_narrow(const qm_floats v[QM_VECTORS], const qm_end *end) {
    const float32x4_t *a = v->val;
    return q_pack(vcvtnq_s32_f32(a[0]), vcvtnq_s32_f32(a[1]), vcvtnq_s32_f32(a[2]), vcvtnq_s32_f32(a[3]), end);
}

static inline void qm_store(int8_t *y, const qm_floats v[QM_VECTORS], const qm_end *end) {
    vst1q_s8(y, qm_narrow(v, end));
}

static inline qm_bytes qm_bytes_load(const int8_t *p) { return vld1q_s8(p); }
static inline qm_bytes qm_bytes_lowest(void) { return vdupq_n_s8(-128); }
static inline qm_bytes qm_bytes_max(qm_bytes a, qm_bytes b) { return vmaxq_s8(a, b); }
static inline void qm_bytes_store(int8_t *p, qm_bytes a) { vst1q_s8(p, a); }

/* Of qs8_binary_vec.inl and the pools. */
#define QM_WIDE 16
#define QM_PARTS 1
typedef qm_bytes qm_wide;
typedef int32_t qm_center;
typedef qm_end qm_limits;

static inline qm_wide qm_wide_load(const int8_t *p) { return vld1q_s8(p); }
static inline qm_wide qm_wide_max(qm_wide a, qm_wide b) { return vmaxq_s8(a, b); }
static inline void qm_wide_store(int8_t *p, qm_wide a) { vst1q_s8(p, a); }
static inline qm_center qm_center_of(int32_t zero_point) { return zero_point; }
static inline void qm_widen_less(qm_floats v[QM_PARTS], const int8_t *p, qm_center zero_point) {
    v[0] = qm_floats_of(p, zero_point);
}
static inline qm_limits qm_limits_of(float lo, float hi, int32_t zero_point) { return q_limits_of(lo, hi, zero_point); }

/* A quarter of the table for each lookup, of which those past the first leave what is outside. They are read again for
 * every two vectors: gcc 12 would move 16 registers of tables about to keep them. */
#define QM_LOOKUP 32 /* indices */

static inline void qm_lookup(int8_t *y, const int8_t *x, const int8_t *table) {
    const uint8x16_t half = vdupq_n_u8(128), quarter = vdupq_n_u8(64);
    uint8x16_t i = veorq_u8(vld1q_u8((const uint8_t *)x), half), k = veorq_u8(vld1q_u8((const uint8_t *)x + 16), half);
    int8x16x4_t t = vld1q_s8_x4(table);
    int8x16_t v = vqtbl4q_s8(t, i), w = vqtbl4q_s8(t, k);
    QS8_UNROLL
    for (size_t n = 1; n < 4; n++) {
        t = vld1q_s8_x4(table + 64 * n);
        i = vsubq_u8(i, quarter), k = vsubq_u8(k, quarter);
        v = vqtbx4q_s8(v, t, i), w = vqtbx4q_s8(w, t, k);
    }
    vst1q_s8(y, v);
    vst1q_s8(y + 16, w);
}

#endif
