/* Operators on i8 numbers from f32 ones between dequantize and quantize: which nodes remain, that integers keep their
 * bits, and what stays as it was, with its reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/emit.h"
#include "convert/integers.h"
#include "lib/ir_check.h"

static const tmc_no_params none;

static tmc_quantization quantization(float scale, int32_t zero_point) {
    return (tmc_quantization){scale, zero_point, 0};
}

static ir_id make_i8_input(ir_graph *g, const char *name, const int32_t *dims, float scale, int32_t zero_point) {
    const ir_id x = make_input(g, name, dims);
    const tmc_quantization q = quantization(scale, zero_point);
    g->tensors[x].desc.dtype = g->tensors[x].alt.dtype = TMC_I8;
    ir_set_quantization(g, x, &q, NULL);
    return x;
}

static ir_id make_dequantize(ir_graph *g, ir_id x) {
    return make_node(g, TMC_OP_DEQUANTIZE, &none, x, IR_NONE, IR_NONE);
}

static ir_id make_quantize(ir_graph *g, ir_id x, float scale, int32_t zero_point) {
    tmc_error err;
    ir_id y;
    const tmc_quantization q = quantization(scale, zero_point);
    const emitter e = {.graph = g, .name = "q", .err = &err};
    tmc_error_init(&err);
    if (emit_quantize(&e, x, &q, &y) != TMC_OK) fail_msg("%s", err.message);
    return y;
}

/* f32 weights made of integers (i * 37 % 255) - 127, with a scale for each index of `axis`. */
static int32_t weight_at(size_t i) { return (int32_t)(i * 37 % 255) - 127; }

static ir_id make_weights(ir_graph *g, const int32_t *dims, int32_t axis, float scale) {
    tmc_tensor_desc desc = {.dtype = TMC_F32};
    for (; dims[desc.rank]; desc.rank++) desc.dims[desc.rank] = dims[desc.rank];
    const size_t count = tmc_tensor_elements(&desc);
    int32_t *values = calloc(count, sizeof *values);
    float scales[64];
    for (size_t i = 0; i < count; i++) values[i] = weight_at(i);
    for (int32_t c = 0; c < desc.dims[axis]; c++) scales[c] = scale * (float)(c + 1);
    const ir_id w = integers_add(g, "w", &desc, values, false, scales, (uint32_t)desc.dims[axis], axis);
    free(values);
    return w;
}

static ir_id make_integer_bias(ir_graph *g, int32_t channels, float x_scale, float scale, int32_t first) {
    const tmc_tensor_desc desc = {.dtype = TMC_F32, .rank = 1, .dims = {channels}};
    int32_t values[64];
    float scales[64];
    for (int32_t c = 0; c < channels; c++) {
        values[c] = first + c;
        scales[c] = x_scale * scale * (float)(c + 1);
    }
    return integers_add(g, "b", &desc, values, true, scales, (uint32_t)channels, 0);
}

typedef struct notes {
    uint32_t count;
    char text[8][256];
} notes;

static void collect(void *user, const char *line) {
    notes *n = user;
    if (n->count < 8) strncpy(n->text[n->count], line, 255);
    n->count++;
}

static notes explain(const ir_graph *g) {
    notes n = {0};
    pass_qdq_explain(g, collect, &n);
    return n;
}

/* Applies the pass until nothing changes. */
static void rewrite(ir_graph *g) {
    while (apply_pass(g, pass_qdq)) continue;
}

static void expect_nothing_stays(ir_graph *g) {
    assert_int_equal(count_nodes(g, TMC_OP_QUANTIZE), 0);
    assert_int_equal(count_nodes(g, TMC_OP_DEQUANTIZE), 0);
    assert_int_equal(explain(g).count, 0);
}

/* -------------------------------------------------------------------------------------------------------- weights */

/* A convolution between dequantize and quantize, with a clamp in it. */
static ir_graph *conv_graph(int32_t first_bias) {
    ir_graph *g = ir_graph_new("conv");
    tmc_conv_params params = conv_params(3, 1, 1, 1);
    params.act = (tmc_act_params){0, 6};
    const ir_id x = make_dequantize(g, make_i8_input(g, "x", DIMS(1, 5, 6, 4), 0.1f, -3));
    const ir_id w = make_weights(g, DIMS(7, 3, 3, 4), 0, 0.01f), b = make_integer_bias(g, 7, 0.1f, 0.01f, first_bias);
    ir_add_output(g, make_quantize(g, make_node(g, TMC_OP_CONV, &params, x, w, b), 0.05f, -128));
    return g;
}

