/* reduce, arg_max, arg_min and softmax against loops in double, at every level and thread count. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/op.h"
#include "lib/op_levels.h"
#include "lib/random.h"

static random_state rng;

static const tmc_tensor_desc shapes[] = {
    {.dtype = TMC_F32, .rank = 0},
    {.dtype = TMC_F32, .rank = 1, .dims = {21}},
    {.dtype = TMC_F32, .rank = 4, .dims = {2, 5, 7, 19}},
    {.dtype = TMC_F32, .rank = 5, .dims = {3, 1, 4, 5, 2}},
    {.dtype = TMC_F32, .rank = 4, .dims = {1, 31, 33, 70}},
    {.dtype = TMC_F32, .rank = 2, .dims = {1, 50000}},
    {.dtype = TMC_F32, .rank = 4, .dims = {2, 3, 1, 1}},
};
#define SHAPE_COUNT (sizeof shapes / sizeof *shapes)

static size_t output_index(const tmc_tensor_desc *x, uint32_t mask, size_t at) {
    size_t index = 0, step = 1;
    for (int32_t i = x->rank - 1; i >= 0; i--) {
        size_t position = at % (size_t)x->dims[i];
        at /= (size_t)x->dims[i];
        if (mask >> i & 1) continue;
        index += position * step;
        step *= (size_t)x->dims[i];
    }
    return index;
}

static double start_value(int32_t kind) {
    if (kind == TMC_REDUCE_MAX) return -INFINITY;
    if (kind == TMC_REDUCE_MIN) return INFINITY;
    return kind == TMC_REDUCE_PROD ? 1 : 0;
}

static double add(int32_t kind, double acc, double x) {
    switch (kind) {
    case TMC_REDUCE_MAX: return fmax(acc, x);
    case TMC_REDUCE_MIN: return fmin(acc, x);
    case TMC_REDUCE_PROD: return acc * x;
    case TMC_REDUCE_L1: return acc + fabs(x);
    case TMC_REDUCE_L2:
    case TMC_REDUCE_SUM_SQUARE: return acc + x * x;
    case TMC_REDUCE_LOG_SUM_EXP: return acc + exp(x);
    default: return acc + x;
    }
}

static double end_value(int32_t kind, double acc, double count) {
    switch (kind) {
    case TMC_REDUCE_MEAN: return acc / count;
    case TMC_REDUCE_L2: return sqrt(acc);
    case TMC_REDUCE_LOG_SUM:
    case TMC_REDUCE_LOG_SUM_EXP: return log(acc);
    default: return acc;
    }
}

/* The errors of an ordered sum of `count` positive terms, 16 or 1 chains: far less than count * 2^-24 in practice. */
static double tolerance(double count) { return 1e-6 + 3e-8 * count / 16; }

static void check_reduce(const tmc_tensor_desc *x, const float *data, int32_t kind, uint32_t mask, int32_t keep) {
    static double want[200000];
    size_t n = tmc_tensor_elements(x);
    tmc_reduce_params p = {kind, (int32_t)mask, keep};
    op_tensor in = {*x, data, 0};
    op_call call = {.op = TMC_OP_REDUCE, .params = &p, .inputs = &in, .input_count = 1, .output_count = 1};
    op_result r = op_run_levels(&call, 0);
    size_t outputs = tmc_tensor_elements(&r.descs[0]), count = n / outputs;
    assert_int_equal(r.descs[0].rank, keep ? x->rank : x->rank - __builtin_popcount(mask));
    for (size_t i = 0; i < outputs; i++) want[i] = start_value(kind);
    for (size_t i = 0; i < n; i++) {
        size_t o = output_index(x, mask, i);
        want[o] = add(kind, want[o], data[i]);
    }
    const float *y = r.data[0];
    for (size_t i = 0; i < outputs; i++) {
        double w = end_value(kind, want[i], (double)count);
        bool log_end =
            kind == TMC_REDUCE_LOG_SUM || kind == TMC_REDUCE_LOG_SUM_EXP; /* relative before, absolute after */
        if (!(fabs(y[i] - w) <= tolerance((double)count) * fmax(fabs(w), log_end ? 1 : 1e-3)))
            fail_msg("%s, rank %d, axes %x, [%zu]: %g, expected %g", tmc_reduce_name(kind), x->rank, mask, i, y[i], w);
    }
    op_result_free(&r);
}

