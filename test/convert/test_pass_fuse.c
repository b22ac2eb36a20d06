/* Batch norm, paddings and clamps go into the operators in front of or behind them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "lib/ir_check.h"

/* Layout first, as in the pipeline, so that the nodes stand next to each other. */
static uint32_t check(ir_graph *g, pass_fn pass, uint32_t nodes, double tolerance) {
    apply_pass(g, pass_layout);
    ir_result before = run_graph(g, 9);
    uint32_t changes = apply_pass(g, pass);
    assert_int_equal(count_nodes(g, 0), nodes);
    expect_same(before, run_graph(g, 9), tolerance);
    ir_graph_free(g);
    return changes;
}

static ir_graph *image(ir_id *x) {
    ir_graph *g = ir_graph_new("fuse");
    *x = make_input(g, "x", DIMS(1, 4, 7, 9));
    return g;
}

/* ------------------------------------------------------------------------------------------------------ batch norm */

static void test_batch_norm_into_conv(void **state) {
    (void)state;
    ir_id x;
    ir_graph *g = image(&x);
    ir_add_output(g, make_relu(g, make_batch_norm(g, make_conv(g, x, 6, 3, 1, 1, 2))));
    check(g, pass_fold_batch_norm, 2, 1e-6);
}

static void test_batch_norm_into_depthwise_without_bias(void **state) {
    (void)state;
    ir_id x;
    ir_graph *g = image(&x);
    ir_add_output(g, make_batch_norm(g, make_depthwise(g, x, 3, 1, 1)));
    check(g, pass_fold_batch_norm, 1, 1e-6);
}

static void test_batch_norm_into_conv_transpose(void **state) {
    (void)state;
    ir_id x;
    ir_graph *g = image(&x);
    ir_add_output(g, make_batch_norm(g, make_conv_transpose(g, x, 5, 3, 2)));
    check(g, pass_fold_batch_norm, 1, 1e-6);
}

static void test_channel_arithmetic_into_conv(void **state) {
    (void)state;
    ir_id x;
    ir_graph *g = image(&x);
    ir_id y = make_conv(g, x, 6, 3, 1, 1, 1);
    y = make_binary(g, TMC_BINARY_MUL, y, make_random(g, DIMS(6, 1, 1), 0.5f, 1.5f));
    y = make_binary(g, TMC_BINARY_SUB, y, make_random(g, DIMS(1, 6, 1, 1), -1.0f, 1.0f));
    y = make_binary(g, TMC_BINARY_SUB, make_scalar(g, 2.0f), y);
    y = make_binary(g, TMC_BINARY_DIV, y, make_scalar(g, 3.0f));
    ir_add_output(g, y);
    check(g, pass_fold_batch_norm, 1, 1e-6);
}

static void test_dense_with_scale(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("dense");
    ir_id x = make_dense(g, make_input(g, "x", DIMS(2, 20)), 7);
    ir_add_output(g, make_binary(g, TMC_BINARY_ADD, x, make_random(g, DIMS(7), -1, 1)));
    check(g, pass_fold_batch_norm, 1, 1e-6);
}

static void test_chain_becomes_one_scale_shift(void **state) {
    (void)state;
    ir_id x;
    ir_graph *g = image(&x);
    x = make_binary(g, TMC_BINARY_SUB, x, make_random(g, DIMS(1, 4, 1, 1), 0.0f, 1.0f));
    x = make_binary(g, TMC_BINARY_DIV, x, make_random(g, DIMS(1, 4, 1, 1), 0.2f, 0.3f));
    x = make_relu(g, make_batch_norm(g, x));
    ir_add_output(g, make_conv(g, x, 4, 1, 1, 0, 1));
    check(g, pass_fold_batch_norm, 3, 1e-6);
}

static void test_what_batch_norm_must_not_fold(void **state) {
    (void)state;
    ir_id x;
    ir_graph *g = image(&x);
    ir_id y = make_conv(g, x, 6, 3, 1, 1, 1); /* read twice */
    ir_id z = make_relu(g, y);
    ir_add_output(g, make_binary(g, TMC_BINARY_ADD, make_batch_norm(g, y), z));
    z = make_binary(g, TMC_BINARY_MUL, make_conv(g, x, 6, 1, 1, 0, 1),
                    make_random(g, DIMS(7, 1), 0.5f, 1.5f)); /* rows */
    ir_add_output(g, z);
    z = make_binary(g, TMC_BINARY_DIV, make_conv(g, x, 6, 1, 1, 0, 1), make_scalar(g, 0.0f));
    ir_add_output(g, z);
    assert_int_equal(check(g, pass_fold_batch_norm, 8, 0.0), 0);
}

/* ------------------------------------------------------------------------------------------------------------ pads */

static ir_id make_pad(ir_graph *g, ir_id x, int32_t mode, float value) {
    const tmc_pad_params pad = {mode, {0, 0, 1, 2}, {0, 0, 2, 0}, value};
    return make_node(g, TMC_OP_PAD, &pad, x, IR_NONE, IR_NONE);
}

static ir_id make_average_pool(ir_graph *g, ir_id x, int32_t count_include_pad) {
    const tmc_pool_params params = {.spatial = 2,
                                    .kernel = {1, 3, 3},
                                    .stride = {1, 2, 2},
                                    .dilation = {1, 1, 1},
                                    .count_include_pad = count_include_pad};
    return make_first(g, make_node(g, TMC_OP_AVERAGE_POOL, &params, make_last(g, x), IR_NONE, IR_NONE));
}

