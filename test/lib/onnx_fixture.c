#include "lib/onnx_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void init_conv(onnx_fixture *f) {
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

static void init_add(onnx_fixture *f) {
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

static void init_tensors(onnx_fixture *f) {
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

static void init_values(onnx_fixture *f) {
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

void onnx_fixture_init(onnx_fixture *f) {
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

uint8_t *onnx_fixture_pack(const onnx_fixture *f, size_t *size) {
    *size = onnx__model_proto__get_packed_size(&f->model);
    uint8_t *bytes = malloc(*size);
    assert_non_null(bytes);
    onnx__model_proto__pack(&f->model, bytes);
    return bytes;
}

tmc_status onnx_fixture_import(const uint8_t *bytes, size_t size, const char *folder, tmc_error *err) {
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

void onnx_fixture_expect(const char *name, tmc_status got, tmc_status want, const tmc_error *err) {
    if (got != want)
        fail_msg("%s: %s, expected %s (%s)", name, tmc_status_name(got), tmc_status_name(want), err->message);
}

Onnx__AttributeProto *onnx_fixture_attribute(onnx_fixture *f, const char *name, int type) {
    Onnx__AttributeProto *a = &f->attributes[f->conv.n_attribute++];
    a->name = (char *)name;
    a->has_type = 1;
    a->type = (Onnx__AttributeProto__AttributeType)type;
    return a;
}

Onnx__AttributeProto *onnx_fixture_ints(onnx_fixture *f, const char *name, size_t count, int64_t value) {
    Onnx__AttributeProto *a = onnx_fixture_attribute(f, name, ATTRIBUTE(INTS));
    for (size_t i = 0; i < count; i++) f->ints[i] = value;
    a->ints = f->ints;
    a->n_ints = count;
    return a;
}

Onnx__AttributeProto *onnx_fixture_text(onnx_fixture *f, const char *name, const char *text) {
    Onnx__AttributeProto *a = onnx_fixture_attribute(f, name, ATTRIBUTE(STRING));
    a->has_s = 1;
    a->s.data = (uint8_t *)text;
    a->s.len = strlen(text);
    return a;
}
