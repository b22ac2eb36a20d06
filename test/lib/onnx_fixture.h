/* A small good ONNX model whose every part is within reach, for tests that spoil one of them. */
#ifndef TMC_TEST_ONNX_FIXTURE_H
#define TMC_TEST_ONNX_FIXTURE_H

#include "convert/onnx/onnx_import.h"
#include "onnx/onnx.pb-c.h"

#define DATA_TYPE(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name
#define ATTRIBUTE(name) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##name

/* y = Conv(x [1,1,4,4], w [1,1,3,3]) then z = Add(y, b [1]), every part within reach of a case. */
typedef struct onnx_fixture {
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
} onnx_fixture;

void onnx_fixture_init(onnx_fixture *f);

/* Attributes of the convolution; at most three. */
Onnx__AttributeProto *onnx_fixture_attribute(onnx_fixture *f, const char *name, int type);
Onnx__AttributeProto *onnx_fixture_ints(onnx_fixture *f, const char *name, size_t count, int64_t value);
Onnx__AttributeProto *onnx_fixture_text(onnx_fixture *f, const char *name, const char *text);

/* The model's bytes, to be freed. */
uint8_t *onnx_fixture_pack(const onnx_fixture *f, size_t *size);

/* Imports and throws the graph away; checks that there is one exactly where the status is TMC_OK. */
tmc_status onnx_fixture_import(const uint8_t *bytes, size_t size, const char *folder, tmc_error *err);

void onnx_fixture_expect(const char *name, tmc_status got, tmc_status want, const tmc_error *err);

#endif
