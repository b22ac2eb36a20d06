/* The operations of qs8_binary_vec.inl: QS8_BITS 512, 256 or 128. Bytes are unpacked within lanes of 128 bits and
 * packed within them again, so that no step crosses lanes. */
#ifndef TMC_KERNELS_X86_QS8_BINARY_VEC_H
#define TMC_KERNELS_X86_QS8_BINARY_VEC_H

#include <immintrin.h>
#include <stdint.h>

#define QM_WIDE (QS8_BITS / 8)
#define QM_PARTS 4
#define VEC_WIDTH QM_PARTS
#include "kernels/f32_unroll.h"

#if QS8_BITS == 512
typedef __m512i qm_wide;
typedef __m512 qm_floats;
#define QM(name) _mm512_##name
#define QM_SI(name) _mm512_##name##_si512
#define QM_CAST _mm512_castsi512_ps
#elif QS8_BITS == 256
typedef __m256i qm_wide;
typedef __m256 qm_floats;
#define QM(name) _mm256_##name
#define QM_SI(name) _mm256_##name##_si256
#define QM_CAST _mm256_castsi256_ps
#else
typedef __m128i qm_wide;
typedef __m128 qm_floats;
#define QM(name) _mm_##name
#define QM_SI(name) _mm_##name##_si128
#define QM_CAST _mm_castsi128_ps
#endif

static inline void qm_wide_store(int8_t *p, qm_wide a) { QM_SI(storeu)((qm_wide *)(void *)p, a); }

#if QS8_BITS == 512
/* A byte plus 128 in the low bits of the float 2^23, or eight bits higher in those of 2^15, less this, is the byte less
 * its zero point. One instruction takes a byte of each four, flips its sign and sets the exponent. */
typedef struct {
    qm_floats even, odd;
} qm_center;

static inline qm_center qm_center_of(int32_t zero_point) {
    return (qm_center){_mm512_set1_ps((float)(0x800080 + zero_point)), _mm512_set1_ps((float)(0x8080 + zero_point))};
}

TMC_INLINE qm_floats qm_byte_of(qm_wide x, int32_t byte, int32_t exponent) {
    return QM_CAST(_mm512_ternarylogic_epi32(x, _mm512_set1_epi32(byte), _mm512_set1_epi32(exponent), 0x6A));
}

TMC_INLINE void qm_widen_less(qm_floats v[QM_PARTS], const int8_t *p, qm_center center) {
    const qm_wide low = _mm512_loadu_si512(p), high = _mm512_srli_epi32(low, 16);
    v[0] = _mm512_sub_ps(qm_byte_of(low, 0xFF, 0x4B000080), center.even);
    v[1] = _mm512_sub_ps(qm_byte_of(low, 0xFF00, 0x47008000), center.odd);
    v[2] = _mm512_sub_ps(qm_byte_of(high, 0xFF, 0x4B000080), center.even);
    v[3] = _mm512_sub_ps(qm_byte_of(high, 0xFF00, 0x47008000), center.odd);
}
#else
/* A byte plus 128 in the low bits of the float 2^23, less this, is the byte less its zero point. */
typedef qm_floats qm_center;
static inline qm_center qm_center_of(int32_t zero_point) { return QM(set1_ps)((float)(0x800080 + zero_point)); }

TMC_INLINE void qm_widen_less(qm_floats v[QM_PARTS], const int8_t *p, qm_center center) {
    const qm_wide bytes = QM_SI(xor)(QM_SI(loadu)((const qm_wide *)(const void *)p), QM(set1_epi8)(-128));
    const qm_wide exponent = QM(set1_epi16)(0x4B00);
    const qm_wide low = QM(unpacklo_epi8)(bytes, QM_SI(setzero)()), high = QM(unpackhi_epi8)(bytes, QM_SI(setzero)());
    v[0] = QM(sub_ps)(QM_CAST(QM(unpacklo_epi16)(low, exponent)), center);
    v[1] = QM(sub_ps)(QM_CAST(QM(unpackhi_epi16)(low, exponent)), center);
    v[2] = QM(sub_ps)(QM_CAST(QM(unpacklo_epi16)(high, exponent)), center);
    v[3] = QM(sub_ps)(QM_CAST(QM(unpackhi_epi16)(high, exponent)), center);
}
#endif

/* The zero point as int16, the bounds with it as int8. */
typedef struct {
    qm_wide zero, low, high;
} qm_limits;

static inline qm_limits qm_limits_of(float lo, float hi, int32_t zero_point) {
    return (qm_limits){QM(set1_epi16)((int16_t)zero_point), QM(set1_epi8)((char)((int)lo + zero_point)),
                       QM(set1_epi8)((char)((int)hi + zero_point))};
}

TMC_INLINE qm_wide qm_narrow(const qm_floats v[QM_PARTS], const qm_limits *l) {
    /* With 512 bits v[k] holds bytes k, k + 4, and so on; otherwise a quarter of each lane. */
    const size_t next = QS8_BITS == 512 ? 2 : 1;
    const qm_wide first = QM(packs_epi32)(QM(cvtps_epi32)(v[0]), QM(cvtps_epi32)(v[next]));
    const qm_wide second = QM(packs_epi32)(QM(cvtps_epi32)(v[3 - next]), QM(cvtps_epi32)(v[3]));
    qm_wide bytes = QM(packs_epi16)(QM(adds_epi16)(first, l->zero), QM(adds_epi16)(second, l->zero));
#if QS8_BITS == 512
    const __m128i order = _mm_setr_epi8(0, 8, 4, 12, 1, 9, 5, 13, 2, 10, 6, 14, 3, 11, 7, 15);
    bytes = _mm512_shuffle_epi8(bytes, _mm512_broadcast_i32x4(order));
#endif
    return QM(min_epi8)(QM(max_epi8)(bytes, l->low), l->high);
}

#endif
