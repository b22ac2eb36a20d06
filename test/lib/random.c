#include "lib/random.h"

#include <math.h>

void random_init(random_state *r, uint64_t seed) {
    r->s = seed * 0x9E3779B97F4A7C15u + 0x1234567890ABCDEFu;
    if (!r->s) r->s = 1;
}

uint32_t random_u32(random_state *r) {
    r->s ^= r->s >> 12;
    r->s ^= r->s << 25;
    r->s ^= r->s >> 27;
    return (uint32_t)((r->s * 0x2545F4914F6CDD1Du) >> 32);
}

int32_t random_int(random_state *r, int32_t lo, int32_t hi) {
    uint64_t span = (uint64_t)((int64_t)hi - lo) + 1;
    return (int32_t)(lo + (int64_t)(((uint64_t)random_u32(r) * span) >> 32));
}

float random_float(random_state *r, float lo, float hi) {
    return lo + (hi - lo) * ((float)(random_u32(r) >> 8) * 0x1p-24f);
}

void random_fill(random_state *r, float *data, size_t count, float lo, float hi) {
    for (size_t i = 0; i < count; i++) data[i] = random_float(r, lo, hi);
}

void random_fill_special(random_state *r, float *data, size_t count) {
    static const float special[8] = {0.0f, -0.0f, 1e-42f, -3e-45f, 1e38f, -1e38f, INFINITY, NAN};
    for (size_t i = 0; i < count; i++) {
        uint32_t pick = random_u32(r) >> 16;
        data[i] = pick % 16 ? random_float(r, -2.0f, 2.0f) : special[pick / 16 % 8];
    }
}
