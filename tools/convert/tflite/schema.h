/* The part of TFLite's schema that the importer reads: ids of fields (slots), enumerations and union members. Numbers
 * are those of schema.fbs, version 3; they never change there. */
#ifndef TMC_CONVERT_TFLITE_SCHEMA_H
#define TMC_CONVERT_TFLITE_SCHEMA_H

#define TFLITE_IDENTIFIER "TFL3"
#define TFLITE_VERSION 3

enum { MODEL_VERSION, MODEL_OPERATOR_CODES, MODEL_SUBGRAPHS, MODEL_DESCRIPTION, MODEL_BUFFERS };
enum { MODEL_EXTERNAL_BUFFERS = 9 };
enum { CODE_DEPRECATED_BUILTIN, CODE_CUSTOM, CODE_VERSION, CODE_BUILTIN };
enum { SUBGRAPH_TENSORS, SUBGRAPH_INPUTS, SUBGRAPH_OUTPUTS, SUBGRAPH_OPERATORS, SUBGRAPH_NAME };
enum {
    TENSOR_SHAPE,
    TENSOR_TYPE,
    TENSOR_BUFFER,
    TENSOR_NAME,
    TENSOR_QUANTIZATION,
    TENSOR_IS_VARIABLE,
    TENSOR_SPARSITY,
    TENSOR_SHAPE_SIGNATURE,
    TENSOR_HAS_RANK,
    TENSOR_VARIANT_TENSORS,
    TENSOR_EXTERNAL_BUFFER
};
enum { QUANTIZATION_SCALE = 2, QUANTIZATION_ZERO_POINT, QUANTIZATION_DETAILS_TYPE, QUANTIZATION_DIMENSION = 6 };
enum {
    OPERATOR_CODE,
    OPERATOR_INPUTS,
    OPERATOR_OUTPUTS,
    OPERATOR_OPTIONS_TYPE,
    OPERATOR_OPTIONS,
    OPERATOR_MUTATING = 7
};
enum { BUFFER_DATA, BUFFER_OFFSET, BUFFER_SIZE };

/* X(value, NAME, name, our type or 0, bits of an element or 0) */
#define TFLITE_TYPE_LIST(X)                                                                                            \
    X(0, FLOAT32, float32, TMC_F32, 32)                                                                                \
    X(1, FLOAT16, float16, 0, 16)                                                                                      \
    X(2, INT32, int32, TMC_I32, 32)                                                                                    \
    X(3, UINT8, uint8, TMC_U8, 8)                                                                                      \
    X(4, INT64, int64, TMC_I64, 64)                                                                                    \
    X(5, STRING, string, 0, 0)                                                                                         \
    X(6, BOOL, bool, TMC_BOOL, 8)                                                                                      \
    X(7, INT16, int16, 0, 16)                                                                                          \
    X(8, COMPLEX64, complex64, 0, 64)                                                                                  \
    X(9, INT8, int8, TMC_I8, 8)                                                                                        \
    X(10, FLOAT64, float64, 0, 64)                                                                                     \
    X(11, COMPLEX128, complex128, 0, 128)                                                                              \
    X(12, UINT64, uint64, 0, 64)                                                                                       \
    X(13, RESOURCE, resource, 0, 0)                                                                                    \
    X(14, VARIANT, variant, 0, 0)                                                                                      \
    X(15, UINT32, uint32, 0, 32)                                                                                       \
    X(16, UINT16, uint16, 0, 16)                                                                                       \
    X(17, INT4, int4, 0, 4)                                                                                            \
    X(18, BFLOAT16, bfloat16, 0, 16)                                                                                   \
    X(19, INT2, int2, 0, 2)                                                                                            \
    X(20, UINT4, uint4, 0, 4)

typedef enum tflite_type {
#define X(value, NAME, name, type, bits) TFLITE_##NAME = value,
    TFLITE_TYPE_LIST(X)
#undef X
} tflite_type;

typedef enum tflite_activation {
    TFLITE_ACT_NONE,
    TFLITE_ACT_RELU,
    TFLITE_ACT_RELU_N1_TO_1,
    TFLITE_ACT_RELU6
} tflite_activation;

