/* unary, cast, binary and select against plain loops, at every level, thread count and in place. */
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

typedef struct {
    int32_t rank, dims[TMC_MAX_RANK];
} shape;

static op_tensor tensor(tmc_dtype dtype, const shape *s, const void *data) {
    return (op_tensor){op_desc(dtype, s->rank, s->dims), data, 0};
}

static float *floats(const shape *s) {
    size_t n = tmc_dims_product(s->dims, 0, s->rank);
    float *data = malloc(n * sizeof *data);
    random_fill(&rng, data, n, -3, 3);
    return data;
}

/* Element of a dense input under output index `at`, by NumPy's rule. */
static size_t source_index(const tmc_tensor_desc *in, const tmc_tensor_desc *out, size_t at) {
    size_t index = 0, step = 1;
    for (int32_t i = out->rank - 1; i >= 0; i--) {
        size_t position = at % (size_t)out->dims[i];
        int32_t k = i - (out->rank - in->rank);
        at /= (size_t)out->dims[i];
        if (k < 0) continue;
        if (in->dims[k] != 1) index += position * step;
        step *= (size_t)in->dims[k];
    }
    return index;
}

static const shape pairs[][2] = {
    {{0, {0}}, {0, {0}}},
    {{1, {37}}, {1, {37}}},
    {{4, {2, 3, 4, 5}}, {4, {2, 3, 4, 5}}},
    {{4, {2, 3, 4, 5}}, {0, {0}}},
    {{0, {0}}, {3, {3, 4, 5}}},
    {{4, {2, 9, 9, 19}}, {1, {19}}},
    {{1, {19}}, {4, {2, 9, 9, 19}}},
    {{4, {2, 7, 6, 19}}, {4, {2, 1, 1, 19}}},
    {{4, {2, 7, 6, 19}}, {4, {2, 7, 6, 1}}},
    {{4, {2, 7, 1, 19}}, {4, {1, 7, 6, 1}}},
    {{3, {5, 1, 4}}, {4, {2, 1, 6, 1}}},
    {{6, {2, 1, 3, 1, 2, 3}}, {6, {1, 2, 3, 4, 1, 3}}},
    {{2, {1, 40000}}, {2, {3, 1}}},
    {{4, {1, 60, 50, 16}}, {4, {1, 1, 1, 16}}},
    {{2, {1, 40001}}, {2, {1, 40001}}},
};
#define PAIR_COUNT (sizeof pairs / sizeof *pairs)
#define LARGE_PAIRS (PAIR_COUNT - 3) /* from here on */

static uint32_t in_place_of(const op_tensor *in, uint32_t count, uint32_t first, const tmc_tensor_desc *out) {
    uint32_t mask = 0;
    for (uint32_t i = first; i < count; i++)
        if (tmc_tensor_same_shape(&in[i].desc, out) && in[i].desc.dtype == out->dtype) mask |= 1u << i;
    return mask;
}

/* The output's description, by inference alone. */
static tmc_tensor_desc inferred(const op_call *call) {
    op_call c = *call;
    op_result r;
    c.infer_only = true;
    if (op_run(&c, &r) != TMC_OK) fail_msg("infer: %s", r.err.message);
    tmc_tensor_desc desc = r.descs[0];
    op_result_free(&r);
    return desc;
}

static float clampf(float x, float lo, float hi) { return x < lo ? lo : x > hi ? hi : x; }

static float binary_f32(int32_t kind, float a, float b) {
    switch (kind) {
    case TMC_BINARY_ADD: return a + b;
    case TMC_BINARY_SUB: return a - b;
    case TMC_BINARY_MUL: return a * b;
    case TMC_BINARY_DIV: return a / b;
    case TMC_BINARY_MIN: return a < b ? a : b;
    case TMC_BINARY_MAX: return a > b ? a : b;
    case TMC_BINARY_POW: return (float)pow(a, b); /* correctly rounded, but for the rarest cases */
    case TMC_BINARY_PRELU: return a < 0 ? a * b : a;
    default: return fmodf(a, b);
    }
}

