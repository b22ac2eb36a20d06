/* f32_unary_<kind>: y[i] = f(x[i]). One loop, one function per kind; formulas in docs/operators.md. Define UNARY_KINDS
 * first, the list of kinds. */
#include "kernels/f32_elementary.inl"
#include "kernels/f32_math_declare.inl"
#include "kernels/f32_unroll.h"

typedef vecf (*unary_step)(vecf x, vecf alpha, vecf beta);
typedef void (*unary_whole)(size_t n, const float *x, float *y, vecf alpha, vecf beta);

/* `step` is a constant at every call: the compiler puts its body into the loop. n is a multiple of VEC_WIDTH. */
TMC_INLINE void unary_loop(size_t n, const float *x, float *y, vecf alpha, vecf beta, unary_step step) {
    for (size_t i = 0; i < n; i += VEC_WIDTH) vec_store(y + i, step(vec_load(x + i), alpha, beta));
}

/* The last, shorter vector goes through the same loop by way of the stack: a second body would double the code of every
 * kind. */
TMC_NOINLINE void unary_all(size_t n, const float *x, float *y, float alpha, float beta, unary_whole whole) {
    const size_t rest = n % VEC_WIDTH, full = n - rest;
    const vecf a = vec_set(alpha), b = vec_set(beta);
    whole(full, x, y, a, b);
    if (rest) {
        float last[VEC_WIDTH];
        vec_store(last, vec_load_head(x + full, rest));
        whole(VEC_WIDTH, last, last, a, b);
        vec_store_head(y + full, vec_load(last), rest);
    }
}

#define UNARY_STEP(name) TMC_INLINE vecf step_##name(vecf x, vecf alpha, vecf beta)
#define UNARY_PLAIN(name, value)                                                                                       \
    UNARY_STEP(name) {                                                                                                 \
        (void)alpha, (void)beta;                                                                                       \
        return value;                                                                                                  \
    }

UNARY_STEP(clamp) { return vec_min(beta, vec_max(alpha, x)); }
UNARY_STEP(leaky_relu) {
    (void)beta;
    return vec_select(vec_lt(x, vec_zero()), vec_mul(alpha, x), x);
}
UNARY_STEP(elu) {
    (void)beta;
    return vec_select(vec_lt(vec_zero(), x), x, vec_mul(alpha, math_expm1_negative(x)));
}
UNARY_STEP(selu) { return vec_mul(beta, vec_select(vec_lt(vec_zero(), x), x, vec_mul(alpha, math_expm1_negative(x)))); }
UNARY_STEP(celu) { /* alpha > 0 */
    (void)beta;
    return vec_select(vec_lt(vec_zero(), x), x, vec_mul(alpha, math_expm1_negative(vec_div(x, alpha))));
}
UNARY_STEP(hard_sigmoid) { return math_at_most(math_at_least(vec_fma(alpha, x, beta), 0.0f), 1.0f); }
UNARY_STEP(hard_swish) {
    (void)alpha, (void)beta;
    vecf gate = vec_fma(x, vec_set(1.0f / 6.0f), vec_set(0.5f));
    return vec_mul(math_gate_input(x), math_at_most(math_at_least(gate, 0.0f), 1.0f));
}
UNARY_STEP(softsign) { /* limited first: infinity / infinity is 1 here */
    (void)alpha, (void)beta;
    vecf t = math_at_most(math_at_least(x, -MATH_FLT_MAX), MATH_FLT_MAX);
    return vec_div(t, vec_add(vec_set(1.0f), math_abs(t)));
}
UNARY_STEP(sign) { /* both zeros give +0 */
    (void)alpha, (void)beta;
    vecf y = vec_select(vec_lt(vec_zero(), x), vec_set(1.0f), vec_add(x, vec_zero()));
    return vec_select(vec_lt(x, vec_zero()), vec_set(-1.0f), y);
}
UNARY_STEP(thresholded_relu) {
    (void)beta;
    return vec_select(vec_le(x, alpha), vec_zero(), x);
}
UNARY_PLAIN(sigmoid, math_sigmoid(x))
UNARY_PLAIN(silu, math_silu(x))
UNARY_PLAIN(tanh, math_tanh(x))
UNARY_PLAIN(softplus, math_softplus(x))
UNARY_PLAIN(gelu, math_gelu(x))
UNARY_PLAIN(gelu_tanh, math_gelu_tanh(x))
UNARY_PLAIN(mish, math_mish(x))
UNARY_PLAIN(erf, math_erf(x))
UNARY_PLAIN(exp, math_exp(x))
UNARY_PLAIN(log, math_log(x))
UNARY_PLAIN(sqrt, vec_sqrt(x))
UNARY_PLAIN(abs, math_abs(x))
UNARY_PLAIN(neg, math_neg(x))
UNARY_PLAIN(reciprocal, vec_div(vec_set(1.0f), x))
UNARY_PLAIN(floor, vec_floor(x))
UNARY_PLAIN(ceil, vec_ceil(x))
UNARY_PLAIN(round, vec_rint(x))

#define X(NAME, name)                                                                                                  \
    static void whole_##name(size_t n, const float *x, float *y, vecf alpha, vecf beta) {                              \
        unary_loop(n, x, y, alpha, beta, step_##name);                                                                 \
    }                                                                                                                  \
    void VEC_SYMBOL(f32_unary_##name)(size_t n, const float *x, float *y, float alpha, float beta) {                   \
        unary_all(n, x, y, alpha, beta, whole_##name);                                                                 \
    }
UNARY_KINDS(X)
#undef X