static void test_conv_keeps_its_integers(void **state) {
    (void)state;
    ir_graph *g = conv_graph(0x1000001); /* 2^24 + 1: no float holds it */
    rewrite(g);
    expect_nothing_stays(g);
    const ir_node *conv = find_node(g, TMC_OP_CONV);
    const ir_tensor *w = &g->tensors[conv->inputs[1]], *b = &g->tensors[conv->inputs[2]];
    const ir_tensor *y = &g->tensors[conv->outputs[0]];
    assert_int_equal(g->node_count, 1);
    assert_int_equal(w->desc.dtype, TMC_I8);
    assert_int_equal(w->scale_count, 7);
    for (size_t i = 0; i < 7 * 36; i++) assert_int_equal(((const int8_t *)w->data)[i], weight_at(i));
    for (int32_t c = 0; c < 7; c++) {
        assert_true(w->scales[c] == 0.01f * (float)(c + 1));
        assert_int_equal(((const int32_t *)b->data)[c], 0x1000001 + c);
    }
    assert_true(((const tmc_conv_params *)conv->params)->act.hi == 6);
    assert_true(y->desc.quantization.scale == 0.05f && y->desc.quantization.zero_point == -128);
    assert_int_equal(apply_pass(g, pass_pack_weights), 1);
    const ir_tensor *packed = &g->tensors[find_node(g, TMC_OP_CONV)->inputs[1]];
    assert_int_equal(packed->desc.packing, TMC_PACK_I8_PANELS);
    assert_int_equal(packed->scale_count, 7);
    ir_graph_free(g);
}

static void test_float_bias_is_quantised_in_double(void **state) {
    (void)state;
    ir_graph *g = conv_graph(0);
    const float bias[7] = {1, -2, 3, 0, 0.5f, -0.25f, 7};
    ir_set_input(g, 1, 2, make_floats(g, DIMS(7), bias)); /* node 1 is the convolution */
    rewrite(g);
    const int32_t *b = g->tensors[find_node(g, TMC_OP_CONV)->inputs[2]].data;
    for (int32_t c = 0; c < 7; c++)
        assert_int_equal(b[c], (int32_t)rint((double)bias[c] / ((double)0.1f * (double)(0.01f * (float)(c + 1)))));
    ir_graph_free(g);
}

/* [63] A constant that the narrower type cannot hold: the layer stays float. */
static void test_bias_beyond_int32(void **state) {
    (void)state;
    const float values[] = {1e30f, -1e30f, INFINITY, NAN, 2147483648.0f * 0.1f * 0.07f * 1.0001f};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        ir_graph *g = conv_graph(0);
        const float bias[7] = {[6] = values[i]};
        ir_set_input(g, 1, 2, make_floats(g, DIMS(7), bias));
        rewrite(g);
        const ir_node *conv = find_node(g, TMC_OP_CONV);
        assert_int_equal(g->tensors[conv->inputs[1]].desc.dtype, TMC_F32);
        assert_memory_equal(g->tensors[conv->inputs[2]].data, bias, sizeof bias);
        ir_graph_free(g);
    }
}

/* Channels-first, as an ONNX importer lowers it: weights move, and their integers with them. */
static void test_weights_that_were_moved(void **state) {
    (void)state;
    static const int32_t perm[4] = {0, 2, 3, 1};
    ir_graph *g = ir_graph_new("moved");
    tmc_error err;
    ir_id w;
    const emitter e = {.graph = g, .name = "w", .err = &err};
    const tmc_conv_params params = conv_params(3, 1, 1, 1);
    tmc_error_init(&err);
    const ir_id x = make_last(g, make_dequantize(g, make_i8_input(g, "x", DIMS(1, 4, 5, 6), 0.1f, 0)));
    assert_int_equal(emit_transpose(&e, make_weights(g, DIMS(7, 4, 3, 3), 0, 0.01f), perm, &w), TMC_OK);
    ir_add_output(g, make_quantize(g, make_first(g, make_node(g, TMC_OP_CONV, &params, x, w, IR_NONE)), 0.5f, 0));
    apply_all(g);
    expect_nothing_stays(g);
    assert_int_equal(count_nodes(g, TMC_OP_TRANSPOSE), 0); /* the layout pass sees through quantize and dequantize */
    ir_graph_free(g);

    g = ir_graph_new("moved");
    const emitter again = {.graph = g, .name = "w", .err = &err};
    assert_int_equal(emit_transpose(&again, make_weights(g, DIMS(7, 4, 3, 3), 0, 0.01f), perm, &w), TMC_OK);
    assert_int_equal(g->tensors[w].integers->axis, 0);
    int32_t *values = integers_read(&g->tensors[w]);
    for (size_t o = 0, at = 0; o < 7; o++)
        for (size_t k = 0; k < 9; k++)
            for (size_t c = 0; c < 4; c++, at++) assert_int_equal(values[at], weight_at((o * 4 + c) * 9 + k));
    free(values);
    ir_graph_free(g);
}

