/* resize, against the examples of the ONNX operator pages and against the formulas in double precision, written for one
 * output element at a time. Bits are the same for every instruction set and thread count. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/op_runner.h"
#include "lib/random.h"
#include "ops/op.h"

static random_state rng;

/* ------------------------------------------------------------------------------------------------- the formulas */

static double position(const tmc_resize_params *p, int32_t axis, int32_t in, int32_t out, int32_t o) {
    const double scale = p->scales[axis] != 0.0f ? (double)p->scales[axis] : (double)out / in;
    const double begin = p->roi_begin[axis], end = p->roi_end[axis];
    switch (p->coordinates) {
    case TMC_COORD_PYTORCH_HALF_PIXEL: return out > 1 ? (o + 0.5) / scale - 0.5 : 0;
    case TMC_COORD_ALIGN_CORNERS: return in * scale > 1 ? o * (in - 1.0) / (in * scale - 1) : 0;
    case TMC_COORD_ASYMMETRIC: return o / scale;
    case TMC_COORD_TF_CROP_AND_RESIZE:
        return out > 1 ? begin * (in - 1) + o * (end - begin) * (in - 1) / (out - 1) : 0.5 * (begin + end) * (in - 1);
    case TMC_COORD_TF_HALF_PIXEL_FOR_NN: return (o + 0.5) / scale;
    default: return (o + 0.5) / scale - 0.5;
    }
}

static double keys(double distance, double a) {
    const double d = fabs(distance);
    if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d * d + 1;
    if (d < 2) return a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a;
    return 0;
}

static double weight_of(const tmc_resize_params *p, double distance) {
    if (p->mode == TMC_RESIZE_CUBIC) return keys(distance, p->cubic_a);
    return fabs(distance) < 1 ? 1 - fabs(distance) : 0;
}

static int32_t clamped(double at, int32_t in) { return at < 0 ? 0 : at > in - 1 ? in - 1 : (int32_t)at; }

static int32_t nearest(const tmc_resize_params *p, double x, int32_t in) {
    const double low = floor(x), part = x - low;
    switch (p->nearest) {
    case TMC_NEAREST_ROUND_PREFER_FLOOR: return clamped(part <= 0.5 ? low : low + 1, in);
    case TMC_NEAREST_ROUND_PREFER_CEIL: return clamped(part < 0.5 ? low : low + 1, in);
    case TMC_NEAREST_FLOOR: return clamped(low, in);
    default: return clamped(part > 0 ? low + 1 : low, in);
    }
}

/* Up to four taps of one axis; returns false outside the crop. */
typedef struct {
    int32_t count, index[4];
    double weight[4];
} taps;

static bool find_taps(const tmc_resize_params *p, int32_t axis, int32_t in, int32_t out, int32_t o, taps *t) {
    const bool crop =
        p->coordinates == TMC_COORD_TF_CROP_AND_RESIZE && (p->roi_begin[axis] != 0.0f || p->roi_end[axis] != 1.0f);
    *t = (taps){1, {o}, {1}};
    if (in == out && (p->scales[axis] == 0.0f || p->scales[axis] == 1.0f) && !crop) return true;
    const double x = position(p, axis, in, out, o);
    if (p->coordinates == TMC_COORD_TF_CROP_AND_RESIZE && (x < 0 || x > in - 1)) return false;
    if (p->mode == TMC_RESIZE_NEAREST) {
        t->index[0] = nearest(p, x, in);
        return true;
    }
    const int32_t half = p->mode == TMC_RESIZE_CUBIC ? 2 : 1;
    double sum = 0, inside[4];
    t->count = 2 * half;
    for (int32_t k = 0; k < t->count; k++) {
        const double at = floor(x) - half + 1 + k;
        t->index[k] = clamped(at, in);
        t->weight[k] = weight_of(p, x - at);
        inside[k] = at >= 0 && at <= in - 1 ? t->weight[k] : 0;
        sum += inside[k];
    }
    if (p->exclude_outside && sum != 0)
        for (int32_t k = 0; k < t->count; k++) t->weight[k] = inside[k] / sum;
    return true;
}

