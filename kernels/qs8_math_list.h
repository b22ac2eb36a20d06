/* Declarations of the kernels of qs8_math.h, for the kernels themselves, the table and the kernel tests only. */
#ifndef TMC_KERNELS_QS8_MATH_LIST_H
#define TMC_KERNELS_QS8_MATH_LIST_H

#include "kernels/qs8_math.h"

#define TMC_QS8_MATH_DECLARE(isa)                                                                                      \
    void tmc_qs8_quantize__##isa(size_t n, const float *x, int8_t *y, float scale, int32_t zero_point);                \
    void tmc_qs8_dequantize__##isa(size_t n, const int8_t *x, float *y, float scale, int32_t zero_point);              \
    void tmc_qs8_table__##isa(size_t n, const int8_t *x, int8_t *y, const int8_t table[256]);                          \
    void tmc_qs8_add__##isa(const tmc_qs8_binary_args *args);                                                          \
    void tmc_qs8_mul__##isa(const tmc_qs8_binary_args *args);                                                          \
    void tmc_qs8_average_pool__##isa(const tmc_qs8_pool_args *args);                                                   \
    void tmc_qs8_max_pool__##isa(const tmc_qs8_pool_args *args);

TMC_QS8_MATH_DECLARE(ref)
#if defined(__x86_64__) || defined(__i386__)
TMC_QS8_MATH_DECLARE(sse41)
TMC_QS8_MATH_DECLARE(avx2)
void tmc_qs8_add__avx512(const tmc_qs8_binary_args *args);
void tmc_qs8_mul__avx512(const tmc_qs8_binary_args *args);
void tmc_qs8_table_vbmi__avx512(size_t n, const int8_t *x, int8_t *y, const int8_t table[256]);
#elif defined(__aarch64__)
TMC_QS8_MATH_DECLARE(neon)
#endif
#undef TMC_QS8_MATH_DECLARE

#endif
