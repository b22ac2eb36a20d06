/* Malformed and hostile ONNX files: each case changes one thing in a good model and names the status that must come
 * out, with no graph. The numbers are those of the catalogue of bad input (docs/testing.md). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/onnx_fixture.h"
#include "lib/report_lines.h"

/* -------------------------------------------------------------------------------------------- one change each */

static void unchanged(onnx_fixture *f) { (void)f; }
static void no_ir_version(onnx_fixture *f) { f->model.has_ir_version = 0; }
static void ir_version_1(onnx_fixture *f) { f->model.ir_version = 1; }
static void ir_version_99(onnx_fixture *f) { f->model.ir_version = 99; }
static void no_graph(onnx_fixture *f) { f->model.graph = NULL; }
static void no_opset(onnx_fixture *f) { f->model.n_opset_import = 0; }
static void opset_0(onnx_fixture *f) { f->opset.version = 0; }
static void opset_6(onnx_fixture *f) { f->opset.version = 6; }
static void opset_22(onnx_fixture *f) { f->opset.version = 22; }
static void opset_huge(onnx_fixture *f) { f->opset.version = 1000000000; }
static void opset_negative(onnx_fixture *f) { f->opset.version = INT64_MIN; }
static void opset_other_domain(onnx_fixture *f) { f->opset.domain = "com.example"; }
static void opset_twice(onnx_fixture *f) {
    f->opsets[1] = &f->opset;
    f->model.n_opset_import = 2;
}
static void with_function(onnx_fixture *f) {
    f->model.functions = f->functions;
    f->model.n_functions = 1;
}
static void foreign_domain(onnx_fixture *f) { f->conv.domain = "com.microsoft"; }
static void unknown_operator(onnx_fixture *f) { f->conv.op_type = "Loop"; }
static void no_operator(onnx_fixture *f) { f->conv.op_type = NULL; }
static void too_new_operator(onnx_fixture *f) { f->conv.op_type = "Mish"; }

static void no_dims_data(onnx_fixture *f) { f->w.has_raw_data = 0; }
static void raw_too_short(onnx_fixture *f) { f->w.raw_data.len -= 1; }
static void raw_too_long(onnx_fixture *f) { f->w_dims[3] = 1; }
static void raw_and_typed(onnx_fixture *f) {
    f->w.float_data = f->w_data;
    f->w.n_float_data = 9;
}
static void wrong_typed(onnx_fixture *f) { f->b.data_type = DATA_TYPE(INT64); }
static void typed_too_short(onnx_fixture *f) { f->b_dims[0] = 2; }
static void typed_gigabytes(onnx_fixture *f) { f->b_dims[0] = 500000000; }
static void negative_dim(onnx_fixture *f) { f->w_dims[2] = -3; }
static void huge_dims(onnx_fixture *f) { f->w_dims[0] = f->w_dims[1] = INT64_C(1) << 62; }
static void no_data_type(onnx_fixture *f) { f->w.has_data_type = 0; }
static void unknown_data_type(onnx_fixture *f) { f->w.data_type = 77; }
static void half_weights(onnx_fixture *f) { f->w.data_type = DATA_TYPE(FLOAT16); }
static void string_weights(onnx_fixture *f) { f->w.data_type = DATA_TYPE(STRING); }
static void bool_of_two(onnx_fixture *f) {
    static uint8_t two[1] = {2};
    f->b.data_type = DATA_TYPE(BOOL);
    f->b.n_float_data = 0;
    f->b.has_raw_data = 1;
    f->b.raw_data = (ProtobufCBinaryData){1, two};
}
static void sparse_initializer(onnx_fixture *f) {
    f->graph.sparse_initializer = f->sparse_list;
    f->graph.n_sparse_initializer = 1;
}
static void stray_external(onnx_fixture *f) {
    f->external[0].key = "location";
    f->external[0].value = "w.bin";
    f->w.external_data = f->external_list;
    f->w.n_external_data = 1;
}

