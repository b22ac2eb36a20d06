/* The operators of a .tmc graph: codes, parameters, arity. docs/operators.md gives each one's formula.
 *
 * Layouts: x of the spatial operators is channels-last, [N, (D,) (H,) W, C]; all others work on plain axes.
 * A node's parameters are 32-bit words, and the structs below are their image: no padding, no pointers. Codes and
 * words are part of the file format: they never change; new words are appended, and a missing tail reads as zero. */
#ifndef TMC_GRAPH_OP_H
#define TMC_GRAPH_OP_H

#include <stddef.h>
#include <stdint.h>

/* X(code, NAME, name, inputs min, inputs max, outputs min, outputs max, parameter struct) */
#define TMC_OP_LIST(X)                                                                                                 \
    X(1, CONV, conv, 2, 3, 1, 1, tmc_conv_params)                                  /* x, w [O,k..,I/g], b [O] */       \
    X(2, DEPTHWISE_CONV, depthwise_conv, 2, 3, 1, 1, tmc_conv_params)              /* x, w [k..,C], b [C] */           \
    X(3, CONV_TRANSPOSE, conv_transpose, 2, 3, 1, 1, tmc_conv_params)              /* x, w [O,k..,I/g], b [O] */       \
    X(4, FULLY_CONNECTED, fully_connected, 2, 3, 1, 1, tmc_fully_connected_params) /* x [..,K], w [N,K], b [N] */      \
    X(5, MATMUL, matmul, 2, 2, 1, 1, tmc_no_params)                                /* a [..,M,K], b [..,K,N] */        \
    X(6, MAX_POOL, max_pool, 1, 1, 1, 1, tmc_pool_params)                                                              \
    X(7, AVERAGE_POOL, average_pool, 1, 1, 1, 1, tmc_pool_params)                                                      \
    X(8, LP_POOL, lp_pool, 1, 1, 1, 1, tmc_pool_params)                                                                \
    X(9, UNARY, unary, 1, 1, 1, 1, tmc_unary_params)                                                                   \
    X(10, BINARY, binary, 2, 2, 1, 1, tmc_binary_params)                                                               \
    X(11, SELECT, select, 3, 3, 1, 1, tmc_no_params)            /* condition, a, b: condition ? a : b */               \
    X(12, SCALE_SHIFT, scale_shift, 3, 3, 1, 1, tmc_act_params) /* x, scale [C], shift [C]; C the last axis */         \
    X(13, GROUP_NORM, group_norm, 3, 3, 1, 1, tmc_norm_params)  /* x, scale [C], shift [C] */                          \
    X(14, LAYER_NORM, layer_norm, 2, 3, 1, 1, tmc_norm_params)  /* x, scale, shift; shapes of the normalised axes */   \
    X(15, LRN, lrn, 1, 1, 1, 1, tmc_lrn_params)                 /* across the last axis */                             \
    X(16, SOFTMAX, softmax, 1, 1, 1, 1, tmc_softmax_params)                                                            \
    X(17, REDUCE, reduce, 1, 1, 1, 1, tmc_reduce_params)                                                               \
    X(18, ARG_MAX, arg_max, 1, 1, 1, 1, tmc_arg_params)                                                                \
    X(19, ARG_MIN, arg_min, 1, 1, 1, 1, tmc_arg_params)                                                                \
    X(20, CONCAT, concat, 1, 65535, 1, 1, tmc_axis_params)                                                             \
    X(21, SPLIT, split, 1, 1, 1, 64, tmc_split_params)                                                                 \
    X(22, SLICE, slice, 1, 1, 1, 1, tmc_slice_params)                                                                  \
    X(23, PAD, pad, 1, 1, 1, 1, tmc_pad_params)                                                                        \
    X(24, RESHAPE, reshape, 1, 1, 1, 1, tmc_shape_params)                                                              \
    X(25, EXPAND, expand, 1, 1, 1, 1, tmc_shape_params)                                                                \
    X(26, TILE, tile, 1, 1, 1, 1, tmc_shape_params)                                                                    \
    X(27, TRANSPOSE, transpose, 1, 1, 1, 1, tmc_shape_params)                                                          \
    X(28, RESIZE, resize, 1, 1, 1, 1, tmc_resize_params)                                                               \
    X(29, DEPTH_TO_SPACE, depth_to_space, 1, 1, 1, 1, tmc_block_params) /* x [N,H,W,C] */                              \
    X(30, SPACE_TO_DEPTH, space_to_depth, 1, 1, 1, 1, tmc_block_params)                                                \
    X(31, CHANNEL_SHUFFLE, channel_shuffle, 1, 2, 1, 1, tmc_block_params) /* last axis; block = groups */              \
    X(32, GATHER, gather, 2, 2, 1, 1, tmc_axis_params)                    /* data, indices (i32 or i64) */             \
    X(33, CAST, cast, 1, 1, 1, 1, tmc_cast_params)                                                                     \
    X(36, QUANTIZE, quantize, 1, 1, 1, 1, tmc_no_params)     /* f32 to i8, by the output's scale and zero point */     \
    X(37, DEQUANTIZE, dequantize, 1, 1, 1, 1, tmc_no_params) /* i8 to f32 */                                           \
    X(39, TABLE, table, 2, 2, 1, 1, tmc_no_params)           /* x i8, t i8 [256]: t[x + 128] */
