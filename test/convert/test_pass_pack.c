/* Packed weights give the bits of dense ones; and the promise of other input dims. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "lib/ir_check.h"

static void check_packed(ir_graph *g, uint32_t packed) {
    apply_pass(g, pass_layout);
    ir_result before = run_graph(g, 6);
    assert_int_equal(apply_pass(g, pass_pack_weights), packed);
    uint32_t found = 0;
    for (ir_id i = 0; i < g->tensor_count; i++) found += g->tensors[i].desc.packing == TMC_PACK_F32_PANELS;
    assert_int_equal(found, packed);
    expect_same(before, run_graph(g, 6), 0.0);
    ir_graph_free(g);
}

static void test_operators_with_weights(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("pack");
    ir_id x = make_input(g, "x", DIMS(1, 6, 7, 9));
    x = make_conv(g, x, 29, 3, 1, 1, 1);
    x = make_depthwise(g, x, 3, 2, 1);
    x = make_conv(g, make_conv(g, x, 18, 1, 1, 0, 1), 27, 3, 1, 1, 9);
    x = make_conv_transpose(g, x, 5, 3, 2);
    x = make_global_pool(g, x);
    ir_add_output(g, make_dense(g, make_reshape(g, x, DIMS(1, 5)), 13));
    check_packed(g, 6);
}

static void test_shared_weights_are_packed_for_each_reader(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("shared");
    const tmc_fully_connected_params params = {{-INFINITY, INFINITY}};
    ir_id x = make_input(g, "x", DIMS(2, 8)), w = make_random(g, DIMS(8, 8), -1, 1);
    x = make_node(g, TMC_OP_FULLY_CONNECTED, &params, x, w, make_random(g, DIMS(8), -1, 1));
    ir_add_output(g, make_node(g, TMC_OP_FULLY_CONNECTED, &params, x, w, IR_NONE));
    check_packed(g, 2);
}

static void test_computed_bias_stays_dense(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("computed");
    const tmc_fully_connected_params params = {{-INFINITY, INFINITY}};
    ir_id x = make_input(g, "x", DIMS(2, 8)), b = make_input(g, "b", DIMS(8));
    ir_add_output(g, make_node(g, TMC_OP_FULLY_CONNECTED, &params, x, make_random(g, DIMS(8, 8), -1, 1), b));
    check_packed(g, 0);
}

/* ------------------------------------------------------------------------------------------------- dynamic shapes */

static ir_id dynamic_input(ir_graph *g, const int32_t *dims, const int32_t *largest) {
    ir_id x = make_input(g, "x", dims);
    memcpy(g->tensors[x].dims_max, largest, (size_t)g->tensors[x].desc.rank * sizeof *largest);
    return x;
}

static void test_promise_is_kept_where_it_holds(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("dynamic");
    ir_id x = dynamic_input(g, DIMS(1, 3, 16, 16), DIMS(4, 3, 64, 48));
    x = make_max_pool(g, make_relu(g, make_batch_norm(g, make_conv(g, x, 4, 3, 2, 1, 1))), 2, 2, 0);
    ir_add_output(g, make_conv_transpose(g, x, 2, 4, 4));
    apply_all(g);
    const ir_tensor *in = &g->tensors[g->inputs[0]];
    assert_true(g->dynamic);
    assert_int_equal(in->layout, TMC_LAYOUT_CHANNELS_LAST);
    assert_int_equal(in->dims_max[0], 4);
    assert_int_equal(in->dims_max[1], 64);
    assert_int_equal(in->dims_max[2], 48);
    assert_int_equal(in->dims_max[3], 3);
    assert_int_equal(count_nodes(g, TMC_OP_TRANSPOSE), 0);
    ir_graph_free(g);
}

static void test_promise_is_taken_back_where_it_fails(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("fixed");
    ir_id x = dynamic_input(g, DIMS(1, 3, 16, 16), DIMS(1, 3, 64, 64));
    x = make_conv(g, x, 4, 3, 2, 1, 1);
    ir_add_output(g, make_dense(g, make_reshape(g, x, DIMS(1, 4 * 8 * 8)), 5)); /* needs this size */
    assert_int_equal(apply_pass(g, pass_check_dynamic), 2);
    assert_false(g->dynamic);
    assert_int_equal(g->tensors[x].alt.dims[2], 8);
    ir_result result = run_graph(g, 1);
    free_result(&result);
    ir_graph_free(g);
}

static void test_axis_by_axis(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("axes");
    ir_id x = dynamic_input(g, DIMS(1, 3, 16, 16), DIMS(8, 3, 64, 64));
    tmc_shape_params flatten = {2, {0, 4 * 8 * 8}};
    x = make_node(g, TMC_OP_RESHAPE, &flatten, make_conv(g, x, 4, 3, 2, 1, 1), IR_NONE, IR_NONE);
    ir_add_output(g, make_dense(g, x, 5));
    assert_int_equal(apply_pass(g, pass_check_dynamic), 2);
    assert_true(g->dynamic);
    assert_int_equal(g->tensors[g->inputs[0]].dims_max[0], 8);
    assert_int_equal(g->tensors[g->inputs[0]].dims_max[2], 16);
    ir_graph_free(g);
}

static void test_extent_1_is_no_fact_if_it_may_vary(void **state) {
    (void)state;
    /* 1 x 1 pixels are left at the default size, more at others: the flattening must keep the source's order. */
    ir_graph *g = ir_graph_new("ones");
    ir_id x = dynamic_input(g, DIMS(1, 3, 4, 4), DIMS(1, 3, 16, 16));
    x = make_conv(g, x, 4, 3, 4, 1, 1);
    tmc_shape_params flatten = {1, {-1}};
    ir_add_output(g, make_node(g, TMC_OP_RESHAPE, &flatten, x, IR_NONE, IR_NONE));
    apply_all(g);
    assert_true(g->dynamic);
    assert_int_equal(count_nodes(g, TMC_OP_TRANSPOSE), 1);
    ir_graph_free(g);
}

static void count_report(void *user, const pass_report *report) {
    uint32_t *counts = user;
    counts[0]++;
    counts[1] += report->made_static;
    assert_true(report->changes > 0);
}

static void test_explain_tells_each_pass(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("explain");
    ir_id x = dynamic_input(g, DIMS(1, 3, 16, 16), DIMS(1, 3, 64, 64));
    x = make_batch_norm(g, make_conv(g, x, 4, 3, 2, 1, 1));
    ir_add_output(g, make_dense(g, make_reshape(g, x, DIMS(1, 4 * 8 * 8)), 5));
    uint32_t counts[2] = {0};
    const pass_options options = {.explain = count_report, .explain_user = counts};
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(passes_run(g, &options, &err), TMC_OK);
    assert_true(counts[0] >= 4);
    assert_int_equal(counts[1], 1);
    ir_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operators_with_weights),
        cmocka_unit_test(test_shared_weights_are_packed_for_each_reader),
        cmocka_unit_test(test_computed_bias_stays_dense),
        cmocka_unit_test(test_promise_is_kept_where_it_holds),
        cmocka_unit_test(test_promise_is_taken_back_where_it_fails),
        cmocka_unit_test(test_axis_by_axis),
        cmocka_unit_test(test_extent_1_is_no_fact_if_it_may_vary),
        cmocka_unit_test(test_explain_tells_each_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
