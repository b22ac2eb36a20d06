/* Shape inference and refusals of the element-wise, normalising and reducing operators. */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "graph/infer.h"

static tmc_error err;
static tmc_tensor_desc output;

/* A shape ends at its first 0; {0} is a scalar. */
typedef struct {
    uint8_t dtype;
    int32_t dims[TMC_MAX_RANK];
} shape;

static tmc_tensor_desc desc_of(const shape *s) {
    tmc_tensor_desc desc = {.dtype = s->dtype};
    for (; desc.rank < TMC_MAX_RANK && s->dims[desc.rank]; desc.rank++) desc.dims[desc.rank] = s->dims[desc.rank];
    return desc;
}

static void expect(int line, tmc_status status, uint16_t op, const void *params, const shape *in, uint32_t count) {
    tmc_tensor_desc descs[3];
    const tmc_tensor_desc *inputs[3];
    for (uint32_t i = 0; i < count; i++) {
        descs[i] = desc_of(&in[i]);
        inputs[i] = &descs[i];
    }
    tmc_error_init(&err);
    tmc_infer_args args = {op, params, count, 1, inputs, &output, &err, NULL};
    tmc_status got = tmc_infer(&args);
    if (got != status)
        fail_msg("line %d: %s (%s), expected %s", line, tmc_status_name(got), err.message, tmc_status_name(status));
    if (status != TMC_OK) assert_true(err.message[0] != 0);
}

static void expect_output(uint8_t dtype, int32_t rank, const int32_t *dims) {
    assert_int_equal(output.dtype, dtype);
    assert_int_equal(output.rank, rank);
    for (int32_t i = 0; i < TMC_MAX_RANK; i++) assert_int_equal(output.dims[i], i < rank ? dims[i] : 0);
}

#define DIMS(...) ((const int32_t[]){__VA_ARGS__})
#define IN(...) (const shape[]){__VA_ARGS__}, sizeof((const shape[]){__VA_ARGS__}) / sizeof(shape)
#define EXPECT(status, op, params, ...) expect(__LINE__, status, op, params, IN(__VA_ARGS__))

static const shape f = {TMC_F32, {2, 3, 4}}, i32 = {TMC_I32, {2, 3, 4}}, u8 = {TMC_U8, {2, 3, 4}},
                   bits = {TMC_BOOL, {2, 3, 4}};
static const shape four = {TMC_F32, {4}}, three = {TMC_F32, {3}}, scalar = {TMC_F32, {0}};

