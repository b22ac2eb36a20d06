/* The operations of qs8_dwconv_vec.inl. QS8_BITS 512, 256 or 128 of sums, one int32 for each channel; QS8_VNNI 1: a dot
 * product of four bytes, inputs as x + 128; 0: of two int16, exact as well. */
#ifndef TMC_KERNELS_X86_QS8_DWCONV_VEC_H
#define TMC_KERNELS_X86_QS8_DWCONV_VEC_H

#include <immintrin.h>
#include <string.h>

#include "base/checked.h"
#include "kernels/qs8_dwconv_list.h"
#include "kernels/x86/qs8_store.h"

#define DW_CHANNELS (QS8_BITS / 32)
#define DW_VECTORS (16 / DW_CHANNELS)
#define DW_BIAS QS8_VNNI
#define VEC_WIDTH DW_CHANNELS /* tiles of vectors: loops over them are unrolled */
#include "kernels/f32_unroll.h"

#if QS8_BITS == 512
typedef __m512i dw_raw;
typedef __m512 dw_floats;
#define DW(name) _mm512_##name
#define DW_SI(name) _mm512_##name##_si512
#elif QS8_BITS == 256
typedef __m256i dw_raw;
typedef __m256 dw_floats;
#define DW(name) _mm256_##name
#define DW_SI(name) _mm256_##name##_si256
#else
typedef __m128i dw_raw;
typedef __m128 dw_floats;
#define DW(name) _mm_##name
#define DW_SI(name) _mm_##name##_si128
#endif

typedef dw_raw dw_sum; /* int32 of each channel */

TMC_INLINE dw_sum dw_sum_load(const int32_t *p) { return DW_SI(loadu)((const dw_raw *)(const void *)p); }

/* Four taps of each channel, as they lie in the panel; those of the window one row lower. */
TMC_INLINE dw_raw dw_raw_load(const int8_t *p) { return DW_SI(loadu)((const dw_raw *)(const void *)p); }
TMC_INLINE dw_raw dw_raw_zero(void) { return DW_SI(setzero)(); }
TMC_INLINE dw_raw dw_raw_and(dw_raw w, uint32_t mask) { return DW_SI(and)(w, DW(set1_epi32)((int32_t)mask)); }
TMC_INLINE dw_raw dw_raw_next(dw_raw w, dw_raw before) {
    return DW_SI(or)(DW(slli_epi32)(w, 8), DW(srli_epi32)(before, 24));
}

/* Tells the compiler to take a vector from its register instead of loading it again for every use. */
#if QS8_BITS == 512
#define DW_REGISTER "v"
#else
#define DW_REGISTER "x"
#endif

#if QS8_VNNI
typedef dw_raw dw_weights, dw_column;

TMC_INLINE dw_weights dw_weights_of(dw_raw w) { return w; }
TMC_INLINE dw_weights dw_weights_keep(dw_weights w) {
    __asm__("" : "+" DW_REGISTER(w));
    return w;
}
TMC_INLINE dw_column dw_splat(int8_t value) { return DW(set1_epi8)((char)(value ^ -128)); }

TMC_INLINE dw_sum dw_dot(dw_sum acc, dw_column x, dw_weights w) {
#if defined(__AVXVNNI__) && !defined(__AVX512VNNI__)
    return DW(dpbusd_avx_epi32)(acc, x, w);
#else
    return DW(dpbusd_epi32)(acc, x, w);
#endif
}
#else
typedef struct {
    dw_raw low, high; /* taps 0 and 1, 2 and 3, as int16 */
} dw_weights;
typedef dw_weights dw_column;

TMC_INLINE dw_weights dw_weights_of(dw_raw w) {
    const dw_raw even = DW(srai_epi16)(DW(slli_epi16)(w, 8), 8), odd = DW(srai_epi16)(w, 8);
    return (dw_weights){DW(blend_epi16)(even, DW(slli_epi32)(odd, 16), 0xAA),
                        DW(blend_epi16)(DW(srli_epi32)(even, 16), odd, 0xAA)};
}

TMC_INLINE dw_weights dw_weights_keep(dw_weights w) {
    __asm__("" : "+" DW_REGISTER(w.low), "+" DW_REGISTER(w.high));
    return w;
}

TMC_INLINE dw_column dw_splat(int8_t value) { return (dw_column){DW(set1_epi16)(value), DW(set1_epi16)(value)}; }

TMC_INLINE dw_sum dw_dot(dw_sum acc, dw_column x, dw_weights w) {
    acc = DW(add_epi32)(acc, DW(madd_epi16)(x.low, w.low));
    return DW(add_epi32)(acc, DW(madd_epi16)(x.high, w.high));
}
#endif

/* ------------------------------------------------------------------------------------------------------ columns */

TMC_INLINE __m128i dw_row(const int8_t *p) { return _mm_loadu_si128((const __m128i *)(const void *)p); }

#if QS8_VNNI
/* [16 channels][4 rows] bytes. */
#define DW_RECORD 64