/* Reserved: 34 lstm, 35 gru, 38 custom. */

typedef enum tmc_op_code {
#define X(code, NAME, name, in0, in1, out0, out1, params) TMC_OP_##NAME = code,
    TMC_OP_LIST(X)
#undef X
        TMC_OP_END
} tmc_op_code;

/* Activation fused into an operator: y clamped to [lo, hi]; a NaN stays a NaN. Relu is [0, inf], none [-inf, inf]. */
typedef struct tmc_act_params {
    float lo, hi;
} tmc_act_params;

typedef struct tmc_no_params {
    int32_t reserved; /* 0; a struct cannot be empty, the word is stored */
} tmc_no_params;

/* Spatial axes are always given as D, H, W: unused leading ones are kernel 1, stride 1, dilation 1, pads 0. */
typedef struct tmc_conv_params {
    int32_t spatial; /* 1, 2 or 3 */
    int32_t kernel[3], stride[3], dilation[3], pad_begin[3], pad_end[3];
    int32_t output_pad[3]; /* conv_transpose only, else 0 */
    int32_t groups;        /* depthwise_conv: the channel count */
    tmc_act_params act;
} tmc_conv_params;

typedef struct tmc_fully_connected_params {
    tmc_act_params act;
} tmc_fully_connected_params;

typedef struct tmc_pool_params {
    int32_t spatial;
    int32_t kernel[3], stride[3], dilation[3], pad_begin[3], pad_end[3];
    int32_t ceil_mode;         /* output size rounds up; the extra window part is never counted */
    int32_t count_include_pad; /* average_pool: padding counts as zeros in the divisor */
    int32_t p;                 /* lp_pool */
} tmc_pool_params;

/* X(code, NAME, name): formulas in docs/operators.md; alpha and beta as noted there. */
#define TMC_UNARY_LIST(X)                                                                                              \
    X(1, CLAMP, clamp)           /* alpha = lo, beta = hi */                                                           \
    X(2, LEAKY_RELU, leaky_relu) /* alpha: slope */                                                                    \
    X(3, ELU, elu)               /* alpha */                                                                           \
    X(4, SELU, selu)             /* alpha, beta = gamma */                                                             \
    X(5, CELU, celu)             /* alpha */                                                                           \
    X(6, SIGMOID, sigmoid)                                                                                             \
    X(7, HARD_SIGMOID, hard_sigmoid) /* alpha, beta */                                                                 \
    X(8, HARD_SWISH, hard_swish)                                                                                       \
    X(9, SILU, silu)                                                                                                   \
    X(10, TANH, tanh)                                                                                                  \
    X(11, SOFTPLUS, softplus)                                                                                          \
    X(12, SOFTSIGN, softsign)                                                                                          \
    X(13, GELU, gelu)                                                                                                  \
    X(14, GELU_TANH, gelu_tanh)                                                                                        \
    X(15, MISH, mish)                                                                                                  \
    X(16, ERF, erf)                                                                                                    \
    X(17, EXP, exp)                                                                                                    \
    X(18, LOG, log)                                                                                                    \
    X(19, SQRT, sqrt)                                                                                                  \
    X(20, ABS, abs)                                                                                                    \
    X(21, NEG, neg)                                                                                                    \
    X(22, RECIPROCAL, reciprocal)                                                                                      \
    X(23, FLOOR, floor)                                                                                                \
    X(24, CEIL, ceil)                                                                                                  \
    X(25, ROUND, round) /* ties to even */                                                                             \
    X(26, SIGN, sign)                                                                                                  \
    X(27, THRESHOLDED_RELU, thresholded_relu) /* alpha */                                                              \
    X(28, NOT, not )

