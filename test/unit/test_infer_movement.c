/* Shape inference of the operators that move elements, and what tmc_infer checks for every operator. */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "format/packing.h"
#include "graph/infer.h"
#include "graph/scalar.h"

#define MAX_INPUTS 4

/* A shape is written {dims}, ended by 0; {0} is a scalar. */
typedef struct {
    uint8_t dtype;
    int32_t dims[TMC_MAX_RANK];
} shape;

static tmc_tensor_desc desc_of(const shape *s) {
    tmc_tensor_desc desc = {.dtype = s->dtype};
    while (desc.rank < TMC_MAX_RANK && s->dims[desc.rank]) {
        desc.dims[desc.rank] = s->dims[desc.rank];
        desc.rank++;
    }
    return desc;
}

static tmc_tensor_desc outputs[80];
static tmc_error err;

static tmc_status infer(uint16_t op, const void *params, const tmc_tensor_desc *const *inputs, uint32_t input_count,
                        uint32_t output_count) {
    memset(outputs, 0xCD, sizeof outputs);
    tmc_error_init(&err);
    tmc_infer_args args = {op, params, input_count, output_count, inputs, outputs, &err, NULL};
    return tmc_infer(&args);
}

static void expect(uint16_t op, const void *params, const shape *in, uint32_t input_count, tmc_status status,
                   shape out) {
    tmc_tensor_desc descs[MAX_INPUTS];
    const tmc_tensor_desc *inputs[MAX_INPUTS] = {0};
    for (uint32_t i = 0; i < input_count; i++) {
        descs[i] = desc_of(&in[i]);
        inputs[i] = &descs[i];
    }
    const tmc_status got = infer(op, params, inputs, input_count, 1);
    if (got != status) fail_msg("%s: got %s (%s)", tmc_op_schema_find(op)->name, tmc_status_name(got), err.message);
    assert_int_equal(err.status, status);
    if (status != TMC_OK) {
        assert_true(err.message[0]);
        return;
    }
    const tmc_tensor_desc wanted = desc_of(&out);
    char have[96];
    tmc_tensor_shape_text(&outputs[0], have, sizeof have);
    if (!tmc_tensor_same_shape(&outputs[0], &wanted)) fail_msg("%s: got %s", tmc_op_schema_find(op)->name, have);
    assert_int_equal(outputs[0].dtype, out.dtype);
    assert_int_equal(outputs[0].packing, TMC_PACK_NONE);
}

#define F(...) ((shape){TMC_F32, {__VA_ARGS__}})
#define T(type, ...) ((shape){type, {__VA_ARGS__}})
#define INPUTS(...) ((const shape[]){__VA_ARGS__}), (uint32_t)(sizeof((const shape[]){__VA_ARGS__}) / sizeof(shape))
#define NONE T(0, 0)

static void dispatch_checks_arity(void **state) {
    (void)state;
    const tmc_tensor_desc x = desc_of(&F(1, 4, 4, 3)), w = desc_of(&F(8, 3, 3, 3));
    const tmc_tensor_desc *one[] = {&x}, *two[] = {&x, &w}, *missing[] = {&x, NULL}, *none[] = {NULL};
    const tmc_axis_params axis = {3};
    const tmc_conv_params conv = {.spatial = 2};
    assert_int_equal(infer(0, &axis, one, 1, 1), TMC_E_UNSUPPORTED);
    assert_int_equal(infer(TMC_OP_END, &axis, one, 1, 1), TMC_E_UNSUPPORTED);
    assert_int_equal(infer(TMC_OP_CONCAT, &axis, one, 0, 1), TMC_E_GRAPH);
    assert_int_equal(infer(TMC_OP_CONCAT, &axis, one, 1, 0), TMC_E_GRAPH);
    assert_int_equal(infer(TMC_OP_CONCAT, &axis, one, 1, 2), TMC_E_GRAPH);
    assert_int_equal(infer(TMC_OP_GATHER, &axis, one, 1, 1), TMC_E_GRAPH);
    assert_int_equal(infer(TMC_OP_TRANSPOSE, &axis, two, 2, 1), TMC_E_GRAPH);
    assert_int_equal(infer(TMC_OP_CONCAT, &axis, none, 1, 1), TMC_E_GRAPH);
    assert_int_equal(infer(TMC_OP_CONCAT, &axis, missing, 2, 1), TMC_E_GRAPH); /* each of any number is needed */
    assert_int_equal(infer(TMC_OP_CONV, &conv, missing, 2, 1), TMC_E_GRAPH);
    assert_int_equal(infer(TMC_OP_CONCAT, &axis, one, 1, 1), TMC_OK);
}

