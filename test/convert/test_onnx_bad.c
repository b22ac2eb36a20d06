/* Malformed and hostile ONNX files: each case changes one thing in a good model and names the status that must come
 * out, with no graph. The numbers are those of the catalogue of bad input (docs/testing.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "convert/onnx/onnx_import.h"
#include "onnx/onnx.pb-c.h"

#define DATA_TYPE(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name
#define ATTRIBUTE(name) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##name

/* y = Conv(x [1,1,4,4], w [1,1,3,3]) then z = Add(y, b [1]), every part within reach of a case. */
typedef struct fixture {
    Onnx__ModelProto model;
    Onnx__OperatorSetIdProto opset, *opsets[2];
    Onnx__GraphProto graph;
    Onnx__NodeProto conv, add, *nodes[2];
    char *conv_inputs[3], *conv_outputs[2], *add_inputs[2], *add_outputs[1];
    Onnx__AttributeProto attributes[3], *attribute_list[3];
    int64_t ints[8];
    Onnx__TensorProto w, b, *initializers[3];
    int64_t w_dims[4], b_dims[1];
    float w_data[9], b_data[1];
    Onnx__StringStringEntryProto external[3], *external_list[3];
    Onnx__ValueInfoProto x, z, *inputs[2], *outputs[2];
    Onnx__TypeProto type;
    Onnx__TypeProto__Tensor tensor_type;
    Onnx__TensorShapeProto shape;
    Onnx__TensorShapeProto__Dimension dims[4], *dim_list[4];
    Onnx__SparseTensorProto sparse, *sparse_list[1];
    Onnx__FunctionProto function, *functions[1];
} fixture;

static void init_conv(fixture *f) {
    onnx__node_proto__init(&f->conv);
    f->conv.op_type = "Conv";
    f->conv.name = "c1";
    f->conv_inputs[0] = "x";
    f->conv_inputs[1] = "w";
    f->conv.input = f->conv_inputs;
    f->conv.n_input = 2;
    f->conv_outputs[0] = "y";
    f->conv.output = f->conv_outputs;
    f->conv.n_output = 1;
    f->conv.attribute = f->attribute_list;
    for (int i = 0; i < 3; i++) {
        onnx__attribute_proto__init(&f->attributes[i]);
        f->attribute_list[i] = &f->attributes[i];
    }
}

static void init_add(fixture *f) {
    onnx__node_proto__init(&f->add);
    f->add.op_type = "Add";
    f->add_inputs[0] = "y";
    f->add_inputs[1] = "b";
    f->add.input = f->add_inputs;
    f->add.n_input = 2;
    f->add_outputs[0] = "z";
    f->add.output = f->add_outputs;
    f->add.n_output = 1;
}

static void init_tensors(fixture *f) {
    onnx__tensor_proto__init(&f->w);
    onnx__tensor_proto__init(&f->b);
    for (int i = 0; i < 4; i++) f->w_dims[i] = i < 2 ? 1 : 3;
    for (int i = 0; i < 9; i++) f->w_data[i] = (float)i;
    f->b_dims[0] = 1;
    f->w.name = "w";
    f->w.dims = f->w_dims;
    f->w.n_dims = 4;
    f->w.has_data_type = f->b.has_data_type = 1;
    f->w.data_type = f->b.data_type = DATA_TYPE(FLOAT);
    f->w.has_raw_data = 1;
    f->w.raw_data.data = (uint8_t *)f->w_data;
    f->w.raw_data.len = sizeof f->w_data;
    f->b.name = "b";
    f->b.dims = f->b_dims;
    f->b.n_dims = 1;
    f->b.float_data = f->b_data;
    f->b.n_float_data = 1;
    f->initializers[0] = &f->w;
    f->initializers[1] = &f->b;
    for (int i = 0; i < 3; i++) {
        onnx__string_string_entry_proto__init(&f->external[i]);
        f->external_list[i] = &f->external[i];
    }
}

