/* Operators that an exporter wrote in parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "lib/ir_check.h"

#define MUL TMC_BINARY_MUL
#define ADD TMC_BINARY_ADD
#define DIV TMC_BINARY_DIV

static ir_id number(ir_graph *g, double value) { return make_scalar(g, (float)value); }

static ir_id relu6_plus_3(ir_graph *g, ir_id x) {
    return make_clamp(g, make_binary(g, ADD, number(g, 3), x), 0.0f, 6.0f);
}

static ir_id hard_swish_divided(ir_graph *g, ir_id x) {
    return make_binary(g, DIV, make_binary(g, MUL, x, relu6_plus_3(g, x)), number(g, 6));
}

static ir_id hard_swish_scaled_gate(ir_graph *g, ir_id x) {
    return make_binary(g, MUL, make_binary(g, MUL, relu6_plus_3(g, x), number(g, 1.0 / 6)), x);
}

static ir_id hard_swish_hard_sigmoid(ir_graph *g, ir_id x) {
    const tmc_unary_params p = {TMC_UNARY_HARD_SIGMOID, 1.0f / 6, 0.5f};
    return make_binary(g, MUL, x, make_node(g, TMC_OP_UNARY, &p, x, IR_NONE, IR_NONE));
}

static ir_id hard_sigmoid(ir_graph *g, ir_id x) { return make_binary(g, DIV, relu6_plus_3(g, x), number(g, 6)); }

static ir_id silu(ir_graph *g, ir_id x) { return make_binary(g, MUL, make_unary(g, TMC_UNARY_SIGMOID, x), x); }

static ir_id mish(ir_graph *g, ir_id x) {
    return make_binary(g, MUL, x, make_unary(g, TMC_UNARY_TANH, make_unary(g, TMC_UNARY_SOFTPLUS, x)));
}

static ir_id gelu(ir_graph *g, ir_id x) {
    ir_id e = make_unary(g, TMC_UNARY_ERF, make_binary(g, DIV, x, number(g, 1.4142135623730951)));
    return make_binary(g, MUL, make_binary(g, MUL, x, make_binary(g, ADD, e, number(g, 1))), number(g, 0.5));
}

static ir_id gelu_half_first(ir_graph *g, ir_id x) {
    ir_id e = make_unary(g, TMC_UNARY_ERF, make_binary(g, MUL, x, number(g, 0.7071067811865476)));
    return make_binary(g, MUL, make_binary(g, MUL, number(g, 0.5), x), make_binary(g, ADD, number(g, 1), e));
}

static ir_id tanh_gelu(ir_graph *g, ir_id x, ir_id cube) {
    ir_id u = make_binary(g, ADD, x, make_binary(g, MUL, number(g, 0.044715), cube));
    u = make_unary(g, TMC_UNARY_TANH, make_binary(g, MUL, u, number(g, 0.7978845608028654)));
    return make_binary(g, MUL, make_binary(g, MUL, x, number(g, 0.5)), make_binary(g, ADD, u, number(g, 1)));
}

static ir_id gelu_tanh_pow(ir_graph *g, ir_id x) {
    return tanh_gelu(g, x, make_binary(g, TMC_BINARY_POW, x, number(g, 3)));
}

static ir_id gelu_tanh_products(ir_graph *g, ir_id x) {
    return tanh_gelu(g, x, make_binary(g, MUL, make_binary(g, MUL, x, x), x));
}

static ir_id relu_by_max(ir_graph *g, ir_id x) { return make_binary(g, TMC_BINARY_MAX, number(g, 0), x); }
static ir_id cap_by_min(ir_graph *g, ir_id x) { return make_binary(g, TMC_BINARY_MIN, x, number(g, 1)); }

typedef ir_id (*builder)(ir_graph *g, ir_id x);

static void test_activations(void **state) {
    (void)state;
    static const struct {
        builder build;
        int32_t kind;
    } cases[] = {
        {hard_swish_divided, TMC_UNARY_HARD_SWISH},
        {hard_swish_scaled_gate, TMC_UNARY_HARD_SWISH},
        {hard_swish_hard_sigmoid, TMC_UNARY_HARD_SWISH},
        {hard_sigmoid, TMC_UNARY_HARD_SIGMOID},
        {silu, TMC_UNARY_SILU},
        {mish, TMC_UNARY_MISH},
        {gelu, TMC_UNARY_GELU},
        {gelu_half_first, TMC_UNARY_GELU},
        {gelu_tanh_pow, TMC_UNARY_GELU_TANH},
        {gelu_tanh_products, TMC_UNARY_GELU_TANH},
        {relu_by_max, TMC_UNARY_CLAMP},
        {cap_by_min, TMC_UNARY_CLAMP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ir_graph *g = ir_graph_new("activation");
        ir_add_output(g, cases[i].build(g, make_unary(g, TMC_UNARY_NEG, make_input(g, "x", DIMS(2, 3, 40)))));
        ir_result before = run_graph(g, 4);
        apply_pass(g, pass_recognise_activation);
        if (count_nodes(g, 0) != 2) fail_msg("case %zu: %u nodes left", i, count_nodes(g, 0));
        assert_int_equal(((const tmc_unary_params *)g->nodes[1].params)->kind, cases[i].kind);
        expect_same(before, run_graph(g, 4), 1e-6);
        ir_graph_free(g);
    }
}

static ir_id other_scale(ir_graph *g, ir_id x) {
    return make_binary(g, DIV, make_binary(g, MUL, x, relu6_plus_3(g, x)), number(g, 5));
}

static ir_id other_gate(ir_graph *g, ir_id x) {
    return make_binary(g, MUL, make_unary(g, TMC_UNARY_SIGMOID, make_unary(g, TMC_UNARY_ABS, x)), x);
}

static ir_id max_with_vector(ir_graph *g, ir_id x) {
    return make_binary(g, TMC_BINARY_MAX, make_random(g, DIMS(40), 0, 1), x);
}

static ir_id max_that_grows(ir_graph *g, ir_id x) {
    const float zero = 0.0f;
    return make_binary(g, TMC_BINARY_MAX, make_floats(g, DIMS(1, 1, 1, 1), &zero), x);
}

static void test_near_misses(void **state) {
    (void)state;
    static const builder cases[] = {other_scale, other_gate, max_with_vector, max_that_grows};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ir_graph *g = ir_graph_new("miss");
        ir_add_output(g, cases[i](g, make_input(g, "x", DIMS(2, 3, 40))));
        assert_int_equal(apply_pass(g, pass_recognise_activation), 0);
        ir_graph_free(g);
    }
}

/* ------------------------------------------------------------------------------------------------------- shuffles */