static size_t flat(const tmc_tensor_desc *desc, const int32_t *at) {
    size_t index = 0;
    for (int32_t a = 0; a < desc->rank; a++) index = index * (size_t)desc->dims[a] + (size_t)at[a];
    return index;
}

static bool every_tap(const tmc_resize_params *p, const tmc_tensor_desc *in, const tmc_tensor_desc *out, size_t o,
                      taps *t) {
    for (int32_t a = in->rank - 1; a >= 0; a--) {
        if (!find_taps(p, a, in->dims[a], out->dims[a], (int32_t)(o % (size_t)out->dims[a]), &t[a])) return false;
        o /= (size_t)out->dims[a];
    }
    return true;
}

static double formula(const tmc_resize_params *p, const tmc_tensor_desc *in, const tmc_tensor_desc *out, size_t o,
                      const float *x) {
    taps t[TMC_MAX_RANK];
    if (!every_tap(p, in, out, o, t)) return p->extrapolation;
    int32_t pick[TMC_MAX_RANK] = {0}, a;
    double sum = 0;
    do { /* all combinations of one tap per axis */
        int32_t at[TMC_MAX_RANK];
        double w = 1;
        for (a = 0; a < in->rank; a++) {
            at[a] = t[a].index[pick[a]];
            w *= t[a].weight[pick[a]];
        }
        sum += w * (double)x[flat(in, at)];
        for (a = 0; a < in->rank && ++pick[a] == t[a].count; a++) pick[a] = 0;
    } while (a < in->rank);
    return sum;
}

/* ------------------------------------------------------------------------------------------------------ running */

static op_result run(const tmc_resize_params *p, tmc_tensor_desc desc, const void *data, tmc_isa isa, uint32_t threads,
                     uint32_t pitch) {
    const op_tensor in = {.desc = desc, .data = data};
    const op_call call = {.op = TMC_OP_RESIZE,
                          .params = p,
                          .inputs = &in,
                          .input_count = 1,
                          .output_count = 1,
                          .isa = isa,
                          .threads = threads,
                          .pitch = pitch,
                          .guard = threads > 1 ? GUARD_START : GUARD_END};
    op_result result;
    if (op_run(&call, &result) != TMC_OK) fail_msg("%s", result.err.message);
    return result;
}

/* Every level and two threads give the bits of portable C. */
static void check_bits(const tmc_resize_params *p, tmc_tensor_desc desc, const void *data, const op_result *expected,
                       uint32_t threads) {
    tmc_isa levels[4];
    const size_t count = op_isa_levels(levels);
    for (size_t i = 0; i < 2 * count; i++) { /* dense, then with rows apart */
        const size_t l = i / 2;
        op_result result = run(p, desc, data, levels[l], threads, i % 2 * 3);
        if (memcmp(result.data[0], expected->data[0], tmc_tensor_bytes(&result.descs[0])))
            fail_msg("%s: other bits with %u threads", tmc_isa_name(levels[l]), threads);
        tmc_kernels kernels;
        tmc_kernels_select(levels[l], &kernels);
        if (p->mode != TMC_RESIZE_NEAREST && result.kernel) assert_int_equal(result.isa, kernels.blend.isa);
        op_result_free(&result);
    }
}

static void check(const tmc_resize_params *p, tmc_tensor_desc desc, uint32_t threads) {
    const size_t count = tmc_tensor_elements(&desc);
    float *x = malloc(count * sizeof *x);
    assert_non_null(x);
    random_fill(&rng, x, count, -1.0f, 1.0f);
    op_result result = run(p, desc, x, TMC_ISA_REF, 1, 0);
    const float *y = result.data[0];
    for (size_t o = 0; o < tmc_tensor_elements(&result.descs[0]); o++) {
        const double wanted = formula(p, &desc, &result.descs[0], o, x);
        if (!(fabs((double)y[o] - wanted) <= 1e-5)) {
            char from[96], to[96];
            tmc_tensor_shape_text(&desc, from, sizeof from);
            tmc_tensor_shape_text(&result.descs[0], to, sizeof to);
            fail_msg("mode %d coordinates %d nearest %d %s -> %s: y[%zu] = %g, not %g", p->mode, p->coordinates,
                     p->nearest, from, to, o, (double)y[o], wanted);
        }
    }
    check_bits(p, desc, x, &result, threads);
    op_result_free(&result);
    free(x);
}

