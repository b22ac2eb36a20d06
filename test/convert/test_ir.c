/* The mutable graph: names, uses, order. */
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

static void test_names_are_unique(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("names");
    const tmc_tensor_desc desc = {.dtype = TMC_F32};
    ir_id a = ir_add_tensor(g, "x", &desc), b = ir_add_tensor(g, "x", &desc), c = ir_add_tensor(g, NULL, &desc);
    assert_int_equal(ir_find_tensor(g, "x"), a);
    assert_string_not_equal(g->tensors[a].name, g->tensors[b].name);
    assert_int_equal(ir_find_tensor(g, g->tensors[b].name), b);
    assert_int_equal(ir_find_tensor(g, g->tensors[c].name), c);
    assert_int_equal(ir_find_tensor(g, "y"), IR_NONE);
    ir_graph_free(g);
}

static void test_many_tensors(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("many");
    const tmc_tensor_desc desc = {.dtype = TMC_F32};
    for (int i = 0; i < 20000; i++) ir_add_tensor(g, "same", &desc);
    for (ir_id i = 0; i < g->tensor_count; i++) assert_int_equal(ir_find_tensor(g, g->tensors[i].name), i);
    ir_graph_free(g);
}

static void test_description_inside_the_table(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("inside");
    const float value[3] = {1, 2, 3};
    make_floats(g, DIMS(3), value);
    for (int i = 0; i < 100; i++) ir_add_constant(g, "copy", &g->tensors[0].desc, g->tensors[0].data);
    assert_int_equal(g->tensors[100].desc.dims[0], 3);
    assert_int_equal(g->tensors[100].data_bytes, 12);
    ir_graph_free(g);
}

static void test_failed_node_changes_nothing(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("fail");
    const ir_id inputs[2] = {make_input(g, "x", DIMS(2, 3)), make_random(g, DIMS(4), 0, 1)};
    const tmc_binary_params add = {TMC_BINARY_ADD, {-INFINITY, INFINITY}};
    tmc_error err;
    tmc_error_init(&err);
    ir_id output = 7;
    assert_int_equal(ir_add_node(g, NULL, TMC_OP_BINARY, &add, inputs, 2, &output, 1, &err), TMC_E_SHAPE);
    assert_int_equal(ir_add_node(g, NULL, 999, &add, inputs, 2, &output, 1, &err), TMC_E_UNSUPPORTED);
    assert_int_equal(g->node_count, 0);
    assert_int_equal(g->tensor_count, 2);
    assert_int_equal(ir_use_count(g, inputs[0]), 0);
    assert_int_equal(output, 7);
    ir_graph_free(g);
}

static void test_uses_follow_every_change(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("uses");
    ir_id x = make_input(g, "x", DIMS(2)), c = make_random(g, DIMS(2), 0, 1);
    ir_id y = make_binary(g, TMC_BINARY_MUL, x, x), z = make_binary(g, TMC_BINARY_ADD, y, c);
    ir_add_output(g, z);
    assert_int_equal(ir_use_count(g, x), 2);
    assert_int_equal(ir_use_count(g, z), 1);
    ir_replace_uses(g, y, x);
    assert_int_equal(ir_use_count(g, x), 3);
    assert_int_equal(ir_use_count(g, y), 0);
    ir_kill_node(g, g->tensors[y].producer);
    assert_int_equal(ir_use_count(g, x), 1);
    ir_set_input(g, g->tensors[z].producer, 1, x);
    assert_int_equal(ir_use_count(g, c), 0);
    assert_int_equal(ir_use_count(g, x), 2);
    ir_truncate_inputs(g, g->tensors[z].producer, 1);
    assert_int_equal(ir_use_count(g, x), 1);
    ir_append_input(g, g->tensors[z].producer, c);
    assert_int_equal(ir_use_count(g, c), 1);
    ir_graph_free(g);
}

static void test_output_keeps_its_name(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("output");
    ir_id x = make_input(g, "x", DIMS(2)), y = make_relu(g, x), z = make_relu(g, y);
    ir_add_output(g, z);
    char name[64];
    snprintf(name, sizeof name, "%s", g->tensors[z].name);
    assert_false(ir_can_replace(g, z, x));
    assert_false(ir_can_replace(g, z, make_scalar(g, 1.0f)));
    assert_true(ir_can_replace(g, z, y));
    assert_true(ir_can_replace(g, y, x));
    ir_replace_uses(g, z, y);
    assert_int_equal(g->outputs[0], y);
    assert_string_equal(g->tensors[y].name, name);
    assert_int_equal(ir_find_tensor(g, name), y);
    assert_false(g->tensors[z].is_output);
    ir_graph_free(g);
}

static void test_compact_sorts_and_drops(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("sort");
    ir_id x = make_input(g, "x", DIMS(2));
    ir_id a = make_relu(g, x), b = make_binary(g, TMC_BINARY_ADD, a, x), dead = make_relu(g, b);
    ir_add_output(g, b);
    ir_id late = make_unary(g, TMC_UNARY_ABS, x), later = make_unary(g, TMC_UNARY_SQRT, late);
    ir_set_input(g, g->tensors[b].producer, 1, later); /* the nodes stand in the wrong order now */
    ir_kill_node(g, g->tensors[dead].producer);
    ir_compact(g);
    assert_int_equal(g->node_count, 4);
    for (ir_id id = 0; id < g->node_count; id++)
        for (uint32_t i = 0; i < g->nodes[id].input_count; i++) {
            ir_id producer = g->tensors[g->nodes[id].inputs[i]].producer;
            assert_true(producer == IR_NONE || producer < id);
        }
    assert_int_equal(((tmc_unary_params *)g->nodes[0].params)->kind, TMC_UNARY_CLAMP);
    assert_int_equal(g->nodes[3].op, TMC_OP_BINARY);
    assert_int_equal(g->outputs[0], g->nodes[3].outputs[0]);
    assert_int_equal(ir_use_count(g, g->inputs[0]), 2);
    assert_int_equal(ir_find_tensor(g, "x"), g->inputs[0]);
    free_result(&(ir_result[]){run_graph(g, 1)}[0]);
    ir_graph_free(g);
}

static void test_deep_chain(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("deep");
    ir_id x = make_input(g, "x", DIMS(2));
    for (int i = 0; i < 50000; i++) x = make_relu(g, x);
    ir_add_output(g, x);
    for (ir_id i = 0; i < g->node_count / 2; i++) { /* worst order for the sort: back to front */
        ir_node swap = g->nodes[i];
        g->nodes[i] = g->nodes[g->node_count - 1 - i];
        g->nodes[g->node_count - 1 - i] = swap;
    }
    for (ir_id i = 0; i < g->node_count; i++) {
        g->tensors[g->nodes[i].outputs[0]].producer = i;
        g->tensors[g->nodes[i].inputs[0]].users[0] = i;
    }
    ir_compact(g);
    assert_int_equal(g->nodes[0].inputs[0], g->inputs[0]);
    assert_int_equal(g->nodes[49999].outputs[0], g->outputs[0]);
    ir_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_unique),
        cmocka_unit_test(test_many_tensors),
        cmocka_unit_test(test_description_inside_the_table),
        cmocka_unit_test(test_failed_node_changes_nothing),
        cmocka_unit_test(test_uses_follow_every_change),
        cmocka_unit_test(test_output_keeps_its_name),
        cmocka_unit_test(test_compact_sorts_and_drops),
        cmocka_unit_test(test_deep_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
