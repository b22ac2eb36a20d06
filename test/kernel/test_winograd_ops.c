/* Whole convolutions with Winograd weights against plain loops: random shapes, every instruction set and several
 * threads give the same bits, and stay within the documented bound of the convolution in float64. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/packing.h"
#include "graph/packed.h"
#include "lib/bits.h"
#include "lib/levels.h"
#include "lib/naive_winograd.h"
#include "lib/op_runner.h"
#include "lib/random.h"

typedef struct conv_case {
    size_t tile;
    tmc_conv_params p;
    tmc_tensor_desc x_desc, w_desc, y_desc;
    float *x, *w, *bias; /* bias may be NULL */
    float *packed;
    size_t packed_bytes;
    char what[120];
} conv_case;

static float *floats(size_t count) {
    float *data = malloc(count * sizeof *data);
    assert_non_null(data);
    return data;
}

static conv_case make_case(random_state *r, size_t tile, const int32_t x[4], int32_t outputs, const int32_t pads[4],
                           bool special) {
    conv_case c;
    memset(&c, 0, sizeof c);
    c.tile = tile;
    c.p = (tmc_conv_params){.spatial = 2,
                            .kernel = {1, 3, 3},
                            .stride = {1, 1, 1},
                            .dilation = {1, 1, 1},
                            .pad_begin = {0, pads[0], pads[1]},
                            .pad_end = {0, pads[2], pads[3]},
                            .groups = 1,
                            .act = {-INFINITY, INFINITY}};
    if (random_int(r, 0, 1)) c.p.act = (tmc_act_params){0, random_int(r, 0, 1) ? 0.5f : INFINITY};
    c.x_desc = op_desc(TMC_F32, 4, x);
    c.w_desc = op_desc(TMC_F32, 4, (int32_t[]){outputs, 3, 3, x[3]});
    c.w_desc.packing = tile == 2 ? TMC_PACK_F32_WINOGRAD_2X2 : TMC_PACK_F32_WINOGRAD_4X4;
    c.y_desc =
        op_desc(TMC_F32, 4, (int32_t[]){x[0], x[1] + pads[0] + pads[2] - 2, x[2] + pads[1] + pads[3] - 2, outputs});
    const size_t n = (size_t)outputs, k = (size_t)x[3];
    c.x = floats(tmc_tensor_elements(&c.x_desc));
    c.w = floats(n * 9 * k);
    random_fill(r, c.x, tmc_tensor_elements(&c.x_desc), -1, 1);
    if (special) random_fill_special(r, c.x, tmc_tensor_elements(&c.x_desc));
    random_fill(r, c.w, n * 9 * k, -1, 1);
    if (random_int(r, 0, 3)) random_fill(r, c.bias = floats(n), n, -1, 1);
    const tmc_pack_shape shape = tmc_packed_shape(TMC_OP_CONV, &c.p, &c.w_desc);
    c.packed_bytes = (size_t)tmc_pack_floats(&shape) * sizeof(float);
    c.packed = floats(c.packed_bytes / sizeof(float));
    float *taps = floats(n * 9 * k); /* [outputs][channels][taps] */
    for (size_t i = 0; i < n * 9 * k; i++) taps[i] = c.w[(i / (9 * k) * 9 + i % 9) * k + i / 9 % k];
    tmc_pack_panels(c.packed, taps, n, 9 * k, 9 * k, 1, c.bias);
    free(taps);
    snprintf(c.what, sizeof c.what, "%zux%zu: x [%d,%d,%d,%d] pads %d,%d,%d,%d outputs %d bias %d", tile, tile, x[0],
             x[1], x[2], x[3], pads[0], pads[1], pads[2], pads[3], outputs, c.bias != NULL);
    return c;
}

static void free_case(conv_case *c) {
    free(c->x);
    free(c->w);
    free(c->bias);
    free(c->packed);
}

