/* f32_binary_pow and f32_binary_mod. pow works in double, whose operations are those of IEEE 754 on every target; its
 * error of about 1e-13 leaves the rounding to float as the only one that shows. */
#include <math.h>
#include <string.h>

#include "kernels/f32_math_ref.h"

static uint64_t double_bits(double a) {
    uint64_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

static double double_from_bits(uint64_t bits) {
    double a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

/* log2 of a positive normal double: a = 2^k m, m in [sqrt(1/2), sqrt(2)), ln m = 2 atanh(s), s = (m - 1) / (m + 1),
 * |s| < 0.1716. The Taylor series up to s^17 leaves 2 s^19 / 19 < 3e-16. */
static double log2_of(double a) {
    uint64_t bits = double_bits(a);
    const uint64_t sqrt_half = 0x3fe6a09e667f3bcd;
    int64_t k = (int64_t)(bits - sqrt_half) >> 52;
    double m = double_from_bits(bits - ((uint64_t)k << 52));
    double s = (m - 1.0) / (m + 1.0), v = s * s, t = 1.0 / 17;
    for (int i = 15; i >= 1; i -= 2) t = fma(t, v, 1.0 / i);
    return fma(2.0 * s * t, 0x1.71547652b82fep0, (double)k); /* 1 / ln 2 */
}

/* 2^a for |a| < 1000: n = rint(a), the Taylor series of e^r, r = (a - n) ln 2, |r| < 0.3466, up to r^13: 0.3466^14 /
 * 14! < 5e-18. */
static double exp2_of(double a) {
    double n = rint(a), r = (a - n) * 0x1.62e42fefa39efp-1, t = 1.0;
    for (int i = 13; i >= 1; i--) t = fma(t, r / i, 1.0);
    return t * double_from_bits((uint64_t)((int64_t)n + 1023) << 52);
}

static int is_integer(float y) { return rintf(y) == y; } /* infinities too */
static int is_odd(float y) { return fabsf(y) < 0x1p24f && is_integer(y) && rintf(y * 0.5f) != y * 0.5f; }

float tmc_f32_pow(float x, float y) {
    if (y == 0.0f || x == 1.0f) return 1.0f;
    if (x != x || y != y) return x + y;
    float sign = x < 0.0f && is_odd(y) ? -1.0f : 1.0f;
    float magnitude = fabsf(x), inf = __builtin_inff();
    if (magnitude == 0.0f || magnitude == inf) {
        float limit = (magnitude == 0.0f) == (y > 0.0f) ? 0.0f : inf;
        return is_odd(y) ? copysignf(limit, x) : limit;
    }
    if (x < 0.0f && !is_integer(y)) return __builtin_nanf("");
    double e = (double)y * log2_of(magnitude); /* an infinite y gives an infinite e, or NaN for a base of -1 */
    if (e != e) return 1.0f;
    e = e < -200.0 ? -200.0 : e > 200.0 ? 200.0 : e; /* 0 and infinity in float */
    return sign * (float)exp2_of(e);
}

static float clamp(float x, float lo, float hi) {
    float t = x < lo ? lo : x;
    return t > hi ? hi : t;
}

static inline void rows(const tmc_f32_binary_args *g, float (*f)(float, float)) {
    for (size_t r = 0; r < g->rows; r++) {
        const float *a = g->a + r * g->a_row, *b = g->b + r * g->b_row;
        float *y = g->y + r * g->cols;
        for (size_t c = 0; c < g->cols; c++) y[c] = clamp(f(a[g->a_col ? c : 0], b[g->b_col ? c : 0]), g->lo, g->hi);
    }
}

void tmc_f32_binary_pow__ref(const tmc_f32_binary_args *args) { rows(args, tmc_f32_pow); }

/* The remainder with the sign of a. C requires fmod to be exact, so every libm gives the same bits. */
void tmc_f32_binary_mod__ref(const tmc_f32_binary_args *args) { rows(args, fmodf); }