static void init_values(fixture *f) {
    onnx__value_info_proto__init(&f->x);
    onnx__value_info_proto__init(&f->z);
    onnx__type_proto__init(&f->type);
    onnx__type_proto__tensor__init(&f->tensor_type);
    onnx__tensor_shape_proto__init(&f->shape);
    for (int i = 0; i < 4; i++) {
        onnx__tensor_shape_proto__dimension__init(&f->dims[i]);
        f->dims[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        f->dims[i].dim_value = i < 2 ? 1 : 4;
        f->dim_list[i] = &f->dims[i];
    }
    f->shape.dim = f->dim_list;
    f->shape.n_dim = 4;
    f->tensor_type.has_elem_type = 1;
    f->tensor_type.elem_type = DATA_TYPE(FLOAT);
    f->tensor_type.shape = &f->shape;
    f->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    f->type.tensor_type = &f->tensor_type;
    f->x.name = "x";
    f->x.type = &f->type;
    f->z.name = "z";
    f->inputs[0] = &f->x;
    f->outputs[0] = &f->z;
}

static void init_fixture(fixture *f) {
    memset(f, 0, sizeof *f);
    init_conv(f);
    init_add(f);
    init_tensors(f);
    init_values(f);
    onnx__graph_proto__init(&f->graph);
    f->nodes[0] = &f->conv;
    f->nodes[1] = &f->add;
    f->graph.name = "bad";
    f->graph.node = f->nodes;
    f->graph.n_node = 2;
    f->graph.initializer = f->initializers;
    f->graph.n_initializer = 2;
    f->graph.input = f->inputs;
    f->graph.n_input = 1;
    f->graph.output = f->outputs;
    f->graph.n_output = 1;
    onnx__operator_set_id_proto__init(&f->opset);
    f->opset.has_version = 1;
    f->opset.version = 13;
    f->opsets[0] = &f->opset;
    onnx__model_proto__init(&f->model);
    f->model.has_ir_version = 1;
    f->model.ir_version = 8;
    f->model.opset_import = f->opsets;
    f->model.n_opset_import = 1;
    f->model.graph = &f->graph;
    onnx__sparse_tensor_proto__init(&f->sparse);
    f->sparse_list[0] = &f->sparse;
    onnx__function_proto__init(&f->function);
    f->functions[0] = &f->function;
}

static uint8_t *pack(const fixture *f, size_t *size) {
    *size = onnx__model_proto__get_packed_size(&f->model);
    uint8_t *bytes = malloc(*size);
    assert_non_null(bytes);
    onnx__model_proto__pack(&f->model, bytes);
    return bytes;
}

static tmc_status import_bytes(const uint8_t *bytes, size_t size, const char *folder, tmc_error *err) {
    ir_graph *graph = (ir_graph *)&graph; /* anything but NULL */
    tmc_error_init(err);
    tmc_status status = onnx_import_memory(bytes, size, folder, NULL, &graph, err);
    assert_int_equal(err->status, status);
    if (status == TMC_OK)
        assert_non_null(graph);
    else
        assert_null(graph);
    ir_graph_free(graph);
    return status;
}

static void expect(const char *name, tmc_status got, tmc_status want, const tmc_error *err) {
    if (got != want)
        fail_msg("%s: %s, expected %s (%s)", name, tmc_status_name(got), tmc_status_name(want), err->message);
}

/* -------------------------------------------------------------------------------------------- one change each */

static Onnx__AttributeProto *add_attribute(fixture *f, const char *name, int type) {
    Onnx__AttributeProto *a = &f->attributes[f->conv.n_attribute++];
    a->name = (char *)name;
    a->has_type = 1;
    a->type = (Onnx__AttributeProto__AttributeType)type;
    return a;
}

static Onnx__AttributeProto *add_ints(fixture *f, const char *name, size_t count, int64_t value) {
    Onnx__AttributeProto *a = add_attribute(f, name, ATTRIBUTE(INTS));
    for (size_t i = 0; i < count; i++) f->ints[i] = value;
    a->ints = f->ints;
    a->n_ints = count;
    return a;
}

static Onnx__AttributeProto *add_text(fixture *f, const char *name, const char *text) {
    Onnx__AttributeProto *a = add_attribute(f, name, ATTRIBUTE(STRING));
    a->has_s = 1;
    a->s.data = (uint8_t *)text;
    a->s.len = strlen(text);
    return a;
}

static void unchanged(fixture *f) { (void)f; }
static void no_ir_version(fixture *f) { f->model.has_ir_version = 0; }
static void ir_version_1(fixture *f) { f->model.ir_version = 1; }
static void ir_version_99(fixture *f) { f->model.ir_version = 99; }
static void no_graph(fixture *f) { f->model.graph = NULL; }
static void no_opset(fixture *f) { f->model.n_opset_import = 0; }
static void opset_0(fixture *f) { f->opset.version = 0; }
static void opset_6(fixture *f) { f->opset.version = 6; }
static void opset_22(fixture *f) { f->opset.version = 22; }
static void opset_huge(fixture *f) { f->opset.version = 1000000000; }
static void opset_negative(fixture *f) { f->opset.version = INT64_MIN; }
static void opset_other_domain(fixture *f) { f->opset.domain = "com.example"; }
static void opset_twice(fixture *f) {
    f->opsets[1] = &f->opset;
    f->model.n_opset_import = 2;
}
static void with_function(fixture *f) {
    f->model.functions = f->functions;
    f->model.n_functions = 1;
}
static void foreign_domain(fixture *f) { f->conv.domain = "com.microsoft"; }
static void unknown_operator(fixture *f) { f->conv.op_type = "Loop"; }
static void no_operator(fixture *f) { f->conv.op_type = NULL; }
static void too_new_operator(fixture *f) { f->conv.op_type = "Mish"; }

static void no_dims_data(fixture *f) { f->w.has_raw_data = 0; }
static void raw_too_short(fixture *f) { f->w.raw_data.len -= 1; }
static void raw_too_long(fixture *f) { f->w_dims[3] = 1; }
static void raw_and_typed(fixture *f) {
    f->w.float_data = f->w_data;
    f->w.n_float_data = 9;
}
static void wrong_typed(fixture *f) { f->b.data_type = DATA_TYPE(INT64); }
static void typed_too_short(fixture *f) { f->b_dims[0] = 2; }
static void typed_gigabytes(fixture *f) { f->b_dims[0] = 500000000; }
static void negative_dim(fixture *f) { f->w_dims[2] = -3; }
static void huge_dims(fixture *f) { f->w_dims[0] = f->w_dims[1] = INT64_C(1) << 62; }
static void no_data_type(fixture *f) { f->w.has_data_type = 0; }
static void unknown_data_type(fixture *f) { f->w.data_type = 77; }
static void half_weights(fixture *f) { f->w.data_type = DATA_TYPE(FLOAT16); }
static void string_weights(fixture *f) { f->w.data_type = DATA_TYPE(STRING); }
static void bool_of_two(fixture *f) {
    static uint8_t two[1] = {2};
    f->b.data_type = DATA_TYPE(BOOL);
    f->b.n_float_data = 0;
    f->b.has_raw_data = 1;
    f->b.raw_data = (ProtobufCBinaryData){1, two};
}
static void sparse_initializer(fixture *f) {
    f->graph.sparse_initializer = f->sparse_list;
    f->graph.n_sparse_initializer = 1;
}
static void stray_external(fixture *f) {
    f->external[0].key = "location";
    f->external[0].value = "w.bin";
    f->w.external_data = f->external_list;
    f->w.n_external_data = 1;
}

static void output_twice(fixture *f) { f->add_outputs[0] = "y"; }
static void shadows_initializer(fixture *f) { f->conv_outputs[0] = "b"; }
static void initializer_twice(fixture *f) { f->b.name = "w"; }
static void initializer_unnamed(fixture *f) { f->b.name = NULL; }
static void input_twice(fixture *f) {
    f->inputs[1] = &f->x;
    f->graph.n_input = 2;
}
static void input_unnamed(fixture *f) { f->x.name = ""; }
static void graph_output_twice(fixture *f) {
    f->outputs[1] = &f->z;
    f->graph.n_output = 2;
}
static void graph_output_unknown(fixture *f) { f->z.name = "nothing"; }
static void no_outputs(fixture *f) { f->graph.n_output = 0; }
static void reads_unknown(fixture *f) { f->add_inputs[1] = "nothing"; }
static void wrong_order(fixture *f) {
    f->nodes[0] = &f->add;
    f->nodes[1] = &f->conv;
}
static void self_loop(fixture *f) { f->conv_inputs[0] = "y"; }
static void too_few_inputs(fixture *f) { f->conv.n_input = 1; }
static void weights_are_input_too(fixture *f) {
    static Onnx__ValueInfoProto info;
    info = f->x;
    info.name = "w";
    f->inputs[1] = &info;
    f->graph.n_input = 2;
}

static void attribute_twice(fixture *f) {
    add_ints(f, "strides", 2, 1);
    add_ints(f, "strides", 2, 1);
}
static void attribute_untyped(fixture *f) { add_ints(f, "strides", 2, 1)->has_type = 0; }
static void attribute_unnamed(fixture *f) { add_ints(f, NULL, 2, 1); }
static void attribute_wrong_type(fixture *f) { add_attribute(f, "strides", ATTRIBUTE(INT)); }
static void attribute_contradiction(fixture *f) { add_ints(f, "strides", 2, 1)->has_f = 1; }
static void attribute_reference(fixture *f) { add_ints(f, "strides", 2, 1)->ref_attr_name = "other"; }
static void attribute_unknown(fixture *f) { add_ints(f, "wings", 2, 1); }
static void attribute_nul(fixture *f) { add_text(f, "auto_pad", "VALID")->s.len = 6; }
static void attribute_too_long(fixture *f) {
    static int64_t many[65];
    Onnx__AttributeProto *a = add_ints(f, "strides", 1, 1);
    a->ints = many;
    a->n_ints = 65;
}
static void attribute_million(fixture *f) {
    Onnx__AttributeProto *a = add_ints(f, "strides", 1, 1);
    a->ints = calloc(1000001, sizeof *a->ints); /* freed by the loop over the cases */
    assert_non_null(a->ints);
    a->n_ints = 1000001;
}
static void two_paddings(fixture *f) {
    add_text(f, "auto_pad", "SAME_UPPER");
    add_ints(f, "pads", 4, 1);
}
static void unknown_padding(fixture *f) { add_text(f, "auto_pad", "SAME"); }
static void zero_stride(fixture *f) { add_ints(f, "strides", 2, 0); }
static void negative_dilation(fixture *f) { add_ints(f, "dilations", 2, -1); }
static void huge_stride(fixture *f) { add_ints(f, "strides", 2, INT64_MAX); }
static void huge_pads(fixture *f) { add_ints(f, "pads", 4, INT32_MAX); }
static void odd_pads(fixture *f) { add_ints(f, "pads", 3, 1); }
static void wrong_kernel(fixture *f) { add_ints(f, "kernel_shape", 2, 5); }
static void no_group(fixture *f) {
    Onnx__AttributeProto *a = add_attribute(f, "group", ATTRIBUTE(INT));
    a->has_i = 1;
    a->i = 0;
}

static void input_untyped(fixture *f) { f->x.type = NULL; }
static void input_double(fixture *f) { f->tensor_type.elem_type = DATA_TYPE(DOUBLE); }
static void input_shapeless(fixture *f) { f->tensor_type.shape = NULL; }
static void input_negative(fixture *f) { f->dims[2].dim_value = -4; }
static void input_zero(fixture *f) { f->dims[2].dim_value = 0; }
static void input_petabytes(fixture *f) {
    for (int i = 0; i < 4; i++) f->dims[i].dim_value = INT32_MAX;
}
static void input_symbolic(fixture *f) {
    f->dims[2].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    f->dims[2].dim_param = "height";
}
static void batch_symbolic(fixture *f) {
    f->dims[0].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    f->dims[0].dim_param = "N";
}
static void not_broadcastable(fixture *f) {
    static float three[3];
    f->b_dims[0] = 3;
    f->b.float_data = three;
    f->b.n_float_data = 3;
}

static const struct bad_case {
    const char *name;
    void (*change)(fixture *f);
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
};

static void test_changed_models(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_cases / sizeof *bad_cases; i++) {
        fixture f;
        size_t size;
        tmc_error err;
        init_fixture(&f);
        bad_cases[i].change(&f);
        uint8_t *bytes = pack(&f, &size);
        expect(bad_cases[i].name, import_bytes(bytes, size, NULL, &err), bad_cases[i].status, &err);
        if (bad_cases[i].change == attribute_million) free(f.attributes[0].ints);
        free(bytes);
    }
}

