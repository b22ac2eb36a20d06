/* Transpositions cancel: alone, and in small replicas of the usual networks, where none may be left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "lib/ir_check.h"

static void expect_layout(ir_graph *g, uint32_t transposes_left) {
    ir_result before = run_graph(g, 7);
    apply_pass(g, pass_share);
    apply_pass(g, pass_layout);
    assert_int_equal(count_nodes(g, TMC_OP_TRANSPOSE), transposes_left);
    expect_same(before, run_graph(g, 7), 0.0);
    ir_graph_free(g);
}

static void test_input_and_output_become_channels_last(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("io");
    ir_id x = make_input(g, "x", DIMS(2, 3, 5, 7));
    ir_add_output(g, make_conv(g, x, 6, 3, 1, 1, 1));
    ir_result before = run_graph(g, 1);
    apply_pass(g, pass_layout);
    const ir_tensor *in = &g->tensors[g->inputs[0]], *out = &g->tensors[g->outputs[0]];
    assert_int_equal(count_nodes(g, 0), 1);
    assert_int_equal(in->layout, TMC_LAYOUT_CHANNELS_LAST);
    assert_int_equal(out->layout, TMC_LAYOUT_CHANNELS_LAST);
    assert_int_equal(in->desc.dims[3], 3);
    assert_int_equal(out->desc.dims[3], 6);
    expect_same(before, run_graph(g, 1), 0.0);
    ir_graph_free(g);
}

static void test_chain_of_element_wise_nodes(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("chain");
    ir_id x = make_conv(g, make_input(g, "x", DIMS(1, 3, 6, 5)), 4, 3, 1, 1, 1);
    x = make_relu(g, x);
    x = make_binary(g, TMC_BINARY_MUL, x, make_random(g, DIMS(4, 1, 1), 0.5f, 2.0f));
    x = make_binary(g, TMC_BINARY_ADD, make_random(g, DIMS(6, 5), -1.0f, 1.0f), x);
    x = make_binary(g, TMC_BINARY_SUB, make_scalar(g, 1.0f), x);
    ir_add_output(g, make_conv(g, x, 2, 1, 1, 0, 1));
    expect_layout(g, 0);
}

static void test_operators_with_axes(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("axes");
    ir_id x = make_conv(g, make_input(g, "x", DIMS(1, 3, 6, 8)), 4, 3, 1, 1, 1);
    tmc_split_params split = {.axis = 1, .sizes = {3, 1}};
    ir_id parts[2];
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(ir_add_node(g, NULL, TMC_OP_SPLIT, &split, &x, 1, parts, 2, &err), TMC_OK);
    const tmc_slice_params slice = {
        {0, 1, 0, 2, 0, 0}, {INT32_MAX, 3, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX}, {1, 1, 1, 2, 1, 1}};
    ir_id a = make_node(g, TMC_OP_SLICE, &slice, parts[0], IR_NONE, IR_NONE);
    const tmc_pad_params pad = {TMC_PAD_EDGE, {0, 0, 1, 2}, {0, 1, 0, 1}, 0.0f};
    a = make_node(g, TMC_OP_PAD, &pad, a, IR_NONE, IR_NONE);
    const tmc_softmax_params softmax = {1, 0};
    a = make_node(g, TMC_OP_SOFTMAX, &softmax, a, IR_NONE, IR_NONE);
    const tmc_resize_params resize = {.mode = TMC_RESIZE_LINEAR, .sizes = {1, 3, 12, 8}, .roi_end = {1, 1, 1, 1, 1, 1}};
    a = make_node(g, TMC_OP_RESIZE, &resize, a, IR_NONE, IR_NONE);
    ir_id b = make_global_pool(g, parts[1]);
    const tmc_shape_params tile = {4, {1, 1, 12, 8}};
    b = make_node(g, TMC_OP_TILE, &tile, b, IR_NONE, IR_NONE);
    const int32_t index_data[4] = {2, 0, 1, 2};
    tmc_tensor_desc index_desc = {.dtype = TMC_I32, .rank = 1, .dims = {4}};
    const tmc_axis_params gather = {1};
    a = make_node(g, TMC_OP_GATHER, &gather, a, ir_add_constant(g, NULL, &index_desc, index_data), IR_NONE);
    const tmc_shape_params expand = {4, {1, 4, 12, 8}};
    b = make_node(g, TMC_OP_EXPAND, &expand, b, IR_NONE, IR_NONE);
    ir_add_output(g, make_conv(g, make_concat(g, 1, a, b), 5, 3, 2, 1, 1));
    expect_layout(g, 0);
}

static void test_arg_max_without_its_axis(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("arg");
    ir_id x = make_conv(g, make_input(g, "x", DIMS(2, 3, 6, 8)), 4, 3, 1, 1, 1);
    const tmc_arg_params arg = {1, 0, 0};
    ir_add_output(g, make_node(g, TMC_OP_ARG_MAX, &arg, x, IR_NONE, IR_NONE));
    expect_layout(g, 0);
}

static void test_mean_without_its_axes(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("mean");
    ir_id x = make_conv(g, make_input(g, "x", DIMS(2, 3, 6, 8)), 4, 3, 1, 1, 1);
    const tmc_reduce_params mean = {TMC_REDUCE_MEAN, 1 << 2 | 1 << 3, 0};
    ir_add_output(g, make_node(g, TMC_OP_REDUCE, &mean, x, IR_NONE, IR_NONE));
    ir_result before = run_graph(g, 3);
    apply_pass(g, pass_layout);
    assert_int_equal(count_nodes(g, TMC_OP_TRANSPOSE), 0);
    /* A reduction adds in the order of the bytes: other axes inside, another order. */
    expect_same(before, run_graph(g, 3), 1e-6);
    ir_graph_free(g);
}