static void reduce_floats(void **state) {
    (void)state;
    for (size_t s = 0; s < SHAPE_COUNT; s++) {
        size_t n = tmc_tensor_elements(&shapes[s]);
        float *data = malloc(n * sizeof *data);
        for (int32_t kind = 1; kind < TMC_REDUCE_END; kind++) {
            for (uint32_t mask = 0; mask < 1u << shapes[s].rank; mask++) {
                bool near_one = kind == TMC_REDUCE_PROD; /* else it under- or overflows */
                if (n > 10000 && kind != TMC_REDUCE_MEAN && kind != TMC_REDUCE_LOG_SUM_EXP) continue;
                random_fill(&rng, data, n, near_one ? 0.98f : 0.1f, near_one ? 1.02f : 3);
                check_reduce(&shapes[s], data, kind, mask, (int32_t)(mask + s) % 2);
            }
        }
        free(data);
    }
}

static void reduce_integers(void **state) {
    (void)state;
    const tmc_tensor_desc i32 = {.dtype = TMC_I32, .rank = 3, .dims = {2, 3, 5}};
    for (int32_t kind = TMC_REDUCE_SUM; kind <= TMC_REDUCE_PROD; kind++) {
        for (uint32_t mask = 0; mask < 8; mask++) {
            int32_t a[30];
            int64_t b[30];
            double want[30];
            for (int i = 0; i < 30; i++) b[i] = a[i] = random_int(&rng, -3, 3);
            tmc_reduce_params p = {kind, (int32_t)mask, 0};
            for (int wide = 0; wide < 2; wide++) {
                op_tensor in = {i32, wide ? (void *)b : (void *)a, 0};
                in.desc.dtype = wide ? TMC_I64 : TMC_I32;
                op_call call = {.op = TMC_OP_REDUCE, .params = &p, .inputs = &in, .input_count = 1, .output_count = 1};
                op_result r = op_run_levels(&call, 0);
                size_t outputs = tmc_tensor_elements(&r.descs[0]);
                for (size_t i = 0; i < outputs; i++) want[i] = start_value(kind);
                for (size_t i = 0; i < 30; i++) {
                    size_t o = output_index(&i32, mask, i);
                    want[o] = add(kind, want[o], a[i]);
                }
                for (size_t i = 0; i < outputs; i++) {
                    int64_t w = (int64_t)end_value(kind, want[i], 30.0 / (double)outputs);
                    assert_int_equal(wide ? ((int64_t *)r.data[0])[i] : ((int32_t *)r.data[0])[i], w);
                }
                op_result_free(&r);
            }
        }
    }
}

static float reduce_three(int32_t kind, float a, float b, float c, int32_t inner) {
    float x[3] = {a, b, c}, y;
    tmc_reduce_params p = {kind, inner ? 2 : 1, 0};
    op_tensor in = {{.dtype = TMC_F32, .rank = 2, .dims = {inner ? 1 : 3, inner ? 3 : 1}}, x, 0};
    op_call call = {.op = TMC_OP_REDUCE, .params = &p, .inputs = &in, .input_count = 1, .output_count = 1};
    op_result r = op_run_levels(&call, 0);
    y = *(const float *)r.data[0];
    op_result_free(&r);
    return y;
}

static void reduce_special(void **state) {
    (void)state;
    for (int32_t inner = 0; inner < 2; inner++) {
        for (int32_t kind = 1; kind < TMC_REDUCE_END; kind++) {
            assert_true(isnan(reduce_three(kind, NAN, 1, 2, inner)));
            assert_true(isnan(reduce_three(kind, 1, NAN, 2, inner)));
            assert_true(isnan(reduce_three(kind, 1, 2, NAN, inner)));
        }
        assert_true(reduce_three(TMC_REDUCE_LOG_SUM_EXP, -INFINITY, -INFINITY, -INFINITY, inner) == -INFINITY);
        assert_true(reduce_three(TMC_REDUCE_LOG_SUM_EXP, 1, INFINITY, 0, inner) == INFINITY);
        assert_true(fabsf(reduce_three(TMC_REDUCE_LOG_SUM_EXP, 1000, 1000, -INFINITY, inner) - 1000.6931f) < 1e-3f);
    }
}

static int64_t naive_arg(const float *x, size_t n, size_t stride, bool min, bool last) {
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        if (isnan(x[i * stride])) return (int64_t)i;
    for (size_t i = 1; i < n; i++) {
        float a = x[i * stride], b = x[at * stride];
        if ((min ? a < b : a > b) || (last && a == b)) at = i;
    }
    return (int64_t)at;
}