static void binary_floats(void **state) {
    (void)state;
    static const int32_t kinds[] = {TMC_BINARY_ADD, TMC_BINARY_SUB, TMC_BINARY_MUL,   TMC_BINARY_DIV, TMC_BINARY_MIN,
                                    TMC_BINARY_MAX, TMC_BINARY_POW, TMC_BINARY_PRELU, TMC_BINARY_MOD};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t i = 0; i < PAIR_COUNT; i++) {
            tmc_binary_params p = {kinds[k], {-2.5f, 4.0f}};
            float *a = floats(&pairs[i][0]), *b = floats(&pairs[i][1]);
            op_tensor in[2] = {tensor(TMC_F32, &pairs[i][0], a), tensor(TMC_F32, &pairs[i][1], b)};
            op_call call = {.op = TMC_OP_BINARY, .params = &p, .inputs = in, .input_count = 2, .output_count = 1};
            tmc_tensor_desc out = inferred(&call);
            op_result r = op_run_levels(&call, in_place_of(in, 2, 0, &out));
            const float *y = r.data[0];
            for (size_t e = 0; e < tmc_tensor_elements(&out); e++) {
                float av = a[source_index(&in[0].desc, &out, e)], bv = b[source_index(&in[1].desc, &out, e)];
                float want = clampf(binary_f32(p.kind, av, bv), -2.5f, 4.0f);
                bool same = p.kind == TMC_BINARY_POW ? fabsf(y[e] - want) <= 1e-7f * fabsf(want) : y[e] == want;
                if (!same && !(isnan(want) && isnan(y[e])))
                    fail_msg("%s, pair %zu, [%zu]: %a, expected %a", tmc_binary_name(p.kind), i, e, y[e], want);
            }
            op_result_free(&r);
            free(a), free(b);
        }
    }
}

static int64_t floor_mod(int64_t a, int64_t b) {
    int64_t q = (int64_t)floor((double)a / (double)b);
    return a - q * b;
}

static int64_t binary_int(int32_t kind, int64_t a, int64_t b) {
    switch (kind) {
    case TMC_BINARY_ADD: return a + b;
    case TMC_BINARY_SUB: return a - b;
    case TMC_BINARY_MUL: return a * b;
    case TMC_BINARY_DIV: return a / b;
    case TMC_BINARY_MIN: return a < b ? a : b;
    case TMC_BINARY_MAX: return a > b ? a : b;
    case TMC_BINARY_EQUAL: return a == b;
    case TMC_BINARY_LESS: return a < b;
    case TMC_BINARY_GREATER: return a > b;
    case TMC_BINARY_LESS_EQUAL: return a <= b;
    case TMC_BINARY_GREATER_EQUAL: return a >= b;
    case TMC_BINARY_AND: return a && b;
    case TMC_BINARY_OR: return a || b;
    case TMC_BINARY_XOR: return a != b;
    default: return floor_mod(a, b);
    }
}

static int64_t get(tmc_dtype dtype, const void *data, size_t i) {
    switch (dtype) {
    case TMC_F32: return (int64_t)((const float *)data)[i]; /* whole numbers only */
    case TMC_I32: return ((const int32_t *)data)[i];
    case TMC_I64: return ((const int64_t *)data)[i];
    default: return ((const uint8_t *)data)[i];
    }
}

static void put(tmc_dtype dtype, void *data, size_t i, int64_t v) {
    switch (dtype) {
    case TMC_F32: ((float *)data)[i] = (float)v; break;
    case TMC_I32: ((int32_t *)data)[i] = (int32_t)v; break;
    case TMC_I64: ((int64_t *)data)[i] = v; break;
    default: ((uint8_t *)data)[i] = (uint8_t)v; break;
    }
}

/* Small whole numbers, not 0 where `divisor`. */
static void *numbers(tmc_dtype dtype, const shape *s, bool divisor) {
    size_t n = tmc_dims_product(s->dims, 0, s->rank);
    void *data = malloc(n * 8);
    for (size_t i = 0; i < n; i++) {
        int64_t v = dtype == TMC_BOOL ? random_int(&rng, 0, 1) : random_int(&rng, -9, 9);
        put(dtype, data, i, divisor && v == 0 ? 3 : v);
    }
    return data;
}

