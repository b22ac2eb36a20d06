/* The upper eight bytes of a vector, to any address: _mm_storeh_pd goes through a double, which has to be aligned. */
#ifndef TMC_KERNELS_X86_QS8_STORE_H
#define TMC_KERNELS_X86_QS8_STORE_H

#include <immintrin.h>

static inline void qs8_store_high(void *to, __m128i bytes) {
    _mm_storel_epi64((__m128i *)to, _mm_unpackhi_epi64(bytes, bytes));
}

#endif
