/* Passes that remove: constant folding, identities, sharing, dead nodes; and what they must leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ir_check.h"

static void check(ir_graph *g, pass_fn pass, uint32_t nodes) {
    ir_result before = run_graph(g, 5);
    apply_pass(g, pass);
    assert_int_equal(count_nodes(g, 0), nodes);
    expect_same(before, run_graph(g, 5), 0.0);
    ir_graph_free(g);
}

static void test_folds_chains_of_constants(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("fold");
    ir_id x = make_input(g, "x", DIMS(2, 6));
    ir_id c = make_random(g, DIMS(2, 3), -1, 1);
    c = make_reshape(g, make_transpose(g, make_unary(g, TMC_UNARY_EXP, c), DIMS(1, 0)), DIMS(6));
    c = make_binary(g, TMC_BINARY_MUL, c, c);
    ir_add_output(g, make_binary(g, TMC_BINARY_ADD, x, c));
    check(g, pass_fold_constants, 1);
}

static void test_folds_nodes_with_several_outputs(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("fold");
    ir_id x = make_input(g, "x", DIMS(2, 3)), c = make_random(g, DIMS(2, 6), -1, 1), parts[2];
    const tmc_split_params split = {1, {3, 3}};
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(ir_add_node(g, NULL, TMC_OP_SPLIT, &split, &c, 1, parts, 2, &err), TMC_OK);
    ir_add_output(g, make_binary(g, TMC_BINARY_ADD, make_binary(g, TMC_BINARY_SUB, x, parts[0]), parts[1]));
    check(g, pass_fold_constants, 2);
}

static void test_constant_output_is_left(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("constant");
    ir_add_output(g, make_relu(g, make_input(g, "x", DIMS(3))));
    ir_add_output(g, make_relu(g, make_random(g, DIMS(3), -1, 1)));
    check(g, pass_fold_constants, 2);
}

static void test_identities_vanish(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("identity");
    ir_id x = make_unary(g, TMC_UNARY_ABS, make_input(g, "x", DIMS(2, 3, 4, 4)));
    x = make_reshape(g, x, DIMS(2, 3, 4, 4));
    x = make_transpose(g, make_transpose(g, x, DIMS(0, 2, 3, 1)), DIMS(0, 3, 1, 2));
    x = make_reshape(g, make_reshape(g, x, DIMS(2, 3, 16)), DIMS(2, 3, 4, 4));
    x = make_binary(g, TMC_BINARY_MUL, make_scalar(g, 1.0f), make_binary(g, TMC_BINARY_SUB, x, make_scalar(g, 0.0f)));
    x = make_clamp(g, make_binary(g, TMC_BINARY_DIV, x, make_scalar(g, 1.0f)), -INFINITY, INFINITY);
    const tmc_slice_params slice = {{0, 0, 0, 0, 0, 0}, {2, 3, 4, 4, INT32_MAX, INT32_MAX}, {1, 1, 1, 1, 1, 1}};
    const tmc_pad_params pad = {0};
    const tmc_cast_params cast = {TMC_F32};
    const tmc_resize_params resize = {.mode = TMC_RESIZE_LINEAR, .sizes = {2, 3, 4, 4}};
    const tmc_axis_params concat = {1};
    x = make_node(g, TMC_OP_SLICE, &slice, x, IR_NONE, IR_NONE);
    x = make_node(g, TMC_OP_PAD, &pad, x, IR_NONE, IR_NONE);
    x = make_node(g, TMC_OP_CAST, &cast, x, IR_NONE, IR_NONE);
    x = make_node(g, TMC_OP_RESIZE, &resize, x, IR_NONE, IR_NONE);
    x = make_node(g, TMC_OP_CONCAT, &concat, x, IR_NONE, IR_NONE);
    x = make_max_pool(g, x, 1, 1, 0);
    ir_add_output(g, x);
    ir_result before = run_graph(g, 5);
    apply_pass(g, pass_remove_identity);
    apply_pass(g, pass_remove_identity); /* the transpositions around the pool meet when it is gone */
    assert_int_equal(count_nodes(g, 0), 1);
    expect_same(before, run_graph(g, 5), 0.0);
    ir_graph_free(g);
}

