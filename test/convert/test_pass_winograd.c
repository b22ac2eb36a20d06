/* Winograd weights: which convolutions get them, and what they compute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ir_check.h"

static uint32_t count_packed(const ir_graph *g, uint8_t packing) {
    uint32_t found = 0;
    for (ir_id i = 0; i < g->tensor_count; i++) found += g->tensors[i].desc.packing == packing;
    return found;
}

/* A 3x3 convolution of stride 1 between others that cannot have it. */
static ir_graph *mixed(void) {
    ir_graph *g = ir_graph_new("mixed");
    ir_id x = make_input(g, "x", DIMS(1, 5, 13, 11));
    x = make_relu(g, make_conv(g, x, 18, 3, 1, 1, 1));
    x = make_conv(g, make_conv(g, x, 18, 3, 2, 1, 1), 18, 1, 1, 0, 1);
    x = make_conv(g, make_conv(g, x, 18, 3, 1, 1, 2), 18, 5, 1, 2, 1);
    x = make_depthwise(g, x, 3, 1, 1);
    ir_add_output(g, x);
    return g;
}

static void check_forced(pass_fn pass, uint8_t packing) {
    ir_graph *g = mixed();
    apply_pass(g, pass_layout);
    ir_result before = run_graph(g, 6);
    assert_int_equal(apply_pass(g, pass), 1);
    assert_int_equal(count_packed(g, packing), 1);
    assert_int_equal(apply_pass(g, pass), 0);
    expect_same(before, run_graph(g, 6), 2e-6);
    ir_graph_free(g);
}

static void test_forced(void **state) {
    (void)state;
    check_forced(pass_winograd_2x2, TMC_PACK_F32_WINOGRAD_2X2);
    check_forced(pass_winograd_4x4, TMC_PACK_F32_WINOGRAD_4X4);
}

/* One convolution 3x3 of a square image. */
static uint8_t choice(int32_t size, int32_t channels, int32_t outputs, const pass_options *options) {
    ir_graph *g = ir_graph_new("choice");
    ir_id x = make_input(g, "x", DIMS(1, channels, size, size));
    ir_add_output(g, make_conv(g, x, outputs, 3, 1, 1, 1));
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(passes_run(g, options, &err), TMC_OK);
    const ir_node *node = find_node(g, TMC_OP_CONV);
    const uint8_t packing = g->tensors[node->inputs[1]].desc.packing;
    ir_graph_free(g);
    return packing;
}

static void test_choice(void **state) {
    (void)state;
    const pass_options automatic = {0}, off = {.winograd = WINOGRAD_OFF}, dense = {.keep_dense = true};
    assert_int_equal(choice(56, 64, 64, &automatic), TMC_PACK_F32_WINOGRAD_4X4);
    assert_int_equal(choice(56, 64, 64, &off), TMC_PACK_F32_PANELS);
    assert_int_equal(choice(56, 64, 64, &dense), TMC_PACK_NONE);
    assert_int_equal(choice(56, 64, 64, &(pass_options){.winograd = WINOGRAD_2X2}), TMC_PACK_F32_WINOGRAD_2X2);
    assert_int_equal(choice(14, 256, 256, &automatic), TMC_PACK_F32_WINOGRAD_4X4);
    assert_int_equal(choice(7, 512, 512, &automatic), TMC_PACK_F32_WINOGRAD_4X4);
    assert_int_equal(choice(64, 3, 32, &automatic), TMC_PACK_F32_PANELS);   /* transforms cost more */
    assert_int_equal(choice(3, 256, 256, &automatic), TMC_PACK_F32_PANELS); /* a tile is mostly padding */
    assert_int_equal(choice(3, 256, 256, &(pass_options){.winograd = WINOGRAD_4X4}), TMC_PACK_F32_WINOGRAD_4X4);
}

static void test_what_stays_direct(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("direct");
    float w[9 * 4 * 4] = {0};
    w[5] = 3e38f; /* its transform could overflow */
    const tmc_conv_params params = conv_params(3, 1, 1, 1);
    ir_id x = make_input(g, "x", DIMS(1, 8, 8, 4)), bias = make_input(g, "b", DIMS(4));
    ir_id y = make_node(g, TMC_OP_CONV, &params, x, make_floats(g, DIMS(4, 3, 3, 4), w), IR_NONE);
    ir_add_output(g, make_node(g, TMC_OP_CONV, &params, y, make_random(g, DIMS(4, 3, 3, 4), -1, 1), bias));
    assert_int_equal(apply_pass(g, pass_winograd_4x4), 0);
    ir_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forced),
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_what_stays_direct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
