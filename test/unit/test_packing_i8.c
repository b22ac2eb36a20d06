/* Packed int8 weights: every weight, bias and multiplier in its place, in every phase and group, and the sizes that the
 * verifier asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/packing_i8.h"
#include "graph/packed.h"
#include "lib/random.h"

typedef struct weights {
    int8_t *w;
    int32_t *bias;
    float *scales;
    tmc_i8_source source;
} weights;

static weights make_weights(random_state *r, size_t channels, size_t per_channel) {
    weights s = {
        malloc(channels * per_channel), malloc(channels * sizeof *s.bias), malloc(channels * sizeof *s.scales), {0}};
    for (size_t i = 0; i < channels * per_channel; i++) s.w[i] = (int8_t)random_int(r, -128, 127);
    for (size_t i = 0; i < channels; i++) {
        s.bias[i] = random_int(r, -32768, 32767);
        s.scales[i] = 0.001f * (float)(1 + i);
    }
    s.source = (tmc_i8_source){s.w, s.bias, s.scales, 0.02f, 0.5f, -7};
    return s;
}

static void free_weights(weights *s) {
    free(s->w);
    free(s->bias);
    free(s->scales);
}

/* The three numbers of a column whose weights sum to `sum`. */
static void check_head(const weights *s, const tmc_i8_panel *p, size_t n, size_t channel, bool real, int32_t sum) {
    const int32_t bias = real ? s->bias[channel] + 7 * sum : 0;
    assert_int_equal(p->bias[n], bias);
    assert_int_equal(p->bias_unsigned[n], real ? bias - 128 * sum : 0);
    assert_true(p->multiplier[n] == (real ? (float)((double)0.02f * s->scales[channel] / 0.5f) : 1.0f));
}

/* Taps of an axis that belong to a residue, as docs/format.md says it. */
static size_t taps_of(size_t kernel, size_t stride, size_t dilation, size_t residue, size_t *taps) {
    size_t count = 0;
    for (size_t t = 0; t < kernel; t++)
        if (t * dilation % stride == residue) taps[count++] = t;
    return count;
}

static const uint8_t *check_phase(const uint8_t *at, const tmc_pack_shape *s, const weights *w, size_t group, size_t ry,
                                  size_t rx) {
    size_t ys[8], xs[8];
    const size_t ny = taps_of(s->kernel[1], s->stride[1], s->dilation[1], ry, ys);
    const size_t nx = taps_of(s->kernel[2], s->stride[2], s->dilation[2], rx, xs);
    const size_t k = ny * nx * s->channels, k4 = (k + 3) / 4 * 4;
    for (size_t start = 0; start < s->columns;) {
        const size_t width = tmc_panel_width(s->columns, start);
        const tmc_i8_panel p = tmc_i8_panel_at(at, width);
        for (size_t n = 0; n < width; n++) {
            const size_t channel = group * s->columns + start + n;
            const bool real = start + n < s->columns;
            int32_t sum = 0;
            for (size_t i = 0; i < k4; i++) {
                int8_t expected = 0;
                if (real && i < k) {
                    const size_t tap = i / s->channels, y = ys[tap / nx], x = xs[tap % nx];
                    expected = w->w[((channel * s->kernel[1] + y) * s->kernel[2] + x) * s->channels + i % s->channels];
                }
                assert_int_equal(p.weights[(i / 4 * width + n) * 4 + i % 4], expected);
                sum += expected;
            }
            check_head(w, &p, n, channel, real, sum);
        }
        at += width * (12 + k4);
        start += width;
    }
    return at;
}

static void check_shape(random_state *r, const tmc_pack_shape *s) {
    const size_t bytes = (size_t)tmc_i8_bytes(s);
    weights w = make_weights(r, s->groups * s->columns, s->kernel[1] * s->kernel[2] * s->channels);
    uint8_t *dst = malloc(bytes);
    memset(dst, 0xCD, bytes);
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(tmc_i8_pack(dst, s, &w.source, &err), TMC_OK);
    const uint8_t *at = dst;
    for (size_t group = 0; group < s->groups; group++) {
        at = dst + group * (size_t)tmc_i8_group_bytes(s);
        assert_int_equal((size_t)(at - dst) % 64, 0);
        for (size_t ry = 0; ry < s->stride[1]; ry++)
            for (size_t rx = 0; rx < s->stride[2]; rx++) at = check_phase(at, s, &w, group, ry, rx);
        for (; group + 1 < s->groups && at < dst + (group + 1) * (size_t)tmc_i8_group_bytes(s); at++)
            assert_int_equal(*at, 0);
    }
    assert_int_equal((size_t)(at - dst), bytes);
    free(dst);
    free_weights(&w);
}

static void test_panels(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 1);
    for (size_t columns = 1; columns <= 35; columns++)
        for (size_t channels = 1; channels <= 6; channels++) {
            const tmc_pack_shape s = {1 + columns % 3,          columns,   channels,
                                      {1, 1 + channels % 3, 2}, {1, 1, 1}, {1, 1, 1}};
            check_shape(&r, &s);
        }
}

