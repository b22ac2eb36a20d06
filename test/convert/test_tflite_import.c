/* What the TFLite importer reads and makes: the records of a file with their quantisation, the graph of a small model,
 * the report of what is refused, other input shapes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "convert/integers.h"
#include "convert/tflite/model.h"
#include "convert/tflite/tflite_import.h"
#include "lib/ir_check.h"
#include "lib/report_lines.h"
#include "lib/tflite_samples.h"

static ir_graph *import_sample(const tflite_sample *s, const tflite_import_options *options) {
    ir_graph *graph;
    tmc_error err;
    tmc_error_init(&err);
    if (tflite_import_memory(s->b.bytes, s->b.size, options, &graph, &err) != TMC_OK) fail_msg("%s", err.message);
    return graph;
}

/* ------------------------------------------------------------------------------------------------------- records */

static tflite_model read_sample(const tflite_sample *s) {
    tflite_model model;
    tmc_error err;
    tmc_error_init(&err);
    if (tflite_model_read(&model, s->b.bytes, s->b.size, &err) != TMC_OK) fail_msg("%s", err.message);
    return model;
}

static void test_records(void **state) {
    (void)state;
    tflite_sample s = tflite_sample_make();
    tflite_model model = read_sample(&s);
    assert_string_equal(model.description, "a sample");
    assert_string_equal(model.name, "main");
    assert_int_equal(model.tensor_count, SAMPLE_TENSORS);
    assert_int_equal(model.operator_count, SAMPLE_OPERATORS);
    const tflite_tensor *w = &model.tensors[1];
    assert_string_equal(w->name, "w");
    assert_int_equal(w->type, TFLITE_FLOAT16);
    assert_int_equal(w->rank, 4);
    assert_int_equal(w->dims[3], 2);
    assert_int_equal(w->data_bytes, 108);
    assert_int_equal(w->quantization.count, 0); /* of a float it means nothing */
    assert_null(model.tensors[0].data);
    const tflite_operator *conv = &model.operators[1];
    assert_int_equal(conv->code->builtin, 3);
    assert_int_equal(conv->input_count, 3);
    assert_int_equal(conv->inputs[2], 3);
    assert_int_equal(conv->outputs[0], 4);
    assert_int_equal(conv->options_type, OPTIONS_CONV_2D);
    tflite_model_clear(&model);
    fbw_free(&s.b);
}

static void test_quantisation_per_channel(void **state) {
    (void)state;
    static const float scales[3] = {0.5f, 0.25f, 0.125f};
    const uint32_t bytes = 54;
    const int64_t zeros[3] = {-128, 0, 127};
    tflite_sample s = tflite_sample_make();
    fbw_set_u8(&s.b, s.tensor[1], 1, TFLITE_INT8);
    fbw_set_u32(&s.b, s.quantization[1], 6, 2);
    memcpy(s.b.bytes + s.data[1], &bytes, sizeof bytes);
    memcpy(s.b.bytes + s.zero_point + 4, zeros, sizeof zeros);
    tflite_model model = read_sample(&s);
    const tflite_quantization *q = &model.tensors[1].quantization;
    assert_int_equal(q->count, 3);
    assert_int_equal(q->dimension, 2);
    assert_memory_equal(q->scale, scales, sizeof scales);
    assert_memory_equal(q->zero_point, zeros, sizeof zeros);
    tflite_model_clear(&model);
    fbw_free(&s.b);
}

static void test_quantisation_per_tensor(void **state) {
    (void)state;
    const uint32_t one = 1, bytes = 54;
    const int64_t zero = 200;
    tflite_sample s = tflite_sample_make();
    fbw_set_u8(&s.b, s.tensor[1], 1, TFLITE_UINT8);
    fbw_set_u32(&s.b, s.quantization[1], 6, 77); /* of one scale the axis means nothing */
    memcpy(s.b.bytes + s.data[1], &bytes, sizeof bytes);
    memcpy(s.b.bytes + s.scale, &one, sizeof one);
    memcpy(s.b.bytes + s.zero_point, &one, sizeof one);
    memcpy(s.b.bytes + s.zero_point + 4, &zero, sizeof zero);
    tflite_model model = read_sample(&s);
    const tflite_quantization *q = &model.tensors[1].quantization;
    assert_int_equal(q->count, 1);
    assert_int_equal(q->dimension, 0);
    assert_true(q->scale[0] == 0.5f);
    assert_int_equal(q->zero_point[0], 200);
    tflite_model_clear(&model);
    fbw_free(&s.b);
}

