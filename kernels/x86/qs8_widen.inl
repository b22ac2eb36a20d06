/* int8 to int16 for the wide kernels, and their product of one row, whose weights are widened on the way: include after
 * kernels/x86/qs8_vec.h with QS8_ISA(name) defined. */

void QS8_ISA(tmc_qs8_widen)(int16_t *to, const int8_t *from, size_t count) {
    size_t i = 0;
#if defined(__AVX2__)
    for (; i + 16 <= count; i += 16)
        _mm256_storeu_si256((__m256i *)(void *)(to + i),
                            _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(from + i))));
#endif
    for (; i + 8 <= count; i += 8)
        _mm_storeu_si128((__m128i *)(void *)(to + i),
                         _mm_cvtepi8_epi16(_mm_loadl_epi64((const __m128i *)(const void *)(from + i))));
    for (; i < count; i++) to[i] = from[i];
}

/* Four columns of four k at a time, of which the first and the last two k go to different groups. */
void QS8_ISA(tmc_qs8_widen_panel)(void *to, const void *panel, size_t width, size_t k4) {
    memcpy(to, panel, TMC_QS8_PANEL_HEADER * width);
    const char *from = (const char *)panel + TMC_QS8_PANEL_HEADER * width;
    char *low = (char *)to + TMC_QS8_PANEL_HEADER * width, *high = low + 4 * width;
    for (size_t k = 0; k < k4; k += 4, low += 4 * width, high += 4 * width) {
        size_t n = 0;
#if defined(__AVX2__)
        for (; n + 8 <= width; n += 8, from += 32, low += 32, high += 32) {
            const __m256i a = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)from));
            const __m256i b = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(from + 16)));
            const __m256 x = _mm256_castsi256_ps(a), y = _mm256_castsi256_ps(b);
            const __m256d l = _mm256_castps_pd(_mm256_shuffle_ps(x, y, 0x88));
            const __m256d h = _mm256_castps_pd(_mm256_shuffle_ps(x, y, 0xdd));
            _mm256_storeu_pd((double *)(void *)low, _mm256_permute4x64_pd(l, 0xd8));
            _mm256_storeu_pd((double *)(void *)high, _mm256_permute4x64_pd(h, 0xd8));
        }
#endif
        for (; n < width; n += 4, from += 16, low += 16, high += 16) {
            const __m128i four = _mm_loadu_si128((const __m128i *)(const void *)from);
            const __m128 x = _mm_castsi128_ps(_mm_cvtepi8_epi16(four));
            const __m128 y = _mm_castsi128_ps(_mm_cvtepi8_epi16(_mm_srli_si128(four, 8)));
            _mm_storeu_ps((float *)(void *)low, _mm_shuffle_ps(x, y, 0x88));
            _mm_storeu_ps((float *)(void *)high, _mm_shuffle_ps(x, y, 0xdd));
        }
    }
}

/* Four k of VEC_WIDTH / 2 columns, as int16. */
TMC_INLINE qvec load_wide(const char *p) {
#if QS8_BITS == 256
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)p));
#else
    return _mm_cvtepi8_epi16(_mm_loadl_epi64((const __m128i *)(const void *)p));
#endif
}

TMC_INLINE qvec broadcast_four(const int16_t *p) {
    int64_t x;
    memcpy(&x, p, sizeof x);
#if QS8_BITS == 256
    return _mm256_set1_epi64x(x);
#else
    return _mm_set1_epi64x(x);
#endif
}

/* Sums of neighbouring lanes: VEC_WIDTH columns. */
TMC_INLINE qvec add_pairs(qvec a, qvec b) {
#if QS8_BITS == 256
    return _mm256_permute4x64_epi64(_mm256_hadd_epi32(a, b), 0xd8);
#else
    return _mm_hadd_epi32(a, b);
#endif
}

#define GEMV_SUMS (32 / VEC_WIDTH) /* vectors with two lanes per column */

void QS8_ISA(tmc_qs8_gemv)(const tmc_qs8_gemm_args *args) {
    const char *const panel = args->panel, *w = panel + 16 * TMC_QS8_PANEL_HEADER;
    const int16_t *a = args->a;
    qvec acc[GEMV_SUMS], four[4];
    TMC_UNROLL
    for (size_t v = 0; v < GEMV_SUMS; v++) acc[v] = QV(set1_epi32)(0);
    for (size_t k = args->kc / 8; k > 0; k--, a += 4, w += 64) {
        const qvec x = broadcast_four(a);
        TMC_UNROLL
        for (size_t v = 0; v < GEMV_SUMS; v++) acc[v] = q_dot(acc[v], x, load_wide(w + v * sizeof(qvec) / 2));
    }
    const q_limits limits = q_limits_of(args);
    TMC_UNROLL
    for (size_t v = 0; v < 4; v++) { /* with 256 bits the last two vectors stand in for a second row */
        const size_t n = v % (GEMV_SUMS / 2);
        const qvec sum = QV(add_epi32)(add_pairs(acc[2 * n], acc[2 * n + 1]), q_load(panel + n * sizeof(qvec)));
        four[v] = q_requantize(sum, q_floats(q_load(panel + 128 + n * sizeof(qvec))), limits.hi);
    }
    int8_t c[16];
    q_store_rows(c, 0, q_pack(four, &limits), sizeof(qvec) / 16, 1);
    memcpy(args->c, c, args->columns);
}