static void test_flatten_into_dense_weights(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("flatten");
    ir_id x = make_conv(g, make_input(g, "x", DIMS(2, 3, 6, 8)), 4, 3, 2, 1, 1);
    ir_add_output(g, make_dense(g, make_reshape(g, x, DIMS(2, 4 * 3 * 4)), 5));
    ir_result before = run_graph(g, 3);
    apply_pass(g, pass_layout);
    assert_int_equal(count_nodes(g, TMC_OP_TRANSPOSE), 0);
    /* Another order of the same products. */
    expect_same(before, run_graph(g, 3), 1e-6);
    ir_graph_free(g);
}

static void test_never_more_bytes(void **state) {
    (void)state;
    /* The output must keep its order of axes: moving the transposition behind the upsampling would move four times the
     * bytes. */
    ir_graph *g = ir_graph_new("stay");
    ir_id x = make_conv(g, make_input(g, "x", DIMS(1, 3, 6, 8)), 4, 3, 1, 1, 1);
    const tmc_shape_params tile = {4, {1, 1, 2, 2}};
    x = make_node(g, TMC_OP_TILE, &tile, x, IR_NONE, IR_NONE);
    ir_add_output(g, make_reshape(g, x, DIMS(4, 12 * 16)));
    ir_result before = run_graph(g, 7);
    apply_pass(g, pass_layout);
    assert_int_equal(count_nodes(g, TMC_OP_TRANSPOSE), 1);
    assert_int_equal(g->tensors[find_node(g, TMC_OP_TRANSPOSE)->outputs[0]].desc.dims[2], 6);
    expect_same(before, run_graph(g, 7), 0.0);
    ir_graph_free(g);
}

static void test_region_with_a_stranger(void **state) {
    (void)state;
    /* Between two convolutions, and read by a reshape that needs the source's order: one transposition stays. */
    ir_graph *g = ir_graph_new("stranger");
    ir_id x = make_relu(g, make_conv(g, make_input(g, "x", DIMS(1, 3, 6, 8)), 4, 3, 1, 1, 1));
    ir_add_output(g, make_conv(g, x, 4, 3, 1, 1, 1));
    ir_add_output(g, make_reshape(g, x, DIMS(4, 48)));
    expect_layout(g, 1);
}