static bool allowed(int32_t kind, tmc_dtype dtype) {
    bool logic = kind >= TMC_BINARY_AND && kind <= TMC_BINARY_XOR,
         comparison = kind >= TMC_BINARY_EQUAL && kind <= TMC_BINARY_GREATER_EQUAL;
    if (kind == TMC_BINARY_POW || kind == TMC_BINARY_PRELU) return false;
    if (dtype == TMC_BOOL) return logic || kind == TMC_BINARY_EQUAL;
    return dtype == TMC_F32 ? comparison : !logic;
}

static void binary_plain(void **state) {
    (void)state;
    static const tmc_dtype dtypes[] = {TMC_F32, TMC_I32, TMC_I64, TMC_BOOL};
    for (size_t d = 0; d < 4; d++) {
        for (int32_t kind = 1; kind < TMC_BINARY_END; kind++) {
            if (!allowed(kind, dtypes[d])) continue;
            for (size_t i = 0; i < PAIR_COUNT; i++) {
                if (i >= LARGE_PAIRS && kind % 4) continue; /* the large shapes are about tasks, not about kinds */
                tmc_binary_params p = {kind, {-INFINITY, INFINITY}};
                void *a = numbers(dtypes[d], &pairs[i][0], false),
                     *b = numbers(dtypes[d], &pairs[i][1], dtypes[d] != TMC_BOOL);
                op_tensor in[2] = {tensor(dtypes[d], &pairs[i][0], a), tensor(dtypes[d], &pairs[i][1], b)};
                op_call call = {.op = TMC_OP_BINARY, .params = &p, .inputs = in, .input_count = 2, .output_count = 1};
                tmc_tensor_desc out = inferred(&call);
                op_result r = op_run_levels(&call, in_place_of(in, 2, 0, &out));
                for (size_t e = 0; e < tmc_tensor_elements(&out); e++) {
                    int64_t want = binary_int(kind, get(dtypes[d], a, source_index(&in[0].desc, &out, e)),
                                              get(dtypes[d], b, source_index(&in[1].desc, &out, e)));
                    assert_int_equal(get((tmc_dtype)out.dtype, r.data[0], e), want);
                }
                op_result_free(&r);
                free(a), free(b);
            }
        }
    }
}

static void integer_edges(void **state) {
    (void)state;
    const shape s = {1, {2}};
    const int32_t a[2] = {INT32_MIN, INT32_MAX}, b[2] = {-1, -1}, zero[2] = {5, 0};
    static const struct {
        int32_t kind, want[2];
    } cases[] = {{TMC_BINARY_DIV, {INT32_MIN, -INT32_MAX}},
                 {TMC_BINARY_MOD, {0, 0}},
                 {TMC_BINARY_ADD, {INT32_MAX, INT32_MAX - 1}},
                 {TMC_BINARY_MUL, {INT32_MIN, -INT32_MAX}}};
    op_tensor in[2] = {tensor(TMC_I32, &s, a), tensor(TMC_I32, &s, b)};
    tmc_binary_params p = {0, {-INFINITY, INFINITY}};
    op_call call = {.op = TMC_OP_BINARY, .params = &p, .inputs = in, .input_count = 2, .output_count = 1};
    for (size_t i = 0; i < 4; i++) {
        p.kind = cases[i].kind;
        op_result r = op_run_levels(&call, 3);
        assert_memory_equal(r.data[0], cases[i].want, sizeof cases[i].want);
        op_result_free(&r);
    }
    in[1].data = zero;
    for (int32_t kind = TMC_BINARY_DIV; kind; kind = kind == TMC_BINARY_DIV ? TMC_BINARY_MOD : 0) {
        op_result r;
        p.kind = kind;
        assert_int_equal(op_run(&call, &r), TMC_E_RANGE);
        op_result_free(&r);
    }
}

