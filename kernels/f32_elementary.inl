/* Elementary functions over the vector layer: one list of operations, so one result, for every instruction set.
 *
 * Polynomials: coefficients without another source are minimax fits by the Remez exchange in double precision, rounded
 * to float from the lowest power on, the rest fitted again after each rounding (docs/kernels-math.md, "Coefficients").
 * The interval and the largest error of each fit stand beside it. Error bounds of the functions are those of the test
 * test/kernel/test_f32_math_accuracy.c. */
#ifndef TMC_KERNELS_F32_ELEMENTARY_INL
#define TMC_KERNELS_F32_ELEMENTARY_INL

#include "kernels/f32_unroll.h"

#define MATH_SIGN_BIT ((int32_t)(-2147483647 - 1))
#define MATH_FLT_MAX 0x1.fffffep127f
#define MATH_INFINITY __builtin_inff()

/* acc * x + c: one step of Horner's rule. */
static inline vecf math_horner(vecf acc, vecf x, float c) { return vec_fma(acc, x, vec_set(c)); }

/* Both keep a NaN in x. */
static inline vecf math_at_least(vecf x, float lo) { return vec_max(vec_set(lo), x); }
static inline vecf math_at_most(vecf x, float hi) { return vec_min(vec_set(hi), x); }

static inline vecf math_abs(vecf x) { return vec_from_bits(veci_and(vec_bits(x), veci_set(0x7fffffff))); }
static inline vecf math_neg(vecf x) { return vec_from_bits(veci_xor(vec_bits(x), veci_set(MATH_SIGN_BIT))); }
static inline vecf math_neg_abs(vecf x) { return vec_from_bits(veci_or(vec_bits(x), veci_set(MATH_SIGN_BIT))); }
/* The sign of `sign` on a value whose sign bit is clear. */
static inline vecf math_with_sign(vecf magnitude, vecf sign) {
    return vec_from_bits(veci_or(vec_bits(magnitude), veci_and(vec_bits(sign), veci_set(MATH_SIGN_BIT))));
}

/* The larger (smaller) of two, NaN if either is. */
static inline vecf math_max_nan(vecf a, vecf b) { return vec_select(vec_eq(a, a), vec_max(a, b), a); }
static inline vecf math_min_nan(vecf a, vecf b) { return vec_select(vec_eq(a, a), vec_min(a, b), a); }

/* x = n ln 2 + r, |r| <= ln 2 / 2, for |x| < 2^21; returns e^r - 1 = r + r^2 q(r).
 * n = rint(x / ln 2) falls out of the addition of 1.5 * 2^23, whose unit in the last place is 1: also as an integer,
 * and without a conversion, whose result for a NaN depends on the CPU. ln 2 = hi + lo; hi has 15 significant bits, so
 * that r_hi = x - n hi is exact. Adding n lo to r^2 q instead of to r keeps one rounding out of the sum.
 * q: |r| <= 0.34668, relative error of e^r - 1 1.6e-8. */
static inline vecf math_exp_parts(vecf x, veci *n) {
    const vecf magic = vec_set(0x1.8p23f);
    vecf t = vec_fma(x, vec_set(0x1.715476p0f), magic);
    vecf nf = vec_sub(t, magic);
    *n = veci_sub(vec_bits(t), vec_bits(magic));
    vecf r_hi = vec_fma(nf, vec_set(-0x1.62e4p-1f), x);
    vecf r = vec_fma(nf, vec_set(-0x1.7f7d1cp-20f), r_hi);
    vecf q = vec_set(0x1.6e4feep-10f);
    q = math_horner(q, r, 0x1.12342ap-7f);
    q = math_horner(q, r, 0x1.555448p-5f);
    q = math_horner(q, r, 0x1.5554a0p-3f);
    q = math_horner(q, r, 0.5f);
    vecf rest = vec_fma(nf, vec_set(-0x1.7f7d1cp-20f), vec_mul(vec_mul(r, r), q));
    return vec_add(r_hi, rest);
}

/* 2^n for -126 <= n <= 127. */
static inline vecf math_pow2(veci n) { return vec_from_bits(veci_shl(veci_add(n, veci_set(127)), 23)); }

#if VEC_WIDTH > 1
#define MATH_EXP_INLINE TMC_INLINE
#else
#define MATH_EXP_INLINE static /* portable C calls fmaf anyway: no copy for each pair of constants */
#endif

/* n and r of math_exp_parts for sign x, r rounded once more; returns sign r. `sign` is 1 or -1 and in the constants
 * only. The low bits of t are n + bias. */
