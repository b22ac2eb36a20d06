#include "lib/tmc_samples.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define ACT                                                                                                            \
    { .lo = -INFINITY, .hi = INFINITY }
#define WINDOW(k, s, p)                                                                                                \
    .spatial = 2, .kernel = {1, k, k}, .stride = {1, s, s}, .dilation = {1, 1, 1}, .pad_begin = {0, p, p},             \
    .pad_end = {0, p, p}

static const tmc_conv_params conv3_all = {WINDOW(3, 1, 1), .groups = 1, .act = ACT};
static const tmc_conv_params conv3 = {WINDOW(3, 2, 1), .groups = 1, .act = ACT};
static const tmc_conv_params conv_groups = {WINDOW(3, 1, 1), .groups = 2, .act = ACT};
static const tmc_conv_params depthwise = {WINDOW(3, 1, 1), .groups = 4, .act = ACT};
static const tmc_conv_params transpose2 = {WINDOW(2, 2, 0), .groups = 1, .act = ACT};
static const tmc_fully_connected_params dense = {.act = ACT};
static const tmc_no_params none = {0};
static const tmc_pool_params pool2 = {WINDOW(2, 2, 0)};
static const tmc_pool_params lp_pool2 = {WINDOW(2, 2, 0), .p = 2};
static const tmc_unary_params clamp = {.kind = TMC_UNARY_CLAMP, .alpha = 0.0f, .beta = 6.0f};
static const tmc_unary_params leaky = {.kind = TMC_UNARY_LEAKY_RELU, .alpha = 0.1f};
static const tmc_binary_params add = {.kind = TMC_BINARY_ADD, .act = ACT};
static const tmc_act_params act = ACT;
static const tmc_norm_params group_norm = {.epsilon = 1e-5f, .groups = 2};
static const tmc_norm_params layer_norm = {.epsilon = 1e-5f, .groups = 1, .axis = 1};
static const tmc_lrn_params lrn = {.size = 3, .alpha = 1e-4f, .beta = 0.75f, .bias = 1.0f};
static const tmc_softmax_params softmax = {.axis = 1};
static const tmc_reduce_params mean = {.kind = TMC_REDUCE_MEAN, .axes = 6, .keep_dims = 1};
static const tmc_arg_params arg = {.axis = 1};
static const tmc_axis_params last_axis = {.axis = 3}, first_axis = {.axis = 0};
static const tmc_split_params halves = {.axis = 3, .sizes = {2, 2}};
static const tmc_slice_params slice = {.begin = {0, 1, 0, 0, 0, 0},
                                       .end = {INT32_MAX, 3, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX},
                                       .step = {1, 1, 1, 1, 1, 1}};
static const tmc_pad_params reflect = {.mode = TMC_PAD_REFLECT, .begin = {0, 1, 1}, .end = {0, 1, 1}};
static const tmc_shape_params flat = {.rank = 2, .dims = {1, 64}};
static const tmc_shape_params expanded = {.rank = 4, .dims = {3, 4, 4, 4}};
static const tmc_shape_params twice = {.rank = 4, .dims = {1, 2, 1, 1}};
static const tmc_shape_params permuted = {.rank = 4, .dims = {0, 3, 1, 2}};
static const tmc_resize_params doubled = {.mode = TMC_RESIZE_LINEAR,
                                          .coordinates = TMC_COORD_HALF_PIXEL,
                                          .cubic_a = -0.75f,
                                          .sizes = {1, 8, 8, 4},
                                          .roi_end = {1, 1, 1, 1, 1, 1}};
static const tmc_block_params block2 = {.block = 2};
static const tmc_pad_params around = {.mode = TMC_PAD_CONSTANT, .begin = {0, 1, 1}, .end = {0, 1, 1}, .value = 2.25f};
static const tmc_binary_params mul = {.kind = TMC_BINARY_MUL, .act = {0.0f, 6.0f}};
static const tmc_resize_params nearest = {.mode = TMC_RESIZE_NEAREST,
                                          .coordinates = TMC_COORD_ASYMMETRIC,
                                          .nearest = TMC_NEAREST_FLOOR,
                                          .sizes = {1, 8, 8, 4},
                                          .roi_end = {1, 1, 1, 1, 1, 1}};