static void test_near_identities_stay(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("near");
    ir_id x = make_input(g, "x", DIMS(2, 3, 4, 4));
    const tmc_slice_params reverse = {
        {0, 0, -1, 0, 0, 0}, {INT32_MAX, INT32_MAX, INT32_MIN, INT32_MAX, INT32_MAX, INT32_MAX}, {1, 1, -1, 1, 1, 1}};
    x = make_node(g, TMC_OP_SLICE, &reverse, x, IR_NONE, IR_NONE);
    x = make_transpose(g, x, DIMS(0, 1, 3, 2));
    x = make_binary(g, TMC_BINARY_MUL, x, make_scalar(g, 2.0f));
    x = make_clamp(g, x, -1.0f, INFINITY);
    ir_add_output(g, x);
    check(g, pass_remove_identity, 4);
}

static void test_identity_between_input_and_output_stays(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("through");
    ir_add_output(g, make_reshape(g, make_input(g, "x", DIMS(2, 3)), DIMS(2, 3)));
    check(g, pass_remove_identity, 1);
}

static void test_transposition_of_ones_is_a_reshape(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("ones");
    ir_id x = make_input(g, "x", DIMS(2, 3, 1, 1));
    ir_add_output(g, make_relu(g, make_transpose(g, x, DIMS(0, 2, 3, 1))));
    ir_add_output(g, make_relu(g, make_transpose(g, x, DIMS(1, 0, 2, 3))));
    ir_result before = run_graph(g, 5);
    apply_pass(g, pass_transpose_to_reshape);
    assert_int_equal(count_nodes(g, TMC_OP_TRANSPOSE), 1);
    assert_int_equal(count_nodes(g, TMC_OP_RESHAPE), 1);
    expect_same(before, run_graph(g, 5), 0.0);
    ir_graph_free(g);
}

static void test_shares_equal_nodes_and_constants(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("share");
    ir_id x = make_input(g, "x", DIMS(2, 3));
    const float c[3] = {1, 2, 3}, other[3] = {1, 2, 4};
    ir_id a = make_relu(g, make_binary(g, TMC_BINARY_ADD, x, make_floats(g, DIMS(3), c)));
    ir_id b = make_relu(g, make_binary(g, TMC_BINARY_ADD, x, make_floats(g, DIMS(3), c)));
    ir_id d = make_relu(g, make_binary(g, TMC_BINARY_ADD, x, make_floats(g, DIMS(3), other)));
    ir_add_output(g, make_binary(g, TMC_BINARY_SUB, make_binary(g, TMC_BINARY_MUL, a, b), d));
    check(g, pass_share, 6);
}

static void test_equal_outputs_stay_two(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("outputs");
    ir_id x = make_input(g, "x", DIMS(2, 3));
    ir_add_output(g, make_relu(g, x));
    ir_add_output(g, make_relu(g, x));
    check(g, pass_share, 2);
}

static void test_dead_chains_go(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("dead");
    ir_id x = make_input(g, "x", DIMS(2, 3));
    ir_add_output(g, make_relu(g, x));
    make_binary(g, TMC_BINARY_ADD, make_relu(g, make_unary(g, TMC_UNARY_ABS, x)), make_random(g, DIMS(3), 0, 1));
    make_input(g, "unused", DIMS(4));
    check(g, pass_remove_dead, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folds_chains_of_constants),
        cmocka_unit_test(test_folds_nodes_with_several_outputs),
        cmocka_unit_test(test_constant_output_is_left),
        cmocka_unit_test(test_identities_vanish),
        cmocka_unit_test(test_near_identities_stay),
        cmocka_unit_test(test_identity_between_input_and_output_stays),
        cmocka_unit_test(test_transposition_of_ones_is_a_reshape),
        cmocka_unit_test(test_shares_equal_nodes_and_constants),
        cmocka_unit_test(test_equal_outputs_stay_two),
        cmocka_unit_test(test_dead_chains_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
