/* Elementary functions against libm in double: a sweep over all exponents and both signs, and special values.
 * Every instruction set gives the bits of portable C (test_f32_math.c), so the fastest level stands for all. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/kernels.h"
#include "lib/levels.h"
#include "lib/random.h"

/* Float bit patterns from one sample to the next: a prime, so that the low bits vary; about a million samples. */
#ifndef SWEEP_STRIDE
#define SWEEP_STRIDE 3989u
#endif
#define BLOCK 1024

static float from_bits(uint32_t bits) {
    float a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

/* By how much the distance of y from the exact value exceeds `slack`, in units in the last place of a float near it. */
static double ulps(float y, double exact, double slack) {
    if (isnan(exact)) return isnan(y) ? 0 : INFINITY;
    if (isnan(y)) return INFINITY;
    double limit = ldexp(1.0, 128) - ldexp(1.0, 103); /* rounds to infinity from here on */
    if (fabs(exact) >= limit) return isinf(y) && (y > 0) == (exact > 0) ? 0 : fabs(y) >= 3.4028234e38 ? 1 : INFINITY;
    if (isinf(y)) return fabs(exact) >= 3.40282e38 ? 1 : INFINITY;
    int e = exact == 0 ? -126 : ilogb(exact);
    return fmax(fabs((double)y - exact) - slack, 0) / ldexp(1.0, (e < -126 ? -126 : e) - 23);
}

typedef struct {
    int kind;
    const char *name;
    float alpha, beta;
    double (*exact)(double x);
    double (*bound)(double x); /* in ulp */
    int gated;                 /* x times a factor that may be subnormal: an absolute error of |x| 2^-149 more */
} function;

static double near_one(double x) { return (void)x, 1.1; }
static double two(double x) { return (void)x, 2.0; }
static double three(double x) { return (void)x, 3.0; }
static double five(double x) { return (void)x, 5.0; }
/* The argument of exp is rounded to float, once or three times: these errors are relative to the argument. */
static double gelu_bound(double x) { return 6 + x * x / 2; }
/* sqrt(2 / pi) is 0.797... */
static double gelu_tanh_argument(double x) { return 2 * 0.79788456080286535588 * (x + 0.044715 * x * x * x); }
static double gelu_tanh_bound(double x) { return 5 + 3 * fabs(gelu_tanh_argument(x)); }

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double silu(double x) { return x == -INFINITY ? 0 : x / (1 + exp(-x)); }
static double softplus(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))) + (isnan(x) ? x : 0); }
static double mish(double x) { return x == -INFINITY ? 0 : x * tanh(softplus(x)); }
static double gelu(double x) { return x == -INFINITY ? 0 : 0.5 * x * erfc(-x * sqrt(0.5)); }
static double gelu_tanh(double x) { return x == -INFINITY ? 0 : x / (1 + exp(-gelu_tanh_argument(x))); }
static double elu(double x) { return x > 0 ? x : (double)0.75f * expm1(x); }
static double selu(double x) { return (double)1.05f * (x > 0 ? x : (double)1.67f * expm1(x)); }
static double celu(double x) { return x > 0 ? x : 2 * expm1(x / 2); }
static double softsign(double x) { return isinf(x) ? copysign(1, x) : x / (1 + fabs(x)); }

static const function functions[] = {
    {TMC_F32_UNARY_EXP, "exp", 0, 0, exp, near_one, 0},
    {TMC_F32_UNARY_LOG, "log", 0, 0, log, near_one, 0},
    {TMC_F32_UNARY_SIGMOID, "sigmoid", 0, 0, sigmoid, two, 0},
    {TMC_F32_UNARY_TANH, "tanh", 0, 0, tanh, two, 0},
    {TMC_F32_UNARY_ERF, "erf", 0, 0, erf, two, 0},
    {TMC_F32_UNARY_SOFTPLUS, "softplus", 0, 0, softplus, three, 0},
    {TMC_F32_UNARY_SILU, "silu", 0, 0, silu, three, 1},
    {TMC_F32_UNARY_MISH, "mish", 0, 0, mish, five, 1},
    {TMC_F32_UNARY_GELU, "gelu", 0, 0, gelu, gelu_bound, 1},
    {TMC_F32_UNARY_GELU_TANH, "gelu_tanh", 0, 0, gelu_tanh, gelu_tanh_bound, 1},
    {TMC_F32_UNARY_ELU, "elu", 0.75f, 0, elu, three, 0},
    {TMC_F32_UNARY_SELU, "selu", 1.67f, 1.05f, selu, three, 0},
    {TMC_F32_UNARY_CELU, "celu", 2, 0, celu, three, 0},
    {TMC_F32_UNARY_SOFTSIGN, "softsign", 0, 0, softsign, two, 0},
};