/* Few distinct values, so that there are ties. */
static void arg(void **state) {
    (void)state;
    const tmc_tensor_desc desc = {.dtype = TMC_F32, .rank = 3, .dims = {3, 7, 1000}};
    enum { N = 3 * 7 * 1000 };
    static float x[N];
    static int32_t x32[N];
    static int64_t x64[N];
    for (int nans = 0; nans < 2; nans++) {
        for (int i = 0; i < N; i++) {
            x32[i] = random_int(&rng, -3, 3);
            x64[i] = x32[i] + (INT64_C(1) << 40);
            x[i] = nans && random_int(&rng, 0, 9) == 0 ? NAN : (float)x32[i];
        }
        for (int form = 0; form < 12; form++) {
            tmc_arg_params p = {form % 3, form & 1, form >> 1 & 1};
            size_t n = (size_t)desc.dims[p.axis], inner = tmc_dims_product(desc.dims, p.axis + 1, 3);
            for (int type = 0; type < (nans ? 1 : 3); type++) {
                op_tensor in = {desc, type == 0 ? (void *)x : type == 1 ? (void *)x32 : (void *)x64, 0};
                in.desc.dtype = type == 0 ? TMC_F32 : type == 1 ? TMC_I32 : TMC_I64;
                for (int min = 0; min < 2; min++) {
                    op_call call = {.op = min ? TMC_OP_ARG_MIN : TMC_OP_ARG_MAX,
                                    .params = &p,
                                    .inputs = &in,
                                    .input_count = 1,
                                    .output_count = 1};
                    op_result r = op_run_levels(&call, 0);
                    assert_int_equal(r.descs[0].dtype, TMC_I64);
                    for (size_t i = 0; i < N / n; i++) {
                        const float *column = x + i / inner * n * inner + i % inner;
                        assert_int_equal(((int64_t *)r.data[0])[i], naive_arg(column, n, inner, min, p.select_last));
                    }
                    op_result_free(&r);
                }
            }
        }
    }
}

static void check_softmax(const tmc_tensor_desc *desc, const float *x, int32_t axis, int32_t log_form) {
    tmc_softmax_params p = {axis, log_form};
    op_tensor in = {*desc, x, 0};
    op_call call = {.op = TMC_OP_SOFTMAX, .params = &p, .inputs = &in, .input_count = 1, .output_count = 1};
    op_result r = op_run_levels(&call, 1);
    const float *y = r.data[0];
    size_t n = (size_t)desc->dims[axis], inner = tmc_dims_product(desc->dims, axis + 1, desc->rank);
    for (size_t o = 0; o < tmc_tensor_elements(desc) / n; o++) {
        size_t first = o / inner * n * inner + o % inner;
        double max = -INFINITY, sum = 0;
        for (size_t i = 0; i < n; i++) max = fmax(max, x[first + i * inner]);
        for (size_t i = 0; i < n; i++) sum += exp(x[first + i * inner] - max);
        for (size_t i = 0; i < n; i++) {
            double want = x[first + i * inner] - max - log(sum), got = y[first + i * inner];
            double argument = 6e-8 * fabs(want) + 1e-6; /* x - max is rounded to float before exp */
            bool same = log_form ? fabs(got - want) <= 1e-6 * fmax(1, fabs(want))
                                 : fabs(got - exp(want)) <= argument * exp(want);
            if (!same) fail_msg("softmax, axis %d, n %zu: %g, expected %g", axis, n, got, log_form ? want : exp(want));
        }
    }
    op_result_free(&r);
}

static void softmax(void **state) {
    (void)state;
    for (size_t s = 1; s < SHAPE_COUNT; s++) {
        size_t n = tmc_tensor_elements(&shapes[s]);
        float *x = malloc(n * sizeof *x);
        random_fill(&rng, x, n, -30, 30);
        for (int32_t axis = 0; axis < shapes[s].rank; axis++)
            for (int32_t log_form = 0; log_form < 2; log_form++) check_softmax(&shapes[s], x, axis, log_form);
        free(x);
    }
}

static int setup(void **state) {
    (void)state;
    random_init(&rng, 22);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reduce_floats), cmocka_unit_test(reduce_integers), cmocka_unit_test(reduce_special),
        cmocka_unit_test(arg),           cmocka_unit_test(softmax),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