static void select_elements(void **state) {
    (void)state;
    static const shape shapes[][3] = {{{3, {2, 5, 7}}, {3, {2, 5, 7}}, {0, {0}}},
                                      {{1, {7}}, {3, {2, 5, 7}}, {3, {2, 5, 7}}},
                                      {{3, {2, 5, 1}}, {1, {7}}, {3, {2, 1, 7}}},
                                      {{1, {30000}}, {1, {30000}}, {1, {30000}}}};
    static const tmc_dtype dtypes[] = {TMC_F32, TMC_I64, TMC_U8};
    for (size_t d = 0; d < 3; d++) {
        for (size_t i = 0; i < 4; i++) {
            tmc_no_params p = {0};
            void *c = numbers(TMC_BOOL, &shapes[i][0], false), *a = numbers(dtypes[d], &shapes[i][1], false),
                 *b = numbers(dtypes[d], &shapes[i][2], false);
            op_tensor in[3] = {tensor(TMC_BOOL, &shapes[i][0], c), tensor(dtypes[d], &shapes[i][1], a),
                               tensor(dtypes[d], &shapes[i][2], b)};
            op_call call = {.op = TMC_OP_SELECT, .params = &p, .inputs = in, .input_count = 3, .output_count = 1};
            tmc_tensor_desc out = inferred(&call);
            op_result r = op_run_levels(&call, in_place_of(in, 3, 1, &out));
            for (size_t e = 0; e < tmc_tensor_elements(&out); e++) {
                bool yes = get(TMC_BOOL, c, source_index(&in[0].desc, &out, e));
                int64_t want = yes ? get(dtypes[d], a, source_index(&in[1].desc, &out, e))
                                   : get(dtypes[d], b, source_index(&in[2].desc, &out, e));
                assert_int_equal(get(dtypes[d], r.data[0], e), want);
            }
            op_result_free(&r);
            free(a), free(b), free(c);
        }
    }
}

static void unary_floats(void **state) {
    (void)state;
    const shape s = {3, {3, 100, 131}};
    float *x = floats(&s);
    op_tensor in = tensor(TMC_F32, &s, x);
    for (int32_t kind = 1; kind < TMC_UNARY_NOT; kind++) {
        tmc_unary_params p = {kind, 0.5f, 1.25f};
        op_call call = {.op = TMC_OP_UNARY, .params = &p, .inputs = &in, .input_count = 1, .output_count = 1};
        op_result r = op_run_levels(&call, 1);
        const float *y = r.data[0];
        for (size_t i = 0; i < 3 * 100 * 131; i++) {
            if (kind == TMC_UNARY_CLAMP) assert_true(y[i] == clampf(x[i], 0.5f, 1.25f));
            if (kind == TMC_UNARY_LEAKY_RELU) assert_true(y[i] == (x[i] < 0 ? 0.5f * x[i] : x[i]));
            if (kind == TMC_UNARY_THRESHOLDED_RELU) assert_true(y[i] == (x[i] > 0.5f ? x[i] : 0));
            if (kind == TMC_UNARY_HARD_SIGMOID) assert_true(y[i] == clampf(fmaf(0.5f, x[i], 1.25f), 0, 1));
            if (kind == TMC_UNARY_HARD_SWISH)
                assert_true(fabs(y[i] - x[i] * fmin(fmax(x[i] / 6.0 + 0.5, 0), 1)) <= 3e-7);
            if (kind == TMC_UNARY_ROUND) assert_true(y[i] == rintf(x[i]));
            if (kind == TMC_UNARY_NEG) assert_true(y[i] == -x[i]);
        }
        op_result_free(&r);
    }
    free(x);
}

static void unary_integers(void **state) {
    (void)state;
    const shape s = {1, {4}};
    const int32_t a[4] = {INT32_MIN, -7, 0, 9}, neg[4] = {INT32_MIN, 7, 0, -9}, abs_[4] = {INT32_MIN, 7, 0, 9},
                  sign[4] = {-1, -1, 0, 1};
    const int64_t a64[4] = {INT64_MIN, -7, 0, 9}, neg64[4] = {INT64_MIN, 7, 0, -9};
    const uint8_t b[4] = {0, 1, 1, 0}, nb[4] = {1, 0, 0, 1};
    const struct {
        int32_t kind;
        tmc_dtype dtype;
        const void *x, *want;
    } cases[] = {{TMC_UNARY_NEG, TMC_I32, a, neg},
                 {TMC_UNARY_ABS, TMC_I32, a, abs_},
                 {TMC_UNARY_SIGN, TMC_I32, a, sign},
                 {TMC_UNARY_NEG, TMC_I64, a64, neg64},
                 {TMC_UNARY_NOT, TMC_BOOL, b, nb}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tmc_unary_params p = {cases[i].kind, 0, 0};
        op_tensor in = tensor(cases[i].dtype, &s, cases[i].x);
        op_call call = {.op = TMC_OP_UNARY, .params = &p, .inputs = &in, .input_count = 1, .output_count = 1};
        op_result r = op_run_levels(&call, 1);
        assert_memory_equal(r.data[0], cases[i].want, 4 * tmc_dtype_size(cases[i].dtype));
        op_result_free(&r);
    }
}