MATH_EXP_INLINE vecf math_exp_rest(vecf x, float sign, float bias, vecf *t) {
    const vecf magic = vec_set(0x1.8p23f + bias);
    *t = vec_fma(x, vec_set(sign * 0x1.715476p0f), magic);
    vecf nf = vec_sub(*t, magic);
    vecf r = vec_fma(nf, vec_set(sign * -0x1.62e4p-1f), x);
    return vec_fma(nf, vec_set(sign * -0x1.7f7d1cp-20f), r);
}

/* e^x = 2^n p; p = e^r is one Horner chain: three operations less than with math_exp_parts. */
MATH_EXP_INLINE vecf math_exp_reduced(vecf x, float bias, vecf *t) {
    vecf r = math_exp_rest(x, 1.0f, bias, t);
    vecf p = vec_set(0x1.6e4feep-10f);
    p = math_horner(p, r, 0x1.12342ap-7f);
    p = math_horner(p, r, 0x1.555448p-5f);
    p = math_horner(p, r, 0x1.5554a0p-3f);
    p = math_horner(p, r, 0.5f);
    p = math_horner(p, r, 1.0f);
    return math_horner(p, r, 1.0f);
}

/* e^x, within 1.1 ulp. 2^n is applied as two factors, both normal: the first product is exact, so that overflow gives
 * infinity and a subnormal result is rounded once. 254 is twice the bias of an exponent, so that the halves of t's last
 * bits are the exponents of the factors; what is above them leaves by the shift. Outside [-104, 89] the result is 0 or
 * infinity as at the ends. */
static inline vecf math_exp(vecf x) {
    vecf t, p = math_exp_reduced(math_at_most(math_at_least(x, -104.0f), 89.0f), 254.0f, &t);
    veci n = vec_bits(t), half = veci_sar(n, 1);
    vecf first = vec_from_bits(veci_shl(half, 23)), second = vec_from_bits(veci_shl(veci_sub(n, half), 23));
    return vec_mul(vec_mul(p, first), second);
}

/* The same bits for x <= 43, which is most uses: n + 64 is between -86 and 127, so that the first factor is 2^(n + 64)
 * and the second is the constant 2^-64. */
static inline vecf math_exp_low(vecf x) {
    vecf t, p = math_exp_reduced(math_at_least(x, -104.0f), 64.0f + 127.0f, &t);
    return vec_mul(vec_mul(p, vec_from_bits(veci_shl(vec_bits(t), 23))), vec_set(0x1p-64f));
}

/* e^x - 1 for x <= 0, within 2 ulp; for x > 0 some value, infinity possible. */
static inline vecf math_expm1_negative(vecf x) {
    veci n;
    vecf e = math_exp_parts(math_at_most(math_at_least(x, -80.0f), 80.0f), &n);
    vecf s = math_pow2(n);
    return vec_fma(s, e, vec_sub(s, vec_set(1.0f)));
}

/* ln x, within 1.1 ulp. x = 2^k m, m in [sqrt(1/2), sqrt(2)), f = m - 1, ln m = f - f^2/2 + f^3 L(f) with L from the
 * Cephes Mathematical Library, logf.c (S. L. Moshier), relative error 7e-8 of f^3 L. ln 0 = -inf, ln of a negative is
 * NaN. */
static inline vecf math_log(vecf x) {
    vecm subnormal = vec_lt(x, vec_set(0x1p-126f));
    vecf scaled = vec_select(subnormal, vec_mul(x, vec_set(0x1p23f)), x);
    veci bits = vec_bits(scaled);
    veci k = veci_sar(veci_sub(bits, veci_set(0x3f3504f3)), 23); /* 0x3f3504f3: sqrt(1/2) */
    vecf m = vec_from_bits(veci_sub(bits, veci_shl(k, 23)));
    vecf kf = vec_from_int(veci_sub(k, veci_keep(subnormal, veci_set(23))));
    vecf f = vec_sub(m, vec_set(1.0f));
    vecf f2 = vec_mul(f, f);
    vecf l = vec_set(7.0376836292e-2f);
    l = math_horner(l, f, -1.1514610310e-1f);
    l = math_horner(l, f, 1.1676998740e-1f);
    l = math_horner(l, f, -1.2420140846e-1f);
    l = math_horner(l, f, 1.4249322787e-1f);
    l = math_horner(l, f, -1.6668057665e-1f);
    l = math_horner(l, f, 2.0000714765e-1f);
    l = math_horner(l, f, -2.4999993993e-1f);
    l = math_horner(l, f, 3.3333331174e-1f);
    vecf y = vec_mul(vec_mul(f2, f), l);
    y = vec_fma(kf, vec_set(0x1.7f7d1cp-20f), y); /* ln 2 in two parts, as in math_exp_parts */
    y = vec_fma(f2, vec_set(-0.5f), y);
    y = vec_fma(kf, vec_set(0x1.62e4p-1f), vec_add(f, y));
    y = vec_select(vec_lt(x, vec_set(MATH_INFINITY)), y, x); /* infinity and NaN as they are */
    y = vec_select(vec_eq(x, vec_zero()), vec_set(-MATH_INFINITY), y);
    return vec_select(vec_lt(x, vec_zero()), vec_set(__builtin_nanf("")), y);
}