static void unary(void **state) {
    (void)state;
    const struct {
        tmc_unary_params p;
        tmc_status f32, i32, boolean;
    } cases[] = {
        {{TMC_UNARY_SIGMOID, 0, 0}, TMC_OK, TMC_E_DTYPE, TMC_E_DTYPE},
        {{TMC_UNARY_NEG, 0, 0}, TMC_OK, TMC_OK, TMC_E_DTYPE},
        {{TMC_UNARY_NOT, 0, 0}, TMC_E_DTYPE, TMC_E_DTYPE, TMC_OK},
        {{0, 0, 0}, TMC_E_UNSUPPORTED, TMC_E_UNSUPPORTED, TMC_E_UNSUPPORTED},
        {{-1, 0, 0}, TMC_E_UNSUPPORTED, TMC_E_UNSUPPORTED, TMC_E_UNSUPPORTED},
        {{TMC_UNARY_END, 0, 0}, TMC_E_UNSUPPORTED, TMC_E_UNSUPPORTED, TMC_E_UNSUPPORTED},
        {{TMC_UNARY_CLAMP, 0, INFINITY}, TMC_OK, TMC_E_DTYPE, TMC_E_DTYPE},
        {{TMC_UNARY_CLAMP, 2, 1}, TMC_E_RANGE, TMC_E_DTYPE, TMC_E_DTYPE},
        {{TMC_UNARY_CLAMP, NAN, 1}, TMC_E_RANGE, TMC_E_DTYPE, TMC_E_DTYPE},
        {{TMC_UNARY_CLAMP, 0, NAN}, TMC_E_RANGE, TMC_E_DTYPE, TMC_E_DTYPE},
        {{TMC_UNARY_LEAKY_RELU, NAN, 0}, TMC_E_RANGE, TMC_E_DTYPE, TMC_E_DTYPE},
        {{TMC_UNARY_ELU, INFINITY, 0}, TMC_E_RANGE, TMC_E_DTYPE, TMC_E_DTYPE},
        {{TMC_UNARY_SELU, 1, NAN}, TMC_E_RANGE, TMC_E_DTYPE, TMC_E_DTYPE},
        {{TMC_UNARY_CELU, 0, 0}, TMC_E_RANGE, TMC_E_DTYPE, TMC_E_DTYPE},
        {{TMC_UNARY_CELU, NAN, 0}, TMC_E_RANGE, TMC_E_DTYPE, TMC_E_DTYPE},
        {{TMC_UNARY_THRESHOLDED_RELU, NAN, 0}, TMC_E_RANGE, TMC_E_DTYPE, TMC_E_DTYPE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EXPECT(cases[i].f32, TMC_OP_UNARY, &cases[i].p, f);
        if (cases[i].f32 == TMC_OK) expect_output(TMC_F32, 3, f.dims);
        EXPECT(cases[i].i32, TMC_OP_UNARY, &cases[i].p, i32);
        EXPECT(cases[i].boolean, TMC_OP_UNARY, &cases[i].p, bits);
    }
}

static void cast(void **state) {
    (void)state;
    tmc_cast_params p = {TMC_I8};
    EXPECT(TMC_OK, TMC_OP_CAST, &p, f);
    expect_output(TMC_I8, 3, f.dims);
    EXPECT(TMC_E_DTYPE, TMC_OP_CAST, &p, {TMC_F16, {2}});
    static const int32_t bad[] = {0, -1, 256 + TMC_F32, TMC_F16, TMC_I4, 99};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        p.dtype = bad[i];
        EXPECT(TMC_E_DTYPE, TMC_OP_CAST, &p, f);
    }
}

static void binary(void **state) {
    (void)state;
    tmc_binary_params p = {TMC_BINARY_ADD, {-INFINITY, INFINITY}};
    EXPECT(TMC_OK, TMC_OP_BINARY, &p, f, {TMC_F32, {5, 1, 3, 1}});
    expect_output(TMC_F32, 4, DIMS(5, 2, 3, 4));
    EXPECT(TMC_OK, TMC_OP_BINARY, &p, f, scalar);
    EXPECT(TMC_E_SHAPE, TMC_OP_BINARY, &p, f, three);
    EXPECT(TMC_E_DTYPE, TMC_OP_BINARY, &p, f, i32);
    EXPECT(TMC_E_DTYPE, TMC_OP_BINARY, &p, u8, u8);
    EXPECT(TMC_E_DTYPE, TMC_OP_BINARY, &p, bits, bits);
    EXPECT(TMC_E_LIMIT, TMC_OP_BINARY, &p, {TMC_F32, {1 << 20, 1}}, {TMC_F32, {1, 1 << 20}});
    static const tmc_act_params bad[] = {{1, 0}, {NAN, 1}, {0, NAN}};
    for (size_t i = 0; i < 3; i++) {
        p.act = bad[i];
        EXPECT(TMC_E_RANGE, TMC_OP_BINARY, &p, f, f);
    }
    p = (tmc_binary_params){TMC_BINARY_LESS, {0, 0}};
    EXPECT(TMC_OK, TMC_OP_BINARY, &p, f, four);
    expect_output(TMC_BOOL, 3, f.dims);
    p.kind = TMC_BINARY_POW;
    EXPECT(TMC_E_DTYPE, TMC_OP_BINARY, &p, i32, i32);
    p.kind = TMC_BINARY_AND;
    EXPECT(TMC_OK, TMC_OP_BINARY, &p, bits, bits);
    EXPECT(TMC_E_DTYPE, TMC_OP_BINARY, &p, i32, i32);
    static const int32_t unknown[] = {0, -5, TMC_BINARY_END, INT32_MAX};
    for (size_t i = 0; i < 4; i++) {
        p.kind = unknown[i];
        EXPECT(TMC_E_UNSUPPORTED, TMC_OP_BINARY, &p, f, f);
    }
}