static void output_twice(onnx_fixture *f) { f->add_outputs[0] = "y"; }
static void shadows_initializer(onnx_fixture *f) { f->conv_outputs[0] = "b"; }
static void initializer_twice(onnx_fixture *f) { f->b.name = "w"; }
static void initializer_unnamed(onnx_fixture *f) { f->b.name = NULL; }
static void input_twice(onnx_fixture *f) {
    f->inputs[1] = &f->x;
    f->graph.n_input = 2;
}
static void input_unnamed(onnx_fixture *f) { f->x.name = ""; }
static void graph_output_twice(onnx_fixture *f) {
    f->outputs[1] = &f->z;
    f->graph.n_output = 2;
}
static void graph_output_unknown(onnx_fixture *f) { f->z.name = "nothing"; }
static void no_outputs(onnx_fixture *f) { f->graph.n_output = 0; }
static void reads_unknown(onnx_fixture *f) { f->add_inputs[1] = "nothing"; }
static void wrong_order(onnx_fixture *f) {
    f->nodes[0] = &f->add;
    f->nodes[1] = &f->conv;
}
static void self_loop(onnx_fixture *f) { f->conv_inputs[0] = "y"; }
static void too_few_inputs(onnx_fixture *f) { f->conv.n_input = 1; }
static void weights_are_input_too(onnx_fixture *f) {
    static Onnx__ValueInfoProto info;
    info = f->x;
    info.name = "w";
    f->inputs[1] = &info;
    f->graph.n_input = 2;
}

static void quantized_by(onnx_fixture *f, float scale) {
    f->add.op_type = "QuantizeLinear"; /* of y, by b */
    f->b_data[0] = scale;
}
static void scale_zero(onnx_fixture *f) { quantized_by(f, 0); }
static void scale_negative(onnx_fixture *f) { quantized_by(f, -0.5f); }
static void scale_nan(onnx_fixture *f) { quantized_by(f, NAN); }
static void scale_infinite(onnx_fixture *f) { quantized_by(f, INFINITY); }
static void scale_subnormal(onnx_fixture *f) { quantized_by(f, 1e-40f); }
static void scale_missing(onnx_fixture *f) {
    quantized_by(f, 1);
    f->add.n_input = 1;
}
static void scale_good(onnx_fixture *f) { quantized_by(f, 0.5f); }

static void attribute_twice(onnx_fixture *f) {
    onnx_fixture_ints(f, "strides", 2, 1);
    onnx_fixture_ints(f, "strides", 2, 1);
}
static void attribute_untyped(onnx_fixture *f) { onnx_fixture_ints(f, "strides", 2, 1)->has_type = 0; }
static void attribute_unnamed(onnx_fixture *f) { onnx_fixture_ints(f, NULL, 2, 1); }
static void attribute_wrong_type(onnx_fixture *f) { onnx_fixture_attribute(f, "strides", ATTRIBUTE(INT)); }
static void attribute_contradiction(onnx_fixture *f) { onnx_fixture_ints(f, "strides", 2, 1)->has_f = 1; }
static void attribute_reference(onnx_fixture *f) { onnx_fixture_ints(f, "strides", 2, 1)->ref_attr_name = "other"; }
static void attribute_unknown(onnx_fixture *f) { onnx_fixture_ints(f, "wings", 2, 1); }
static void attribute_nul(onnx_fixture *f) { onnx_fixture_text(f, "auto_pad", "VALID")->s.len = 6; }
static void attribute_too_long(onnx_fixture *f) {
    static int64_t many[65];
    Onnx__AttributeProto *a = onnx_fixture_ints(f, "strides", 1, 1);
    a->ints = many;
    a->n_ints = 65;
}
static void attribute_million(onnx_fixture *f) {
    Onnx__AttributeProto *a = onnx_fixture_ints(f, "strides", 1, 1);
    a->ints = calloc(1000001, sizeof *a->ints); /* freed by the loop over the cases */
    assert_non_null(a->ints);
    a->n_ints = 1000001;
}
static void two_paddings(onnx_fixture *f) {
    onnx_fixture_text(f, "auto_pad", "SAME_UPPER");
    onnx_fixture_ints(f, "pads", 4, 1);
}
static void unknown_padding(onnx_fixture *f) { onnx_fixture_text(f, "auto_pad", "SAME"); }
static void zero_stride(onnx_fixture *f) { onnx_fixture_ints(f, "strides", 2, 0); }
static void negative_dilation(onnx_fixture *f) { onnx_fixture_ints(f, "dilations", 2, -1); }
static void huge_stride(onnx_fixture *f) { onnx_fixture_ints(f, "strides", 2, INT64_MAX); }
static void huge_pads(onnx_fixture *f) { onnx_fixture_ints(f, "pads", 4, INT32_MAX); }
static void odd_pads(onnx_fixture *f) { onnx_fixture_ints(f, "pads", 3, 1); }
static void wrong_kernel(onnx_fixture *f) { onnx_fixture_ints(f, "kernel_shape", 2, 5); }
static void no_group(onnx_fixture *f) {
    Onnx__AttributeProto *a = onnx_fixture_attribute(f, "group", ATTRIBUTE(INT));
    a->has_i = 1;
    a->i = 0;
}