/* --------------------------------------------------------------------------------------------------- by hand */

static void expect(tmc_resize_params p, int32_t h, int32_t w, const float *expected, size_t count) {
    float x[16];
    for (int i = 0; i < 16; i++) x[i] = (float)(i + 1);
    if (p.coordinates != TMC_COORD_TF_CROP_AND_RESIZE) p.roi_end[0] = p.roi_end[1] = 1.0f;
    op_result result = run(&p, op_desc(TMC_F32, 2, (const int32_t[]){h, w}), x, TMC_ISA_REF, 1, 0);
    assert_int_equal(tmc_tensor_elements(&result.descs[0]), count);
    for (size_t i = 0; i < count; i++) {
        const float got = ((const float *)result.data[0])[i];
        if (!(fabsf(got - expected[i]) <= 1e-5f))
            fail_msg("element %zu: %g, not %g", i, (double)got, (double)expected[i]);
    }
    op_result_free(&result);
}

#define EXPECT(h, w, params, ...)                                                                                      \
    expect((tmc_resize_params)params, h, w, (const float[]){__VA_ARGS__},                                              \
           sizeof((const float[]){__VA_ARGS__}) / sizeof(float))
#define P(...)                                                                                                         \
    { __VA_ARGS__ }

/* The test data of ONNX's Resize: upsample_scales_linear and so on, values as printed there. */
static void onnx_examples(void **state) {
    (void)state;
    EXPECT(2, 2, P(.mode = TMC_RESIZE_LINEAR, .scales = {2, 2}), 1, 1.25f, 1.75f, 2, 1.5f, 1.75f, 2.25f, 2.5f, 2.5f,
           2.75f, 3.25f, 3.5f, 3, 3.25f, 3.75f, 4);
    EXPECT(2, 2, P(.mode = TMC_RESIZE_LINEAR, .coordinates = TMC_COORD_ALIGN_CORNERS, .scales = {2, 2}), 1, 1.33333333f,
           1.66666667f, 2, 1.66666667f, 2, 2.33333333f, 2.66666667f, 2.33333333f, 2.66666667f, 3, 3.33333333f, 3,
           3.33333333f, 3.66666667f, 4);
    EXPECT(2, 4, P(.mode = TMC_RESIZE_LINEAR, .scales = {0.6f, 0.6f}), 2.6666665f, 4.3333331f);
    EXPECT(2, 4, P(.mode = TMC_RESIZE_LINEAR, .coordinates = TMC_COORD_ALIGN_CORNERS, .scales = {0.6f, 0.6f}), 1,
           3.142857f); /* the length is 4 * 0.6, not the 2 elements of it */
    EXPECT(2, 2, P(.scales = {2, 3}), 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4);
    EXPECT(2, 4, P(.scales = {0.6f, 0.6f}), 1, 3);
    EXPECT(4, 4, P(.mode = TMC_RESIZE_CUBIC, .cubic_a = -0.75f, .scales = {0.8f, 0.8f}), 1.47119141f, 2.78125f,
           4.08251953f, 6.71142578f, 8.02148438f, 9.32275391f, 11.91650391f, 13.2265625f, 14.52783203f);
    EXPECT(4, 4, P(.mode = TMC_RESIZE_CUBIC, .cubic_a = -0.5f, .exclude_outside = 1, .scales = {0.8f, 0.8f}),
           1.36812675f, 2.6695014f, 4.0133367f, 6.57362535f, 7.875f, 9.2188353f, 11.94896657f, 13.25034122f,
           14.59417652f);
    EXPECT(4, 4, P(.mode = TMC_RESIZE_LINEAR, .coordinates = TMC_COORD_PYTORCH_HALF_PIXEL, .sizes = {3, 1}), 1.6666666f,
           7, 12.333333f);
    EXPECT(4, 4,
           P(.mode = TMC_RESIZE_LINEAR, .coordinates = TMC_COORD_TF_CROP_AND_RESIZE, .sizes = {3, 3},
             .roi_begin = {0.4f, 0.6f}, .roi_end = {0.6f, 0.8f}),
           7.6f, 7.9f, 8.2f, 8.8f, 9.1f, 9.4f, 10, 10.3f, 10.6f);
    EXPECT(4, 4,
           P(.mode = TMC_RESIZE_LINEAR, .coordinates = TMC_COORD_TF_CROP_AND_RESIZE, .sizes = {3, 3},
             .extrapolation = 10, .roi_begin = {0.4f, 0.6f}, .roi_end = {1.2f, 1.7f}),
           7.6f, 10, 10, 12.4f, 10, 10, 10, 10, 10);
}