static void best_kernels(tmc_kernels *kernels) { tmc_kernels_select(level_best_exact(), kernels); }

static void sweep(const function *f, const tmc_f32_unary_kernel *kernel) {
    float x[BLOCK], y[BLOCK];
    double worst = 0;
    uint64_t bits = 0;
    while (bits < UINT64_C(1) << 32) {
        size_t n = 0;
        for (; n < BLOCK && bits < UINT64_C(1) << 32; n++, bits += SWEEP_STRIDE) x[n] = from_bits((uint32_t)bits);
        kernel->run(n, x, y, f->alpha, f->beta);
        for (size_t i = 0; i < n; i++) {
            double slack = f->gated && !isinf(x[i]) ? fabs((double)x[i]) * 0x1p-149 : 0;
            double error = ulps(y[i], f->exact(x[i]), slack), bound = f->bound(x[i]);
            if (!(error <= bound) && !(isnan(x[i]) && isnan(y[i])))
                fail_msg("%s(%a) = %a, exact %a, error %g ulp, bound %g", f->name, x[i], y[i], f->exact(x[i]), error,
                         bound);
            if (f->bound(10) == f->bound(0) && error > worst) worst = error;
        }
    }
    if (worst > 0) printf("  %s: largest error %.3f ulp\n", f->name, worst);
}

static void accuracy(void **state) {
    (void)state;
    tmc_kernels kernels;
    best_kernels(&kernels);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        assert_string_equal(kernels.math.unary[functions[i].kind].name + strlen("f32_unary_"),
                            strstr(kernels.math.unary[functions[i].kind].name, functions[i].name));
        sweep(&functions[i], &kernels.math.unary[functions[i].kind]);
    }
}

static void pow_accuracy(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 11);
    double worst = 0;
    for (int i = 0; i < 2000000; i++) {
        float x = from_bits(random_u32(&r) & 0x7fffffff), y = random_float(&r, -20, 20);
        if (i & 1) x = random_float(&r, -4, 4), y = (float)random_int(&r, -40, 40);
        if (i % 16 == 2) x = random_float(&r, 0.99f, 1.01f), y = random_float(&r, -10000, 10000);
        double exact = pow(x, y), error = ulps(tmc_f32_pow(x, y), exact, 0);
        if (!(error <= 0.51)) fail_msg("pow(%a, %a) = %a, exact %a", x, y, tmc_f32_pow(x, y), exact);
        if (error > worst) worst = error;
    }
    printf("  pow: largest error %.4f ulp\n", worst);
}

static void pow_special(void **state) {
    (void)state;
    static const float values[] = {0,      -0.0f,  1,       -1,       2,         -2,       3,        -3,
                                   0.5f,   -0.5f,  0.99f,   1.5f,     -1.5f,     16777216, 16777218, 1e30f,
                                   -1e30f, 1e-40f, -1e-40f, INFINITY, -INFINITY, NAN};
    size_t count = sizeof values / sizeof *values;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            float got = tmc_f32_pow(values[i], values[j]), want = (float)pow(values[i], values[j]);
            if (isnan(want) ? !isnan(got) : got != want || signbit(got) != signbit(want))
                fail_msg("pow(%a, %a) = %a, expected %a", values[i], values[j], got, want);
        }
    }
}