typedef enum tmc_unary_kind {
#define X(code, NAME, name) TMC_UNARY_##NAME = code,
    TMC_UNARY_LIST(X)
#undef X
        TMC_UNARY_END
} tmc_unary_kind;

typedef struct tmc_unary_params {
    int32_t kind;
    float alpha, beta;
} tmc_unary_params;

#define TMC_BINARY_LIST(X)                                                                                             \
    X(1, ADD, add)                                                                                                     \
    X(2, SUB, sub)                                                                                                     \
    X(3, MUL, mul)                                                                                                     \
    X(4, DIV, div)                                                                                                     \
    X(5, MIN, min)                                                                                                     \
    X(6, MAX, max)                                                                                                     \
    X(7, POW, pow)                                                                                                     \
    X(8, PRELU, prelu) /* a < 0 ? a * b : a */                                                                         \
    X(9, EQUAL, equal) /* comparisons give bool */                                                                     \
    X(10, LESS, less)                                                                                                  \
    X(11, GREATER, greater)                                                                                            \
    X(12, LESS_EQUAL, less_equal)                                                                                      \
    X(13, GREATER_EQUAL, greater_equal)                                                                                \
    X(14, AND, and) /* bool */                                                                                         \
    X(15, OR, or)                                                                                                      \
    X(16, XOR, xor)                                                                                                    \
    X(17, MOD, mod) /* integers: sign of the divisor; f32: fmod */

typedef enum tmc_binary_kind {
#define X(code, NAME, name) TMC_BINARY_##NAME = code,
    TMC_BINARY_LIST(X)
#undef X
        TMC_BINARY_END
} tmc_binary_kind;

/* Shapes broadcast as in NumPy. The clamp applies to f32 results only. */
typedef struct tmc_binary_params {
    int32_t kind;
    tmc_act_params act;
} tmc_binary_params;

/* group_norm: groups over the last axis, statistics over all other axes but the first; instance norm: groups = C.
 * layer_norm: statistics over the axes from `axis` to the last. */
typedef struct tmc_norm_params {
    float epsilon; /* > 0 */
    int32_t groups, axis;
} tmc_norm_params;

typedef struct tmc_lrn_params {
    int32_t size;
    float alpha, beta, bias; /* x / (bias + alpha / size * sum(x^2))^beta */
} tmc_lrn_params;

typedef struct tmc_softmax_params {
    int32_t axis; /* 0..rank-1 */
    int32_t log;  /* 1: log-softmax */
} tmc_softmax_params;

#define TMC_REDUCE_LIST(X)                                                                                             \
    X(1, SUM, sum)                                                                                                     \
    X(2, MEAN, mean)                                                                                                   \
    X(3, MAX, max)                                                                                                     \
    X(4, MIN, min)                                                                                                     \
    X(5, PROD, prod)                                                                                                   \
    X(6, L1, l1)                                                                                                       \
    X(7, L2, l2)                                                                                                       \
    X(8, LOG_SUM, log_sum)                                                                                             \
    X(9, LOG_SUM_EXP, log_sum_exp)                                                                                     \
    X(10, SUM_SQUARE, sum_square)