static const tmc_cast_params to_i32 = {.dtype = TMC_I32};

/* The last four are i8. */
typedef enum {
    NOTHING,
    INPUT,
    CONSTANT,
    PANELS,
    WINOGRAD,
    I32_CONSTANT,
    I8_INPUT,
    I8_CONSTANT,
    I8_WEIGHTS,
    I8_TABLE
} source;

typedef struct {
    source from;
    int32_t rank;
    int32_t dims[6];
} operand;

typedef struct {
    const char *name;
    uint16_t op;
    const void *params;
    operand inputs[3];
    struct {
        int32_t rank, dims[6];
        uint8_t dtype; /* 0: f32 */
    } outputs[2];
} sample;

#define X4                                                                                                             \
    {                                                                                                                  \
        INPUT, 4, { 1, 4, 4, 4 }                                                                                       \
    }
#define Q4                                                                                                             \
    {                                                                                                                  \
        I8_INPUT, 4, { 1, 4, 4, 4 }                                                                                    \
    }
#define SAME_Q                                                                                                         \
    { 4, {1, 4, 4, 4}, TMC_I8 }
#define SAME                                                                                                           \
    { 4, {1, 4, 4, 4}, 0 }

static const sample samples[] = {
    {"conv", TMC_OP_CONV, &conv3, {X4, {CONSTANT, 4, {6, 3, 3, 4}}, {CONSTANT, 1, {6}}}, {{4, {1, 2, 2, 6}, 0}}},
    {"conv_groups",
     TMC_OP_CONV,
     &conv_groups,
     {X4, {CONSTANT, 4, {6, 3, 3, 2}}, {CONSTANT, 1, {6}}},
     {{4, {1, 4, 4, 6}, 0}}},
    {"conv_panels", TMC_OP_CONV, &conv3, {X4, {PANELS, 4, {21, 3, 3, 4}}}, {{4, {1, 2, 2, 21}, 0}}},
    {"conv_groups_panels", TMC_OP_CONV, &conv_groups, {X4, {PANELS, 4, {6, 3, 3, 2}}}, {{4, {1, 4, 4, 6}, 0}}},
    {"conv_winograd", TMC_OP_CONV, &conv3_all, {X4, {WINOGRAD, 4, {5, 3, 3, 4}}}, {{4, {1, 4, 4, 5}, 0}}},
    {"depthwise_conv", TMC_OP_DEPTHWISE_CONV, &depthwise, {X4, {CONSTANT, 3, {3, 3, 4}}, {CONSTANT, 1, {4}}}, {SAME}},
    {"conv_transpose",
     TMC_OP_CONV_TRANSPOSE,
     &transpose2,
     {X4, {CONSTANT, 4, {6, 2, 2, 4}}, {CONSTANT, 1, {6}}},
     {{4, {1, 8, 8, 6}, 0}}},
    {"fully_connected",
     TMC_OP_FULLY_CONNECTED,
     &dense,
     {{INPUT, 2, {1, 8}}, {CONSTANT, 2, {5, 8}}, {CONSTANT, 1, {5}}},
     {{2, {1, 5}, 0}}},
    {"fully_connected_panels",
     TMC_OP_FULLY_CONNECTED,
     &dense,
     {{INPUT, 2, {1, 8}}, {PANELS, 2, {37, 8}}},
     {{2, {1, 37}, 0}}},
    {"matmul", TMC_OP_MATMUL, &none, {{INPUT, 2, {3, 4}}, {INPUT, 2, {4, 5}}}, {{2, {3, 5}, 0}}},
    {"max_pool", TMC_OP_MAX_POOL, &pool2, {X4}, {{4, {1, 2, 2, 4}, 0}}},
    {"average_pool", TMC_OP_AVERAGE_POOL, &pool2, {X4}, {{4, {1, 2, 2, 4}, 0}}},
    {"lp_pool", TMC_OP_LP_POOL, &lp_pool2, {X4}, {{4, {1, 2, 2, 4}, 0}}},
    {"clamp", TMC_OP_UNARY, &clamp, {X4}, {SAME}},
    {"leaky_relu", TMC_OP_UNARY, &leaky, {X4}, {SAME}},
    {"binary", TMC_OP_BINARY, &add, {X4, {CONSTANT, 1, {4}}}, {SAME}},
    {"scale_shift", TMC_OP_SCALE_SHIFT, &act, {X4, {CONSTANT, 1, {4}}, {CONSTANT, 1, {4}}}, {SAME}},
    {"group_norm", TMC_OP_GROUP_NORM, &group_norm, {X4, {CONSTANT, 1, {4}}, {CONSTANT, 1, {4}}}, {SAME}},
    {"layer_norm",
     TMC_OP_LAYER_NORM,
     &layer_norm,
     {{INPUT, 2, {2, 8}}, {CONSTANT, 1, {8}}, {CONSTANT, 1, {8}}},
     {{2, {2, 8}, 0}}},
    {"lrn", TMC_OP_LRN, &lrn, {X4}, {SAME}},
    {"softmax", TMC_OP_SOFTMAX, &softmax, {{INPUT, 2, {1, 10}}}, {{2, {1, 10}, 0}}},
    {"reduce", TMC_OP_REDUCE, &mean, {X4}, {{4, {1, 1, 1, 4}, 0}}},
    {"arg_max", TMC_OP_ARG_MAX, &arg, {{INPUT, 2, {1, 10}}}, {{1, {1}, TMC_I64}}},
    {"concat", TMC_OP_CONCAT, &last_axis, {X4, X4, {CONSTANT, 4, {1, 4, 4, 4}}}, {{4, {1, 4, 4, 12}, 0}}},
    {"split", TMC_OP_SPLIT, &halves, {X4}, {{4, {1, 4, 4, 2}, 0}, {4, {1, 4, 4, 2}, 0}}},
    {"slice", TMC_OP_SLICE, &slice, {X4}, {{4, {1, 2, 4, 4}, 0}}},
    {"pad", TMC_OP_PAD, &reflect, {X4}, {{4, {1, 6, 6, 4}, 0}}},
    {"reshape", TMC_OP_RESHAPE, &flat, {X4}, {{2, {1, 64}, 0}}},
    {"expand", TMC_OP_EXPAND, &expanded, {X4}, {{4, {3, 4, 4, 4}, 0}}},
    {"tile", TMC_OP_TILE, &twice, {X4}, {{4, {1, 8, 4, 4}, 0}}},
    {"transpose", TMC_OP_TRANSPOSE, &permuted, {X4}, {SAME}},
    {"resize", TMC_OP_RESIZE, &doubled, {X4}, {{4, {1, 8, 8, 4}, 0}}},
    {"depth_to_space", TMC_OP_DEPTH_TO_SPACE, &block2, {X4}, {{4, {1, 8, 8, 1}, 0}}},
    {"space_to_depth", TMC_OP_SPACE_TO_DEPTH, &block2, {X4}, {{4, {1, 2, 2, 16}, 0}}},
    {"channel_shuffle", TMC_OP_CHANNEL_SHUFFLE, &block2, {X4}, {SAME}},
    {"gather", TMC_OP_GATHER, &first_axis, {{INPUT, 2, {5, 3}}, {I32_CONSTANT, 1, {2}}}, {{2, {2, 3}, 0}}},
    {"cast", TMC_OP_CAST, &to_i32, {X4}, {{4, {1, 4, 4, 4}, TMC_I32}}},
    {"quantize", TMC_OP_QUANTIZE, &none, {X4}, {SAME_Q}},
    {"dequantize", TMC_OP_DEQUANTIZE, &none, {Q4}, {SAME}},
    {"table", TMC_OP_TABLE, &none, {Q4, {I8_TABLE, 1, {256}}}, {SAME_Q}},
    {"conv_i8", TMC_OP_CONV, &conv3, {Q4, {I8_WEIGHTS, 4, {6, 3, 3, 4}}}, {{4, {1, 2, 2, 6}, TMC_I8}}},
    {"conv_groups_i8", TMC_OP_CONV, &conv_groups, {Q4, {I8_WEIGHTS, 4, {6, 3, 3, 2}}}, {{4, {1, 4, 4, 6}, TMC_I8}}},
    {"depthwise_conv_i8", TMC_OP_DEPTHWISE_CONV, &depthwise, {Q4, {I8_WEIGHTS, 3, {3, 3, 4}}}, {SAME_Q}},
    {"conv_transpose_i8",
     TMC_OP_CONV_TRANSPOSE,
     &transpose2,
     {Q4, {I8_WEIGHTS, 4, {6, 2, 2, 4}}},
     {{4, {1, 8, 8, 6}, TMC_I8}}},
    {"fully_connected_i8",
     TMC_OP_FULLY_CONNECTED,
     &dense,
     {{I8_INPUT, 2, {1, 8}}, {I8_WEIGHTS, 2, {5, 8}}},
     {{2, {1, 5}, TMC_I8}}},
    {"add_i8", TMC_OP_BINARY, &add, {Q4, {I8_CONSTANT, 1, {4}}}, {SAME_Q}},
    {"mul_i8", TMC_OP_BINARY, &mul, {Q4, Q4}, {SAME_Q}},
    {"max_pool_i8", TMC_OP_MAX_POOL, &pool2, {Q4}, {{4, {1, 2, 2, 4}, TMC_I8}}},
    {"average_pool_i8", TMC_OP_AVERAGE_POOL, &pool2, {Q4}, {{4, {1, 2, 2, 4}, TMC_I8}}},
    {"mean_i8", TMC_OP_REDUCE, &mean, {Q4}, {{4, {1, 1, 1, 4}, TMC_I8}}},
    {"concat_i8", TMC_OP_CONCAT, &last_axis, {Q4, Q4, {I8_CONSTANT, 4, {1, 4, 4, 4}}}, {{4, {1, 4, 4, 12}, TMC_I8}}},
    {"pad_i8", TMC_OP_PAD, &around, {Q4}, {{4, {1, 6, 6, 4}, TMC_I8}}},
    {"resize_i8", TMC_OP_RESIZE, &nearest, {Q4}, {{4, {1, 8, 8, 4}, TMC_I8}}},
};