static void check_blocks(ir_graph *g, uint16_t op) {
    ir_result before = run_graph(g, 2);
    apply_pass(g, pass_recognise_shuffle);
    assert_int_equal(count_nodes(g, op), 1);
    assert_int_equal(count_nodes(g, TMC_OP_RESHAPE), 0);
    expect_same(before, run_graph(g, 2), 0.0);
    ir_graph_free(g);
}

static void test_channel_shuffle(void **state) {
    (void)state;
    for (int joined = 0; joined < 2; joined++) {
        ir_graph *g = ir_graph_new("shuffle");
        ir_id x = make_input(g, "x", DIMS(2, 12, 3, 5));
        if (joined)
            x = make_transpose(g, make_reshape(g, x, DIMS(2, 3, 4, 15)), DIMS(0, 2, 1, 3));
        else
            x = make_transpose(g, make_reshape(g, x, DIMS(2, 3, 4, 3, 5)), DIMS(0, 2, 1, 3, 4));
        ir_add_output(g, make_reshape(g, x, DIMS(2, 12, 3, 5)));
        check_blocks(g, TMC_OP_CHANNEL_SHUFFLE);
    }
}

static void test_channel_shuffle_channels_last(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("shuffle");
    ir_id x = make_reshape(g, make_input(g, "x", DIMS(2, 3, 5, 12)), DIMS(2, 3, 5, 3, 4));
    ir_add_output(g, make_reshape(g, make_transpose(g, x, DIMS(0, 1, 2, 4, 3)), DIMS(2, 3, 5, 12)));
    check_blocks(g, TMC_OP_CHANNEL_SHUFFLE);
}