static void select_shapes(void **state) {
    (void)state;
    tmc_no_params p = {0};
    EXPECT(TMC_OK, TMC_OP_SELECT, &p, {TMC_BOOL, {5, 1, 1, 1}}, four, {TMC_F32, {3, 1}});
    expect_output(TMC_F32, 4, DIMS(5, 1, 3, 4));
    EXPECT(TMC_E_DTYPE, TMC_OP_SELECT, &p, f, f, f);
    EXPECT(TMC_E_DTYPE, TMC_OP_SELECT, &p, bits, f, i32);
    EXPECT(TMC_E_SHAPE, TMC_OP_SELECT, &p, bits, four, three);
    EXPECT(TMC_E_SHAPE, TMC_OP_SELECT, &p, {TMC_BOOL, {5}}, four, four);
}

static void normalize(void **state) {
    (void)state;
    tmc_act_params act = {0, 6};
    EXPECT(TMC_OK, TMC_OP_SCALE_SHIFT, &act, f, four, four);
    EXPECT(TMC_E_SHAPE, TMC_OP_SCALE_SHIFT, &act, f, four, three);
    EXPECT(TMC_E_SHAPE, TMC_OP_SCALE_SHIFT, &act, scalar, scalar, scalar);
    EXPECT(TMC_E_DTYPE, TMC_OP_SCALE_SHIFT, &act, f, four, {TMC_I32, {4}});
    act.lo = NAN;
    EXPECT(TMC_E_RANGE, TMC_OP_SCALE_SHIFT, &act, f, four, four);

    tmc_norm_params norm = {1e-5f, 2, 1};
    EXPECT(TMC_OK, TMC_OP_GROUP_NORM, &norm, f, four, four);
    EXPECT(TMC_E_SHAPE, TMC_OP_GROUP_NORM, &norm, f, three, four);
    EXPECT(TMC_E_SHAPE, TMC_OP_GROUP_NORM, &norm, four, four, four);
    const shape trailing = {TMC_F32, {3, 4}};
    EXPECT(TMC_OK, TMC_OP_LAYER_NORM, &norm, f, trailing);
    EXPECT(TMC_OK, TMC_OP_LAYER_NORM, &norm, f, trailing, trailing);
    EXPECT(TMC_E_SHAPE, TMC_OP_LAYER_NORM, &norm, f, four);
    EXPECT(TMC_E_SHAPE, TMC_OP_LAYER_NORM, &norm, f, trailing, four);
    static const tmc_norm_params bad[] = {{0, 2, 1}, {-1, 2, 1}, {NAN, 2, 1}, {INFINITY, 2, 1}};
    for (size_t i = 0; i < 4; i++) {
        EXPECT(TMC_E_RANGE, TMC_OP_GROUP_NORM, &bad[i], f, four, four);
        EXPECT(TMC_E_RANGE, TMC_OP_LAYER_NORM, &bad[i], f, trailing);
    }
    static const int32_t groups[] = {0, -1, 3, 8, INT32_MIN};
    for (size_t i = 0; i < 5; i++) {
        norm.groups = groups[i];
        EXPECT(TMC_E_SHAPE, TMC_OP_GROUP_NORM, &norm, f, four, four);
    }
    static const int32_t axes[] = {-1, 3, INT32_MAX, INT32_MIN};
    tmc_softmax_params softmax = {2, 1};
    EXPECT(TMC_OK, TMC_OP_SOFTMAX, &softmax, f);
    for (size_t i = 0; i < 4; i++) {
        norm.axis = softmax.axis = axes[i];
        EXPECT(TMC_E_RANGE, TMC_OP_LAYER_NORM, &norm, f, trailing);
        EXPECT(TMC_E_RANGE, TMC_OP_SOFTMAX, &softmax, f);
    }
    softmax = (tmc_softmax_params){0, 2};
    EXPECT(TMC_E_RANGE, TMC_OP_SOFTMAX, &softmax, f);
    EXPECT(TMC_E_DTYPE, TMC_OP_SOFTMAX, &softmax, i32);
    EXPECT(TMC_E_SHAPE, TMC_OP_SOFTMAX, &softmax, scalar);

    tmc_lrn_params lrn = {5, 1e-4f, 0.75f, 1};
    EXPECT(TMC_OK, TMC_OP_LRN, &lrn, f);
    lrn.size = 0;
    EXPECT(TMC_E_RANGE, TMC_OP_LRN, &lrn, f);
    lrn = (tmc_lrn_params){5, NAN, 0.75f, 1};
    EXPECT(TMC_E_RANGE, TMC_OP_LRN, &lrn, f);
}