/* Of every i8 tensor of a single-node sample. */
static const tmc_quantization quantized = {.scale = 0.5f, .zero_point = 3};

static uint32_t add_quantized(build *b, const char *name, const operand *o) {
    const uint32_t t = o->from == I8_INPUT ? build_input(b, name, TMC_I8, o->rank, o->dims)
                                           : build_constant(b, name, TMC_I8, o->rank, o->dims, NULL);
    build_quantization(b, quantized.scale, quantized.zero_point);
    return t;
}

static uint32_t add_operand(build *b, const sample *s, uint32_t i) {
    static const char *const names[] = {"x0", "x1", "x2"};
    const operand *o = &s->inputs[i];
    switch (o->from) {
    case INPUT: return build_input(b, names[i], TMC_F32, o->rank, o->dims);
    case CONSTANT: return build_constant(b, names[i], TMC_F32, o->rank, o->dims, NULL);
    case I32_CONSTANT: return build_constant(b, names[i], TMC_I32, o->rank, o->dims, NULL);
    case I8_TABLE: return build_constant(b, names[i], TMC_I8, o->rank, o->dims, NULL);
    case I8_WEIGHTS: return build_i8_weights(b, names[i], s->op, s->params, o->rank, o->dims, &quantized, &quantized);
    case I8_INPUT:
    case I8_CONSTANT: return add_quantized(b, names[i], o);
    default: break;
    }
    static const float w[1024];
    const tmc_conv_params *conv = s->params;
    if (o->from == WINOGRAD) return build_winograd(b, names[i], o->dims, w, w);
    return build_panels(b, names[i], o->rank, o->dims, s->op == TMC_OP_CONV ? conv->groups : 1, w, w);
}