static void dispatch_refuses_packed_inputs(void **state) {
    (void)state;
    tmc_tensor_desc x = desc_of(&F(4, 4)), packed = x;
    packed.packing = TMC_PACK_F32_PANELS;
    const tmc_tensor_desc *inputs[] = {&x, &packed}, *first[] = {&packed, &x};
    const tmc_axis_params axis = {0};
    assert_int_equal(infer(TMC_OP_CONCAT, &axis, inputs, 2, 1), TMC_E_UNSUPPORTED);
    assert_int_equal(infer(TMC_OP_CONCAT, &axis, first, 1, 1), TMC_E_UNSUPPORTED);
    assert_int_equal(infer(TMC_OP_FULLY_CONNECTED, &axis, first, 2, 1), TMC_E_UNSUPPORTED);
}

static void macs(void **state) {
    (void)state;
    const tmc_tensor_desc x = desc_of(&F(2, 8, 8, 6)), y = desc_of(&F(2, 4, 4, 10));
    const tmc_tensor_desc w = desc_of(&F(10, 3, 3, 3)), dw = desc_of(&F(3, 3, 6));
    const tmc_tensor_desc *conv[] = {&x, &w}, *depthwise[] = {&x, &dw}, *unary[] = {&x};
    assert_int_equal(tmc_count_macs(TMC_OP_CONV, NULL, conv, &y), 2 * 4 * 4 * 10 * 3 * 3 * 3);
    assert_int_equal(tmc_count_macs(TMC_OP_DEPTHWISE_CONV, NULL, depthwise, &x), 2 * 8 * 8 * 6 * 9);
    assert_int_equal(tmc_count_macs(TMC_OP_CONV_TRANSPOSE, NULL, conv, &y), 2 * 8 * 8 * 10 * 3 * 3 * 3);
    assert_int_equal(tmc_count_macs(TMC_OP_UNARY, NULL, unary, &x), 0);
    const tmc_tensor_desc rows = desc_of(&F(5, 7)), weights = desc_of(&F(11, 7)), result = desc_of(&F(5, 11));
    const tmc_tensor_desc *dense[] = {&rows, &weights};
    assert_int_equal(tmc_count_macs(TMC_OP_FULLY_CONNECTED, NULL, dense, &result), 5 * 7 * 11);
    assert_int_equal(tmc_count_macs(TMC_OP_MATMUL, NULL, dense, &result), 5 * 7 * 11);
}