static void test_phases(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 2);
    for (size_t kernel = 1; kernel <= 5; kernel++)
        for (size_t stride = 1; stride <= 3; stride++)
            for (size_t dilation = 1; dilation <= 2; dilation++) {
                const tmc_pack_shape s = {2, 5, 3, {1, kernel, 3}, {1, stride, 2}, {1, dilation, 1}};
                check_shape(&r, &s);
            }
}

static void test_depthwise(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 3);
    for (size_t channels = 1; channels <= 50; channels++) {
        const size_t kernel[3] = {1, 1 + channels % 7, 1 + channels % 4}, taps = kernel[1] * kernel[2];
        const size_t groups = (kernel[1] + 3) / 4, bytes = (size_t)tmc_i8_depthwise_bytes(channels, kernel);
        weights w = make_weights(&r, channels, taps);
        uint8_t *dst = malloc(bytes), *at = dst;
        memset(dst, 0xCD, bytes);
        tmc_error err;
        tmc_error_init(&err);
        assert_int_equal(tmc_i8_pack_depthwise(dst, channels, kernel, &w.source, &err), TMC_OK);
        for (size_t start = 0; start < channels; start += 16) {
            const tmc_i8_panel p = tmc_i8_panel_at(at, 16);
            for (size_t n = 0; n < 16; n++) {
                const size_t channel = (start + 16 <= channels || channels < 16 ? start : channels - 16) + n;
                int32_t sum = 0;
                for (size_t y = 0; y < groups * 4; y++)
                    for (size_t x = 0; x < kernel[2]; x++) {
                        const bool real = channel < channels && y < kernel[1];
                        const int8_t expected = real ? w.w[(y * kernel[2] + x) * channels + channel] : 0;
                        assert_int_equal(p.weights[((y / 4 * kernel[2] + x) * 16 + n) * 4 + y % 4], expected);
                        sum += expected;
                    }
                check_head(&w, &p, n, channel, channel < channels, sum);
            }
            at += 16 * (12 + groups * 4 * kernel[2]);
        }
        assert_int_equal((size_t)(at - dst), bytes);
        free(dst);
        free_weights(&w);
    }
}

/* A bias near the end of int32, and scales whose ratio is none, are refused. */
static void test_refuses(void **state) {
    (void)state;
    const int8_t w[2] = {100, -100};
    const float scales[2] = {0.5f, 0.5f};
    const int32_t ends[2] = {0, INT32_MAX - 2 * 127 * 255 + 1};
    const tmc_pack_shape s = {1, 1, 2, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}};
    uint8_t dst[4 * 16];
    tmc_error err;
    for (int i = 0; i < 2; i++) {
        const tmc_i8_source source = {w, &ends[i], scales, 1.0f, 1.0f, 3};
        tmc_error_init(&err);
        assert_int_equal(tmc_i8_pack(dst, &s, &source, &err), i ? TMC_E_QUANT : TMC_OK);
    }
    const tmc_i8_source tiny = {w, NULL, scales, 1e-30f, 1e20f, 0}, huge = {w, NULL, scales, 1e30f, 1e-20f, 0};
    tmc_error_init(&err);
    assert_int_equal(tmc_i8_pack(dst, &s, &tiny, &err), TMC_E_QUANT);
    assert_int_equal(tmc_i8_pack(dst, &s, &huge, &err), TMC_E_QUANT);
}

static void test_sizes_of_nodes(void **state) {
    (void)state;
    const tmc_conv_params p = {
        .spatial = 2, .kernel = {1, 3, 3}, .stride = {1, 2, 2}, .dilation = {1, 1, 1}, .groups = 2};
    tmc_tensor_desc w = {.dtype = TMC_I8, .packing = TMC_PACK_I8_PANELS, .rank = 4, .dims = {10, 3, 3, 3}};
    tmc_error err;
    tmc_error_init(&err);
    uint64_t bytes = 0;
    assert_int_equal(tmc_packed_bytes(TMC_OP_CONV, &p, &w, &bytes, &err), TMC_OK);
    /* Groups of 5 columns: one panel of 8, of 12 + 28 bytes each column, 320 = 5 * 64. */
    assert_int_equal(bytes, 2 * 8 * (12 + 28));
    tmc_conv_params d = p;
    d.groups = 40;
    w = (tmc_tensor_desc){.dtype = TMC_I8, .packing = TMC_PACK_I8_DEPTHWISE, .rank = 3, .dims = {3, 3, 40}};
    assert_int_equal(tmc_packed_bytes(TMC_OP_DEPTHWISE_CONV, &d, &w, &bytes, &err), TMC_OK);
    assert_int_equal(bytes, 48 * (12 + 12));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_panels),         cmocka_unit_test(test_phases),  cmocka_unit_test(test_depthwise),
        cmocka_unit_test(test_sizes_of_nodes), cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