static void test_depthwise_and_dense(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("two");
    const tmc_conv_params params = conv_params(3, 1, 1, 6);
    const tmc_fully_connected_params dense = {{-INFINITY, INFINITY}};
    ir_id x = make_dequantize(g, make_i8_input(g, "x", DIMS(1, 4, 4, 6), 0.1f, 5));
    x = make_node(g, TMC_OP_DEPTHWISE_CONV, &params, x, make_weights(g, DIMS(3, 3, 6), 2, 0.02f), IR_NONE);
    x = make_reshape(g, make_dequantize(g, make_quantize(g, x, 0.3f, 1)), DIMS(1, 96));
    x = make_node(g, TMC_OP_FULLY_CONNECTED, &dense, x, make_weights(g, DIMS(5, 96), 0, 0.01f), IR_NONE);
    ir_add_output(g, make_quantize(g, x, 0.9f, -1));
    rewrite(g);
    expect_nothing_stays(g);
    assert_int_equal(count_nodes(g, 0), 3);
    assert_int_equal(apply_pass(g, pass_pack_weights), 2);
    assert_int_equal(g->tensors[find_node(g, TMC_OP_DEPTHWISE_CONV)->inputs[1]].desc.packing, TMC_PACK_I8_DEPTHWISE);
    ir_graph_free(g);
}

/* ------------------------------------------------------------------------------------------------------- what stays */

static void expect_stays(ir_graph *g, uint16_t op, const char *reason) {
    const ir_result before = run_graph(g, 7);
    rewrite(g);
    const notes n = explain(g);
    assert_int_equal(n.count, 1);
    if (!strstr(n.text[0], reason)) fail_msg("'%s', expected '%s'", n.text[0], reason);
    assert_int_equal(g->tensors[find_node(g, op)->outputs[0]].desc.dtype, TMC_F32);
    expect_same(before, run_graph(g, 7), 0.0);
    ir_graph_free(g);
}

static void test_float_weights_stay(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("float");
    const tmc_conv_params params = conv_params(1, 1, 0, 1);
    const ir_id x = make_dequantize(g, make_i8_input(g, "x", DIMS(1, 4, 4, 6), 0.1f, 5));
    const ir_id w = make_random(g, DIMS(3, 1, 1, 6), -1, 1);
    ir_add_output(g, make_quantize(g, make_node(g, TMC_OP_CONV, &params, x, w, IR_NONE), 0.1f, 0));
    expect_stays(g, TMC_OP_CONV, "weights are not quantised");
}

/* uint8 weights with a zero point reach from -zero_point to 255 - zero_point. */
static void test_wide_weights_stay(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("wide");
    const tmc_tensor_desc desc = {.dtype = TMC_F32, .rank = 2, .dims = {2, 2}};
    const int32_t values[4] = {-100, 128, 1, 2};
    const float scale = 0.5f;
    const tmc_fully_connected_params dense = {{-INFINITY, INFINITY}};
    const ir_id x = make_dequantize(g, make_i8_input(g, "x", DIMS(3, 2), 0.1f, 5));
    const ir_id w = integers_add(g, "w", &desc, values, false, &scale, 1, 0);
    ir_add_output(g, make_quantize(g, make_node(g, TMC_OP_FULLY_CONNECTED, &dense, x, w, IR_NONE), 0.1f, 0));
    expect_stays(g, TMC_OP_FULLY_CONNECTED, "do not fit int8");
}