static void input_untyped(onnx_fixture *f) { f->x.type = NULL; }
static void input_double(onnx_fixture *f) { f->tensor_type.elem_type = DATA_TYPE(DOUBLE); }
static void input_shapeless(onnx_fixture *f) { f->tensor_type.shape = NULL; }
static void input_negative(onnx_fixture *f) { f->dims[2].dim_value = -4; }
static void input_zero(onnx_fixture *f) { f->dims[2].dim_value = 0; }
static void input_petabytes(onnx_fixture *f) {
    for (int i = 0; i < 4; i++) f->dims[i].dim_value = INT32_MAX;
}
static void input_symbolic(onnx_fixture *f) {
    f->dims[2].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    f->dims[2].dim_param = "height";
}
static void batch_symbolic(onnx_fixture *f) {
    f->dims[0].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    f->dims[0].dim_param = "N";
}
static void not_broadcastable(onnx_fixture *f) {
    static float three[3];
    f->b_dims[0] = 3;
    f->b.float_data = three;
    f->b.n_float_data = 3;
}

static const struct bad_case {
    const char *name;
    void (*change)(onnx_fixture *f);
    tmc_status status;
} bad_cases[] = {
    {"the good model", unchanged, TMC_OK},
    {"symbolic batch", batch_symbolic, TMC_OK},
    {"no IR version", no_ir_version, TMC_E_FORMAT},
    {"IR version 1", ir_version_1, TMC_E_VERSION},
    {"IR version 99", ir_version_99, TMC_E_VERSION},
    {"no graph", no_graph, TMC_E_FORMAT},
    {"110 no data", no_dims_data, TMC_E_FORMAT},
    {"110 raw_data too short", raw_too_short, TMC_E_FORMAT},
    {"110 raw_data too long", raw_too_long, TMC_E_FORMAT},
    {"110 raw and typed data", raw_and_typed, TMC_E_FORMAT},
    {"110 data of another type", wrong_typed, TMC_E_FORMAT},
    {"110 typed data too short", typed_too_short, TMC_E_FORMAT},
    {"110 shape of gigabytes, data of bytes", typed_gigabytes, TMC_E_FORMAT},
    {"110 negative dimension", negative_dim, TMC_E_FORMAT},
    {"110 dimensions that overflow", huge_dims, TMC_E_LIMIT},
    {"110 no element type", no_data_type, TMC_E_FORMAT},
    {"110 bool that is 2", bool_of_two, TMC_E_FORMAT},
    {"109 external data of an internal tensor", stray_external, TMC_E_FORMAT},
    {"111 no opset", no_opset, TMC_E_VERSION},
    {"111 opset 0", opset_0, TMC_E_VERSION},
    {"111 opset 6", opset_6, TMC_E_VERSION},
    {"111 opset 22", opset_22, TMC_E_VERSION},
    {"111 opset 10^9", opset_huge, TMC_E_VERSION},
    {"111 negative opset", opset_negative, TMC_E_VERSION},
    {"111 only another domain's opset", opset_other_domain, TMC_E_VERSION},
    {"111 opset twice", opset_twice, TMC_E_FORMAT},
    {"112 model-local functions", with_function, TMC_E_UNSUPPORTED},
    {"113 output defined twice", output_twice, TMC_E_GRAPH},
    {"113 output shadows an initializer", shadows_initializer, TMC_E_GRAPH},
    {"113 initializer twice", initializer_twice, TMC_E_GRAPH},
    {"113 initializer without name", initializer_unnamed, TMC_E_GRAPH},
    {"113 input twice", input_twice, TMC_E_GRAPH},
    {"113 input without name", input_unnamed, TMC_E_GRAPH},
    {"113 model output twice", graph_output_twice, TMC_E_GRAPH},
    {"113 model output unknown", graph_output_unknown, TMC_E_GRAPH},
    {"113 no outputs", no_outputs, TMC_E_GRAPH},
    {"113 unknown name read", reads_unknown, TMC_E_GRAPH},
    {"113 read before defined", wrong_order, TMC_E_GRAPH},
    {"113 self-loop", self_loop, TMC_E_GRAPH},
    {"113 too few inputs", too_few_inputs, TMC_E_GRAPH},
    {"114 Loop", unknown_operator, TMC_E_UNSUPPORTED},
    {"operator of another domain", foreign_domain, TMC_E_UNSUPPORTED},
    {"operator of a later opset", too_new_operator, TMC_E_UNSUPPORTED},
    {"node without operator", no_operator, TMC_E_FORMAT},
    {"115 initializer is an input too", weights_are_input_too, TMC_OK},
    {"116 attribute twice", attribute_twice, TMC_E_FORMAT},
    {"116 attribute without type", attribute_untyped, TMC_E_FORMAT},
    {"116 attribute without name", attribute_unnamed, TMC_E_FORMAT},
    {"116 attribute of the wrong type", attribute_wrong_type, TMC_E_FORMAT},
    {"116 value of another type", attribute_contradiction, TMC_E_FORMAT},
    {"116 reference outside a function", attribute_reference, TMC_E_FORMAT},
    {"116 unknown attribute", attribute_unknown, TMC_E_UNSUPPORTED},
    {"116 NUL in a text", attribute_nul, TMC_E_FORMAT},
    {"116 65 numbers", attribute_too_long, TMC_E_LIMIT},
    {"116 10^6 + 1 numbers", attribute_million, TMC_E_LIMIT},
    {"117 sparse initializer", sparse_initializer, TMC_E_UNSUPPORTED},
    {"117 strings", string_weights, TMC_E_UNSUPPORTED},
    {"117 float16", half_weights, TMC_E_UNSUPPORTED},
    {"117 unknown element type", unknown_data_type, TMC_E_UNSUPPORTED},
    {"118 auto_pad and pads", two_paddings, TMC_E_FORMAT},
    {"118 unknown auto_pad", unknown_padding, TMC_E_UNSUPPORTED},
    {"stride 0", zero_stride, TMC_E_RANGE},
    {"dilation -1", negative_dilation, TMC_E_RANGE},
    {"stride 2^63 - 1", huge_stride, TMC_E_RANGE},
    {"three pads", odd_pads, TMC_E_SHAPE},
    {"kernel_shape that is not the weights'", wrong_kernel, TMC_E_SHAPE},
    {"group 0", no_group, TMC_E_SHAPE},
    {"input without type", input_untyped, TMC_E_FORMAT},
    {"input of doubles", input_double, TMC_E_UNSUPPORTED},
    {"input without shape", input_shapeless, TMC_E_SHAPE},
    {"input with a negative dimension", input_negative, TMC_E_FORMAT},
    {"input with a dimension 0", input_zero, TMC_E_SHAPE},
    {"input of petabytes", input_petabytes, TMC_E_LIMIT},
    {"input with an unknown height", input_symbolic, TMC_E_SHAPE},
    {"shapes that do not broadcast", not_broadcastable, TMC_E_SHAPE},
    {"55 scale 0.5", scale_good, TMC_OK},
    {"55 scale 0", scale_zero, TMC_E_QUANT},
    {"55 scale negative", scale_negative, TMC_E_QUANT},
    {"55 scale NaN", scale_nan, TMC_E_QUANT},
    {"55 scale infinite", scale_infinite, TMC_E_QUANT},
    {"55 scale subnormal", scale_subnormal, TMC_E_QUANT},
    {"quantize without a scale", scale_missing, TMC_E_GRAPH},
};