/* Rows of the pages' 4x4 to 8x8 examples: the rule of each rounding and coordinate mode along one axis. */
static void nearest_examples(void **state) {
    (void)state;
    EXPECT(1, 4, P(.nearest = TMC_NEAREST_FLOOR, .coordinates = TMC_COORD_ALIGN_CORNERS, .sizes = {1, 8}), 1, 1, 1, 2,
           2, 3, 3, 4);
    EXPECT(1, 4, P(.nearest = TMC_NEAREST_CEIL, .sizes = {1, 8}), 1, 2, 2, 3, 3, 4, 4, 4);
    EXPECT(1, 4, P(.nearest = TMC_NEAREST_ROUND_PREFER_CEIL, .coordinates = TMC_COORD_ASYMMETRIC, .sizes = {1, 8}), 1,
           2, 2, 3, 3, 4, 4, 4);
    EXPECT(1, 4, P(.nearest = TMC_NEAREST_ROUND_PREFER_FLOOR, .coordinates = TMC_COORD_ASYMMETRIC, .sizes = {1, 8}), 1,
           1, 2, 2, 3, 3, 4, 4);
    EXPECT(1, 4, P(.nearest = TMC_NEAREST_FLOOR, .coordinates = TMC_COORD_TF_HALF_PIXEL_FOR_NN, .sizes = {1, 2}), 2, 4);
    /* 3 / 0.6f is just under 5 in double; the ratio 6 / 10 is meant. */
    EXPECT(1, 10, P(.nearest = TMC_NEAREST_FLOOR, .coordinates = TMC_COORD_ASYMMETRIC, .scales = {1, 0.6f}), 1, 2, 4, 6,
           7, 9);
}

/* An explicit scale that disagrees with the size moves the coordinates, far outside too. */
static void scale_and_size(void **state) {
    (void)state;
    EXPECT(1, 4, P(.coordinates = TMC_COORD_ASYMMETRIC, .sizes = {1, 6}, .scales = {0, 1}), 1, 2, 3, 4, 4, 4);
    EXPECT(1, 4, P(.coordinates = TMC_COORD_ASYMMETRIC, .sizes = {1, 4}, .scales = {0, 2}), 1, 1, 2, 2);
    EXPECT(1, 4,
           P(.mode = TMC_RESIZE_LINEAR, .coordinates = TMC_COORD_ASYMMETRIC, .sizes = {1, 3}, .scales = {0, 0x1p-31f}),
           1, 4, 4);
    EXPECT(1, 4,
           P(.mode = TMC_RESIZE_CUBIC, .cubic_a = -0.5f, .exclude_outside = 1, .coordinates = TMC_COORD_ASYMMETRIC,
             .sizes = {1, 3}, .scales = {0, 0x1p-31f}),
           1, 4, 4);
    EXPECT(1, 4, P(.mode = TMC_RESIZE_LINEAR, .sizes = {1, 2}, .scales = {0, 0x1p31f}), 1, 1);
}

