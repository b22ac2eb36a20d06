/* The operators of ONNX that we know, with the opsets that have them. docs/onnx.md is this table in words. */
#include <string.h>

#include "convert/onnx/lower.h"

#define LAST ONNX_MAX_OPSET

static const onnx_operator operators[] = {
    {"Abs", 6, LAST, onnx_lower_unary, TMC_UNARY_ABS},
    {"Add", 7, LAST, onnx_lower_binary, TMC_BINARY_ADD},
    {"And", 7, LAST, onnx_lower_binary, TMC_BINARY_AND},
    {"ArgMax", 1, LAST, onnx_lower_arg, TMC_OP_ARG_MAX},
    {"ArgMin", 1, LAST, onnx_lower_arg, TMC_OP_ARG_MIN},
    {"AveragePool", 7, LAST, onnx_lower_average_pool, 0},
    {"BatchNormalization", 7, LAST, onnx_lower_batch_norm, 0},
    {"Cast", 6, LAST, onnx_lower_cast, 0},
    {"CastLike", 15, LAST, onnx_lower_cast_like, 0},
    {"Ceil", 6, LAST, onnx_lower_unary, TMC_UNARY_CEIL},
    {"Celu", 12, LAST, onnx_lower_unary_alpha, TMC_UNARY_CELU},
    {"Clip", 6, LAST, onnx_lower_clip, 0},
    {"Concat", 4, LAST, onnx_lower_concat, 0},
    {"Constant", 1, LAST, onnx_lower_constant, 0},
    {"ConstantOfShape", 9, LAST, onnx_lower_constant_of_shape, 0},
    {"Conv", 1, LAST, onnx_lower_conv, 0},
    {"ConvInteger", 10, LAST, onnx_lower_conv_integer, 0},
    {"ConvTranspose", 1, LAST, onnx_lower_conv_transpose, 0},
    {"DepthToSpace", 1, LAST, onnx_lower_depth_to_space, 0},
    {"DequantizeLinear", 10, LAST, onnx_lower_dequantize_linear, 0},
    {"Div", 7, LAST, onnx_lower_binary, TMC_BINARY_DIV},
    {"Dropout", 7, LAST, onnx_lower_dropout, 0},
    {"DynamicQuantizeLinear", 11, LAST, onnx_lower_dynamic_quantize, 0},
    {"Elu", 6, LAST, onnx_lower_unary_alpha, TMC_UNARY_ELU},
    {"Equal", 7, LAST, onnx_lower_binary, TMC_BINARY_EQUAL},
    {"Erf", 9, LAST, onnx_lower_unary, TMC_UNARY_ERF},
    {"Exp", 6, LAST, onnx_lower_unary, TMC_UNARY_EXP},
    {"Expand", 8, LAST, onnx_lower_expand, 0},
    {"EyeLike", 9, LAST, onnx_lower_eye_like, 0},
    {"Flatten", 1, LAST, onnx_lower_flatten, 0},
    {"Floor", 6, LAST, onnx_lower_unary, TMC_UNARY_FLOOR},
    {"Gather", 1, LAST, onnx_lower_gather, 0},
    {"Gelu", 20, LAST, onnx_lower_gelu, 0},
    {"Gemm", 7, LAST, onnx_lower_gemm, 0},
    {"GlobalAveragePool", 1, LAST, onnx_lower_global_pool, TMC_REDUCE_MEAN},
    {"GlobalLpPool", 2, LAST, onnx_lower_global_lp_pool, 0},
    {"GlobalMaxPool", 1, LAST, onnx_lower_global_pool, TMC_REDUCE_MAX},
    {"Greater", 7, LAST, onnx_lower_binary, TMC_BINARY_GREATER},
    {"GreaterOrEqual", 12, LAST, onnx_lower_binary, TMC_BINARY_GREATER_EQUAL},
    {"GroupNormalization", 18, LAST, onnx_lower_group_norm, 0},
    {"HardSigmoid", 6, LAST, onnx_lower_hard_sigmoid, 0},
    {"HardSwish", 14, LAST, onnx_lower_unary, TMC_UNARY_HARD_SWISH},
    {"Identity", 1, LAST, onnx_lower_identity, 0},
    {"InstanceNormalization", 6, LAST, onnx_lower_instance_norm, 0},
    {"LRN", 1, LAST, onnx_lower_lrn, 0},
    {"LayerNormalization", 17, LAST, onnx_lower_layer_norm, 0},
    {"LeakyRelu", 6, LAST, onnx_lower_unary_alpha, TMC_UNARY_LEAKY_RELU},
    {"Less", 7, LAST, onnx_lower_binary, TMC_BINARY_LESS},
    {"LessOrEqual", 12, LAST, onnx_lower_binary, TMC_BINARY_LESS_EQUAL},
    {"Log", 6, LAST, onnx_lower_unary, TMC_UNARY_LOG},
    {"LogSoftmax", 1, LAST, onnx_lower_softmax, 1},
    {"LpPool", 2, LAST, onnx_lower_lp_pool, 0},
    {"MatMul", 1, LAST, onnx_lower_matmul, 0},
    {"MatMulInteger", 10, LAST, onnx_lower_matmul_integer, 0},
    {"Max", 6, LAST, onnx_lower_variadic, TMC_BINARY_MAX},
    {"MaxPool", 1, LAST, onnx_lower_max_pool, 0},
    {"Mean", 6, LAST, onnx_lower_variadic, 0},
    {"Min", 6, LAST, onnx_lower_variadic, TMC_BINARY_MIN},
    {"Mish", 18, LAST, onnx_lower_unary, TMC_UNARY_MISH},
    {"Mod", 10, LAST, onnx_lower_mod, 0},
    {"Mul", 7, LAST, onnx_lower_binary, TMC_BINARY_MUL},
    {"Neg", 6, LAST, onnx_lower_unary, TMC_UNARY_NEG},
    {"Not", 1, LAST, onnx_lower_unary, TMC_UNARY_NOT},
    {"Or", 7, LAST, onnx_lower_binary, TMC_BINARY_OR},
    {"PRelu", 7, LAST, onnx_lower_prelu, 0},
    {"Pad", 2, LAST, onnx_lower_pad, 0},
    {"Pow", 7, LAST, onnx_lower_pow, 0},
    {"QLinearConv", 10, LAST, onnx_lower_qlinear_conv, 0},
    {"QLinearMatMul", 10, LAST, onnx_lower_qlinear_matmul, 0},
    {"QuantizeLinear", 10, LAST, onnx_lower_quantize_linear, 0},
    {"Range", 11, LAST, onnx_lower_range, 0},
    {"Reciprocal", 6, LAST, onnx_lower_unary, TMC_UNARY_RECIPROCAL},
    {"ReduceL1", 1, LAST, onnx_lower_reduce, TMC_REDUCE_L1},
    {"ReduceL2", 1, LAST, onnx_lower_reduce, TMC_REDUCE_L2},
    {"ReduceLogSum", 1, LAST, onnx_lower_reduce, TMC_REDUCE_LOG_SUM},
    {"ReduceLogSumExp", 1, LAST, onnx_lower_reduce, TMC_REDUCE_LOG_SUM_EXP},
    {"ReduceMax", 1, LAST, onnx_lower_reduce, TMC_REDUCE_MAX},
    {"ReduceMean", 1, LAST, onnx_lower_reduce, TMC_REDUCE_MEAN},
    {"ReduceMin", 1, LAST, onnx_lower_reduce, TMC_REDUCE_MIN},
    {"ReduceProd", 1, LAST, onnx_lower_reduce, TMC_REDUCE_PROD},
    {"ReduceSum", 1, LAST, onnx_lower_reduce, TMC_REDUCE_SUM},
    {"ReduceSumSquare", 1, LAST, onnx_lower_reduce, TMC_REDUCE_SUM_SQUARE},
    {"Relu", 6, LAST, onnx_lower_relu, 0},
    {"Reshape", 5, LAST, onnx_lower_reshape, 0},
    {"Resize", 10, LAST, onnx_lower_resize, 0},
    {"Round", 11, LAST, onnx_lower_unary, TMC_UNARY_ROUND},
    {"Selu", 6, LAST, onnx_lower_selu, 0},
    {"Shape", 1, LAST, onnx_lower_shape, 0},
    {"Sigmoid", 6, LAST, onnx_lower_unary, TMC_UNARY_SIGMOID},
    {"Sign", 9, LAST, onnx_lower_unary, TMC_UNARY_SIGN},
    {"Size", 1, LAST, onnx_lower_size, 0},
    {"Slice", 1, LAST, onnx_lower_slice, 0},
    {"Softmax", 1, LAST, onnx_lower_softmax, 0},
    {"Softplus", 1, LAST, onnx_lower_unary, TMC_UNARY_SOFTPLUS},
    {"Softsign", 1, LAST, onnx_lower_unary, TMC_UNARY_SOFTSIGN},
    {"SpaceToDepth", 1, LAST, onnx_lower_space_to_depth, 0},
    {"Split", 2, LAST, onnx_lower_split, 0},
    {"Sqrt", 6, LAST, onnx_lower_unary, TMC_UNARY_SQRT},
    {"Squeeze", 1, LAST, onnx_lower_squeeze, 0},
    {"Sub", 7, LAST, onnx_lower_binary, TMC_BINARY_SUB},
    {"Sum", 6, LAST, onnx_lower_variadic, TMC_BINARY_ADD},
    {"Tanh", 6, LAST, onnx_lower_unary, TMC_UNARY_TANH},
    {"ThresholdedRelu", 10, LAST, onnx_lower_unary_alpha, TMC_UNARY_THRESHOLDED_RELU},
    {"Tile", 6, LAST, onnx_lower_tile, 0},
    {"Transpose", 1, LAST, onnx_lower_transpose, 0},
    {"Unsqueeze", 1, LAST, onnx_lower_unsqueeze, 0},
    {"Upsample", 7, 9, onnx_lower_upsample, 0},
    {"Where", 9, LAST, onnx_lower_where, 0},
    {"Xor", 7, LAST, onnx_lower_binary, TMC_BINARY_XOR},
};

