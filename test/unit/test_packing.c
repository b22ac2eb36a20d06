/* Packed weights: panel widths, sizes, every weight in its place, phases of transposed convolutions, and the same sizes
 * as the file verifier's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/packing.h"
#include "graph/packed.h"
#include "lib/random.h"

static void test_panel_widths(void **state) {
    (void)state;
    /* Widths by remainder as packing.h says; all panels together cover N rounded up to 4. */
    for (size_t n = 1; n <= 70; n++) {
        size_t column = 0, last = 16;
        while (column < n) {
            size_t width = tmc_panel_width(n, column), left = n - column;
            assert_int_equal(width, left > 12 ? 16 : left > 4 ? 8 : 4);
            assert_true(width <= last);
            last = width;
            column += width;
        }
        assert_int_equal(column, tmc_panel_columns_up(n));
        assert_int_equal(tmc_panels_floats(n, 10), column * 11);
    }
}

static void test_pack_panels(void **state) {
    (void)state;
    enum { N = 29, K = 5 };
    float w[N * K], bias[N], *dst = malloc(tmc_panels_floats(N, K) * sizeof *dst);
    assert_non_null(dst);
    for (int i = 0; i < N * K; i++) w[i] = (float)(i + 1);
    for (int i = 0; i < N; i++) bias[i] = (float)-i - 1;
    tmc_pack_panels(dst, w, N, K, K, 1, bias);
    for (size_t start = 0; start < tmc_panel_columns_up(N); start += tmc_panel_width(N, start)) {
        const size_t width = tmc_panel_width(N, start);
        const float *panel = dst + tmc_panel_offset(start, K);
        for (size_t n = 0; n < width; n++) {
            const bool real = start + n < N;
            assert_true(panel[n] == (real ? bias[start + n] : 0));
            for (size_t k = 0; k < K; k++)
                assert_true(panel[(1 + k) * width + n] == (real ? w[(start + n) * K + k] : 0));
        }
    }
    free(dst);
}

/* Which phase and which place among its taps each kernel position has. */
static void test_phases(void **state) {
    (void)state;
    for (size_t kernel = 1; kernel <= 9; kernel++)
        for (size_t stride = 1; stride <= 6; stride++)
            for (size_t dilation = 1; dilation <= 7; dilation++) {
                size_t total = 0;
                for (size_t residue = 0; residue < stride; residue++) {
                    const tmc_phase phase = tmc_phase_of(kernel, stride, dilation, residue);
                    size_t found = 0;
                    for (size_t t = 0; t < kernel; t++) {
                        if (t * dilation % stride != residue) continue;
                        assert_int_equal(t, phase.first + found * phase.step);
                        found++;
                    }
                    assert_int_equal(found, phase.count);
                    total += found;
                }
                assert_int_equal(total, kernel);
            }
}

/* Every float of a packed tensor is a bias, a weight or a zero; every weight occurs exactly once. */
static void check_weights(const tmc_pack_shape *s, bool with_bias) {
    const size_t taps = s->kernel[0] * s->kernel[1] * s->kernel[2];
    const size_t outputs = s->groups * s->columns, count = outputs * taps * s->channels;
    const size_t floats = (size_t)tmc_pack_floats(s), phases = s->stride[0] * s->stride[1] * s->stride[2];
    float *w = malloc(count * sizeof *w), *bias = malloc(outputs * sizeof *bias);
    float *dst = malloc(floats * sizeof *dst);
    uint8_t *seen = calloc(count, 1);
    assert_true(w && bias && dst && seen);
    for (size_t i = 0; i < count; i++) w[i] = (float)(i + 1);
    for (size_t i = 0; i < outputs; i++) bias[i] = -(float)(i + 1);
    memset(dst, 0xFF, floats * sizeof *dst);
    tmc_pack_weights(dst, s, w, with_bias ? bias : NULL);
    size_t biases = 0;
    for (size_t i = 0; i < floats; i++) {
        assert_true(dst[i] == dst[i]);
        if (dst[i] > 0) {
            assert_int_equal(seen[(size_t)dst[i] - 1], 0);
            seen[(size_t)dst[i] - 1] = 1;
        }
        biases += dst[i] < 0;
    }
    for (size_t i = 0; i < count; i++) assert_int_equal(seen[i], 1);
    assert_int_equal(biases, with_bias ? outputs * phases : 0);
    assert_int_equal(tmc_pack_group_floats(s) % 16, 0);
    free(w);
    free(bias);
    free(dst);
    free(seen);
}

static tmc_pack_shape random_shape(random_state *r) {
    tmc_pack_shape s = {(size_t)random_int(r, 1, 3),
                        (size_t)random_int(r, 1, 40),
                        (size_t)random_int(r, 1, 9),
                        {1, 1, 1},
                        {1, 1, 1},
                        {1, 1, 1}};
    for (int i = 0; i < 3; i++) {
        s.kernel[i] = (size_t)random_int(r, 1, 4);
        s.stride[i] = (size_t)random_int(r, 1, 3);
        s.dilation[i] = (size_t)random_int(r, 1, 3);
    }
    return s;
}

static void test_pack_weights(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 51);
    for (int i = 0; i < 100; i++) {
        const tmc_pack_shape s = random_shape(&r);
        check_weights(&s, i % 2);
    }
}