/* 1 / (1 + e^-x), within 2 ulp: with z = e^-|x|, which cannot overflow, and q = z / (1 + z) it is 1 - q, for negative x
 * z - z q. So both tails keep their relative precision, and the rounding of 1 + z shows in q alone, damped by z. */
static inline vecf math_sigmoid(vecf x) {
    vecf one = vec_set(1.0f);
    vecf z = math_exp_low(math_neg_abs(x));
    vecf q = vec_div(z, vec_add(z, one));
    vecf w = vec_select_sign(x, z, one);
    return vec_fnma(w, q, w);
}

/* tanh x, within 2 ulp: a polynomial below 0.625, where 1 - 2 / (e^2x + 1) would cancel; above 10 it is 1.
 * T: [0, 0.625^2], relative error of tanh 5e-9. */
static inline vecf math_tanh(vecf x) {
    vecf a = math_at_most(math_abs(x), 10.0f);
    vecf s = vec_mul(a, a);
    vecf t = vec_set(-0x1.7863cep-8f);
    t = math_horner(t, s, 0x1.52cb40p-6f);
    t = math_horner(t, s, -0x1.b85a38p-5f);
    t = math_horner(t, s, 0x1.110844p-3f);
    t = math_horner(t, s, -0x1.55553ap-2f);
    vecf small = vec_fma(vec_mul(a, s), t, a);
    vecf e = math_exp_low(vec_add(a, a));
    vecf large = vec_sub(vec_set(1.0f), vec_div(vec_set(2.0f), vec_add(e, vec_set(1.0f))));
    return math_with_sign(vec_select(vec_lt(a, vec_set(0.625f)), small, large), x);
}

/* erf x, within 2 ulp: x + x E(x^2) below 0.925, then 1 - e^P(x) up to 4, where it is 1.
 * E: [0, 0.93^2], relative error of erf 1.8e-8. P: [0.92, 4], relative error of erf 1.2e-10. */
static inline vecf math_erf(vecf x) {
    vecf a = math_at_most(math_abs(x), 4.0f);
    vecf s = vec_mul(a, a);
    vecf e = vec_set(-0x1.386e12p-11f);
    e = math_horner(e, s, 0x1.46d86cp-8f);
    e = math_horner(e, s, -0x1.b67bcep-6f);
    e = math_horner(e, s, 0x1.ce1984p-4f);
    e = math_horner(e, s, -0x1.8126e2p-2f);
    e = math_horner(e, s, 0x1.06eba6p-3f);
    vecf small = vec_fma(a, e, a);
    vecf p = vec_set(-0x1.62037ep-16f);
    p = math_horner(p, a, 0x1.c79bfep-12f);
    p = math_horner(p, a, -0x1.115cc8p-8f);
    p = math_horner(p, a, 0x1.9b8f44p-6f);
    p = math_horner(p, a, -0x1.bb840ep-4f);
    p = math_horner(p, a, -0x1.44460ap-1f);
    p = math_horner(p, a, -0x1.2127e4p+0f);
    p = math_horner(p, a, 0x1.6e5658p-13f);
    vecf large = vec_sub(vec_set(1.0f), math_exp_low(p));
    return math_with_sign(vec_select(vec_lt(a, vec_set(0.925f)), small, large), x);
}

/* ln(1 + e^x) = max(x, 0) + ln(1 + z), z = e^-|x|; ln(1 + z) = 2 atanh(s), s = z / (2 + z) <= 1/3, has no cancellation.
 * A: [0, 1/9], relative error of atanh 1.2e-10. */
static inline vecf math_softplus(vecf x) {
    vecf z = math_exp_low(math_neg_abs(x));
    vecf s = vec_div(z, vec_add(z, vec_set(2.0f)));
    vecf v = vec_mul(s, s);
    vecf a = vec_set(0x1.f08b0cp-3f);
    a = math_horner(a, v, 0x1.b72bb6p-3f);
    a = math_horner(a, v, 0x1.250510p-2f);
    a = math_horner(a, v, 0x1.9996d8p-2f);
    a = math_horner(a, v, 0x1.555558p-1f);
    return vec_add(math_at_least(x, 0.0f), vec_fma(vec_mul(s, v), a, vec_add(s, s)));
}