static void test_dynamic_range_stays(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("dynamic range");
    const tmc_fully_connected_params dense = {{-INFINITY, INFINITY}};
    const ir_id x = make_input(g, "x", DIMS(3, 8)), w = make_weights(g, DIMS(5, 8), 0, 0.01f);
    ir_add_output(g, make_node(g, TMC_OP_FULLY_CONNECTED, &dense, x, w, IR_NONE));
    expect_stays(g, TMC_OP_FULLY_CONNECTED, "dynamic range");
}

static void test_sums_beyond_32_bits_stay(void **state) {
    (void)state;
    ir_graph *g = conv_graph(INT32_MAX - 10);
    rewrite(g);
    const notes n = explain(g);
    assert_int_equal(n.count, 1);
    assert_non_null(strstr(n.text[0], "32 bits"));
    ir_graph_free(g);
}

static void test_softmax_stays(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("softmax");
    const tmc_softmax_params params = {.axis = 1};
    const ir_id x = make_dequantize(g, make_i8_input(g, "x", DIMS(2, 9), 0.1f, 5));
    ir_add_output(g, make_quantize(g, make_node(g, TMC_OP_SOFTMAX, &params, x, IR_NONE, IR_NONE), 1.0f / 256, -128));
    expect_stays(g, TMC_OP_SOFTMAX, "no such operator");
}

/* -------------------------------------------------------------------------------------------- arithmetic and tables */

static void test_binary(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("binary");
    const ir_id a = make_dequantize(g, make_i8_input(g, "a", DIMS(2, 9), 0.1f, 5));
    const ir_id b = make_dequantize(g, make_i8_input(g, "b", DIMS(2, 9), 0.3f, -9));
    ir_id y = make_dequantize(g, make_quantize(g, make_binary(g, TMC_BINARY_ADD, a, b), 0.4f, 0));
    y = make_binary(g, TMC_BINARY_MUL, y, make_weights(g, DIMS(1, 9), 0, 0.5f)); /* a constant with one scale */
    ir_add_output(g, make_quantize(g, y, 0.7f, 3));
    rewrite(g);
    expect_nothing_stays(g);
    assert_int_equal(count_nodes(g, TMC_OP_BINARY), 2);
    ir_graph_free(g);
}

/* x * relu6(x + 3) / 6 with everything between dequantize and quantize: one table, and it has the values of before. */
/* What no file may hold is no reason to refuse the model. */
static void test_arithmetic_beyond_the_limits_stays(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("limits");
    const ir_id a = make_dequantize(g, make_i8_input(g, "a", DIMS(1, 9), 1e20f, 0));
    const ir_id b = make_dequantize(g, make_i8_input(g, "b", DIMS(1, 9), 0.1f, 0));
    ir_add_output(g, make_quantize(g, make_binary(g, TMC_BINARY_ADD, a, b), 1e-12f, 0));
    const tmc_reduce_params mean = {.kind = TMC_REDUCE_MEAN, .axes = 2};
    const ir_id image = make_dequantize(g, make_i8_input(g, "image", DIMS(1, 8421505), 0.1f, 0));
    ir_add_output(g, make_quantize(g, make_node(g, TMC_OP_REDUCE, &mean, image, IR_NONE, IR_NONE), 0.1f, 0));
    rewrite(g);
    assert_int_equal(count_nodes(g, TMC_OP_DEQUANTIZE), 3);
    assert_int_equal(count_nodes(g, TMC_OP_QUANTIZE), 2);
    const notes n = explain(g);
    assert_int_equal(n.count, 2);
    assert_non_null(strstr(n.text[0], "out of range"));
    assert_non_null(strstr(n.text[1], "out of range"));
    ir_graph_free(g);
}

static void test_function_becomes_a_table(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("table");
    const ir_id x = make_dequantize(g, make_i8_input(g, "x", DIMS(16, 64), 0.05f, 11));
    ir_id y = make_clamp(g, make_binary(g, TMC_BINARY_ADD, x, make_scalar(g, 3)), 0, 6);
    y = make_binary(g, TMC_BINARY_MUL, make_binary(g, TMC_BINARY_MUL, x, y), make_scalar(g, 1.0f / 6));
    ir_add_output(g, make_quantize(g, y, 0.04f, -120));
    const ir_result before = run_graph(g, 7);
    rewrite(g);
    expect_nothing_stays(g);
    assert_int_equal(count_nodes(g, 0), 1);
    assert_int_equal(count_nodes(g, TMC_OP_TABLE), 1);
    expect_same(before, run_graph(g, 7), 0.0);
    ir_graph_free(g);
}