static void test_depth_to_space(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("crd");
    ir_id x = make_reshape(g, make_input(g, "x", DIMS(2, 12, 3, 5)), DIMS(2, 3, 2, 2, 3, 5));
    ir_add_output(g, make_reshape(g, make_transpose(g, x, DIMS(0, 1, 4, 2, 5, 3)), DIMS(2, 3, 6, 10)));
    check_blocks(g, TMC_OP_DEPTH_TO_SPACE);
    g = ir_graph_new("dcr");
    x = make_reshape(g, make_input(g, "x", DIMS(2, 12, 3, 5)), DIMS(2, 2, 2, 3, 3, 5));
    ir_add_output(g, make_reshape(g, make_transpose(g, x, DIMS(0, 3, 4, 1, 5, 2)), DIMS(2, 3, 6, 10)));
    check_blocks(g, TMC_OP_DEPTH_TO_SPACE);
}

static void test_other_sandwiches_stay(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("other");
    ir_id x = make_reshape(g, make_input(g, "x", DIMS(2, 12, 3, 5)), DIMS(2, 3, 4, 3, 5));
    ir_add_output(g, make_reshape(g, make_transpose(g, x, DIMS(0, 2, 1, 4, 3)), DIMS(2, 12, 3, 5)));
    x = make_reshape(g, make_input(g, "y", DIMS(4, 12, 3, 5)), DIMS(2, 3, 4, 6, 5)); /* other images */
    ir_add_output(g, make_reshape(g, make_transpose(g, x, DIMS(0, 2, 1, 3, 4)), DIMS(4, 12, 3, 5)));
    assert_int_equal(apply_pass(g, pass_recognise_shuffle), 0);
    ir_graph_free(g);
}

static void test_product_with_constant_matrix(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("matmul");
    ir_id x = make_input(g, "x", DIMS(2, 5, 20));
    ir_add_output(g, make_node(g, TMC_OP_MATMUL, &(tmc_no_params){0}, x, make_random(g, DIMS(20, 7), -1, 1), IR_NONE));
    ir_result before = run_graph(g, 2);
    assert_int_equal(apply_pass(g, pass_recognise_fully_connected), 1);
    assert_int_equal(count_nodes(g, TMC_OP_FULLY_CONNECTED), 1);
    expect_same(before, run_graph(g, 2), 0.0);
    ir_graph_free(g);
}

/* Joined halves go into the shuffle; not with three groups, another axis or another reader. */
static void test_join_shuffle(void **state) {
    (void)state;
    for (int variant = 0; variant < 4; variant++) {
        ir_graph *g = ir_graph_new("join");
        ir_id a = make_input(g, "a", DIMS(1, 2, 3, 12)), b = make_input(g, "b", DIMS(1, 2, 3, 12));
        ir_id joined = make_concat(g, variant == 1 ? 2 : 3, a, b);
        const tmc_block_params groups = {.block = variant == 2 ? 3 : 2};
        ir_add_output(g, make_node(g, TMC_OP_CHANNEL_SHUFFLE, &groups, joined, IR_NONE, IR_NONE));
        if (variant == 3) ir_add_output(g, make_unary(g, TMC_UNARY_ABS, joined));
        ir_result before = run_graph(g, 4);
        assert_int_equal(apply_pass(g, pass_join_shuffle), variant == 0);
        assert_int_equal(count_nodes(g, TMC_OP_CONCAT), variant != 0);
        expect_same(before, run_graph(g, 4), 0);
        ir_graph_free(g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activations),           cmocka_unit_test(test_near_misses),
        cmocka_unit_test(test_channel_shuffle),       cmocka_unit_test(test_channel_shuffle_channels_last),
        cmocka_unit_test(test_join_shuffle),          cmocka_unit_test(test_depth_to_space),
        cmocka_unit_test(test_other_sandwiches_stay), cmocka_unit_test(test_product_with_constant_matrix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