static void check_bound(const conv_case *c, const float *y) {
    const size_t count = tmc_tensor_elements(&c->y_desc);
    double *exact = malloc(count * sizeof *exact), *bound = malloc(count * sizeof *bound);
    assert_true(exact && bound);
    naive_winograd_bound(c->tile, &c->p, &c->x_desc, c->x, c->w, c->bias, &c->y_desc, exact, bound);
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)y[i] - exact[i]) <= bound[i]))
            fail_msg("%s: element %zu is %.9g, exactly %.9g, the bound is %.3g", c->what, i, (double)y[i], exact[i],
                     bound[i]);
    free(exact);
    free(bound);
}

static void check_level(const conv_case *c, tmc_isa isa, const float *expected) {
    const op_tensor inputs[2] = {{c->x_desc, c->x, 0}, {c->w_desc, c->packed, c->packed_bytes}};
    op_call call = {
        .op = TMC_OP_CONV, .params = &c->p, .inputs = inputs, .input_count = 2, .output_count = 1, .isa = isa};
    for (call.threads = 1; call.threads <= 4; call.threads++) {
        call.guard = call.threads % 2 ? GUARD_END : GUARD_START;
        op_result result;
        if (op_run(&call, &result) != TMC_OK) fail_msg("%s: %s", c->what, result.err.message);
        assert_true(tmc_tensor_same_shape(&result.descs[0], &c->y_desc));
        bits_assert_equal(expected, result.data[0], tmc_tensor_elements(&c->y_desc), c->what);
        assert_non_null(strstr(result.kernel, c->tile == 2 ? "f32_winograd_2x2" : "f32_winograd_4x4"));
        assert_int_equal(result.isa, isa == TMC_ISA_AVX512 ? TMC_ISA_AVX2 : isa);
        op_result_free(&result);
    }
}

/* SSE4.1 has the bits of a chain without fused steps. */
static void check_case(const conv_case *c, bool finite) {
    float *expected = floats(tmc_tensor_elements(&c->y_desc));
    tmc_isa levels[LEVELS_MAX];
    const size_t count = level_list(levels);
    naive_winograd_conv(TMC_ISA_REF, c->tile, &c->p, &c->x_desc, c->x, c->w, c->bias, &c->y_desc, expected);
    if (finite) check_bound(c, expected);
    for (size_t i = 0; i < count; i++) {
        if (levels[i] == TMC_ISA_SSE41)
            naive_winograd_conv(levels[i], c->tile, &c->p, &c->x_desc, c->x, c->w, c->bias, &c->y_desc, expected);
        check_level(c, levels[i], expected);
    }
    free(expected);
}

static void test_random(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 71);
    for (int i = 0; i < 48; i++) {
        const int32_t x[4] = {random_int(&r, 1, 2), random_int(&r, 1, 20), random_int(&r, 1, 20),
                              random_int(&r, 1, 40)};
        int32_t pads[4];
        for (int k = 0; k < 4; k++) pads[k] = random_int(&r, 0, 2);
        if (x[1] + pads[0] + pads[2] < 3 || x[2] + pads[1] + pads[3] < 3) continue;
        const bool special = i % 8 == 7;
        conv_case c = make_case(&r, i % 2 ? 2 : 4, x, random_int(&r, 1, 40), pads, special);
        check_case(&c, !special);
        free_case(&c);
    }
}

/* Several blocks and segments, weights that do not fit into a cache, and more panels than one part takes. */
static void test_blocks(void **state) {
    (void)state;
    static const int32_t shapes[][5] = {/* x [n,h,w,c], outputs */
                                        {1, 45, 47, 5, 70},
                                        {2, 29, 31, 33, 17},
                                        {1, 9, 9, 130, 77},
                                        {1, 5, 4, 301, 29},
                                        {1, 61, 61, 20, 260}};
    static const int32_t pads[4] = {1, 1, 1, 1};
    random_state r;
    random_init(&r, 72);
    for (size_t i = 0; i < 2 * (sizeof shapes / sizeof *shapes); i++) {
        conv_case c = make_case(&r, i % 2 ? 2 : 4, shapes[i / 2], shapes[i / 2][4], pads, false);
        check_case(&c, shapes[i / 2][3] > 100);
        free_case(&c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random), cmocka_unit_test(test_blocks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