static void test_pad_into_conv(void **state) {
    (void)state;
    ir_id x;
    ir_graph *g = image(&x);
    ir_id padded = make_pad(g, x, TMC_PAD_CONSTANT, 0.0f);
    ir_add_output(g, make_conv(g, padded, 6, 3, 2, 1, 1));
    ir_add_output(g, make_depthwise(g, padded, 3, 1, 0));
    check(g, pass_fuse_pad, 2, 0.0);
}

static void test_pad_into_average_pool(void **state) {
    (void)state;
    ir_id x;
    ir_graph *g = image(&x);
    ir_add_output(g, make_average_pool(g, make_pad(g, x, TMC_PAD_CONSTANT, 0.0f), 0));
    ir_add_output(g, make_average_pool(g, make_pad(g, x, TMC_PAD_CONSTANT, -0.0f), 1));
    check(g, pass_fuse_pad, 2, 0.0);
}

static void test_pad_into_max_pool_behind_relu(void **state) {
    (void)state;
    ir_id x;
    ir_graph *g = image(&x);
    ir_add_output(g, make_max_pool(g, make_pad(g, make_relu(g, x), TMC_PAD_CONSTANT, 0.0f), 3, 2, 0));
    ir_add_output(g, make_max_pool(g, make_pad(g, x, TMC_PAD_CONSTANT, -INFINITY), 3, 2, 0));
    check(g, pass_fuse_pad, 3, 0.0);
}

static void test_pads_that_stay(void **state) {
    (void)state;
    ir_id x;
    ir_graph *g = image(&x);
    const tmc_pad_params channels = {TMC_PAD_CONSTANT, {0, 1, 0, 0}, {0, 1, 0, 0}, 0.0f};
    ir_add_output(g, make_conv(g, make_pad(g, x, TMC_PAD_CONSTANT, 1.0f), 6, 3, 2, 1, 1));
    ir_add_output(g, make_conv(g, make_pad(g, x, TMC_PAD_REFLECT, 0.0f), 6, 3, 2, 1, 1));
    ir_add_output(g, make_conv(g, make_node(g, TMC_OP_PAD, &channels, x, IR_NONE, IR_NONE), 6, 3, 2, 1, 1));
    ir_add_output(g, make_max_pool(g, make_pad(g, x, TMC_PAD_CONSTANT, 0.0f), 3, 2, 0)); /* x may be negative */
    ir_id negative = make_clamp(g, x, -1.0f, 1.0f);
    ir_add_output(g, make_max_pool(g, make_pad(g, negative, TMC_PAD_CONSTANT, 0.0f), 3, 2, 0));
    ir_add_output(g, make_conv_transpose(g, make_pad(g, x, TMC_PAD_CONSTANT, 0.0f), 6, 3, 2));
    assert_int_equal(check(g, pass_fuse_pad, 13, 0.0), 0);
}

/* ----------------------------------------------------------------------------------------------------- activations */

static void test_clamps_into_producers(void **state) {
    (void)state;
    ir_id x;
    ir_graph *g = image(&x);
    ir_id y = make_relu(g, make_conv(g, x, 4, 3, 1, 1, 1));
    y = make_clamp(g, make_depthwise(g, y, 3, 1, 1), 0.0f, 6.0f);
    y = make_relu(g, make_batch_norm(g, make_binary(g, TMC_BINARY_ADD, y, x)));
    y = make_clamp(g, make_binary(g, TMC_BINARY_MUL, y, x), -1.0f, 1.0f);
    ir_add_output(g, make_relu(g, make_conv_transpose(g, y, 3, 2, 2)));
    check(g, pass_fuse_activation, 6, 0.0);
}

static void test_clamps_in_a_row(void **state) {
    (void)state;
    static const float bounds[][4] = {
        {0, 6, -1, 3}, {-1, 1, 0, 6}, {0, 1, 5, 6}, {5, 6, 0, 1}, {-INFINITY, 1, 0, INFINITY}, {0.5f, 1, 0, INFINITY},
    };
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        ir_id x;
        ir_graph *g = image(&x);
        x = make_clamp(g, make_unary(g, TMC_UNARY_NEG, x), bounds[i][0], bounds[i][1]);
        ir_add_output(g, make_clamp(g, x, bounds[i][2], bounds[i][3]));
        check(g, pass_fuse_activation, 2, 0.0);
    }
}

static void test_clamps_that_stay(void **state) {
    (void)state;
    ir_id x;
    ir_graph *g = image(&x);
    ir_id y = make_conv(g, x, 4, 3, 1, 1, 1);
    ir_add_output(g, make_relu(g, y));
    ir_add_output(g, make_unary(g, TMC_UNARY_SIGMOID, y));
    ir_add_output(g, make_relu(g, make_max_pool(g, x, 2, 2, 0)));
    assert_int_equal(check(g, pass_fuse_activation, 5, 0.0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch_norm_into_conv),
        cmocka_unit_test(test_batch_norm_into_depthwise_without_bias),
        cmocka_unit_test(test_batch_norm_into_conv_transpose),
        cmocka_unit_test(test_channel_arithmetic_into_conv),
        cmocka_unit_test(test_dense_with_scale),
        cmocka_unit_test(test_chain_becomes_one_scale_shift),
        cmocka_unit_test(test_what_batch_norm_must_not_fold),
        cmocka_unit_test(test_pad_into_conv),
        cmocka_unit_test(test_pad_into_average_pool),
        cmocka_unit_test(test_pad_into_max_pool_behind_relu),
        cmocka_unit_test(test_pads_that_stay),
        cmocka_unit_test(test_clamps_into_producers),
        cmocka_unit_test(test_clamps_in_a_row),
        cmocka_unit_test(test_clamps_that_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