static build *single(const sample *s) {
    static const char *const names[] = {"y0", "y1"};
    build *b = build_new(s->name);
    uint32_t inputs[3], outputs[2];
    uint16_t in = 0, out = 0;
    for (; in < COUNT(s->inputs) && s->inputs[in].from != NOTHING; in++) inputs[in] = add_operand(b, s, in);
    for (; out < COUNT(s->outputs) && s->outputs[out].rank; out++) {
        outputs[out] = build_activation(b, names[out], s->outputs[out].dtype ? s->outputs[out].dtype : TMC_F32,
                                        s->outputs[out].rank, s->outputs[out].dims);
        if (s->outputs[out].dtype == TMC_I8) build_quantization(b, quantized.scale, quantized.zero_point);
        build_output(b, outputs[out]);
    }
    build_node(b, s->name, s->op, s->params, inputs, in, outputs, out);
    return b;
}

/* x [1,4,4,4] -> conv -> clamp -> reshape -> fully connected -> y [1,5], and a clamp that nobody reads. */
static build *net(void) {
    static const int32_t x4[] = {1, 4, 4, 4}, mid[] = {1, 2, 2, 6}, row[] = {1, 24}, end[] = {1, 5};
    static const int32_t w1[] = {6, 3, 3, 4}, w2[] = {5, 24};
    static const tmc_shape_params to_row = {.rank = 2, .dims = {1, 24}};
    build *b = build_new("net");
    const uint32_t x = build_input(b, "x", TMC_F32, 4, x4);
    const uint32_t conv_in[] = {x, build_constant(b, "w", TMC_F32, 4, w1, NULL),
                                build_constant(b, "b", TMC_F32, 1, &w1[0], NULL)};
    const uint32_t conv_out = build_activation(b, "conv", TMC_F32, 4, mid);
    const uint32_t clamp_out = build_activation(b, "clamp", TMC_F32, 4, mid);
    const uint32_t row_out = build_activation(b, "row", TMC_F32, 2, row);
    const uint32_t fc_in[] = {row_out, build_constant(b, "w2", TMC_F32, 2, w2, NULL), TMC_FILE_NONE};
    const uint32_t y = build_activation(b, "y", TMC_F32, 2, end);
    const uint32_t dead = build_activation(b, "", TMC_F32, 2, end);
    static const uint8_t digest[16];
    build_node(b, "conv", TMC_OP_CONV, &conv3, conv_in, 3, &conv_out, 1);
    build_node(b, "clamp", TMC_OP_UNARY, &clamp, &conv_out, 1, &clamp_out, 1);
    build_node(b, "reshape", TMC_OP_RESHAPE, &to_row, &clamp_out, 1, &row_out, 1);
    build_node(b, "fc", TMC_OP_FULLY_CONNECTED, &dense, fc_in, 3, &y, 1);
    build_node(b, "", TMC_OP_UNARY, &clamp, &y, 1, &dead, 1);
    build_output(b, y);
    build_metadata(b, "license", "CC0-1.0");
    build_metadata(b, "task", "test");
    build_test(b, 7, 0, digest);
    return b;
}