/* A convolution's layout is tmc_pack_panels' for each group. */
static void test_conv_is_panels(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 52);
    const tmc_pack_shape s = {2, 21, 3, {1, 3, 2}, {1, 1, 1}, {1, 1, 1}};
    enum { K = 3 * 2 * 3 };
    float w[2 * 21 * K], bias[42], panels[24 * (K + 1)], *packed = malloc((size_t)tmc_pack_floats(&s) * sizeof *packed);
    assert_non_null(packed);
    random_fill(&r, w, 2 * 21 * K, -1, 1);
    random_fill(&r, bias, 42, -1, 1);
    tmc_pack_weights(packed, &s, w, bias);
    for (size_t g = 0; g < 2; g++) {
        tmc_pack_panels(panels, w + g * 21 * K, 21, K, K, 1, bias + g * 21);
        assert_memory_equal(packed + g * (size_t)tmc_pack_group_floats(&s), panels, sizeof panels);
    }
    free(packed);
}

/* Every panel by itself; each channel is in one, and the last 16 of 16 and more are one whole panel. */
static void test_depthwise(void **state) {
    (void)state;
    enum { TAPS = 3, MOST = 70 };
    float w[TAPS * MOST], bias[MOST], dst[(MOST + 15) / 16 * 16 * (1 + TAPS)];
    for (int i = 0; i < TAPS * MOST; i++) w[i] = (float)(i + 1);
    for (int i = 0; i < MOST; i++) bias[i] = (float)-i - 1;
    for (size_t channels = 1; channels <= MOST; channels++) {
        const size_t columns = tmc_depthwise_columns(channels);
        assert_int_equal(columns, (channels + 15) / 16 * 16);
        memset(dst, 0xFF, sizeof dst);
        tmc_pack_depthwise(dst, w, channels, TAPS, bias);
        for (size_t n = 0; n < columns; n += 16) {
            const size_t first = tmc_depthwise_channel(channels, n);
            assert_int_equal(first, n + 16 > channels && channels > 16 ? channels - 16 : n);
            const float *panel = dst + n * (1 + TAPS);
            for (size_t i = 0; i < 16; i++) {
                const bool real = first + i < channels;
                assert_true(panel[i] == (real ? bias[first + i] : 0));
                for (size_t t = 0; t < TAPS; t++)
                    assert_true(panel[(1 + t) * 16 + i] == (real ? w[t * channels + first + i] : 0));
            }
        }
    }
}

static void test_depthwise_bytes(void **state) {
    (void)state;
    uint64_t bytes;
    tmc_error err;
    tmc_error_init(&err);
    tmc_conv_params p;
    memset(&p, 0, sizeof p);
    tmc_tensor_desc w = {.dtype = TMC_F32, .packing = TMC_PACK_F32_PANELS, .rank = 3, .dims = {3, 5, 33}};
    assert_int_equal(tmc_packed_bytes(TMC_OP_DEPTHWISE_CONV, &p, &w, &bytes, &err), TMC_OK);
    assert_int_equal(bytes, 48 * 16 * sizeof(float));
    w = (tmc_tensor_desc){.dtype = TMC_F32, .packing = TMC_PACK_F32_PANELS, .rank = 3, .dims = {1, 0x1fffffff, 1}};
    assert_int_equal(tmc_packed_bytes(TMC_OP_DEPTHWISE_CONV, &p, &w, &bytes, &err), TMC_E_LIMIT);
}

/* The file verifier computes sizes by itself; both must say the same. */
static void test_sizes_agree_with_verifier(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 53);
    for (int i = 0; i < 200; i++) {
        tmc_pack_shape s = random_shape(&r);
        const bool transposed = i % 2;
        tmc_conv_params p;
        tmc_tensor_desc w;
        memset(&p, 0, sizeof p);
        memset(&w, 0, sizeof w);
        p.spatial = 3;
        p.groups = (int32_t)s.groups;
        w.dtype = TMC_F32;
        w.packing = TMC_PACK_F32_PANELS;
        w.rank = 5;
        w.dims[0] = (int32_t)(s.groups * s.columns);
        w.dims[4] = (int32_t)s.channels;
        for (int a = 0; a < 3; a++) {
            w.dims[1 + a] = p.kernel[a] = (int32_t)s.kernel[a];
            p.stride[a] = (int32_t)s.stride[a];
            p.dilation[a] = (int32_t)s.dilation[a];
            if (!transposed) s.stride[a] = s.dilation[a] = 1;
        }
        uint64_t bytes;
        tmc_error err;
        tmc_error_init(&err);
        assert_int_equal(tmc_packed_bytes(transposed ? TMC_OP_CONV_TRANSPOSE : TMC_OP_CONV, &p, &w, &bytes, &err),
                         TMC_OK);
        assert_int_equal(bytes, tmc_pack_floats(&s) * sizeof(float));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_panel_widths),   cmocka_unit_test(test_pack_panels),
        cmocka_unit_test(test_phases),         cmocka_unit_test(test_pack_weights),
        cmocka_unit_test(test_conv_is_panels), cmocka_unit_test(test_sizes_agree_with_verifier),
        cmocka_unit_test(test_depthwise),      cmocka_unit_test(test_depthwise_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