static void test_changed_models(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_cases / sizeof *bad_cases; i++) {
        onnx_fixture f;
        size_t size;
        tmc_error err;
        onnx_fixture_init(&f);
        bad_cases[i].change(&f);
        uint8_t *bytes = onnx_fixture_pack(&f, &size);
        onnx_fixture_expect(bad_cases[i].name, onnx_fixture_import(bytes, size, NULL, &err), bad_cases[i].status, &err);
        if (bad_cases[i].change == attribute_million) free(f.attributes[0].ints);
        free(bytes);
    }
}

/* Pads of 2^31 - 1 may be a range or a size error, whichever check comes first, but not a success. */
static void test_huge_padding(void **state) {
    (void)state;
    onnx_fixture f;
    size_t size;
    tmc_error err;
    onnx_fixture_init(&f);
    huge_pads(&f);
    uint8_t *bytes = onnx_fixture_pack(&f, &size);
    assert_int_not_equal(onnx_fixture_import(bytes, size, NULL, &err), TMC_OK);
    free(bytes);
}

/* --------------------------------------------------------------------------------------------------------- report */

static void test_all_reasons_are_reported(void **state) {
    (void)state;
    onnx_fixture f;
    size_t size;
    report_lines got = {0};
    ir_graph *graph;
    tmc_error err;
    onnx_import_options options = {.report = report_lines_collect, .report_user = &got};
    tmc_error_init(&err);
    onnx_fixture_init(&f);
    onnx_fixture_ints(&f, "wings", 2, 1);
    f.add.op_type = "Einsum";
    uint8_t *bytes = onnx_fixture_pack(&f, &size);
    assert_int_equal(onnx_import_memory(bytes, size, NULL, &options, &graph, &err), TMC_E_UNSUPPORTED);
    assert_int_equal(got.count, 2);
    assert_non_null(strstr(got.text[0], "Conv 'c1'"));
    assert_non_null(strstr(got.text[0], "wings"));
    assert_non_null(strstr(got.text[1], "Einsum 'z'"));
    assert_non_null(strstr(err.message, "2 parts"));
    assert_non_null(strstr(err.message, "Einsum"));
    free(bytes);
}