/* x * sigmoid(x), the sigmoid rounded in between: one table, with the values of the two nodes. */
static void test_rounded_function_becomes_a_table(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("silu");
    const ir_id x = make_dequantize(g, make_i8_input(g, "x", DIMS(16, 64), 0.05f, 11));
    const ir_id gate = make_quantize(g, make_unary(g, TMC_UNARY_SIGMOID, x), 1.0f / 256, -128);
    const ir_id y = make_binary(g, TMC_BINARY_MUL, x, make_dequantize(g, gate));
    ir_add_output(g, make_quantize(g, y, 0.03f, -100));
    const ir_result before = run_graph(g, 7);
    rewrite(g);
    expect_nothing_stays(g);
    assert_int_equal(count_nodes(g, 0), 1);
    assert_int_equal(count_nodes(g, TMC_OP_TABLE), 1);
    expect_same(before, run_graph(g, 7), 0.0);
    ir_graph_free(g);
}

static void test_two_sources_are_no_table(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("two");
    const ir_id a = make_i8_input(g, "a", DIMS(4, 8), 0.05f, 11), b = make_i8_input(g, "b", DIMS(4, 8), 0.05f, 11);
    const ir_id gate = make_quantize(g, make_unary(g, TMC_UNARY_SIGMOID, make_dequantize(g, b)), 1.0f / 256, -128);
    const ir_id y = make_binary(g, TMC_BINARY_MUL, make_dequantize(g, a), make_dequantize(g, gate));
    ir_add_output(g, make_quantize(g, y, 0.03f, -100));
    rewrite(g);
    assert_int_equal(count_nodes(g, TMC_OP_BINARY), 1);
    assert_int_equal(count_nodes(g, TMC_OP_TABLE), 1);
    ir_graph_free(g);
}

static void test_shared_value_is_no_table(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("shared");
    const ir_id x = make_dequantize(g, make_i8_input(g, "x", DIMS(4, 8), 0.05f, 11));
    const ir_id y = make_unary(g, TMC_UNARY_SIGMOID, x);
    ir_add_output(g, make_quantize(g, y, 1.0f / 256, -128));
    ir_add_output(g, make_unary(g, TMC_UNARY_EXP, y));
    rewrite(g);
    assert_int_equal(count_nodes(g, TMC_OP_TABLE), 0);
    ir_graph_free(g);
}

/* -------------------------------------------------------------------------------------------------------- movement */

static void test_movement(void **state) {
    (void)state;
    static const int32_t perm[4] = {0, 3, 1, 2};
    ir_graph *g = ir_graph_new("movement");
    const tmc_pad_params pad = {.mode = TMC_PAD_CONSTANT, .begin = {0, 1, 0, 0}, .end = {0, 0, 2, 0}};
    const ir_id a = make_i8_input(g, "a", DIMS(1, 4, 5, 6), 0.1f, 5),
                b = make_i8_input(g, "b", DIMS(1, 5, 7, 6), 0.2f, 0);
    ir_id y = make_node(g, TMC_OP_PAD, &pad, make_dequantize(g, a), IR_NONE, IR_NONE);
    y = make_concat(g, 3, y, make_dequantize(g, b)); /* of different scales: b goes through a table */
    y = make_reshape(g, make_transpose(g, y, perm), DIMS(12, 35));
    ir_add_output(g, make_quantize(g, y, 0.1f, 5));
    const ir_result before = run_graph(g, 7);
    rewrite(g);
    expect_nothing_stays(g);
    assert_int_equal(count_nodes(g, TMC_OP_TABLE), 1);
    assert_int_equal(count_nodes(g, 0), 5);
    expect_same(before, run_graph(g, 7), 0.0);
    ir_graph_free(g);
}

static void test_split(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("split");
    const tmc_split_params split = {.axis = 1, .sizes = {2, 3}};
    ir_id parts[2];
    tmc_error err;
    tmc_error_init(&err);
    const ir_id x = make_dequantize(g, make_i8_input(g, "x", DIMS(4, 5), 0.1f, 5));
    assert_int_equal(ir_add_node(g, "split", TMC_OP_SPLIT, &split, &x, 1, parts, 2, &err), TMC_OK);
    ir_add_output(g, make_quantize(g, parts[0], 0.1f, 5));
    ir_add_output(g, make_quantize(g, parts[1], 0.2f, 5));
    const ir_result before = run_graph(g, 7);
    rewrite(g);
    expect_nothing_stays(g);
    expect_same(before, run_graph(g, 7), 0.0);
    ir_graph_free(g);
}