/* Without zero points they are 0; blocks of scales are a form of their own, which is refused. */
static void test_quantisation_other_forms(void **state) {
    (void)state;
    const uint32_t none = 0, bytes = 54;
    tflite_sample s = tflite_sample_make();
    fbw_set_u8(&s.b, s.tensor[1], 1, TFLITE_INT8);
    memcpy(s.b.bytes + s.data[1], &bytes, sizeof bytes);
    memcpy(s.b.bytes + s.zero_point, &none, sizeof none);
    tflite_model model = read_sample(&s);
    assert_int_equal(model.tensors[1].quantization.count, 3);
    assert_int_equal(model.tensors[1].quantization.zero_point[2], 0);
    assert_null(model.tensors[1].refusal);
    tflite_model_clear(&model);
    fbw_set_u8(&s.b, s.quantization[1], 4, 2);
    model = read_sample(&s);
    assert_int_equal(model.tensors[1].quantization.count, 0);
    assert_non_null(model.tensors[1].refusal);
    tflite_model_clear(&model);
    fbw_free(&s.b);
}

/* The larger of the two codes counts: old files have only the first, new ones put 127 there. */
static void test_operator_codes(void **state) {
    (void)state;
    static const struct {
        uint8_t deprecated;
        uint32_t code;
        int32_t want;
    } cases[] = {{3, 0, 3}, {3, 3, 3}, {127, 150, 150}, {0, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tflite_sample s = tflite_sample_make();
        fbw_set_u8(&s.b, s.code[1], 0, cases[i].deprecated);
        fbw_set_u32(&s.b, s.code[1], 3, cases[i].code);
        tflite_model model = read_sample(&s);
        assert_int_equal(model.codes[1].builtin, cases[i].want);
        tflite_model_clear(&model);
        fbw_free(&s.b);
    }
}

/* -------------------------------------------------------------------------------------------------------- graph */

static void test_graph(void **state) {
    (void)state;
    tflite_sample s = tflite_sample_make();
    ir_graph *g = import_sample(&s, NULL);
    assert_int_equal(g->node_count, 2);
    assert_int_equal(count_nodes(g, TMC_OP_TRANSPOSE), 0);
    const ir_node *conv = find_node(g, TMC_OP_CONV);
    const tmc_conv_params *params = conv->params;
    assert_int_equal(params->kernel[1], 3);
    assert_int_equal(params->pad_begin[2], 1);
    assert_true(params->act.lo == 0 && params->act.hi == 6);
    const ir_tensor *x = &g->tensors[g->inputs[0]], *z = &g->tensors[g->outputs[0]];
    assert_string_equal(x->name, "x");
    assert_string_equal(z->name, "z");
    assert_int_equal(x->layout, TMC_LAYOUT_PLAIN); /* the axes are those of the source */
    assert_int_equal(z->desc.dims[1], 48);
    apply_all(g);
    assert_int_equal(count_nodes(g, 0), 2);
    ir_graph_free(g);
    fbw_free(&s.b);
}

/* Halves become floats without loss: zeros, subnormals, infinity, NaN. */
static void test_halves(void **state) {
    (void)state;
    static const struct {
        uint16_t half;
        float value;
    } halves[] = {{0x0000, 0.0f},     {0x8000, -0.0f},     {0x3c00, 1.0f},       {0xc000, -2.0f},
                  {0x7bff, 65504.0f}, {0x0400, 0x1p-14f},  {0x0001, 0x1p-24f},   {0x83ff, -0x1.ff8p-15f},
                  {0x7c00, INFINITY}, {0xfc00, -INFINITY}, {0x3555, 0x1.554p-2f}};
    const size_t count = sizeof halves / sizeof *halves;
    tflite_sample s = tflite_sample_make();
    for (size_t i = 0; i < count; i++) memcpy(s.b.bytes + s.data[1] + 4 + 2 * i, &halves[i].half, 2);
    const uint16_t nan = 0x7e01;
    memcpy(s.b.bytes + s.data[1] + 4 + 2 * count, &nan, 2);
    ir_graph *g = import_sample(&s, NULL);
    const float *w = g->tensors[find_node(g, TMC_OP_CONV)->inputs[1]].data;
    for (size_t i = 0; i < count; i++) assert_memory_equal(&w[i], &halves[i].value, sizeof *w);
    assert_true(isnan(w[count]));
    ir_graph_free(g);
    fbw_free(&s.b);
}

/* ------------------------------------------------------------------------------------------------------- refused */

static void test_all_reasons_are_reported(void **state) {
    (void)state;
    report_lines got = {0};
    const tflite_import_options options = {.report = report_lines_collect, .report_user = &got};
    ir_graph *graph;
    tmc_error err;
    tmc_error_init(&err);
    tflite_sample s = tflite_sample_make();
    fbw_set_u8(&s.b, s.options[1], 3, 4); /* tanh */
    fbw_set_u32(&s.b, s.code[2], 3, 32);
    fbw_link(&s.b, s.code[2], 1, fbw_string(&s.b, "TFLite_\x1b[31mSomething"));
    assert_int_equal(tflite_import_memory(s.b.bytes, s.b.size, &options, &graph, &err), TMC_E_UNSUPPORTED);
    assert_null(graph);
    assert_int_equal(got.count, 2);
    assert_non_null(strstr(got.text[0], "CONV_2D 'y'"));
    assert_non_null(strstr(got.text[0], "activation 4"));
    assert_non_null(strstr(got.text[1], "TFLite_?[31mSomething 'z'")); /* no escape reaches a terminal */
    assert_non_null(strstr(err.message, "2 parts"));
    fbw_free(&s.b);
}

static void test_other_quantised_types_are_refused_in_one_line(void **state) {
    (void)state;
    report_lines got = {0};
    const tflite_import_options options = {.report = report_lines_collect, .report_user = &got};
    const uint32_t bytes = 108;
    ir_graph *graph;
    tmc_error err;
    tmc_error_init(&err);
    tflite_sample s = tflite_sample_make();
    fbw_set_u8(&s.b, s.tensor[1], 1, TFLITE_INT16);
    memcpy(s.b.bytes + s.data[1], &bytes, sizeof bytes);
    assert_int_equal(tflite_import_memory(s.b.bytes, s.b.size, &options, &graph, &err), TMC_E_UNSUPPORTED);
    assert_int_equal(got.count, 1);
    assert_non_null(strstr(got.text[0], "tensor 'w': int16 is quantised"));
    assert_non_null(strstr(got.text[0], "only int8 and uint8"));
    fbw_free(&s.b);
}

/* Weights of a float convolution become floats that know their integers. */
static void test_integer_weights(void **state) {
    (void)state;
    const uint32_t bytes = 54;
    const float scales[3] = {0.5f, 0.25f, 0.125f};
    tflite_sample s = tflite_sample_make();
    fbw_set_u8(&s.b, s.tensor[1], 1, TFLITE_INT8);
    memcpy(s.b.bytes + s.data[1], &bytes, sizeof bytes);
    for (int i = 0; i < 54; i++) s.b.bytes[s.data[1] + 4 + i] = (uint8_t)(4 * i - 106);
    ir_graph *graph = import_sample(&s, NULL);
    const ir_tensor *w = &graph->tensors[ir_find_tensor(graph, "w")];
    assert_int_equal(w->desc.dtype, TMC_F32);
    assert_non_null(w->integers);
    assert_int_equal(w->integers->count, 3);
    assert_int_equal(w->integers->axis, 0);
    int32_t *values = integers_read(w);
    for (int i = 0; i < 54; i++) {
        assert_int_equal(values[i], 4 * i - 106);
        assert_true(((const float *)w->data)[i] == (float)(4 * i - 106) * scales[i / 18]);
    }
    free(values);
    ir_graph_free(graph);
    fbw_free(&s.b);
}

/* -------------------------------------------------------------------------------------------------- other shapes */

/* The sample with the first axis of x left open. */
static tflite_sample open_sample(void) {
    static const int32_t signature[4] = {-1, 4, 4, 2}, target[2] = {-1, 48};
    tflite_sample s = tflite_sample_make();
    const size_t x = fbw_table(&s.b, "41.4...4");
    fbw_link(&s.b, x, 0, fbw_vector(&s.b, 4, 4, (const int32_t[4]){1, 4, 4, 2}));
    fbw_link(&s.b, x, 3, fbw_string(&s.b, "x"));
    fbw_link(&s.b, x, 7, fbw_vector(&s.b, 4, 4, signature));
    fbw_refer(&s.b, s.tensors + 4, x);
    memcpy(s.b.bytes + s.data[3] + 4, target, sizeof target);
    return s;
}

static tmc_status import_shaped(const tflite_sample *s, const import_shape *shape, ir_graph **graph) {
    const tflite_import_options options = {.shapes = shape, .shape_count = 1};
    tmc_error err;
    tmc_error_init(&err);
    return tflite_import_memory(s->b.bytes, s->b.size, &options, graph, &err);
}

static void test_shape_option(void **state) {
    (void)state;
    static const struct {
        import_shape shape;
        tmc_status status;
    } cases[] = {
        {{"x", 4, {1, 4, 4, 2}}, TMC_OK},      {{"x", 4, {3, 4, 4, 2}}, TMC_OK},
        {{"x", 4, {1, 5, 4, 2}}, TMC_E_SHAPE}, {{"x", 3, {1, 4, 4}}, TMC_E_SHAPE},
        {{"x", 4, {0, 4, 4, 2}}, TMC_E_SHAPE}, {{"x", 4, {-1, 4, 4, 2}}, TMC_E_SHAPE},
        {{"q", 4, {1, 4, 4, 2}}, TMC_E_ARG},
    };
    tflite_sample s = open_sample();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ir_graph *graph;
        assert_int_equal(import_shaped(&s, &cases[i].shape, &graph), cases[i].status);
        if (graph) assert_int_equal(graph->tensors[graph->outputs[0]].desc.dims[0], cases[i].shape.dims[0]);
        ir_graph_free(graph);
    }
    fbw_free(&s.b);
}