/* A quantised activation of 4 axes. */
static uint32_t add_i8(build *b, const char *name, int32_t size, int32_t channels, const tmc_quantization *q) {
    const uint32_t t = build_activation(b, name, TMC_I8, 4, (const int32_t[]){1, size, size, channels});
    build_quantization(b, q->scale, q->zero_point);
    return t;
}

/* x [1,8,8,3] f32 -> quantize -> conv -> depthwise conv -> add -> max pool -> mean -> fully connected -> table ->
 * dequantize -> y [1,5]. */
static build *net_i8(void) {
    static const tmc_quantization qx = {0.0078125f, -1, 0}, q1 = {0.02f, -128, 0}, q2 = {0.05f, 4, 0};
    static const int32_t x4[] = {1, 8, 8, 3}, w1[] = {6, 3, 3, 3}, w2[] = {3, 3, 6}, w3[] = {5, 6}, end[] = {1, 5};
    static const int32_t mean_dims[] = {1, 6};
    static const tmc_conv_params each = {WINDOW(3, 1, 1), .groups = 6, .act = {0.0f, 6.0f}};
    static const tmc_reduce_params over_pixels = {.kind = TMC_REDUCE_MEAN, .axes = 6};
    build *b = build_new("net_i8");
    const uint32_t x = build_input(b, "x", TMC_F32, 4, x4), integers = add_i8(b, "integers", 8, 3, &qx);
    const uint32_t conv_w = build_i8_weights(b, "w1", TMC_OP_CONV, &conv3, 4, w1, &qx, &q1);
    const uint32_t conv_out = add_i8(b, "conv", 4, 6, &q1);
    const uint32_t each_w = build_i8_weights(b, "w2", TMC_OP_DEPTHWISE_CONV, &each, 3, w2, &q1, &q1);
    const uint32_t each_out = add_i8(b, "depthwise", 4, 6, &q1), sum = add_i8(b, "sum", 4, 6, &q2);
    const uint32_t pooled = add_i8(b, "pooled", 2, 6, &q2), row = build_activation(b, "row", TMC_I8, 2, mean_dims);
    build_quantization(b, q2.scale, q2.zero_point);
    const uint32_t dense_w = build_i8_weights(b, "w3", TMC_OP_FULLY_CONNECTED, &dense, 2, w3, &q2, &q2);
    const uint32_t dense_out = build_activation(b, "dense", TMC_I8, 2, end);
    build_quantization(b, q2.scale, q2.zero_point);
    int8_t table[256];
    for (int i = 0; i < 256; i++) table[i] = (int8_t)(127 - i);
    const uint32_t table_t = build_constant(b, "table", TMC_I8, 1, (const int32_t[]){256}, table);
    const uint32_t last = build_activation(b, "last", TMC_I8, 2, end);
    build_quantization(b, q1.scale, q1.zero_point);
    const uint32_t y = build_activation(b, "y", TMC_F32, 2, end);
    build_node(b, "quantize", TMC_OP_QUANTIZE, &none, &x, 1, &integers, 1);
    build_node(b, "conv", TMC_OP_CONV, &conv3, (uint32_t[]){integers, conv_w}, 2, &conv_out, 1);
    build_node(b, "depthwise", TMC_OP_DEPTHWISE_CONV, &each, (uint32_t[]){conv_out, each_w}, 2, &each_out, 1);
    build_node(b, "add", TMC_OP_BINARY, &add, (uint32_t[]){conv_out, each_out}, 2, &sum, 1);
    build_node(b, "pool", TMC_OP_MAX_POOL, &pool2, &sum, 1, &pooled, 1);
    build_node(b, "mean", TMC_OP_REDUCE, &over_pixels, &pooled, 1, &row, 1);
    build_node(b, "dense", TMC_OP_FULLY_CONNECTED, &dense, (uint32_t[]){row, dense_w}, 2, &dense_out, 1);
    build_node(b, "table", TMC_OP_TABLE, &none, (uint32_t[]){dense_out, table_t}, 2, &last, 1);
    build_node(b, "dequantize", TMC_OP_DEQUANTIZE, &none, &last, 1, &y, 1);
    static const uint8_t digest[16];
    build_output(b, y);
    build_metadata(b, "license", "CC0-1.0");
    build_test(b, 7, 0, digest);
    return b;
}

