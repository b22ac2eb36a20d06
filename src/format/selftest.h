/* Inputs of the self-tests that are stored in a file: the converter that records a digest and the device that compares
 * it make the same bits from a seed. Part of the file format: the numbers never change. */
#ifndef TMC_FORMAT_SELFTEST_H
#define TMC_FORMAT_SELFTEST_H

#include <stddef.h>
#include <stdint.h>

/* Fills `elements` elements of `dtype` (dense). With 32-bit wrapping arithmetic, element i (counted from 0) comes from
 *
 *     h = seed * 0x9E3779B9 + i
 *     h = (h ^ h >> 16) * 0x7FEB352D
 *     h = (h ^ h >> 15) * 0x846CA68B
 *     h =  h ^ h >> 16
 *
 * and is, for f32, (h >> 8) / 2^23 - 1: a multiple of 2^-23 in [-1, 1), exact in any rounding mode; for every other
 * type the top bit of h as 0 or 1 (f16: 0x0000 or 0x3C00). Input k of a test uses seed + k. */
void tmc_selftest_fill(uint32_t seed, uint32_t dtype, void *data, size_t elements);

/* The same for a quantised input: the top byte of h as two's complement, -128..127. */
void tmc_selftest_fill_quantized(uint32_t seed, int8_t *data, size_t elements);

#endif