static void test_output_in_two_roles(void **state) {
    (void)state;
    /* The model's output is read on: it keeps its name, and both readers see the new order. */
    ir_graph *g = ir_graph_new("roles");
    ir_id x = make_relu(g, make_conv(g, make_input(g, "x", DIMS(1, 3, 6, 8)), 4, 3, 1, 1, 1));
    char name[64];
    snprintf(name, sizeof name, "%s", g->tensors[x].name);
    ir_add_output(g, x);
    ir_add_output(g, make_conv(g, x, 4, 3, 1, 1, 1));
    ir_result before = run_graph(g, 7);
    apply_pass(g, pass_layout);
    assert_string_equal(g->tensors[g->outputs[0]].name, name);
    assert_int_equal(g->tensors[g->outputs[0]].layout, TMC_LAYOUT_CHANNELS_LAST);
    assert_int_equal(count_nodes(g, TMC_OP_TRANSPOSE), 0);
    expect_same(before, run_graph(g, 7), 0.0);
    ir_graph_free(g);
}

static void test_transposition_within_a_region(void **state) {
    (void)state;
    /* x + transpose(x): permuting both ends by the same changes nothing, and must not be taken for a gain twice. */
    ir_graph *g = ir_graph_new("symmetric");
    ir_id x = make_relu(g, make_conv(g, make_input(g, "x", DIMS(1, 3, 6, 6)), 4, 3, 1, 1, 1));
    ir_add_output(g, make_binary(g, TMC_BINARY_ADD, x, make_transpose(g, x, DIMS(0, 1, 3, 2))));
    expect_layout(g, 1);
}

static void test_reduction_that_changes_the_order(void **state) {
    (void)state;
    /* [N,C,H,W] without W is [N,C,H]; without W from [N,H,W,C] it would be [N,H,C]. */
    ir_graph *g = ir_graph_new("order");
    ir_id x = make_conv(g, make_input(g, "x", DIMS(2, 3, 6, 8)), 4, 3, 1, 1, 1);
    const tmc_reduce_params max = {TMC_REDUCE_MAX, 1 << 3, 0};
    ir_add_output(g, make_node(g, TMC_OP_REDUCE, &max, x, IR_NONE, IR_NONE));
    expect_layout(g, 1);
}

static void test_three_and_five_axes(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("volume");
    ir_id x = make_input(g, "x", DIMS(1, 2, 4, 5, 6));
    const tmc_act_params none = {-INFINITY, INFINITY};
    ir_id y = make_node(g, TMC_OP_SCALE_SHIFT, &none, make_transpose(g, x, DIMS(0, 2, 3, 4, 1)),
                        make_random(g, DIMS(2), 0.5f, 2.0f), make_random(g, DIMS(2), -1.0f, 1.0f));
    ir_add_output(g, make_relu(g, make_transpose(g, y, DIMS(0, 4, 1, 2, 3))));

    ir_id s = make_input(g, "s", DIMS(1, 2, 9));
    tmc_conv_params params = conv_params(1, 1, 0, 1);
    params.spatial = 1;
    params.kernel[2] = 3;
    y = make_node(g, TMC_OP_CONV, &params, make_transpose(g, s, DIMS(0, 2, 1)),
                  make_random(g, DIMS(4, 3, 2), -0.5f, 0.5f), IR_NONE);
    ir_add_output(g, make_relu(g, make_transpose(g, y, DIMS(0, 2, 1))));
    expect_layout(g, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input_and_output_become_channels_last),
        cmocka_unit_test(test_chain_of_element_wise_nodes),
        cmocka_unit_test(test_operators_with_axes),
        cmocka_unit_test(test_arg_max_without_its_axis),
        cmocka_unit_test(test_mean_without_its_axes),
        cmocka_unit_test(test_flatten_into_dense_weights),
        cmocka_unit_test(test_never_more_bytes),
        cmocka_unit_test(test_region_with_a_stranger),
        cmocka_unit_test(test_output_in_two_roles),
        cmocka_unit_test(test_transposition_within_a_region),
        cmocka_unit_test(test_reduction_that_changes_the_order),
        cmocka_unit_test(test_three_and_five_axes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