/* "tiny": one clamp, the smallest model there is; docs/format.md shows its bytes. */
static build *tiny(void) {
    static const int32_t dims[] = {1, 4};
    build *b = build_new("tiny");
    const uint32_t x = build_input(b, "x", TMC_F32, 2, dims), y = build_activation(b, "y", TMC_F32, 2, dims);
    build_node(b, "relu6", TMC_OP_UNARY, &clamp, &x, 1, &y, 1);
    build_output(b, y);
    return b;
}

/* "extra": tiny with a section that this version does not know. */
static build *extra(void) {
    build *b = tiny();
    build_section(b, TMC_FOURCC('X', 'T', 'R', 'A'), 0, "hello", 5);
    return b;
}

/* A string one byte longer than allowed. */
static build *long_string(void) {
    static char text[TMC_FILE_MAX_STRING + 2];
    build *b = tiny();
    memset(text, 'a', sizeof text - 1);
    build_metadata(b, "text", text);
    return b;
}

build *sample_chain(uint32_t nodes) {
    static const int32_t dims[] = {1, 4};
    build *b = build_new("chain");
    uint32_t last = build_input(b, "x", TMC_F32, 2, dims);
    for (uint32_t i = 0; i < nodes; i++) {
        uint32_t next = build_activation(b, i + 1 == nodes ? "y" : "", TMC_F32, 2, dims);
        build_node(b, "", TMC_OP_UNARY, &clamp, &last, 1, &next, 1);
        last = next;
    }
    build_output(b, last);
    return b;
}