static void concat(void **state) {
    (void)state;
    const tmc_axis_params a0 = {0}, a1 = {1}, a2 = {2}, negative = {-1};
    expect(TMC_OP_CONCAT, &a1, INPUTS(F(2, 3), F(2, 5)), TMC_OK, F(2, 8));
    expect(TMC_OP_CONCAT, &a0, INPUTS(T(TMC_I64, 2), T(TMC_I64, 5), T(TMC_I64, 1)), TMC_OK, T(TMC_I64, 8));
    expect(TMC_OP_CONCAT, &a0, INPUTS(F(2, 3), F(2, 5)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_CONCAT, &a0, INPUTS(F(2, 3), F(2)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_CONCAT, &a0, INPUTS(F(2, 3), T(TMC_I32, 2, 3)), TMC_E_DTYPE, NONE);
    expect(TMC_OP_CONCAT, &a2, INPUTS(F(2, 3), F(2, 3)), TMC_E_RANGE, NONE);
    expect(TMC_OP_CONCAT, &negative, INPUTS(F(2, 3)), TMC_E_RANGE, NONE);
    expect(TMC_OP_CONCAT, &a0, INPUTS(F(0)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_CONCAT, &a0, INPUTS(T(TMC_U8, INT_MAX), T(TMC_U8, 1)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_CONCAT, &a0, INPUTS(F(1 << 28, 1), F(1 << 28, 1)), TMC_E_LIMIT, NONE);
}

static void split(void **state) {
    (void)state;
    const tmc_tensor_desc x = desc_of(&F(2, 6)), scalar = desc_of(&F(0));
    const tmc_tensor_desc *in[] = {&x}, *in_scalar[] = {&scalar};
    tmc_split_params p = {.axis = 1, .sizes = {1, 3, 2}};
    assert_int_equal(infer(TMC_OP_SPLIT, &p, in, 1, 3), TMC_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(outputs[i].dims[0], 2);
        assert_int_equal(outputs[i].dims[1], p.sizes[i]);
    }
    assert_int_equal(infer(TMC_OP_SPLIT, &p, in, 1, 2), TMC_E_SHAPE); /* a size without an output */
    assert_int_equal(infer(TMC_OP_SPLIT, &p, in, 1, 4), TMC_E_SHAPE); /* an output without a size */
    assert_int_equal(infer(TMC_OP_SPLIT, &p, in, 1, 65), TMC_E_GRAPH);
    assert_int_equal(infer(TMC_OP_SPLIT, &p, in_scalar, 1, 3), TMC_E_SHAPE);
    p.sizes[2] = 3;
    assert_int_equal(infer(TMC_OP_SPLIT, &p, in, 1, 3), TMC_E_SHAPE);
    p = (tmc_split_params){.axis = 1, .sizes = {7, -1}};
    assert_int_equal(infer(TMC_OP_SPLIT, &p, in, 1, 2), TMC_E_SHAPE);
    p = (tmc_split_params){.axis = 2, .sizes = {6}};
    assert_int_equal(infer(TMC_OP_SPLIT, &p, in, 1, 1), TMC_E_RANGE);
}

static tmc_slice_params slice1(int32_t begin, int32_t end, int32_t step) {
    tmc_slice_params p = {{begin}, {end, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX}, {step, 1, 1, 1, 1, 1}};
    return p;
}

static void slice(void **state) {
    (void)state;
    static const struct {
        int32_t begin, end, step, count; /* of 10; 0: E_SHAPE; counts from Python's len(range(10)[b:e:s]) */
    } cases[] = {
        {0, INT32_MAX, 1, 10},
        {2, 5, 1, 3},
        {-3, INT32_MAX, 1, 3},
        {0, -1, 1, 9},
        {0, 10, 3, 4},
        {1, 10, 3, 3},
        {-100, 100, 1, 10},
        {9, INT32_MIN, -1, 10},
        {-1, INT32_MIN, -1, 10},
        {100, INT32_MIN, -3, 4},
        {8, 2, -2, 3},
        {5, 5, 1, 0},
        {7, 3, 1, 0},
        {3, 7, -1, 0},
        {10, INT32_MAX, 1, 0},
        {-100, INT32_MIN, -1, 0},
        {0, INT32_MIN, -1, 1},
        {0, INT32_MAX, INT32_MAX, 1},
        {9, INT32_MIN, INT32_MIN, 1},
        {9, INT32_MAX, -1, 0},
        {INT32_MIN, INT32_MAX, 1, 10},
        {-10, -9, 1, 1},
        {-1, -11, -9, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tmc_slice_params p = slice1(cases[i].begin, cases[i].end, cases[i].step);
        expect(TMC_OP_SLICE, &p, INPUTS(F(10, 3)), cases[i].count ? TMC_OK : TMC_E_SHAPE, F(cases[i].count, 3));
    }
    tmc_slice_params p = slice1(0, INT32_MAX, 0);
    expect(TMC_OP_SLICE, &p, INPUTS(F(10)), TMC_E_RANGE, NONE);
    p = slice1(0, INT32_MAX, 1);
    p.begin[3] = 1; /* beyond the rank */
    expect(TMC_OP_SLICE, &p, INPUTS(F(10, 3)), TMC_E_RANGE, NONE);
    p = slice1(0, INT32_MAX, 1);
    expect(TMC_OP_SLICE, &p, INPUTS(F(0)), TMC_OK, F(0));
}

static void pad(void **state) {
    (void)state;
    tmc_pad_params p = {.mode = TMC_PAD_CONSTANT, .begin = {0, 1}, .end = {2, 0}};
    expect(TMC_OP_PAD, &p, INPUTS(F(3, 4)), TMC_OK, F(5, 5));
    expect(TMC_OP_PAD, &p, INPUTS(F(3)), TMC_E_RANGE, NONE); /* an axis that does not exist */
    p.begin[1] = -1;
    expect(TMC_OP_PAD, &p, INPUTS(F(3, 4)), TMC_E_RANGE, NONE);
    p.begin[1] = INT_MAX;
    expect(TMC_OP_PAD, &p, INPUTS(F(3, 4)), TMC_E_LIMIT, NONE);
    p = (tmc_pad_params){.mode = 4};
    expect(TMC_OP_PAD, &p, INPUTS(F(3)), TMC_E_UNSUPPORTED, NONE);
    static const struct {
        int32_t mode, most; /* of 3 elements */
    } modes[] = {{TMC_PAD_REFLECT, 2}, {TMC_PAD_WRAP, 3}, {TMC_PAD_EDGE, 1000}};
    for (size_t i = 0; i < 3; i++) {
        p = (tmc_pad_params){.mode = modes[i].mode, .begin = {modes[i].most}, .end = {modes[i].most}, .value = NAN};
        expect(TMC_OP_PAD, &p, INPUTS(F(3)), TMC_OK, F(3 + 2 * modes[i].most));
        if (modes[i].mode == TMC_PAD_EDGE) continue;
        p.end[0]++;
        expect(TMC_OP_PAD, &p, INPUTS(F(3)), TMC_E_RANGE, NONE);
    }
    p = (tmc_pad_params){.mode = TMC_PAD_CONSTANT, .value = 0.5f};
    expect(TMC_OP_PAD, &p, INPUTS(F(3)), TMC_OK, F(3));
    expect(TMC_OP_PAD, &p, INPUTS(T(TMC_F16, 3)), TMC_OK, T(TMC_F16, 3));
    expect(TMC_OP_PAD, &p, INPUTS(T(TMC_I32, 3)), TMC_E_RANGE, NONE);
    p.value = NAN;
    expect(TMC_OP_PAD, &p, INPUTS(F(3)), TMC_E_RANGE, NONE);
}

static void scalars(void **state) {
    (void)state;
    static const struct {
        uint8_t dtype;
        float value;
        int64_t bits; /* -1: not exact */
    } cases[] = {
        {TMC_F32, 1.5f, 0x3fc00000},
        {TMC_F16, 1.5f, 0x3e00},
        {TMC_F16, 65504.0f, 0x7bff},
        {TMC_F16, 65520.0f, -1},
        {TMC_F16, 0x1p-24f, 0x0001},
        {TMC_F16, 0x1p-25f, -1},
        {TMC_F16, 0x1p-14f, 0x0400},
        {TMC_F16, 0x1.ff8p-15f, 0x03ff},
        {TMC_F16, -0.0f, 0x8000},
        {TMC_F16, 0.1f, -1},
        {TMC_F16, INFINITY, 0x7c00},
        {TMC_F16, -INFINITY, 0xfc00},
        {TMC_I8, 127.0f, 0x7f},
        {TMC_I8, -128.0f, 0x80},
        {TMC_I8, 128.0f, -1},
        {TMC_I8, -129.0f, -1},
        {TMC_I8, 0.5f, -1},
        {TMC_U8, 255.0f, 0xff},
        {TMC_U8, 256.0f, -1},
        {TMC_U8, -1.0f, -1},
        {TMC_I32, -0x1p31f, 0x80000000},
        {TMC_I32, 0x1p31f, -1},
        {TMC_I64, 0x1p62f, 1ll << 62},
        {TMC_I64, 0x1p63f, -1},
        {TMC_BOOL, 1.0f, 1},
        {TMC_BOOL, 2.0f, -1},
        {TMC_I32, INFINITY, -1},
        {TMC_I4, 0.0f, -1},
        {TMC_U8, -0.0f, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t out[TMC_MAX_ELEMENT] = {0};
        const bool exact = tmc_scalar_from_float(cases[i].dtype, cases[i].value, out);
        if (exact != (cases[i].bits >= 0)) fail_msg("case %zu", i);
        int64_t bits;
        memcpy(&bits, out, sizeof bits);
        if (exact && bits != cases[i].bits) fail_msg("case %zu: %llx", i, (unsigned long long)bits);
    }
    uint8_t out[TMC_MAX_ELEMENT];
    for (uint32_t dtype = TMC_F32; dtype <= TMC_I4; dtype++) assert_false(tmc_scalar_from_float(dtype, NAN, out));
}

static void gather(void **state) {
    (void)state;
    const tmc_axis_params a0 = {0}, a1 = {1}, a2 = {2};
    expect(TMC_OP_GATHER, &a1, INPUTS(F(2, 3, 4), T(TMC_I32, 5, 6)), TMC_OK, F(2, 5, 6, 4));
    expect(TMC_OP_GATHER, &a0, INPUTS(T(TMC_U8, 7), T(TMC_I64, 0)), TMC_OK, T(TMC_U8, 0));
    expect(TMC_OP_GATHER, &a0, INPUTS(F(7), F(2)), TMC_E_DTYPE, NONE);
    expect(TMC_OP_GATHER, &a2, INPUTS(F(7, 2), T(TMC_I32, 2)), TMC_E_RANGE, NONE);
    expect(TMC_OP_GATHER, &a0, INPUTS(F(0), T(TMC_I32, 2)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_GATHER, &a0, INPUTS(F(1, 1, 1, 1), T(TMC_I32, 1, 1, 1, 1)), TMC_E_SHAPE, NONE);
}

#define SHAPE(rank, ...) (&(const tmc_shape_params){rank, {__VA_ARGS__}})

static void reshape(void **state) {
    (void)state;
    expect(TMC_OP_RESHAPE, SHAPE(2, 6, 4), INPUTS(F(2, 3, 4)), TMC_OK, F(6, 4));
    expect(TMC_OP_RESHAPE, SHAPE(2, -1, 4), INPUTS(F(2, 3, 4)), TMC_OK, F(6, 4));
    expect(TMC_OP_RESHAPE, SHAPE(3, 0, -1, 1), INPUTS(F(2, 3, 4)), TMC_OK, F(2, 12, 1));
    expect(TMC_OP_RESHAPE, SHAPE(0, 0), INPUTS(F(1, 1)), TMC_OK, F(0));
    expect(TMC_OP_RESHAPE, SHAPE(1, -1), INPUTS(F(0)), TMC_OK, F(1));
    expect(TMC_OP_RESHAPE, SHAPE(2, -1, -1), INPUTS(F(2, 3)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_RESHAPE, SHAPE(2, 4, -1), INPUTS(F(2, 3)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_RESHAPE, SHAPE(2, 12, -1), INPUTS(F(2, 3)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_RESHAPE, SHAPE(2, 2, 4), INPUTS(F(2, 3)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_RESHAPE, SHAPE(2, -2, -3), INPUTS(F(2, 3)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_RESHAPE, SHAPE(3, 2, 3, 0), INPUTS(F(2, 3)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_RESHAPE, SHAPE(7, 1, 1, 1, 1, 1, 6), INPUTS(F(2, 3)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_RESHAPE, SHAPE(-1, 6), INPUTS(F(2, 3)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_RESHAPE, SHAPE(1, 6, 1), INPUTS(F(2, 3)), TMC_E_RANGE, NONE);
    /* Products that wrap to the right count at 32 and at 64 bit. */
    expect(TMC_OP_RESHAPE, SHAPE(3, 65536, 65536, 6), INPUTS(F(2, 3)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_RESHAPE, SHAPE(4, INT_MAX, INT_MAX, INT_MAX, INT_MAX), INPUTS(F(2, 3)), TMC_E_SHAPE, NONE);
}

static void expand_and_tile(void **state) {
    (void)state;
    expect(TMC_OP_EXPAND, SHAPE(3, 2, 3, 4), INPUTS(F(3, 1)), TMC_OK, F(2, 3, 4));
    expect(TMC_OP_EXPAND, SHAPE(1, 1), INPUTS(F(3, 5)), TMC_OK, F(3, 5));
    expect(TMC_OP_EXPAND, SHAPE(2, 3, 2), INPUTS(F(3, 5)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_EXPAND, SHAPE(2, 0, 5), INPUTS(F(3, 5)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_EXPAND, SHAPE(1, -1), INPUTS(F(3, 5)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_EXPAND, SHAPE(7, 1), INPUTS(F(3)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_EXPAND, SHAPE(2, INT_MAX, 1), INPUTS(F(3)), TMC_E_LIMIT, NONE);
    expect(TMC_OP_TILE, SHAPE(2, 2, 3), INPUTS(F(3, 5)), TMC_OK, F(6, 15));
    expect(TMC_OP_TILE, SHAPE(0, 0), INPUTS(F(0)), TMC_OK, F(0));
    expect(TMC_OP_TILE, SHAPE(1, 2), INPUTS(F(3, 5)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_TILE, SHAPE(2, 2, 0), INPUTS(F(3, 5)), TMC_E_RANGE, NONE);
    expect(TMC_OP_TILE, SHAPE(2, 2, -1), INPUTS(F(3, 5)), TMC_E_RANGE, NONE);
    expect(TMC_OP_TILE, SHAPE(2, 1 << 30, 1), INPUTS(F(4, 5)), TMC_E_LIMIT, NONE);
    expect(TMC_OP_TILE, SHAPE(2, 1 << 20, 1 << 20), INPUTS(F(4, 5)), TMC_E_LIMIT, NONE);
}

static void transpose(void **state) {
    (void)state;
    expect(TMC_OP_TRANSPOSE, SHAPE(4, 0, 3, 1, 2), INPUTS(F(1, 5, 6, 3)), TMC_OK, F(1, 3, 5, 6));
    expect(TMC_OP_TRANSPOSE, SHAPE(0, 0), INPUTS(F(0)), TMC_OK, F(0));
    expect(TMC_OP_TRANSPOSE, SHAPE(2, 1, 1), INPUTS(F(5, 6)), TMC_E_RANGE, NONE);
    expect(TMC_OP_TRANSPOSE, SHAPE(2, 1, 2), INPUTS(F(5, 6)), TMC_E_RANGE, NONE);
    expect(TMC_OP_TRANSPOSE, SHAPE(2, 1, -1), INPUTS(F(5, 6)), TMC_E_RANGE, NONE);
    expect(TMC_OP_TRANSPOSE, SHAPE(2, 1, INT_MIN), INPUTS(F(5, 6)), TMC_E_RANGE, NONE);
    expect(TMC_OP_TRANSPOSE, SHAPE(1, 0), INPUTS(F(5, 6)), TMC_E_RANGE, NONE);
    expect(TMC_OP_TRANSPOSE, SHAPE(INT_MAX, 0), INPUTS(F(5, 6)), TMC_E_SHAPE, NONE);
}

#define BLOCK(block, mode) (&(const tmc_block_params){block, mode})

static void blocks(void **state) {
    (void)state;
    expect(TMC_OP_DEPTH_TO_SPACE, BLOCK(2, 0), INPUTS(F(1, 3, 5, 12)), TMC_OK, F(1, 6, 10, 3));
    expect(TMC_OP_DEPTH_TO_SPACE, BLOCK(2, 1), INPUTS(F(1, 3, 5, 12)), TMC_OK, F(1, 6, 10, 3));
    expect(TMC_OP_DEPTH_TO_SPACE, BLOCK(2, 2), INPUTS(F(1, 3, 5, 12)), TMC_E_UNSUPPORTED, NONE);
    expect(TMC_OP_DEPTH_TO_SPACE, BLOCK(0, 0), INPUTS(F(1, 3, 5, 12)), TMC_E_RANGE, NONE);
    expect(TMC_OP_DEPTH_TO_SPACE, BLOCK(-2, 0), INPUTS(F(1, 3, 5, 12)), TMC_E_RANGE, NONE);
    expect(TMC_OP_DEPTH_TO_SPACE, BLOCK(3, 0), INPUTS(F(1, 3, 5, 12)), TMC_E_RANGE, NONE);
    expect(TMC_OP_DEPTH_TO_SPACE, BLOCK(65536, 0), INPUTS(F(1, 3, 5, 12)), TMC_E_RANGE, NONE); /* 2^32 wraps to 0 */
    expect(TMC_OP_DEPTH_TO_SPACE, BLOCK(2, 0), INPUTS(F(3, 5, 12)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_DEPTH_TO_SPACE, BLOCK(2, 0), INPUTS(T(TMC_U8, 1, 1 << 28, 1, 4)), TMC_OK,
           T(TMC_U8, 1, 1 << 29, 2, 1));
    expect(TMC_OP_SPACE_TO_DEPTH, BLOCK(2, 0), INPUTS(F(1, 6, 10, 3)), TMC_OK, F(1, 3, 5, 12));
    expect(TMC_OP_SPACE_TO_DEPTH, BLOCK(2, 0), INPUTS(F(1, 6, 9, 3)), TMC_E_RANGE, NONE);
    expect(TMC_OP_SPACE_TO_DEPTH, BLOCK(2, 0), INPUTS(F(1, 5, 10, 3)), TMC_E_RANGE, NONE);
    expect(TMC_OP_SPACE_TO_DEPTH, BLOCK(2, 1), INPUTS(F(1, 6, 10, 3)), TMC_E_UNSUPPORTED, NONE);
    expect(TMC_OP_SPACE_TO_DEPTH, BLOCK(INT_MAX, 0), INPUTS(F(1, 6, 10, 3)), TMC_E_RANGE, NONE);
    expect(TMC_OP_CHANNEL_SHUFFLE, BLOCK(4, 0), INPUTS(F(2, 12)), TMC_OK, F(2, 12));
    expect(TMC_OP_CHANNEL_SHUFFLE, BLOCK(5, 0), INPUTS(F(2, 12)), TMC_E_RANGE, NONE);
    expect(TMC_OP_CHANNEL_SHUFFLE, BLOCK(0, 0), INPUTS(F(2, 12)), TMC_E_RANGE, NONE);
    expect(TMC_OP_CHANNEL_SHUFFLE, BLOCK(1, 0), INPUTS(F(0)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_CHANNEL_SHUFFLE, BLOCK(2, 0), INPUTS(F(2, 5), F(2, 5)), TMC_OK, F(2, 10));
    expect(TMC_OP_CHANNEL_SHUFFLE, BLOCK(1, 0), INPUTS(F(2, 6), F(2, 6)), TMC_E_RANGE, NONE);
    expect(TMC_OP_CHANNEL_SHUFFLE, BLOCK(3, 0), INPUTS(F(2, 6), F(2, 6)), TMC_E_RANGE, NONE);
    expect(TMC_OP_CHANNEL_SHUFFLE, BLOCK(2, 0), INPUTS(F(2, 6), F(2, 5)), TMC_E_SHAPE, NONE);
    expect(TMC_OP_CHANNEL_SHUFFLE, BLOCK(2, 0), INPUTS(F(2, 6), T(TMC_I32, 2, 6)), TMC_E_DTYPE, NONE);
    expect(TMC_OP_CHANNEL_SHUFFLE, BLOCK(2, 0), INPUTS(T(TMC_U8, 1 << 30), T(TMC_U8, 1 << 30)), TMC_E_LIMIT, NONE);
}

static void resize(void **state) {
    (void)state;
    const tmc_resize_params nearest = {.sizes = {0, 7}, .scales = {1.0f}};
    expect(TMC_OP_RESIZE, &nearest, INPUTS(T(TMC_U8, 2, 3)), TMC_OK, T(TMC_U8, 2, 7));
    tmc_resize_params p = {.mode = TMC_RESIZE_LINEAR, .scales = {1.0f, 2.5f, 0.5f}};
    expect(TMC_OP_RESIZE, &p, INPUTS(F(1, 3, 5)), TMC_OK, F(1, 7, 2));
    expect(TMC_OP_RESIZE, &p, INPUTS(T(TMC_F16, 1, 3, 5)), TMC_E_DTYPE, NONE);
    expect(TMC_OP_RESIZE, &p, INPUTS(F(1, 3, 1)), TMC_E_RANGE, NONE);    /* shrinks to 0 */
    expect(TMC_OP_RESIZE, &p, INPUTS(F(1, 3, 5, 2)), TMC_E_RANGE, NONE); /* neither size nor scale */
    p.sizes[1] = 100;                                                    /* the size wins */
    expect(TMC_OP_RESIZE, &p, INPUTS(F(1, 3, 5)), TMC_OK, F(1, 100, 2));
    p.sizes[1] = -1;
    expect(TMC_OP_RESIZE, &p, INPUTS(F(1, 3, 5)), TMC_E_RANGE, NONE);
    static const float bad_scales[] = {0.0f, -1.0f, 1e30f, 1e-30f, NAN, INFINITY, -INFINITY, 0x1p31f};
    for (size_t i = 0; i < sizeof bad_scales / sizeof *bad_scales; i++) {
        p = (tmc_resize_params){.scales = {bad_scales[i]}};
        expect(TMC_OP_RESIZE, &p, INPUTS(T(TMC_U8, 3)), TMC_E_RANGE, NONE);
        p.sizes[0] = 5;
        const bool given = bad_scales[i] != 0.0f && bad_scales[i] != 0x1p31f;
        expect(TMC_OP_RESIZE, &p, INPUTS(T(TMC_U8, 3)), given ? TMC_E_RANGE : TMC_OK, T(TMC_U8, 5));
    }
    /* The product of floats: 10 * 0.7f rounds to 7. */
    p = (tmc_resize_params){.scales = {0.7f}};
    expect(TMC_OP_RESIZE, &p, INPUTS(F(10)), TMC_OK, F(7));
    p = (tmc_resize_params){.coordinates = TMC_COORD_ALIGN_CORNERS, .sizes = {1}};
    expect(TMC_OP_RESIZE, &p, INPUTS(F(10)), TMC_E_RANGE, NONE);
    expect(TMC_OP_RESIZE, &p, INPUTS(F(1)), TMC_OK, F(1));
    p = (tmc_resize_params){.coordinates = TMC_COORD_ALIGN_CORNERS, .scales = {0.5f}};
    expect(TMC_OP_RESIZE, &p, INPUTS(F(2)), TMC_E_RANGE, NONE);
    expect(TMC_OP_RESIZE, &p, INPUTS(F(3)), TMC_OK, F(1)); /* a length of 1.5 has its second corner */
    p = (tmc_resize_params){.coordinates = TMC_COORD_TF_CROP_AND_RESIZE, .sizes = {4}, .roi_end = {1.0f}};
    expect(TMC_OP_RESIZE, &p, INPUTS(F(10)), TMC_OK, F(4));
    p.extrapolation = 0.5f;
    expect(TMC_OP_RESIZE, &p, INPUTS(T(TMC_I32, 10)), TMC_E_RANGE, NONE);
    p.roi_end[0] = INFINITY;
    expect(TMC_OP_RESIZE, &p, INPUTS(F(10)), TMC_E_RANGE, NONE);
    const tmc_resize_params unknown[] = {
        {.mode = 3, .sizes = {1}},         {.mode = -1, .sizes = {1}},   {.coordinates = 6, .sizes = {1}},
        {.coordinates = -1, .sizes = {1}}, {.nearest = 4, .sizes = {1}}, {.nearest = -1, .sizes = {1}},
    };
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        expect(TMC_OP_RESIZE, &unknown[i], INPUTS(F(1)), TMC_E_UNSUPPORTED, NONE);
    p = (tmc_resize_params){.sizes = {1}, .exclude_outside = 2};
    expect(TMC_OP_RESIZE, &p, INPUTS(F(1)), TMC_E_RANGE, NONE);
    p = (tmc_resize_params){.mode = TMC_RESIZE_CUBIC, .sizes = {1}, .cubic_a = NAN};
    expect(TMC_OP_RESIZE, &p, INPUTS(F(1)), TMC_E_RANGE, NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dispatch_checks_arity),
        cmocka_unit_test(dispatch_refuses_packed_inputs),
        cmocka_unit_test(macs),
        cmocka_unit_test(concat),
        cmocka_unit_test(split),
        cmocka_unit_test(slice),
        cmocka_unit_test(pad),
        cmocka_unit_test(scalars),
        cmocka_unit_test(gather),
        cmocka_unit_test(reshape),
        cmocka_unit_test(expand_and_tile),
        cmocka_unit_test(transpose),
        cmocka_unit_test(blocks),
        cmocka_unit_test(resize),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
