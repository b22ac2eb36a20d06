#include "lib/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uint32_t bits_of(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

size_t bits_first_difference(const float *a, const float *b, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (bits_of(a[i]) != bits_of(b[i]) && !(a[i] != a[i] && b[i] != b[i])) return i;
    return count;
}

void bits_assert_equal(const float *expected, const float *actual, size_t count, const char *what) {
    size_t i = bits_first_difference(expected, actual, count);
    if (i < count)
        fail_msg("%s: element %zu of %zu is %.9g (%08x), expected %.9g (%08x)", what, i, count, (double)actual[i],
                 bits_of(actual[i]), (double)expected[i], bits_of(expected[i]));
}