static void reduce(void **state) {
    (void)state;
    tmc_reduce_params p = {TMC_REDUCE_MEAN, 5, 0};
    EXPECT(TMC_OK, TMC_OP_REDUCE, &p, f);
    expect_output(TMC_F32, 1, DIMS(3));
    p.keep_dims = 1;
    EXPECT(TMC_OK, TMC_OP_REDUCE, &p, i32);
    expect_output(TMC_I32, 3, DIMS(1, 3, 1));
    p = (tmc_reduce_params){TMC_REDUCE_SUM, 7, 0};
    EXPECT(TMC_OK, TMC_OP_REDUCE, &p, f);
    expect_output(TMC_F32, 0, f.dims);
    static const int32_t masks[] = {8, -1, INT32_MIN, 64};
    for (size_t i = 0; i < 4; i++) {
        p.axes = masks[i];
        EXPECT(TMC_E_RANGE, TMC_OP_REDUCE, &p, f);
    }
    p = (tmc_reduce_params){TMC_REDUCE_L2, 1, 0};
    EXPECT(TMC_E_DTYPE, TMC_OP_REDUCE, &p, i32);
    EXPECT(TMC_E_DTYPE, TMC_OP_REDUCE, &p, u8);
    p.keep_dims = 2;
    EXPECT(TMC_E_RANGE, TMC_OP_REDUCE, &p, f);
    p = (tmc_reduce_params){TMC_REDUCE_END, 1, 0};
    EXPECT(TMC_E_UNSUPPORTED, TMC_OP_REDUCE, &p, f);

    tmc_arg_params arg = {1, 1, 0};
    EXPECT(TMC_OK, TMC_OP_ARG_MAX, &arg, f);
    expect_output(TMC_I64, 3, DIMS(2, 1, 4));
    arg = (tmc_arg_params){3, 0, 0};
    EXPECT(TMC_E_RANGE, TMC_OP_ARG_MIN, &arg, f);
    arg.axis = -1;
    EXPECT(TMC_E_RANGE, TMC_OP_ARG_MAX, &arg, f);
    EXPECT(TMC_E_SHAPE, TMC_OP_ARG_MAX, &arg, scalar);
    EXPECT(TMC_E_DTYPE, TMC_OP_ARG_MAX, &arg, bits);
    arg = (tmc_arg_params){0, 0, 7};
    EXPECT(TMC_E_RANGE, TMC_OP_ARG_MAX, &arg, f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unary),         cmocka_unit_test(cast),      cmocka_unit_test(binary),
        cmocka_unit_test(select_shapes), cmocka_unit_test(normalize), cmocka_unit_test(reduce),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