/* ----------------------------------------------------------------------------------------------------- random */

static tmc_resize_params random_params(int32_t mode, const tmc_tensor_desc *desc, int32_t largest) {
    tmc_resize_params p = {.mode = mode, .coordinates = random_int(&rng, 0, 5), .nearest = random_int(&rng, 0, 3)};
    p.exclude_outside = random_int(&rng, 0, 1);
    p.cubic_a = random_u32(&rng) % 2 ? -0.75f : -0.5f;
    p.extrapolation = 3.0f;
    for (int32_t a = 0; a < desc->rank; a++) {
        p.roi_end[a] = 1.0f;
        p.sizes[a] = desc->dims[a];
        if (random_u32(&rng) % 2) continue;
        p.sizes[a] = random_int(&rng, desc->dims[a] > 1 ? 2 : 1, largest);
        /* Not in nearest: there the last bit of a quotient decides, and the formula's is another one. */
        if (mode != TMC_RESIZE_NEAREST && random_u32(&rng) % 4 == 0) p.scales[a] = random_float(&rng, 0.3f, 3.0f);
        if (random_u32(&rng) % 2) {
            p.roi_begin[a] = random_float(&rng, -0.3f, 0.6f);
            p.roi_end[a] = random_float(&rng, 0.2f, 1.4f);
        }
    }
    return p;
}

static void random_shapes(void **state) {
    (void)state;
    static const int32_t largest[] = {1, 60, 20, 9, 7, 5, 4};
    for (int i = 0; i < 1500; i++) {
        const int32_t rank = i % 7;
        int32_t dims[TMC_MAX_RANK];
        for (int32_t a = 0; a < rank; a++) dims[a] = random_int(&rng, 1, largest[rank]);
        const tmc_tensor_desc desc = op_desc(TMC_F32, rank, dims);
        const tmc_resize_params p = random_params(i % 3, &desc, largest[rank]);
        check(&p, desc, i % 50 ? 1 : 2);
    }
}

/* The shapes that networks have, and rows too long to be kept between the axes. */
static void network_shapes(void **state) {
    (void)state;
    static const struct {
        int32_t rank, in[5], out[5];
    } cases[] = {
        {4, {1, 20, 24, 64}, {1, 40, 48, 64}},
        {4, {1, 61, 50, 1}, {1, 224, 224, 1}},
        {4, {1, 33, 33, 21}, {1, 65, 129, 21}},
        {4, {1, 90, 100, 3}, {1, 48, 56, 3}},
        {5, {1, 9, 10, 11, 8}, {1, 18, 20, 22, 8}},
        {2, {3, 40000}, {5, 20000}},
        {2, {2, 40000}, {3, 40000}},
        {4, {2, 16, 12, 12}, {2, 16, 24, 24}},
        {3, {13, 4, 5000}, {3, 9, 10001}},
        {3, {4, 40000, 2}, {5, 20000, 3}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tmc_tensor_desc desc = op_desc(TMC_F32, cases[i].rank, cases[i].in);
        for (int32_t mode = 0; mode < 3; mode++) {
            tmc_resize_params p = {.mode = mode, .cubic_a = -0.75f};
            memcpy(p.sizes, cases[i].out, sizeof cases[i].out);
            for (int32_t a = cases[i].rank; a < TMC_MAX_RANK; a++) p.sizes[a] = 0;
            check(&p, desc, 2);
        }
    }
}

static void nearest_moves_any_type(void **state) {
    (void)state;
    static const tmc_dtype types[] = {TMC_U8, TMC_F16, TMC_I32, TMC_I64, TMC_BOOL};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        uint8_t x[2 * 3 * 8], size = (uint8_t)tmc_dtype_size(types[t]);
        for (size_t i = 0; i < sizeof x; i++) x[i] = (uint8_t)random_u32(&rng);
        tmc_resize_params p = {.coordinates = TMC_COORD_TF_CROP_AND_RESIZE, .sizes = {2, 4}, .extrapolation = 1.0f};
        p.roi_begin[1] = -0.5f;
        p.roi_end[0] = p.roi_end[1] = 1.0f; /* coordinates -1, 0, 1, 2 */
        op_result result = run(&p, op_desc(types[t], 2, (const int32_t[]){2, 3}), x, TMC_ISA_REF, 1, 0);
        const uint8_t *y = result.data[0];
        uint8_t one[8] = {1};
        if (types[t] == TMC_F16) one[0] = 0, one[1] = 0x3c;
        for (size_t r = 0; r < 2; r++) {
            assert_memory_equal(y + r * 4 * size, one, size);
            assert_memory_equal(y + (r * 4 + 1) * size, x + r * 3 * size, 3 * size);
        }
        op_result_free(&result);
    }
}