/* PAD, quantize, dequantize, CONV: the padding reaches the convolution; and a relu that changes nothing goes. */
static void test_requantize_between(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("pad");
    const tmc_pad_params pad = {.mode = TMC_PAD_CONSTANT, .begin = {0, 1, 1, 0}, .end = {0, 1, 1, 0}};
    const tmc_conv_params params = conv_params(3, 2, 0, 1);
    ir_id y = make_node(g, TMC_OP_PAD, &pad, make_dequantize(g, make_i8_input(g, "x", DIMS(1, 6, 6, 4), 0.1f, -128)),
                        IR_NONE, IR_NONE);
    y = make_relu(g, make_dequantize(g, make_quantize(g, y, 0.1f, -128)));
    y = make_node(g, TMC_OP_CONV, &params, y, make_weights(g, DIMS(7, 3, 3, 4), 0, 0.01f), IR_NONE);
    ir_add_output(g, make_quantize(g, y, 0.2f, 0));
    apply_all(g);
    expect_nothing_stays(g);
    assert_int_equal(count_nodes(g, 0), 1);
    assert_int_equal(((const tmc_conv_params *)find_node(g, TMC_OP_CONV)->params)->pad_begin[1], 1);
    ir_graph_free(g);
}

/* Equal inputs, but other scales of the results: two nodes. */
/* Nodes with the same inputs whose results mean other numbers; behind each a node, because outputs are never shared. */
static void test_quantize_is_not_shared(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("share");
    const ir_id x = make_input(g, "x", DIMS(4, 8));
    ir_add_output(g, make_dequantize(g, make_quantize(g, x, 0.1f, 0)));
    ir_add_output(g, make_dequantize(g, make_quantize(g, x, 0.2f, 0)));
    assert_int_equal(apply_pass(g, pass_share), 0);
    ir_graph_free(g);
}

/* Two layers with the same integers, as batch norms have where each channel has one weight: 127, times its scale. */
static void test_weights_of_other_scales_are_not_shared(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("share");
    const tmc_conv_params params = conv_params(1, 1, 0, 1);
    const ir_id x = make_dequantize(g, make_i8_input(g, "x", DIMS(1, 5, 6, 4), 0.1f, -3));
    for (int i = 0; i < 2; i++) {
        const ir_id w = make_weights(g, DIMS(7, 1, 1, 4), 0, i ? 0.02f : 0.01f),
                    b = make_integer_bias(g, 7, 0.1f, 0.01f, 0);
        const ir_id y = make_quantize(g, make_node(g, TMC_OP_CONV, &params, x, w, b), 0.05f, -128);
        ir_add_output(g, make_dequantize(g, y));
    }
    rewrite(g);
    apply_pass(g, pass_share);
    ir_id weights[2];
    uint32_t count = 0;
    for (ir_id id = 0; id < g->node_count; id++)
        if (!g->nodes[id].dead && g->nodes[id].op == TMC_OP_CONV && count < 2)
            weights[count++] = g->nodes[id].inputs[1];
    assert_int_equal(count, 2);
    assert_int_not_equal(weights[0], weights[1]);
    ir_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv_keeps_its_integers),
        cmocka_unit_test(test_float_bias_is_quantised_in_double),
        cmocka_unit_test(test_bias_beyond_int32),
        cmocka_unit_test(test_weights_that_were_moved),
        cmocka_unit_test(test_depthwise_and_dense),
        cmocka_unit_test(test_float_weights_stay),
        cmocka_unit_test(test_wide_weights_stay),
        cmocka_unit_test(test_dynamic_range_stays),
        cmocka_unit_test(test_sums_beyond_32_bits_stay),
        cmocka_unit_test(test_softmax_stays),
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_arithmetic_beyond_the_limits_stays),
        cmocka_unit_test(test_function_becomes_a_table),
        cmocka_unit_test(test_rounded_function_becomes_a_table),
        cmocka_unit_test(test_two_sources_are_no_table),
        cmocka_unit_test(test_shared_value_is_no_table),
        cmocka_unit_test(test_movement),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_requantize_between),
        cmocka_unit_test(test_quantize_is_not_shared),
        cmocka_unit_test(test_weights_of_other_scales_are_not_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