/* Pads of 2^31 - 1 may be a range or a size error, whichever check comes first, but not a success. */
static void test_huge_padding(void **state) {
    (void)state;
    fixture f;
    size_t size;
    tmc_error err;
    init_fixture(&f);
    huge_pads(&f);
    uint8_t *bytes = pack(&f, &size);
    assert_int_not_equal(import_bytes(bytes, size, NULL, &err), TMC_OK);
    free(bytes);
}

/* ------------------------------------------------------------------------------------------------------ raw bytes */

static const struct raw_case {
    const char *name, *bytes;
    size_t size;
    tmc_status status;
} raw_cases[] = {
    {"105 empty", "", 0, TMC_E_FORMAT},
    {"105 text", "hello world\n", 12, TMC_E_FORMAT},
    {"105 varint of 11 bytes", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, TMC_E_FORMAT},
    {"105 varint over 64 bits", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, TMC_E_FORMAT},
    {"105 varint cut off", "\x08\x80", 2, TMC_E_FORMAT},
    {"105 length past the end", "\x3a\x7f\x0a", 3, TMC_E_FORMAT},
    {"105 length of 2^63", "\x3a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, TMC_E_FORMAT},
    {"105 fixed64 cut off", "\x09\x01\x02", 3, TMC_E_FORMAT},
    {"105 fixed32 cut off", "\x0d\x01\x02", 3, TMC_E_FORMAT},
    {"105 field number 0", "\x00\x01", 2, TMC_E_FORMAT},
    {"105 wire type 7", "\x0f", 1, TMC_E_FORMAT},
    {"105 graph as a number", "\x08\x08\x38\x01", 4, TMC_E_FORMAT},
    {"105 graph twice", "\x08\x08\x3a\x00\x3a\x00", 6, TMC_E_FORMAT},
    {"106 group", "\x0b\x0c", 2, TMC_E_FORMAT},
    {"NUL in a name",
     "\x08\x08\x12\x03"
     "a\0b",
     7, TMC_E_FORMAT},
    {"name that is not UTF-8", "\x08\x08\x12\x02\xc3\x28", 6, TMC_E_FORMAT},
    {"name with a surrogate", "\x08\x08\x12\x03\xed\xa0\x80", 7, TMC_E_FORMAT},
    {"name in overlong form", "\x08\x08\x12\x02\xc0\x80", 6, TMC_E_FORMAT},
};

static void test_raw_bytes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof raw_cases / sizeof *raw_cases; i++) {
        tmc_error err;
        uint8_t *copy = malloc(raw_cases[i].size ? raw_cases[i].size : 1); /* so that a sanitizer sees an over-read */
        assert_non_null(copy);
        memcpy(copy, raw_cases[i].bytes, raw_cases[i].size);
        expect(raw_cases[i].name, import_bytes(copy, raw_cases[i].size, NULL, &err), raw_cases[i].status, &err);
        free(copy);
    }
}