/* Of domain com.microsoft, whatever the version. */
static const onnx_operator microsoft_operators[] = {
    {"DequantizeLinear", 1, LAST, onnx_lower_dequantize_linear, 0},
    {"QGemm", 1, LAST, onnx_lower_qgemm, 0},
    {"QLinearAdd", 1, LAST, onnx_lower_qlinear_binary, TMC_BINARY_ADD},
    {"QLinearAveragePool", 1, LAST, onnx_lower_qlinear_average_pool, 0},
    {"QLinearConcat", 1, LAST, onnx_lower_qlinear_concat, 0},
    {"QLinearGlobalAveragePool", 1, LAST, onnx_lower_qlinear_global_pool, TMC_REDUCE_MEAN},
    {"QLinearLeakyRelu", 1, LAST, onnx_lower_qlinear_leaky_relu, TMC_UNARY_LEAKY_RELU},
    {"QLinearMul", 1, LAST, onnx_lower_qlinear_binary, TMC_BINARY_MUL},
    {"QLinearSigmoid", 1, LAST, onnx_lower_qlinear_sigmoid, TMC_UNARY_SIGMOID},
    {"QuantizeLinear", 1, LAST, onnx_lower_quantize_linear, 0},
};

static const onnx_operator *find(const onnx_operator *table, size_t count, const char *op_type) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, op_type) == 0) return &table[i];
    return NULL;
}

const onnx_operator *onnx_find_operator(const char *op_type, bool microsoft) {
    if (microsoft) return find(microsoft_operators, sizeof microsoft_operators / sizeof *microsoft_operators, op_type);
    return find(operators, sizeof operators / sizeof *operators, op_type);
}

bool onnx_operator_moves(const onnx_operator *op) {
    static const onnx_lower_fn moving[] = {onnx_lower_concat,    onnx_lower_depth_to_space, onnx_lower_dropout,
                                           onnx_lower_expand,    onnx_lower_flatten,        onnx_lower_gather,
                                           onnx_lower_identity,  onnx_lower_max_pool,       onnx_lower_reshape,
                                           onnx_lower_shape,     onnx_lower_size,           onnx_lower_slice,
                                           onnx_lower_split,     onnx_lower_squeeze,        onnx_lower_tile,
                                           onnx_lower_transpose, onnx_lower_unsqueeze,      onnx_lower_space_to_depth};
    for (size_t i = 0; i < sizeof moving / sizeof *moving; i++)
        if (op->lower == moving[i]) return true;
    return false;
}