/* f(x) = y to the bit. */
static void special_values(void **state) {
    (void)state;
    static const struct {
        int kind;
        float x, y;
    } cases[] = {
        {TMC_F32_UNARY_EXP, 0, 1},
        {TMC_F32_UNARY_EXP, INFINITY, INFINITY},
        {TMC_F32_UNARY_EXP, -INFINITY, 0},
        {TMC_F32_UNARY_EXP, 88.72284f, INFINITY},
        {TMC_F32_UNARY_EXP, -103.28f, 0x1p-149f},
        {TMC_F32_UNARY_EXP, -104, 0},
        {TMC_F32_UNARY_LOG, 0, -INFINITY},
        {TMC_F32_UNARY_LOG, -0.0f, -INFINITY},
        {TMC_F32_UNARY_LOG, 1, 0},
        {TMC_F32_UNARY_LOG, INFINITY, INFINITY},
        {TMC_F32_UNARY_LOG, -0x1p-149f, NAN},
        {TMC_F32_UNARY_LOG, -INFINITY, NAN},
        {TMC_F32_UNARY_SIGMOID, INFINITY, 1},
        {TMC_F32_UNARY_SIGMOID, -INFINITY, 0},
        {TMC_F32_UNARY_SIGMOID, 0, 0.5f},
        {TMC_F32_UNARY_TANH, -0.0f, -0.0f},
        {TMC_F32_UNARY_TANH, INFINITY, 1},
        {TMC_F32_UNARY_TANH, -INFINITY, -1},
        {TMC_F32_UNARY_ERF, -0.0f, -0.0f},
        {TMC_F32_UNARY_ERF, INFINITY, 1},
        {TMC_F32_UNARY_ERF, -INFINITY, -1},
        {TMC_F32_UNARY_SOFTPLUS, INFINITY, INFINITY},
        {TMC_F32_UNARY_SOFTPLUS, -INFINITY, 0},
        {TMC_F32_UNARY_SILU, -INFINITY, -0.0f},
        {TMC_F32_UNARY_SILU, INFINITY, INFINITY},
        {TMC_F32_UNARY_MISH, -INFINITY, -0.0f},
        {TMC_F32_UNARY_MISH, INFINITY, INFINITY},
        {TMC_F32_UNARY_GELU, -INFINITY, -0.0f},
        {TMC_F32_UNARY_GELU, INFINITY, INFINITY},
        {TMC_F32_UNARY_GELU_TANH, -INFINITY, -0.0f},
        {TMC_F32_UNARY_GELU_TANH, INFINITY, INFINITY},
        {TMC_F32_UNARY_HARD_SWISH, -INFINITY, -0.0f},
        {TMC_F32_UNARY_SOFTSIGN, INFINITY, 1},
        {TMC_F32_UNARY_SOFTSIGN, -INFINITY, -1},
        {TMC_F32_UNARY_SIGN, -0.0f, 0},
        {TMC_F32_UNARY_SIGN, -0x1p-149f, -1},
        {TMC_F32_UNARY_SIGN, INFINITY, 1},
        {TMC_F32_UNARY_ROUND, 2.5f, 2},
        {TMC_F32_UNARY_ROUND, -0.5f, -0.0f},
        {TMC_F32_UNARY_CEIL, -0.5f, -0.0f},
        {TMC_F32_UNARY_FLOOR, -0.0f, -0.0f},
        {TMC_F32_UNARY_RECIPROCAL, -0.0f, -INFINITY},
        {TMC_F32_UNARY_SQRT, -1, NAN},
        {TMC_F32_UNARY_SQRT, -0.0f, -0.0f},
    };
    tmc_kernels kernels;
    best_kernels(&kernels);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tmc_f32_unary_kernel *kernel = &kernels.math.unary[cases[i].kind];
        float y;
        kernel->run(1, &cases[i].x, &y, 1, 0);
        if (isnan(cases[i].y) ? !isnan(y) : memcmp(&y, &cases[i].y, sizeof y) != 0)
            fail_msg("%s(%a) = %a, expected %a", kernel->name, cases[i].x, y, cases[i].y);
    }
}

static void nan_stays_nan(void **state) {
    (void)state;
    tmc_kernels kernels;
    best_kernels(&kernels);
    for (int k = 0; k < TMC_F32_UNARY_COUNT; k++) {
        float x = NAN, y = 0;
        kernels.math.unary[k].run(1, &x, &y, 0.5f, 2.0f);
        if (!isnan(y)) fail_msg("%s(NaN) = %a", kernels.math.unary[k].name, y);
    }
    for (int k = 0; k < TMC_F32_BINARY_COUNT; k++) {
        for (int side = 0; side < 2; side++) {
            float a = side ? NAN : -2.0f, b = side ? 2.0f : NAN, y = 0;
            tmc_f32_binary_args args = {1, 1, &a, &b, 1, 1, 1, 1, &y, -1, 1};
            kernels.math.binary[k].run(&args);
            if (!isnan(y)) fail_msg("%s(%a, %a) = %a", kernels.math.binary[k].name, a, b, y);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accuracy),       cmocka_unit_test(pow_accuracy),  cmocka_unit_test(pow_special),
        cmocka_unit_test(special_values), cmocka_unit_test(nan_stays_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