TMC_INLINE dw_column dw_column_load(const char *record, size_t lane) {
    return DW_SI(loadu)((const dw_raw *)(const void *)(record + 4 * lane));
}

#if QS8_BITS == 512
/* Even rows in one register, odd ones in another; pairs of both halves; one store, since stores are what limits this.
 */
static inline void dw_interleave(const int8_t *x, const ptrdiff_t at[4], ptrdiff_t pitch, size_t count, char *records,
                                 size_t step) {
    static const int16_t order[32] = {0,  8,  1,  9,  2,  10, 3,  11, 4,  12, 5,  13, 6,  14, 7,  15,
                                      16, 24, 17, 25, 18, 26, 19, 27, 20, 28, 21, 29, 22, 30, 23, 31};
    const __m512i words = _mm512_loadu_si512(order), sign = _mm512_set1_epi8(-128);
    const ptrdiff_t at1 = at[1] - at[0], at2 = at[2] - at[0], at3 = at[3] - at[0];
    x += at[0];
    for (; count; count--, x += pitch, records += step) {
        const __m256i even = _mm256_inserti128_si256(_mm256_castsi128_si256(dw_row(x)), dw_row(x + at2), 1);
        const __m256i odd = _mm256_inserti128_si256(_mm256_castsi128_si256(dw_row(x + at1)), dw_row(x + at3), 1);
        const __m512i pairs = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_unpacklo_epi8(even, odd)),
                                                 _mm256_unpackhi_epi8(even, odd), 1);
        _mm512_storeu_si512(records, _mm512_xor_si512(_mm512_permutexvar_epi16(words, pairs), sign));
    }
}
#else
TMC_INLINE __m256i dw_rows(const int8_t *p, ptrdiff_t pitch) {
    const __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(dw_row(p)), dw_row(p + pitch), 1);
    return _mm256_xor_si256(both, _mm256_set1_epi8(-128));
}

/* Two quarters of the channels, each of both columns. */
TMC_INLINE void dw_record(char *record, size_t step, __m256i quarter, __m256i next) {
    _mm256_storeu_si256((__m256i *)(void *)record, _mm256_permute2x128_si256(quarter, next, 0x20));
    _mm256_storeu_si256((__m256i *)(void *)(record + step), _mm256_permute2x128_si256(quarter, next, 0x31));
}

/* Two columns at once, one in each half of a register; an odd one goes with the column before it, or with itself. */
static inline void dw_interleave(const int8_t *x, const ptrdiff_t at[4], ptrdiff_t pitch, size_t count, char *records,
                                 size_t step) {
    if (count == 1) pitch = 0, step = 0;
    for (size_t n = 0; n < count; n += 2) {
        const size_t first = n + 2 > count && n ? n - 1 : n;
        const int8_t *p = x + (ptrdiff_t)first * pitch;
        char *record = records + first * step;
        const __m256i r0 = dw_rows(p + at[0], pitch), r1 = dw_rows(p + at[1], pitch);
        const __m256i r2 = dw_rows(p + at[2], pitch), r3 = dw_rows(p + at[3], pitch);
        const __m256i low = _mm256_unpacklo_epi8(r0, r1), low2 = _mm256_unpacklo_epi8(r2, r3);
        const __m256i high = _mm256_unpackhi_epi8(r0, r1), high2 = _mm256_unpackhi_epi8(r2, r3);
        dw_record(record, step, _mm256_unpacklo_epi16(low, low2), _mm256_unpackhi_epi16(low, low2));
        dw_record(record + 32, step, _mm256_unpacklo_epi16(high, high2), _mm256_unpackhi_epi16(high, high2));
    }
}
#endif
#else
/* [2][16 channels][2 rows] int16. */
#define DW_RECORD 128

TMC_INLINE dw_column dw_column_load(const char *record, size_t lane) {
    return (dw_column){DW_SI(loadu)((const dw_raw *)(const void *)(record + 4 * lane)),
                       DW_SI(loadu)((const dw_raw *)(const void *)(record + 64 + 4 * lane))};
}

/* 16 bytes widened. */
TMC_INLINE void dw_record(char *record, __m128i bytes) {
#if QS8_BITS == 256
    _mm256_storeu_si256((__m256i *)(void *)record, _mm256_cvtepi8_epi16(bytes));
#else
    _mm_storeu_si128((__m128i *)(void *)record, _mm_cvtepi8_epi16(bytes));
    _mm_storeu_si128((__m128i *)(void *)(record + 16), _mm_srai_epi16(_mm_unpackhi_epi8(bytes, bytes), 8));
#endif
}

static inline void dw_interleave(const int8_t *x, const ptrdiff_t at[4], ptrdiff_t pitch, size_t count, char *records,
                                 size_t step) {
    for (size_t n = 0; n < count; n++, x += pitch, records += step)
        for (size_t y = 0; y < 4; y += 2) {
            const __m128i even = dw_row(x + at[y]), odd = dw_row(x + at[y + 1]);
            dw_record(records + 32 * y, _mm_unpacklo_epi8(even, odd));
            dw_record(records + 32 * y + 32, _mm_unpackhi_epi8(even, odd));
        }
}
#endif