/* Metadata entries: one more than the limit. */
static build *many_metadata(void) {
    build *b = tiny();
    for (uint32_t i = 0; i <= TMC_FILE_MAX_METADATA; i++) {
        char key[5] = {(char)('a' + i % 26), (char)('a' + i / 26 % 26), (char)('a' + i / 676 % 26), 0, 0};
        build_metadata(b, key, "");
    }
    return b;
}

/* One input too many for TMC_FILE_MAX_IO together with the output. */
static build *many_inputs(void) {
    static const int32_t dims[] = {1, 4};
    build *b = tiny();
    for (uint32_t i = 0; i < TMC_FILE_MAX_IO; i++) {
        char name[5] = {(char)('a' + i % 26), (char)('a' + i / 26 % 26), (char)('a' + i / 676 % 26), 'i', 0};
        build_input(b, name, TMC_F32, 2, dims);
    }
    return b;
}

/* A concat of 100 inputs: more than the verifier looks at in one piece. */
static build *wide_concat(void) {
    static const int32_t dims[] = {1, 4}, all[] = {1, 400};
    static const tmc_axis_params axis1 = {.axis = 1};
    build *b = build_new("wide");
    uint32_t inputs[100];
    for (uint32_t i = 0; i < 100; i++) {
        char name[4] = {'x', (char)('0' + i / 10), (char)('0' + i % 10), 0};
        inputs[i] = build_input(b, name, TMC_F32, 2, dims);
    }
    const uint32_t y = build_activation(b, "y", TMC_F32, 2, all);
    build_node(b, "concat", TMC_OP_CONCAT, &axis1, inputs, 100, &y, 1);
    build_output(b, y);
    return b;
}

static const struct {
    const char *name;
    build *(*make)(void);
} whole[] = {{"net", net},
             {"net_i8", net_i8},
             {"tiny", tiny},
             {"extra", extra},
             {"wide_concat", wide_concat},
             {"long_string", long_string},
             {"many_metadata", many_metadata},
             {"many_inputs", many_inputs}};

build *sample_model(const char *name) {
    for (size_t i = 0; i < COUNT(whole); i++)
        if (!strcmp(name, whole[i].name)) return whole[i].make();
    for (size_t i = 0; i < COUNT(samples); i++)
        if (!strcmp(name, samples[i].name)) return single(&samples[i]);
    return NULL;
}

const char *sample_name(size_t i) {
    static const size_t valid = 5; /* of `whole` */
    if (i < valid) return whole[i].name;
    return i - valid < COUNT(samples) ? samples[i - valid].name : NULL;
}
