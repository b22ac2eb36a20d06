/* The operations of qs8_math_vec.inl: QS8_BITS 256 or 128. */
#ifndef TMC_KERNELS_X86_QS8_MATH_VEC_H
#define TMC_KERNELS_X86_QS8_MATH_VEC_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define QM_BLOCK 16
#define QM_LANES (QS8_BITS / 32)
#define QM_VECTORS (QM_BLOCK / QM_LANES)
#define VEC_WIDTH QM_LANES /* loops over the vectors of a block are unrolled */
#include "kernels/f32_unroll.h"

#if QS8_BITS == 256
typedef __m256i qm_ints;
typedef __m256 qm_floats;
#define QM(name) _mm256_##name
#define QM_SI(name) _mm256_##name##_si256
#else
typedef __m128i qm_ints;
typedef __m128 qm_floats;
#define QM(name) _mm_##name
#define QM_SI(name) _mm_##name##_si128
#endif

/* QM_LANES bytes as int32. */
static inline qm_ints qm_ints_of(const int8_t *p) {
#if QS8_BITS == 256
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p));
#else
    int32_t four;
    memcpy(&four, p, sizeof four);
    return _mm_cvtepi8_epi32(_mm_cvtsi32_si128(four));
#endif
}

static inline qm_floats qm_floats_of(const int8_t *p, int32_t zero_point) {
    return QM(cvtepi32_ps)(QM(sub_epi32)(qm_ints_of(p), QM(set1_epi32)(zero_point)));
}

static inline qm_floats qm_zero_nan(qm_floats a) {
#if QS8_BITS == 256
    return _mm256_and_ps(a, _mm256_cmp_ps(a, a, _CMP_ORD_Q));
#else
    return _mm_and_ps(a, _mm_cmpord_ps(a, a));
#endif
}

/* The upper bound; the zero point as int16, the lower bound as int8. */
typedef struct {
    qm_floats hi;
    __m128i zero, low;
} qm_end;

static inline qm_end qm_end_of(float lo, float hi, int32_t zero_point) {
    return (qm_end){QM(set1_ps)(hi), _mm_set1_epi16((int16_t)zero_point), _mm_set1_epi8((char)((int)lo + zero_point))};
}

/* A block of results: the upper bound, to int32 (what is below becomes its minimum), and to bytes with saturation. */
static inline void qm_store(int8_t *y, const qm_floats v[QM_VECTORS], const qm_end *end) {
    qm_ints q[QM_VECTORS];
    TMC_UNROLL
    for (size_t i = 0; i < QM_VECTORS; i++) q[i] = QM(cvtps_epi32)(QM(min_ps)(end->hi, v[i]));
#if QS8_BITS == 256
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(q[0], q[1]), _MM_SHUFFLE(3, 1, 2, 0));
    const __m128i low = _mm256_castsi256_si128(words), high = _mm256_extracti128_si256(words, 1);
#else
    const __m128i low = _mm_packs_epi32(q[0], q[1]), high = _mm_packs_epi32(q[2], q[3]);
#endif
    const __m128i bytes = _mm_packs_epi16(_mm_adds_epi16(low, end->zero), _mm_adds_epi16(high, end->zero));
    _mm_storeu_si128((__m128i *)(void *)y, _mm_max_epi8(bytes, end->low));
}

/* Sixteen entries of a table whose second half stands first: index 0 is entry 128. */
static inline qm_ints qm_table(const int8_t *p) {
    const __m128i t = _mm_loadu_si128((const __m128i *)(const void *)p);
#if QS8_BITS == 256
    return _mm256_broadcastsi128_si256(t);
#else
    return t;
#endif
}

/* Sixteen tables of sixteen bytes, each read by the low half of an index, and chosen in four steps by the bits of the
 * high one. */
static inline qm_ints qm_choose(const int8_t *table, qm_ints x) {
    const qm_ints low = QM_SI(and)(x, QM(set1_epi8)(15));
    qm_ints t[8];
    const qm_ints bit4 = QM(slli_epi16)(x, 3), bit5 = QM(slli_epi16)(x, 2), bit6 = QM(slli_epi16)(x, 1);
    TMC_UNROLL
    for (size_t k = 0; k < 8; k++) {
        const qm_ints even = QM(shuffle_epi8)(qm_table(table + 32 * k), low);
        t[k] = QM(blendv_epi8)(even, QM(shuffle_epi8)(qm_table(table + 32 * k + 16), low), bit4);
    }
    TMC_UNROLL
    for (size_t k = 0; k < 4; k++) t[k] = QM(blendv_epi8)(t[2 * k], t[2 * k + 1], bit5);
    TMC_UNROLL
    for (size_t k = 0; k < 2; k++) t[k] = QM(blendv_epi8)(t[2 * k], t[2 * k + 1], bit6);
    /* Bit 7 set: negative, the table's first half. */
    return QM(blendv_epi8)(t[1], t[0], x);
}

#define QM_LOOKUP sizeof(qm_ints) /* indices */

static inline void qm_lookup(int8_t *y, const int8_t *x, const int8_t *table) {
    const qm_ints i = QM_SI(loadu)((const qm_ints *)(const void *)x);
    QM_SI(storeu)((qm_ints *)(void *)y, qm_choose(table, i));
}

typedef __m128i qm_bytes;

static inline qm_bytes qm_bytes_load(const int8_t *p) { return _mm_loadu_si128((const __m128i *)(const void *)p); }
static inline qm_bytes qm_bytes_lowest(void) { return _mm_set1_epi8(-128); }
static inline qm_bytes qm_bytes_max(qm_bytes a, qm_bytes b) { return _mm_max_epi8(a, b); }
static inline void qm_bytes_store(int8_t *p, qm_bytes a) { _mm_storeu_si128((__m128i *)(void *)p, a); }

#define QM_WIDE sizeof(qm_wide)
typedef qm_ints qm_wide;

static inline qm_wide qm_wide_load(const int8_t *p) { return QM_SI(loadu)((const qm_wide *)(const void *)p); }
static inline qm_wide qm_wide_max(qm_wide a, qm_wide b) { return QM(max_epi8)(a, b); }
static inline void qm_wide_store(int8_t *p, qm_wide a) { QM_SI(storeu)((qm_wide *)(void *)p, a); }

#endif
