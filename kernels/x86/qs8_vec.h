/* Vectors of int32 sums for qs8_gemm: QS8_BITS 128, 256 or 512 of them, QS8_VNNI 1 for a dot product of four bytes
 * (unsigned activations), else 0 for one of two int16. */
#ifndef TMC_KERNELS_X86_QS8_VEC_H
#define TMC_KERNELS_X86_QS8_VEC_H

#include <immintrin.h>
#include <string.h>

#include "kernels/qs8_gemm_list.h"
#include "kernels/x86/qs8_store.h"

#define VEC_WIDTH (QS8_BITS / 32)
#include "kernels/f32_unroll.h"

/* clang unrolls by itself only what it understands, which an instruction by name is not. */
#if defined(__clang__)
#define QS8_UNROLL _Pragma("clang loop unroll(full)")
#else
#define QS8_UNROLL TMC_UNROLL
#endif

#if QS8_BITS == 512
typedef __m512i qvec;
typedef __m512 qvecf;
#define QV(name) _mm512_##name
#define QV_BITS(name) _mm512_##name##_si512
#define q_floats _mm512_castsi512_ps
#elif QS8_BITS == 256
typedef __m256i qvec;
typedef __m256 qvecf;
#define QV(name) _mm256_##name
#define QV_BITS(name) _mm256_##name##_si256
#define q_floats _mm256_castsi256_ps
#else
typedef __m128i qvec;
typedef __m128 qvecf;
#define QV(name) _mm_##name
#define QV_BITS(name) _mm_##name##_si128
#define q_floats _mm_castsi128_ps
#endif

/* Bytes of an activation that one lane multiplies, and of one panel column: always 4. */
TMC_INLINE qvec q_load(const char *p) { return QV_BITS(loadu)((const qvec *)(const void *)p); }

TMC_INLINE qvec q_broadcast(const char *p) {
    int32_t x;
    memcpy(&x, p, sizeof x);
#if QS8_VNNI /* x + 128 */
    return QV_BITS(xor)(QV(set1_epi32)(x), QV(set1_epi8)(-128));
#else
    return QV(set1_epi32)(x);
#endif
}

#if QS8_VNNI && defined(__AVXVNNI__) && !defined(__AVX512VNNI__)
#define QS8_DPBUSD "%{vex%} vpdpbusd"
#else
#define QS8_DPBUSD "vpdpbusd"
#endif

/* The instruction by name: gcc 12 copies the sum before and after its intrinsic, and spills a tile of 24 sums. */
TMC_INLINE qvec q_dot(qvec acc, qvec x, qvec w) {
#if QS8_VNNI
    __asm__(QS8_DPBUSD " %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
    return acc;
#else
    return QV(add_epi32)(acc, QV(madd_epi16)(x, w));
#endif
}

/* Sums to outputs less the zero point. Only the upper bound is needed here: what is below int32 becomes its minimum,
 * which the packing below saturates. */
TMC_INLINE qvec q_requantize(qvec acc, qvecf multiplier, qvecf hi) {
    return QV(cvtps_epi32)(QV(min_ps)(QV(mul_ps)(QV(cvtepi32_ps)(acc), multiplier), hi));
}

/* The zero point as int16 and the lower bound as int8. */
typedef struct q_limits {
    qvecf hi;
    qvec zero, low;
} q_limits;

TMC_INLINE q_limits q_limits_of(const tmc_qs8_gemm_args *args) {
    const int low = (int)args->lo + args->zero_point;
    q_limits l = {QV(set1_ps)(args->hi), QV(set1_epi16)((int16_t)args->zero_point), QV(set1_epi8)((char)low)};
    return l;
}

/* Four vectors, lane after lane, as bytes. */
TMC_INLINE qvec q_pack(const qvec v[4], const q_limits *l) {
    const qvec a = QV(adds_epi16)(QV(packs_epi32)(v[0], v[1]), l->zero);
    const qvec b = QV(adds_epi16)(QV(packs_epi32)(v[2], v[3]), l->zero);
    const qvec y = QV(max_epi8)(QV(packs_epi16)(a, b), l->low);
#if QS8_BITS == 512
    return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), y);
#elif QS8_BITS == 256
    return _mm256_permutevar8x32_epi32(y, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
#else
    return y;
#endif
}

/* The packed bytes as the first `rows` of `per` = 1, 2 or 4 rows. */
TMC_INLINE void q_store_rows(int8_t *c, ptrdiff_t step, qvec y, size_t per, size_t rows) {
    __m128i part[4];
#if QS8_BITS == 512
    const __m256i high = _mm512_extracti64x4_epi64(y, 1);
    if (per == 2) {
        _mm256_storeu_si256((__m256i *)(void *)c, _mm512_castsi512_si256(y));
        if (rows > 1) _mm256_storeu_si256((__m256i *)(void *)(c + step), high);
        return;
    }
    part[0] = _mm512_castsi512_si128(y), part[1] = _mm512_extracti32x4_epi32(y, 1);
    part[2] = _mm256_castsi256_si128(high), part[3] = _mm256_extracti128_si256(high, 1);
    QS8_UNROLL
    for (size_t r = 0; r < rows; r++) _mm_storeu_si128((__m128i *)(void *)(c + (ptrdiff_t)r * step), part[r]);
#elif QS8_BITS == 256
    part[0] = _mm256_castsi256_si128(y), part[1] = _mm256_extracti128_si256(y, 1);
    QS8_UNROLL
    for (size_t r = 0; r < rows; r++) {
        int8_t *to = c + (ptrdiff_t)r * step;
        if (per == 2)
            _mm_storeu_si128((__m128i *)(void *)to, part[r]);
        else if (r % 2 == 0)
            _mm_storel_epi64((__m128i *)(void *)to, part[r / 2]);
        else
            qs8_store_high(to, part[r / 2]);
    }
#else
    part[0] = y;
    if (per == 1) {
        _mm_storeu_si128((__m128i *)(void *)c, y);
        return;
    }
    if (per == 2) {
        _mm_storel_epi64((__m128i *)(void *)c, y);
        if (rows > 1) qs8_store_high(c + step, y);
        return;
    }
    QS8_UNROLL
    for (size_t r = 0; r < rows; r++, part[0] = _mm_srli_si128(part[0], 4)) {
        const int32_t four = _mm_cvtsi128_si32(part[0]);
        memcpy(c + (ptrdiff_t)r * step, &four, sizeof four);
    }
#endif
}

#endif