/* Channels of one pixel as the first of the four taps: whatever the others hold meets weights of zero. */
TMC_INLINE dw_column dw_pixel(const int8_t *p) {
#if QS8_BITS == 512
    __m128i bytes = dw_row(p);
#elif QS8_BITS == 256
    __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)p);
#else
    int32_t four;
    memcpy(&four, p, sizeof four);
    __m128i bytes = _mm_cvtsi32_si128(four);
#endif
#if QS8_VNNI
    return DW(cvtepi8_epi32)(_mm_xor_si128(bytes, _mm_set1_epi8(-128)));
#else
    return (dw_column){DW(cvtepi8_epi32)(bytes), DW_SI(setzero)()};
#endif
}

/* A column of padding. */
static inline void dw_pad(char *record, int8_t value) {
#if QS8_VNNI
    const __m128i v = _mm_set1_epi8((char)(value ^ -128));
#else
    const __m128i v = _mm_set1_epi16(value);
#endif
    for (size_t n = 0; n < DW_RECORD; n += 16) _mm_storeu_si128((__m128i *)(void *)(record + n), v);
}

/* ------------------------------------------------------------------------------------------------------ outputs */

/* What follows the sums. Where bytes are packed with saturation only the upper bound is needed before the conversion:
 * what is below int32 becomes its minimum. */
typedef struct {
    dw_floats multiplier, lo, hi;
    dw_raw zero;        /* int32 */
    __m128i words, low; /* the zero point as int16, the lower bound as int8 */
} dw_end;

TMC_INLINE dw_end dw_end_of(const tmc_qs8_dwconv_args *args, const float *multiplier) {
    return (dw_end){DW(loadu_ps)(multiplier),
                    DW(set1_ps)(args->lo),
                    DW(set1_ps)(args->hi),
                    DW(set1_epi32)(args->zero_point),
                    _mm_set1_epi16((int16_t)args->zero_point),
                    _mm_set1_epi8((char)((int)args->lo + args->zero_point))};
}

TMC_INLINE dw_raw dw_round(dw_sum acc, const dw_end *end) {
    dw_floats y = DW(mul_ps)(DW(cvtepi32_ps)(acc), end->multiplier);
#if QS8_BITS == 512
    y = DW(max_ps)(end->lo, y);
#endif
    return DW(cvtps_epi32)(DW(min_ps)(end->hi, y));
}

#if QS8_BITS == 512
TMC_INLINE void dw_store(int8_t *c, dw_sum acc, const dw_end *end) {
    _mm_storeu_si128((__m128i *)(void *)c, _mm512_cvtepi32_epi8(_mm512_add_epi32(dw_round(acc, end), end->zero)));
}

TMC_INLINE void dw_store_two(int8_t *c, int8_t *d, dw_sum acc, dw_sum acc2, const dw_end *end) {
    dw_store(c, acc, end);
    dw_store(d, acc2, end);
}
#else
/* Of two outputs, in lanes of four channels: those of the one and of the other. */
TMC_INLINE __m128i dw_pack(dw_raw y, dw_raw y2, const dw_end *end) {
#if QS8_BITS == 256
    const __m256i lanes = _mm256_packs_epi32(y, y2);
    const __m128i low = _mm_adds_epi16(_mm256_castsi256_si128(lanes), end->words);
    const __m128i high = _mm_adds_epi16(_mm256_extracti128_si256(lanes, 1), end->words);
    return _mm_max_epi8(_mm_shuffle_epi32(_mm_packs_epi16(low, high), _MM_SHUFFLE(3, 1, 2, 0)), end->low);
#else
    const __m128i words = _mm_adds_epi16(_mm_packs_epi32(y, y2), end->words);
    return _mm_max_epi8(_mm_packs_epi16(words, words), end->low);
#endif
}

TMC_INLINE void dw_store_two(int8_t *c, int8_t *d, dw_sum acc, dw_sum acc2, const dw_end *end) {
    const __m128i bytes = dw_pack(dw_round(acc, end), dw_round(acc2, end), end);
#if QS8_BITS == 256
    _mm_storel_epi64((__m128i *)(void *)c, bytes);
    qs8_store_high(d, bytes);
#else
    const int32_t four = _mm_cvtsi128_si32(bytes), four2 = _mm_extract_epi32(bytes, 1);
    memcpy(c, &four, sizeof four);
    memcpy(d, &four2, sizeof four2);
#endif
}

TMC_INLINE void dw_store(int8_t *c, dw_sum acc, const dw_end *end) {
    const dw_raw y = dw_round(acc, end);
    const __m128i bytes = dw_pack(y, y, end);
#if QS8_BITS == 256
    _mm_storel_epi64((__m128i *)(void *)c, bytes);
#else
    const int32_t four = _mm_cvtsi128_si32(bytes);
    memcpy(c, &four, sizeof four);
#endif
}
#endif

#endif