/* An open axis that no constant depends on may vary at run time; one that the model fixes may not. */
static void test_open_dimensions_vary(void **state) {
    (void)state;
    tflite_sample open = open_sample(), fixed = tflite_sample_make();
    ir_graph *g = import_sample(&open, NULL);
    assert_true(g->tensors[g->inputs[0]].dims_max[0] > 1);
    assert_int_equal(g->tensors[g->inputs[0]].dims_max[1], 0); /* fixed */
    ir_graph_free(g);
    g = import_sample(&fixed, NULL);
    assert_int_equal(g->tensors[g->inputs[0]].dims_max[0], 0);
    ir_graph_free(g);
    const int32_t target[2] = {1, 48}; /* a batch of 1 written into the model */
    memcpy(open.b.bytes + open.data[3] + 4, target, sizeof target);
    g = import_sample(&open, NULL);
    assert_int_equal(g->tensors[g->inputs[0]].dims_max[0], 0);
    ir_graph_free(g);
    fbw_free(&open.b);
    fbw_free(&fixed.b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_quantisation_per_channel),
        cmocka_unit_test(test_quantisation_per_tensor),
        cmocka_unit_test(test_quantisation_other_forms),
        cmocka_unit_test(test_operator_codes),
        cmocka_unit_test(test_graph),
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_all_reasons_are_reported),
        cmocka_unit_test(test_other_quantised_types_are_refused_in_one_line),
        cmocka_unit_test(test_integer_weights),
        cmocka_unit_test(test_shape_option),
        cmocka_unit_test(test_open_dimensions_vary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