static void test_every_truncation_fails(void **state) {
    (void)state;
    fixture f;
    size_t size;
    tmc_error err;
    init_fixture(&f);
    uint8_t *bytes = pack(&f, &size);
    for (size_t n = 0; n < size; n++) {
        uint8_t *cut = malloc(n ? n : 1);
        assert_non_null(cut);
        memcpy(cut, bytes, n);
        if (import_bytes(cut, n, NULL, &err) == TMC_OK) fail_msg("%zu of %zu bytes are accepted", n, size);
        free(cut);
    }
    free(bytes);
}

/* Any single wrong byte gives an answer: the sanitizers are the judge. */
static void test_every_byte_changed(void **state) {
    (void)state;
    static const uint8_t masks[] = {0x01, 0x80, 0xff};
    fixture f;
    size_t size;
    tmc_error err;
    init_fixture(&f);
    uint8_t *bytes = pack(&f, &size);
    for (size_t at = 0; at < size; at++)
        for (size_t m = 0; m < sizeof masks; m++) {
            bytes[at] ^= masks[m];
            import_bytes(bytes, size, NULL, &err);
            bytes[at] ^= masks[m];
        }
    free(bytes);
}

/* Type -> sequence -> element type -> ... `depth` levels deep, from the inside out. */
static void test_nesting(void **state) {
    (void)state;
    enum { DEPTH = 100000, HEAD = 6 };
    size_t capacity = (size_t)DEPTH * (2 * HEAD), at = capacity;
    uint8_t *bytes = malloc(capacity);
    tmc_error err;
    assert_non_null(bytes);
    for (int level = 0; level < DEPTH; level++) {
        static const uint8_t tags[2] = {0x0a, 0x22}; /* Sequence.elem_type, TypeProto.sequence_type */
        size_t length = capacity - at;
        uint8_t varint[HEAD];
        size_t n = 0;
        for (; length >= 0x80; length >>= 7) varint[n++] = (uint8_t)(length | 0x80);
        varint[n++] = (uint8_t)length;
        at -= n;
        memcpy(bytes + at, varint, n);
        bytes[--at] = tags[level & 1];
    }
    /* As a model's graph (7) the levels are not messages of the right type; as input (11) . type (2) they are. */
    static const uint8_t outer_tags[3] = {0x12, 0x5a, 0x3a};
    for (int i = 0; i < 3; i++) {
        size_t length = capacity - at, n = 0;
        uint8_t varint[HEAD];
        for (; length >= 0x80; length >>= 7) varint[n++] = (uint8_t)(length | 0x80);
        varint[n++] = (uint8_t)length;
        at -= n;
        memcpy(bytes + at, varint, n);
        bytes[--at] = outer_tags[i];
    }
    expect("106 nesting of 10^5", import_bytes(bytes + at, capacity - at, NULL, &err), TMC_E_LIMIT, &err);
    free(bytes);
}