typedef enum tmc_reduce_kind {
#define X(code, NAME, name) TMC_REDUCE_##NAME = code,
    TMC_REDUCE_LIST(X)
#undef X
        TMC_REDUCE_END
} tmc_reduce_kind;

typedef struct tmc_reduce_params {
    int32_t kind;
    int32_t axes; /* bit mask; 0 reduces nothing (a copy with the element-wise part applied) */
    int32_t keep_dims;
} tmc_reduce_params;

typedef struct tmc_arg_params {
    int32_t axis, keep_dims, select_last; /* output is i64 */
} tmc_arg_params;

typedef struct tmc_axis_params {
    int32_t axis;
} tmc_axis_params;

typedef struct tmc_split_params {
    int32_t axis;
    int32_t sizes[64]; /* of the outputs, the rest 0 */
} tmc_split_params;

/* As Python's slice per axis after clamping; INT32_MAX / INT32_MIN in `end` mean "to the edge". step != 0. */
typedef struct tmc_slice_params {
    int32_t begin[6], end[6], step[6]; /* unused axes: 0, INT32_MAX, 1 */
} tmc_slice_params;

enum { TMC_PAD_CONSTANT = 0, TMC_PAD_REFLECT = 1, TMC_PAD_EDGE = 2, TMC_PAD_WRAP = 3 };

typedef struct tmc_pad_params {
    int32_t mode;
    int32_t begin[6], end[6]; /* >= 0 */
    float value;              /* integers and bool: converted, must be exact */
} tmc_pad_params;

/* reshape: target, 0 copies the input's dim (only where the input has that axis), at most one -1 is inferred.
 * expand: target after NumPy broadcasting (1 keeps). tile: repeats. transpose: permutation, out axis i = in axis
 * dims[i]. Unused entries 0. */
typedef struct tmc_shape_params {
    int32_t rank;
    int32_t dims[6];
} tmc_shape_params;

enum { TMC_RESIZE_NEAREST = 0, TMC_RESIZE_LINEAR = 1, TMC_RESIZE_CUBIC = 2 };
enum {
    TMC_COORD_HALF_PIXEL = 0,
    TMC_COORD_PYTORCH_HALF_PIXEL = 1,
    TMC_COORD_ALIGN_CORNERS = 2,
    TMC_COORD_ASYMMETRIC = 3,
    TMC_COORD_TF_CROP_AND_RESIZE = 4,
    TMC_COORD_TF_HALF_PIXEL_FOR_NN = 5
};
enum {
    TMC_NEAREST_ROUND_PREFER_FLOOR = 0,
    TMC_NEAREST_ROUND_PREFER_CEIL = 1,
    TMC_NEAREST_FLOOR = 2,
    TMC_NEAREST_CEIL = 3
};

typedef struct tmc_resize_params {
    int32_t mode, coordinates, nearest;
    int32_t exclude_outside;
    float cubic_a;
    float extrapolation;
    int32_t sizes[6];               /* output dims; 0: floor(dim * scale) */
    float scales[6];                /* 0: size / dim; both given: the size sets the shape, the scale the coordinates */
    float roi_begin[6], roi_end[6]; /* tf_crop_and_resize; else 0 and 1 */
} tmc_resize_params;

enum { TMC_BLOCK_DCR = 0, TMC_BLOCK_CRD = 1 };

typedef struct tmc_block_params {
    int32_t block; /* channel_shuffle: groups */
    int32_t mode;  /* depth_to_space: TMC_BLOCK_*; else 0 */
} tmc_block_params;

typedef struct tmc_cast_params {
    int32_t dtype;
} tmc_cast_params;

typedef struct tmc_op_schema {
    uint16_t code;
    uint16_t input_min, input_max, output_min, output_max;
    uint16_t param_words;
    char name[sizeof "channel_shuffle"]; /* the longest; in place, so that the table needs no relocations */
} tmc_op_schema;

/* NULL for an unknown code. */
const tmc_op_schema *tmc_op_schema_find(uint32_t code);
/* Names of kinds; "?" if unknown. */
const char *tmc_unary_name(int32_t kind);
const char *tmc_binary_name(int32_t kind);
const char *tmc_reduce_name(int32_t kind);

#endif