/* x as a factor of something that is 0 at -infinity: the product is the limit -0, not NaN. */
static inline vecf math_gate_input(vecf x) { return math_at_least(x, -MATH_FLT_MAX); }

/* x / (1 + e^-w), its error within 3 ulp and that of w. With e^-w = 2^n e^-r, and e^-r = (A - r) / (A + r) for the even
 * function A = r coth(r / 2), the factor of x is (A + r) / (A + r + 2^n (A - r)): a division anyway, and A has three
 * terms where e^r has seven. A - r is made from the rounded A + r: then that rounding is one of A and hardly matters.
 * Both parts of the fraction are 2^-64 times as large (a subtraction from the exponent, since A + r is between 1.6 and
 * 2.4; a NaN stays in the denominator): e^-w cannot overflow where the result is not 0, and the division rounds a
 * subnormal quotient once. Below -120 the result is -0, and e^-43 does not change 1.
 * A: |r| <= 0.34668, relative error of e^r 1.2e-8: 5.3e-10 with the first coefficient of the fit, 36 units in the last
 * place larger, but then the roundings add up to 3.12 ulp of silu at -5.11, now to 2.96. */
static inline vecf math_gated(vecf x, vecf w) {
    vecf t, r = math_exp_rest(math_at_most(math_at_least(w, -120.0f), 43.0f), -1.0f, 127.0f - 64.0f, &t);
    vecf s = vec_mul(r, r);
    vecf a = math_horner(vec_set(-0x1.6a8beep-9f), s, 0x1.5554ccp-3f);
    vecf plus = vec_fma(a, s, vec_add(r, vec_set(2.0f))), minus = vec_sub(plus, vec_add(r, r));
    vecf top = vec_from_bits(veci_sub(vec_bits(plus), veci_set(64 << 23)));
    vecf bottom = vec_fma(minus, vec_from_bits(veci_shl(vec_bits(t), 23)), top);
    return vec_mul(math_at_least(x, -120.0f), vec_div(top, bottom));
}

static inline vecf math_silu(vecf x) { return math_gated(x, x); }

/* x tanh(ln(1 + e^x)) = x n / (n + 2), n = e^x (e^x + 2); from x = 20 on the quotient is 1 in float. */
static inline vecf math_mish(vecf x) {
    vecf e = math_exp_low(math_at_most(x, 20.0f));
    vecf n = vec_mul(e, vec_add(e, vec_set(2.0f)));
    return vec_mul(math_gate_input(x), vec_div(n, vec_add(n, vec_set(2.0f))));
}

/* x Phi(x), Phi(-|x|) = erfc(z) / 2, z = |x| / sqrt 2, erfc(z) = e^(-z^2) u H(1 - u), u = 1 / (1 + z / 2): the left
 * tail keeps its relative precision, which (1 + erf) / 2 would lose, and near 0, where Phi is 1/2 and H is 1, nothing
 * cancels. H: z in [0, 10], relative error 2.4e-8. */
static inline vecf math_gelu(vecf x) {
    vecf one = vec_set(1.0f);
    vecf u = vec_div(one, vec_fma(math_abs(x), vec_set(0x1.6a09e6p-2f), one)); /* sqrt(1/2) / 2 */
    vecf t = vec_sub(one, u);
    vecf h = vec_set(-0x1.022f2ap-6f);
    h = math_horner(h, t, 0x1.6a4f1ap-10f);
    h = math_horner(h, t, 0x1.7409d4p-4f);
    h = math_horner(h, t, -0x1.076f56p-4f);
    h = math_horner(h, t, -0x1.10ea22p-4f);
    h = math_horner(h, t, -0x1.b0d944p-4f);
    h = math_horner(h, t, 0x1.b34cc8p-3f);
    h = math_horner(h, t, 0x1.f21c98p-2f);
    h = math_horner(h, t, -0x1.41bae2p+0f);
    h = math_horner(h, t, 1.0f);
    vecf e = math_exp_low(vec_mul(vec_mul(x, x), vec_set(-0.5f)));
    vecf tail = vec_mul(vec_mul(e, vec_set(0.5f)), vec_mul(u, h));
    vecf phi = vec_select(vec_lt(x, vec_zero()), tail, vec_sub(one, tail));
    return vec_mul(math_gate_input(x), phi);
}

/* x (1 + tanh(w)) / 2 = x sigmoid(2 w), w = sqrt(2 / pi) (x + 0.044715 x^3). */
static inline vecf math_gelu_tanh(vecf x) {
    vecf w2 = vec_mul(x, vec_fma(vec_mul(x, x), vec_set(0x1.2444f2p-4f), vec_set(0x1.988454p+0f)));
    return math_gated(x, w2);
}

#endif