static void test_shape_option(void **state) {
    (void)state;
    static const struct {
        import_shape shape;
        tmc_status status;
    } cases[] = {
        {{"x", 4, {1, 1, 6, 4}}, TMC_OK},       {{"x", 4, {2, 1, 6, 4}}, TMC_E_SHAPE},
        {{"x", 3, {1, 6, 4}}, TMC_E_SHAPE},     {{"x", 4, {1, 1, 0, 4}}, TMC_E_SHAPE},
        {{"x", 4, {1, 1, -6, 4}}, TMC_E_SHAPE}, {{"q", 4, {1, 1, 6, 4}}, TMC_E_ARG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        onnx_fixture f;
        size_t size;
        ir_graph *graph;
        tmc_error err;
        onnx_import_options options = {.shapes = &cases[i].shape, .shape_count = 1};
        tmc_error_init(&err);
        onnx_fixture_init(&f);
        f.dims[2].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
        f.dims[2].dim_param = "height";
        uint8_t *bytes = onnx_fixture_pack(&f, &size);
        onnx_fixture_expect("shape", onnx_import_memory(bytes, size, NULL, &options, &graph, &err), cases[i].status,
                            &err);
        if (graph) {
            const ir_tensor *x = &graph->tensors[graph->inputs[0]];
            assert_int_equal(x->desc.dims[2], 6);
            assert_true(x->dims_max[2] > 6); /* the one symbolic axis, on which nothing depends */
            assert_int_equal(x->dims_max[0], 0);
            assert_int_equal(graph->tensors[graph->outputs[0]].desc.dims[2], 4);
        }
        ir_graph_free(graph);
        free(bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changed_models),
        cmocka_unit_test(test_huge_padding),
        cmocka_unit_test(test_all_reasons_are_reported),
        cmocka_unit_test(test_shape_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