static void nothing_changes_is_an_alias(void **state) {
    (void)state;
    const tmc_resize_params p = {
        .mode = TMC_RESIZE_CUBIC, .coordinates = TMC_COORD_TF_HALF_PIXEL_FOR_NN, .sizes = {3, 0}, .scales = {0, 1}};
    const float x[6] = {1, NAN, 3, INFINITY, 5, 6};
    const op_tensor in = {.desc = op_desc(TMC_F32, 2, (const int32_t[]){3, 2}), .data = x};
    const op_call call = {
        .op = TMC_OP_RESIZE, .params = &p, .inputs = &in, .input_count = 1, .output_count = 1, .in_place = 1};
    op_result result;
    assert_int_equal(op_run(&call, &result), TMC_OK);
    assert_memory_equal(result.data[0], x, sizeof x);
    assert_int_equal(result.scratch_bytes, 0);
    op_result_free(&result);
}

/* Two axes at most need one row of scratch for each thread beside the tables, not a picture. */
static void scratch_is_small(void **state) {
    (void)state;
    const tmc_resize_params p = {.mode = TMC_RESIZE_LINEAR, .sizes = {1, 200, 200, 16}};
    float *x = calloc(100 * 100 * 16, sizeof *x);
    assert_non_null(x);
    op_result result = run(&p, op_desc(TMC_F32, 4, (const int32_t[]){1, 100, 100, 16}), x, TMC_ISA_REF, 2, 0);
    assert_in_range(result.scratch_bytes, 2 * 100 * 16 * 4, 2 * 100 * 16 * 4 + 2 * 200 * 2 * 8 + 512);
    op_result_free(&result);
    free(x);
}

/* A shape between two passes may be too large although input and output are not. */
static void scratch_has_a_limit(void **state) {
    (void)state;
    const tmc_tensor_desc in = op_desc(TMC_F32, 2, (const int32_t[]){1, 1 << 28});
    const tmc_tensor_desc out = op_desc(TMC_F32, 2, (const int32_t[]){1 << 20, 1});
    const tmc_tensor_desc *inputs[] = {&in}, *outputs[] = {&out};
    const tmc_resize_params p = {.mode = TMC_RESIZE_LINEAR, .sizes = {1 << 20, 1}};
    const tmc_op_node node = {TMC_OP_RESIZE, &p, 1, 1, inputs, outputs};
    tmc_op_setup setup = {0};
    tmc_kernels kernels;
    tmc_error err;
    tmc_kernels_select(TMC_ISA_REF, &kernels);
    assert_int_equal(tmc_op_resize().prepare(&node, &kernels, 1, &setup, &err), TMC_E_LIMIT);
}

static int setup(void **state) {
    (void)state;
    random_init(&rng, 77);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(onnx_examples),
        TEST(nearest_examples),
        TEST(scale_and_size),
        TEST(random_shapes),
        TEST(network_shapes),
        TEST(nearest_moves_any_type),
        TEST(nothing_changes_is_an_alias),
        TEST(scratch_is_small),
        TEST(scratch_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
