/* Reproducible random numbers for tests (xorshift64*). */
#ifndef TMC_TEST_RANDOM_H
#define TMC_TEST_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct random_state {
    uint64_t s;
} random_state;

void random_init(random_state *r, uint64_t seed);
uint32_t random_u32(random_state *r);
/* In [lo, hi]. */
int32_t random_int(random_state *r, int32_t lo, int32_t hi);
/* In [lo, hi). */
float random_float(random_state *r, float lo, float hi);
void random_fill(random_state *r, float *data, size_t count, float lo, float hi);
/* As random_fill over [-2, 2), but about one value in 16 is 0, -0, a subnormal, huge, infinite or NaN. */
void random_fill_special(random_state *r, float *data, size_t count);

#endif
