/* Comparison of floats bit for bit; any two NaNs are equal, because their payload is the one thing that instruction
 * sets choose differently. */
#ifndef TMC_TEST_BITS_H
#define TMC_TEST_BITS_H

#include <stdbool.h>
#include <stddef.h>

/* Index of the first difference, or `count`. */
size_t bits_first_difference(const float *a, const float *b, size_t count);

/* Fails the running cmocka test with `what`, the index and both values where the arrays differ. */
void bits_assert_equal(const float *expected, const float *actual, size_t count, const char *what);

#endif