static void check_cast(tmc_dtype from, tmc_dtype to, int32_t n, const void *x, const void *want) {
    const shape s = {1, {n}};
    tmc_cast_params p = {to};
    op_tensor in = tensor(from, &s, x);
    op_call call = {.op = TMC_OP_CAST, .params = &p, .inputs = &in, .input_count = 1, .output_count = 1};
    op_result r = op_run_levels(&call, from == to);
    assert_int_equal(r.descs[0].dtype, to);
    assert_memory_equal(r.data[0], want, (size_t)n * tmc_dtype_size(to));
    op_result_free(&r);
}

static void cast_values(void **state) {
    (void)state;
    const float f[8] = {1.9f, -1.9f, NAN, INFINITY, -INFINITY, 300.5f, -129.0f, 0.25f};
    const int32_t f_i32[8] = {1, -1, 0, INT32_MAX, INT32_MIN, 300, -129, 0};
    const int64_t f_i64[8] = {1, -1, 0, INT64_MAX, INT64_MIN, 300, -129, 0};
    const uint8_t f_u8[8] = {1, 0, 0, 255, 0, 255, 0, 0}, f_bool[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    const int8_t f_i8[8] = {1, -1, 0, 127, -128, 127, -128, 0};
    check_cast(TMC_F32, TMC_I32, 8, f, f_i32);
    check_cast(TMC_F32, TMC_I64, 8, f, f_i64);
    check_cast(TMC_F32, TMC_U8, 8, f, f_u8);
    check_cast(TMC_F32, TMC_I8, 8, f, f_i8);
    check_cast(TMC_F32, TMC_BOOL, 8, f, f_bool);
    check_cast(TMC_F32, TMC_F32, 8, f, f);
    const int64_t w[5] = {0, -1, 200, 16777217, INT64_C(0x123456789a)};
    const int32_t w_i32[5] = {0, -1, 200, 16777217, 0x3456789a};
    const uint8_t w_u8[5] = {0, 255, 200, 1, 0x9a}, w_bool[5] = {0, 1, 1, 1, 1};
    const float w_f32[5] = {0, -1, 200, 16777216, 78187493530.0f};
    check_cast(TMC_I64, TMC_I32, 5, w, w_i32);
    check_cast(TMC_I64, TMC_U8, 5, w, w_u8);
    check_cast(TMC_I64, TMC_I8, 5, w, w_u8);
    check_cast(TMC_I64, TMC_BOOL, 5, w, w_bool);
    check_cast(TMC_I64, TMC_F32, 5, w, w_f32);
    const int8_t s[3] = {-128, 0, 127};
    const float s_f32[3] = {-128, 0, 127};
    const uint8_t u[3] = {0, 1, 1};
    const int64_t u_i64[3] = {0, 1, 1};
    check_cast(TMC_I8, TMC_F32, 3, s, s_f32);
    check_cast(TMC_BOOL, TMC_I64, 3, u, u_i64);
    check_cast(TMC_U8, TMC_I64, 3, u, u_i64);
}

static int setup(void **state) {
    (void)state;
    random_init(&rng, 21);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_floats),   cmocka_unit_test(binary_plain), cmocka_unit_test(integer_edges),
        cmocka_unit_test(select_elements), cmocka_unit_test(unary_floats), cmocka_unit_test(unary_integers),
        cmocka_unit_test(cast_values),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