/* -------------------------------------------------------------------------------------------------- external data */

typedef struct folder {
    char path[64];
    char outside[96];
} folder;

static void write_file(const char *folder_path, const char *name, size_t size) {
    static const uint8_t zeros[256];
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder_path, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(zeros, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void in_folder(const folder *f, const char *name, char *out, size_t size) {
    snprintf(out, size, "%s/model/%s", f->path, name);
}

static int make_folder(void **state) {
    folder *f = calloc(1, sizeof *f);
    char model[96], sub[128], a[128], b[128];
    if (!f) return -1;
    strcpy(f->path, "/tmp/tmcnn-onnx-XXXXXX");
    if (!mkdtemp(f->path)) return -1;
    snprintf(model, sizeof model, "%s/model", f->path);
    if (mkdir(model, 0700) != 0) return -1;
    in_folder(f, "sub", sub, sizeof sub);
    if (mkdir(sub, 0700) != 0) return -1;
    write_file(f->path, "outside.bin", 64);
    write_file(model, "w.bin", 64);
    write_file(sub, "w.bin", 64);
    in_folder(f, "link.bin", b, sizeof b);
    if (symlink("w.bin", b) != 0) return -1;
    in_folder(f, "linked", b, sizeof b);
    if (symlink("sub", b) != 0) return -1;
    write_file(model, "hard.bin", 64);
    in_folder(f, "hard.bin", a, sizeof a);
    in_folder(f, "hard2.bin", b, sizeof b);
    if (link(a, b) != 0) return -1;
    snprintf(f->outside, sizeof f->outside, "%s/outside.bin", f->path);
    *state = f;
    return 0;
}

static int remove_folder(void **state) {
    static const char *const names[] = {
        "model/w.bin",     "model/sub/w.bin", "model/link.bin", "model/linked", "model/hard.bin",
        "model/hard2.bin", "model/sub",       "model",          "outside.bin",  ""};
    folder *f = *state;
    char path[160];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", f->path, names[i]);
        if (remove(path) != 0) return -1;
    }
    free(f);
    return 0;
}

static const struct external_case {
    const char *location, *key, *value;
    tmc_status status;
} external_cases[] = {
    {"w.bin", NULL, NULL, TMC_OK},
    {"sub/w.bin", "offset", "28", TMC_OK},
    {"w.bin", "length", "36", TMC_OK},
    {"../outside.bin", NULL, NULL, TMC_E_AUTH},
    {"sub/../../outside.bin", NULL, NULL, TMC_E_AUTH},
    {"sub/../w.bin", NULL, NULL, TMC_E_AUTH},
    {"/etc/passwd", NULL, NULL, TMC_E_AUTH},
    {"C:w.bin", NULL, NULL, TMC_E_AUTH},
    {"sub\\w.bin", NULL, NULL, TMC_E_AUTH},
    {"link.bin", NULL, NULL, TMC_E_AUTH},
    {"linked/w.bin", NULL, NULL, TMC_E_AUTH},
    {"hard.bin", NULL, NULL, TMC_E_AUTH},
    {"sub", NULL, NULL, TMC_E_AUTH},
    {"missing.bin", NULL, NULL, TMC_E_IO},
    {"", NULL, NULL, TMC_E_FORMAT},
    {"*/_ORT_MEM_ADDR_/*", NULL, NULL, TMC_E_FORMAT},
    {"w.bin", "offset", "-1", TMC_E_RANGE},
    {"w.bin", "offset", "29", TMC_E_RANGE},
    {"w.bin", "offset", "18446744073709551615", TMC_E_RANGE},
    {"w.bin", "offset", "99999999999999999999999", TMC_E_RANGE},
    {"w.bin", "offset", "0x10", TMC_E_FORMAT},
    {"w.bin", "offset", "", TMC_E_FORMAT},
    {"w.bin", "length", "1125899906842624", TMC_E_RANGE},
    {"w.bin", "length", "-36", TMC_E_RANGE},
    {"w.bin", "length", "35", TMC_E_FORMAT},
    {"w.bin", "location", "w.bin", TMC_E_FORMAT},
    {"w.bin", "address", "0x1234", TMC_E_FORMAT},
};

static tmc_status import_external(const struct external_case *c, const char *base, tmc_error *err) {
    fixture f;
    size_t size;
    init_fixture(&f);
    f.w.has_raw_data = 0;
    f.w.has_data_location = 1;
    f.w.data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    f.w.external_data = f.external_list;
    f.w.n_external_data = c->key ? 2 : 1;
    f.external[0].key = "location";
    f.external[0].value = (char *)c->location;
    f.external[1].key = (char *)c->key;
    f.external[1].value = (char *)c->value;
    uint8_t *bytes = pack(&f, &size);
    tmc_status status = import_bytes(bytes, size, base, err);
    free(bytes);
    return status;
}

static void test_external_data(void **state) {
    const folder *f = *state;
    char base[96], label[160];
    tmc_error err;
    snprintf(base, sizeof base, "%s/model", f->path);
    for (size_t i = 0; i < sizeof external_cases / sizeof *external_cases; i++) {
        const struct external_case *c = &external_cases[i];
        snprintf(label, sizeof label, "107-109 location '%s' %s '%s'", c->location, c->key ? c->key : "",
                 c->value ? c->value : "");
        expect(label, import_external(c, base, &err), c->status, &err);
    }
    const struct external_case absolute = {f->outside, NULL, NULL, TMC_E_AUTH};
    expect("107 absolute", import_external(&absolute, base, &err), TMC_E_AUTH, &err);
    expect("107 no folder", import_external(&external_cases[0], NULL, &err), TMC_E_AUTH, &err);
}

/* --------------------------------------------------------------------------------------------------------- report */

typedef struct lines {
    int count;
    char text[4][128];
} lines;

static void collect(void *user, const char *line) {
    lines *l = user;
    if (l->count < 4) snprintf(l->text[l->count], sizeof l->text[0], "%s", line);
    l->count++;
}

static void test_all_reasons_are_reported(void **state) {
    (void)state;
    fixture f;
    size_t size;
    lines got = {0};
    ir_graph *graph;
    tmc_error err;
    onnx_import_options options = {.report = collect, .report_user = &got};
    tmc_error_init(&err);
    init_fixture(&f);
    add_ints(&f, "wings", 2, 1);
    f.add.op_type = "Einsum";
    uint8_t *bytes = pack(&f, &size);
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
        fixture f;
        size_t size;
        ir_graph *graph;
        tmc_error err;
        onnx_import_options options = {.shapes = &cases[i].shape, .shape_count = 1};
        tmc_error_init(&err);
        init_fixture(&f);
        input_symbolic(&f);
        uint8_t *bytes = pack(&f, &size);
        expect("shape", onnx_import_memory(bytes, size, NULL, &options, &graph, &err), cases[i].status, &err);
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
        cmocka_unit_test(test_raw_bytes),
        cmocka_unit_test(test_every_truncation_fails),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test_setup_teardown(test_external_data, make_folder, remove_folder),
        cmocka_unit_test(test_all_reasons_are_reported),
        cmocka_unit_test(test_shape_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