enum { TFLITE_PADDING_SAME, TFLITE_PADDING_VALID };
enum { TFLITE_MIRROR_REFLECT, TFLITE_MIRROR_SYMMETRIC };
enum { TFLITE_QUANTIZATION_NONE }; /* of QuantizationDetails */

/* Members of the union BuiltinOptions that are read. */
typedef enum tflite_options {
    OPTIONS_NONE = 0,
    OPTIONS_CONV_2D = 1,
    OPTIONS_DEPTHWISE_CONV_2D = 2,
    OPTIONS_POOL_2D = 5,
    OPTIONS_FULLY_CONNECTED = 8,
    OPTIONS_SOFTMAX = 9,
    OPTIONS_CONCATENATION = 10,
    OPTIONS_ADD = 11,
    OPTIONS_L2_NORM = 12,
    OPTIONS_LRN = 13,
    OPTIONS_RESIZE_BILINEAR = 15,
    OPTIONS_RESHAPE = 17,
    OPTIONS_SPACE_TO_DEPTH = 19,
    OPTIONS_MUL = 21,
    OPTIONS_GATHER = 23,
    OPTIONS_REDUCER = 27,
    OPTIONS_SUB = 28,
    OPTIONS_DIV = 29,
    OPTIONS_SQUEEZE = 30,
    OPTIONS_STRIDED_SLICE = 32,
    OPTIONS_TRANSPOSE_CONV = 49,
    OPTIONS_PACK = 59,
    OPTIONS_UNPACK = 64,
    OPTIONS_RESIZE_NEAREST = 74,
    OPTIONS_LEAKY_RELU = 75,
    OPTIONS_MIRROR_PAD = 77,
    OPTIONS_DEPTH_TO_SPACE = 94,
    OPTIONS_BATCH_MATMUL = 101,
    OPTIONS_GELU = 116
} tflite_options;

/* Fields of these tables. */
enum { CONV_PADDING, CONV_STRIDE_W, CONV_STRIDE_H, CONV_ACTIVATION, CONV_DILATION_W, CONV_DILATION_H };
enum {
    DEPTHWISE_PADDING,
    DEPTHWISE_STRIDE_W,
    DEPTHWISE_STRIDE_H,
    DEPTHWISE_MULTIPLIER,
    DEPTHWISE_ACTIVATION,
    DEPTHWISE_DILATION_W,
    DEPTHWISE_DILATION_H
};
enum { POOL_PADDING, POOL_STRIDE_W, POOL_STRIDE_H, POOL_FILTER_W, POOL_FILTER_H, POOL_ACTIVATION };
enum { DENSE_ACTIVATION, DENSE_WEIGHTS_FORMAT, DENSE_KEEP_DIMS };
enum { TRANSPOSE_CONV_PADDING, TRANSPOSE_CONV_STRIDE_W, TRANSPOSE_CONV_STRIDE_H, TRANSPOSE_CONV_ACTIVATION };
enum { SOFTMAX_BETA };
enum { CONCAT_AXIS, CONCAT_ACTIVATION };
enum { BINARY_ACTIVATION };
enum { L2_NORM_ACTIVATION };
enum { LRN_RADIUS, LRN_BIAS, LRN_ALPHA, LRN_BETA };
enum { BILINEAR_ALIGN_CORNERS = 2, BILINEAR_HALF_PIXEL };
enum { NEAREST_ALIGN_CORNERS, NEAREST_HALF_PIXEL };
enum { RESHAPE_NEW_SHAPE };
enum { BLOCK_SIZE }; /* of SpaceToDepth and DepthToSpace */
enum { GATHER_AXIS, GATHER_BATCH_DIMS };
enum { REDUCER_KEEP_DIMS };
enum { SQUEEZE_DIMS };
enum { SLICE_BEGIN_MASK, SLICE_END_MASK, SLICE_ELLIPSIS_MASK, SLICE_NEW_AXIS_MASK, SLICE_SHRINK_MASK, SLICE_OFFSET };
enum { PACK_COUNT, PACK_AXIS };
enum { UNPACK_COUNT, UNPACK_AXIS };
enum { LEAKY_ALPHA };
enum { MIRROR_PAD_MODE };
enum { BATCH_MATMUL_ADJ_X, BATCH_MATMUL_ADJ_Y };
enum { GELU_APPROXIMATE };

#endif
