/* The operators that we can lower, and the names of all. */
#include <stddef.h>

#include "convert/tflite/builtin_list.h"
#include "convert/tflite/lower.h"

#define NEEDED TFLITE_OPTIONS_NEEDED

/* By builtin code. `options` names the table that an operator reads; without it NEEDED ones have no meaning. */
static const tflite_builtin builtins[] = {
    {BUILTIN_ADD, OPTIONS_ADD, NEEDED, tflite_lower_binary, TMC_BINARY_ADD},
    {BUILTIN_AVERAGE_POOL_2D, OPTIONS_POOL_2D, NEEDED, tflite_lower_average_pool, 0},
    {BUILTIN_CONCATENATION, OPTIONS_CONCATENATION, NEEDED, tflite_lower_concat, 0},
    {BUILTIN_CONV_2D, OPTIONS_CONV_2D, NEEDED, tflite_lower_conv, 0},
    {BUILTIN_DEPTHWISE_CONV_2D, OPTIONS_DEPTHWISE_CONV_2D, NEEDED, tflite_lower_depthwise_conv, 0},
    {BUILTIN_DEPTH_TO_SPACE, OPTIONS_DEPTH_TO_SPACE, NEEDED, tflite_lower_depth_to_space, 0},
    {BUILTIN_DEQUANTIZE, OPTIONS_NONE, 0, tflite_lower_dequantize, 0},
    {BUILTIN_FLOOR, OPTIONS_NONE, 0, tflite_lower_unary, TMC_UNARY_FLOOR},
    {BUILTIN_FULLY_CONNECTED, OPTIONS_FULLY_CONNECTED, NEEDED, tflite_lower_fully_connected, 0},
    {BUILTIN_L2_NORMALIZATION, OPTIONS_L2_NORM, NEEDED, tflite_lower_l2_norm, 0},
    {BUILTIN_LOCAL_RESPONSE_NORMALIZATION, OPTIONS_LRN, NEEDED, tflite_lower_lrn, 0},
    {BUILTIN_LOGISTIC, OPTIONS_NONE, 0, tflite_lower_unary, TMC_UNARY_SIGMOID},
    {BUILTIN_MAX_POOL_2D, OPTIONS_POOL_2D, NEEDED, tflite_lower_max_pool, 0},
    {BUILTIN_MUL, OPTIONS_MUL, NEEDED, tflite_lower_binary, TMC_BINARY_MUL},
    {BUILTIN_RELU, OPTIONS_NONE, 0, tflite_lower_clamp, 0},
    {BUILTIN_RELU_N1_TO_1, OPTIONS_NONE, 0, tflite_lower_clamp, -1},
    {BUILTIN_RELU6, OPTIONS_NONE, 0, tflite_lower_clamp, 6},
    {BUILTIN_RESHAPE, OPTIONS_RESHAPE, 0, tflite_lower_reshape, 0},
    {BUILTIN_RESIZE_BILINEAR, OPTIONS_RESIZE_BILINEAR, NEEDED, tflite_lower_resize_bilinear, 0},
    {BUILTIN_SOFTMAX, OPTIONS_SOFTMAX, NEEDED, tflite_lower_softmax, 0},
    {BUILTIN_SPACE_TO_DEPTH, OPTIONS_SPACE_TO_DEPTH, NEEDED, tflite_lower_space_to_depth, 0},
    {BUILTIN_TANH, OPTIONS_NONE, 0, tflite_lower_unary, TMC_UNARY_TANH},
    {BUILTIN_PAD, OPTIONS_NONE, 0, tflite_lower_pad, 0},
    {BUILTIN_GATHER, OPTIONS_GATHER, NEEDED, tflite_lower_gather, 0},
    {BUILTIN_BATCH_TO_SPACE_ND, OPTIONS_NONE, 0, tflite_lower_batch_to_space, 0},
    {BUILTIN_SPACE_TO_BATCH_ND, OPTIONS_NONE, 0, tflite_lower_space_to_batch, 0},
    {BUILTIN_TRANSPOSE, OPTIONS_NONE, 0, tflite_lower_transpose, 0},
    {BUILTIN_MEAN, OPTIONS_REDUCER, NEEDED, tflite_lower_reduce, TMC_REDUCE_MEAN},
    {BUILTIN_SUB, OPTIONS_SUB, NEEDED, tflite_lower_binary, TMC_BINARY_SUB},
    {BUILTIN_DIV, OPTIONS_DIV, NEEDED, tflite_lower_binary, TMC_BINARY_DIV},
    {BUILTIN_SQUEEZE, OPTIONS_SQUEEZE, NEEDED, tflite_lower_squeeze, 0},
    {BUILTIN_STRIDED_SLICE, OPTIONS_STRIDED_SLICE, NEEDED, tflite_lower_strided_slice, 0},
    {BUILTIN_EXP, OPTIONS_NONE, 0, tflite_lower_unary, TMC_UNARY_EXP},
    {BUILTIN_SPLIT, OPTIONS_NONE, 0, tflite_lower_split, 0},
    {BUILTIN_LOG_SOFTMAX, OPTIONS_NONE, 0, tflite_lower_softmax, 1},
    {BUILTIN_CAST, OPTIONS_NONE, 0, tflite_lower_cast, 0},
    {BUILTIN_PRELU, OPTIONS_NONE, 0, tflite_lower_prelu, 0},
    {BUILTIN_MAXIMUM, OPTIONS_NONE, 0, tflite_lower_compare, TMC_BINARY_MAX},
    {BUILTIN_ARG_MAX, OPTIONS_NONE, 0, tflite_lower_arg, TMC_OP_ARG_MAX},
    {BUILTIN_MINIMUM, OPTIONS_NONE, 0, tflite_lower_compare, TMC_BINARY_MIN},
    {BUILTIN_LESS, OPTIONS_NONE, 0, tflite_lower_compare, TMC_BINARY_LESS},
    {BUILTIN_NEG, OPTIONS_NONE, 0, tflite_lower_unary, TMC_UNARY_NEG},
    {BUILTIN_PADV2, OPTIONS_NONE, 0, tflite_lower_pad, 0},
    {BUILTIN_GREATER, OPTIONS_NONE, 0, tflite_lower_compare, TMC_BINARY_GREATER},
    {BUILTIN_GREATER_EQUAL, OPTIONS_NONE, 0, tflite_lower_compare, TMC_BINARY_GREATER_EQUAL},
    {BUILTIN_LESS_EQUAL, OPTIONS_NONE, 0, tflite_lower_compare, TMC_BINARY_LESS_EQUAL},
    {BUILTIN_SELECT, OPTIONS_NONE, 0, tflite_lower_select, 1},
    {BUILTIN_SLICE, OPTIONS_NONE, 0, tflite_lower_slice, 0},
    {BUILTIN_TRANSPOSE_CONV, OPTIONS_TRANSPOSE_CONV, NEEDED, tflite_lower_transpose_conv, 0},
    {BUILTIN_TILE, OPTIONS_NONE, 0, tflite_lower_tile, 0},
    {BUILTIN_EXPAND_DIMS, OPTIONS_NONE, 0, tflite_lower_expand_dims, 0},
    {BUILTIN_EQUAL, OPTIONS_NONE, 0, tflite_lower_compare, TMC_BINARY_EQUAL},
    {BUILTIN_NOT_EQUAL, OPTIONS_NONE, 0, tflite_lower_compare, 0},
    {BUILTIN_LOG, OPTIONS_NONE, 0, tflite_lower_unary, TMC_UNARY_LOG},
    {BUILTIN_SUM, OPTIONS_REDUCER, NEEDED, tflite_lower_reduce, TMC_REDUCE_SUM},
    {BUILTIN_SQRT, OPTIONS_NONE, 0, tflite_lower_unary, TMC_UNARY_SQRT},
    {BUILTIN_RSQRT, OPTIONS_NONE, 0, tflite_lower_rsqrt, 0},
    {BUILTIN_SHAPE, OPTIONS_NONE, 0, tflite_lower_shape, 0},
    {BUILTIN_POW, OPTIONS_NONE, 0, tflite_lower_compare, TMC_BINARY_POW},
    {BUILTIN_ARG_MIN, OPTIONS_NONE, 0, tflite_lower_arg, TMC_OP_ARG_MIN},
    {BUILTIN_REDUCE_PROD, OPTIONS_REDUCER, NEEDED, tflite_lower_reduce, TMC_REDUCE_PROD},
    {BUILTIN_REDUCE_MAX, OPTIONS_REDUCER, NEEDED, tflite_lower_reduce, TMC_REDUCE_MAX},
    {BUILTIN_PACK, OPTIONS_PACK, NEEDED, tflite_lower_pack, 0},
    {BUILTIN_LOGICAL_OR, OPTIONS_NONE, 0, tflite_lower_compare, TMC_BINARY_OR},
    {BUILTIN_LOGICAL_AND, OPTIONS_NONE, 0, tflite_lower_compare, TMC_BINARY_AND},
    {BUILTIN_LOGICAL_NOT, OPTIONS_NONE, 0, tflite_lower_unary, TMC_UNARY_NOT},
    {BUILTIN_UNPACK, OPTIONS_UNPACK, NEEDED, tflite_lower_unpack, 0},
    {BUILTIN_REDUCE_MIN, OPTIONS_REDUCER, NEEDED, tflite_lower_reduce, TMC_REDUCE_MIN},
    {BUILTIN_FLOOR_DIV, OPTIONS_NONE, 0, tflite_lower_floor_div, 0},
    {BUILTIN_SQUARE, OPTIONS_NONE, 0, tflite_lower_square, 0},
    {BUILTIN_RESIZE_NEAREST_NEIGHBOR, OPTIONS_RESIZE_NEAREST, NEEDED, tflite_lower_resize_nearest, 0},
    {BUILTIN_LEAKY_RELU, OPTIONS_LEAKY_RELU, NEEDED, tflite_lower_leaky_relu, 0},
    {BUILTIN_SQUARED_DIFFERENCE, OPTIONS_NONE, 0, tflite_lower_squared_difference, 0},
    {BUILTIN_MIRROR_PAD, OPTIONS_MIRROR_PAD, NEEDED, tflite_lower_mirror_pad, 0},
    {BUILTIN_ABS, OPTIONS_NONE, 0, tflite_lower_unary, TMC_UNARY_ABS},
    {BUILTIN_SPLIT_V, OPTIONS_NONE, 0, tflite_lower_split_v, 0},
    {BUILTIN_CEIL, OPTIONS_NONE, 0, tflite_lower_unary, TMC_UNARY_CEIL},
    {BUILTIN_REVERSE_V2, OPTIONS_NONE, 0, tflite_lower_reverse, 0},
    {BUILTIN_ELU, OPTIONS_NONE, 0, tflite_lower_elu, 0},
    {BUILTIN_QUANTIZE, OPTIONS_NONE, 0, tflite_lower_dequantize, 0},
    {BUILTIN_ROUND, OPTIONS_NONE, 0, tflite_lower_unary, TMC_UNARY_ROUND},
    {BUILTIN_HARD_SWISH, OPTIONS_NONE, 0, tflite_lower_unary, TMC_UNARY_HARD_SWISH},
    {BUILTIN_SELECT_V2, OPTIONS_NONE, 0, tflite_lower_select, 0},
    {BUILTIN_BATCH_MATMUL, OPTIONS_BATCH_MATMUL, NEEDED, tflite_lower_batch_matmul, 0},
    {BUILTIN_BROADCAST_TO, OPTIONS_NONE, 0, tflite_lower_broadcast_to, 0},
    {BUILTIN_GELU, OPTIONS_GELU, NEEDED, tflite_lower_gelu, 0},
    {BUILTIN_RELU_0_TO_1, OPTIONS_NONE, 0, tflite_lower_clamp, 1},
    {BUILTIN_SIGN, OPTIONS_NONE, 0, tflite_lower_unary, TMC_UNARY_SIGN},
};

const tflite_builtin *tflite_find_builtin(int32_t code) {
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
        if (builtins[i].code == code) return &builtins[i];
    return NULL;
}

const char *tflite_builtin_name(int32_t code) {
    switch (code) {
#define X(value, NAME)                                                                                                 \
    case value: return #NAME;
        TFLITE_BUILTIN_LIST(X)
#undef X
    default: return NULL;
    }
}
