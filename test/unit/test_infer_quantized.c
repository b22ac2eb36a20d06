/* What the operators do with the quantisation of their tensors: who keeps it, who takes it from the declaration of the
 * output, who refuses it; and that moved elements are the same bytes as without it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/op.h"
#include "graph/scalar.h"
#include "lib/op_runner.h"

#define DIMS(...) ((const int32_t[]){__VA_ARGS__})
#define WINDOW2 .spatial = 2, .kernel = {1, 2, 2}, .stride = {1, 2, 2}, .dilation = {1, 1, 1}

static const tmc_quantization q = {.scale = 0.5f, .zero_point = 3}, other = {.scale = 0.25f, .zero_point = -7};
static const tmc_act_params no_act = {-INFINITY, INFINITY};

static const tmc_pool_params pool = {WINDOW2};
static const tmc_conv_params conv = {WINDOW2, .groups = 1, .act = {-INFINITY, INFINITY}};
static const tmc_no_params none;
static const tmc_axis_params axis3 = {.axis = 3}, axis0 = {.axis = 0};
static const tmc_split_params halves = {.axis = 3, .sizes = {2, 2}};
static const tmc_slice_params slice = {.begin = {0, 1, 0, 0, 0, 0},
                                       .end = {INT32_MAX, 3, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX},
                                       .step = {1, 1, 1, 1, 1, 1}};
static const tmc_pad_params pad = {.mode = TMC_PAD_EDGE, .begin = {0, 1, 1}, .end = {0, 1, 1}};
static const tmc_shape_params flat = {2, {1, 64}}, triple = {4, {3, 4, 4, 4}}, twice = {4, {1, 2, 1, 1}},
                              permuted = {4, {0, 3, 1, 2}};
static const tmc_resize_params doubled = {.mode = TMC_RESIZE_NEAREST,
                                          .coordinates = TMC_COORD_ASYMMETRIC,
                                          .nearest = TMC_NEAREST_FLOOR,
                                          .sizes = {1, 8, 8, 4}};
static const tmc_block_params block2 = {.block = 2};

/* One operator that moves elements: inputs of [1,4,4,4], the last `plain` of them no data. */
typedef struct {
    uint16_t op;
    const void *params;
    uint32_t data_inputs, outputs;
} mover;

static const mover movers[] = {
    {TMC_OP_CONCAT, &axis3, 3, 1},
    {TMC_OP_SPLIT, &halves, 1, 2},
    {TMC_OP_SLICE, &slice, 1, 1},
    {TMC_OP_PAD, &pad, 1, 1},
    {TMC_OP_RESHAPE, &flat, 1, 1},
    {TMC_OP_EXPAND, &triple, 1, 1},
    {TMC_OP_TILE, &twice, 1, 1},
    {TMC_OP_TRANSPOSE, &permuted, 1, 1},
    {TMC_OP_RESIZE, &doubled, 1, 1},
    {TMC_OP_DEPTH_TO_SPACE, &block2, 1, 1},
    {TMC_OP_SPACE_TO_DEPTH, &block2, 1, 1},
    {TMC_OP_CHANNEL_SHUFFLE, &block2, 1, 1},
    {TMC_OP_CHANNEL_SHUFFLE, &block2, 2, 1},
    {TMC_OP_GATHER, &axis0, 1, 1},
};

static tmc_tensor_desc quantized(tmc_quantization quantization, int32_t rank, const int32_t *dims) {
    tmc_tensor_desc desc = op_desc(TMC_I8, rank, dims);
    desc.quantization = quantization;
    return desc;
}

static op_call call_of(const mover *m, op_tensor in[4], const int8_t *data, tmc_quantization quantization) {
    static const int32_t index[2] = {0, 0};
    for (uint32_t i = 0; i < m->data_inputs; i++)
        in[i] = (op_tensor){.desc = quantized(quantization, 4, DIMS(1, 4, 4, 4)), .data = data + 64 * i};
    uint32_t count = m->data_inputs;
    if (m->op == TMC_OP_GATHER) in[count++] = (op_tensor){.desc = op_desc(TMC_I32, 1, DIMS(2)), .data = index};
    return (op_call){.op = m->op, .params = m->params, .inputs = in, .input_count = count, .output_count = m->outputs};
}

static void movement_keeps(void **state) {
    (void)state;
    int8_t data[3 * 64];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (int8_t)(i * 37);
    for (size_t i = 0; i < sizeof movers / sizeof *movers; i++) {
        op_tensor in[4];
        op_result with, without;
        op_call call = call_of(&movers[i], in, data, (tmc_quantization){0});
        assert_int_equal(op_run(&call, &without), TMC_OK);
        call = call_of(&movers[i], in, data, q);
        if (op_run(&call, &with) != TMC_OK) fail_msg("operator %d: %s", call.op, with.err.message);
        for (uint32_t k = 0; k < movers[i].outputs; k++) {
            assert_true(tmc_quantization_equal(&with.descs[k].quantization, &q));
            assert_false(tmc_quantization_is_set(&without.descs[k].quantization));
            assert_memory_equal(with.data[k], without.data[k], tmc_tensor_bytes(&with.descs[k]));
        }
        op_result_free(&with);
        op_result_free(&without);
    }
}

static void inputs_must_agree(void **state) {
    (void)state;
    int8_t data[3 * 64] = {0};
    for (size_t i = 0; i < sizeof movers / sizeof *movers; i++) {
        op_tensor in[4];
        op_result result;
        op_call call = call_of(&movers[i], in, data, q);
        for (uint32_t k = 1; k < movers[i].data_inputs; k++) {
            in[k].desc.quantization = other;
            assert_int_equal(op_run(&call, &result), TMC_E_QUANT);
            in[k].desc.quantization = (tmc_quantization){0};
            assert_int_equal(op_run(&call, &result), TMC_E_QUANT);
            in[k].desc.quantization = q;
        }
    }
}

/* -------------------------------------------------------------------------------------------- constants of padding */

static void pad_takes_a_real_number(void **state) {
    (void)state;
    static const struct {
        float value;
        int8_t expected;
    } cases[] = {{0, 3}, {0.25f, 3}, {0.75f, 5}, {-1.5f, 0}, {1e30f, 127}, {-INFINITY, -128}, {-65.5f, -128}};
    const int8_t x[2] = {11, 12};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tmc_pad_params p = {.mode = TMC_PAD_CONSTANT, .begin = {1}, .value = cases[i].value};
        const op_tensor in = {.desc = quantized(q, 1, DIMS(2)), .data = x};
        const op_call call = {.op = TMC_OP_PAD, .params = &p, .inputs = &in, .input_count = 1, .output_count = 1};
        op_result result;
        assert_int_equal(op_run(&call, &result), TMC_OK);
        assert_memory_equal(result.data[0], ((const int8_t[]){cases[i].expected, 11, 12}), 3);
        op_result_free(&result);
    }
}

static void resize_extrapolates(void **state) {
    (void)state;
    const tmc_resize_params p = {.mode = TMC_RESIZE_NEAREST,
                                 .coordinates = TMC_COORD_TF_CROP_AND_RESIZE,
                                 .nearest = TMC_NEAREST_FLOOR,
                                 .extrapolation = 4.2f, /* 8.4 steps: 8 + 3 */
                                 .sizes = {4},
                                 .roi_begin = {0},
                                 .roi_end = {3}};
    const int8_t x[2] = {11, 12};
    const op_tensor in = {.desc = quantized(q, 1, DIMS(2)), .data = x};
    const op_call call = {.op = TMC_OP_RESIZE, .params = &p, .inputs = &in, .input_count = 1, .output_count = 1};
    op_result result;
    if (op_run(&call, &result) != TMC_OK) fail_msg("%s", result.err.message);
    assert_memory_equal(result.data[0], ((const int8_t[]){11, 12, 11, 11}), 4);
    op_result_free(&result);
}

static void numbers_become_integers(void **state) {
    (void)state;
    const tmc_quantization unit = {.scale = 1.0f, .zero_point = -1};
    assert_int_equal(tmc_quantized(0.5f, &unit), -1); /* ties to even */
    assert_int_equal(tmc_quantized(1.5f, &unit), 1);
    assert_int_equal(tmc_quantized(2.5f, &unit), 1);
    assert_int_equal(tmc_quantized(-0.5f, &unit), -1);
    assert_int_equal(tmc_quantized(128.4f, &unit), 127);
    assert_int_equal(tmc_quantized(129.0f, &unit), 127);
    assert_int_equal(tmc_quantized(-500.0f, &unit), -128);
    assert_int_equal(tmc_quantized(INFINITY, &unit), 127);
    assert_int_equal(tmc_quantized(NAN, &unit), -1);
    const tmc_quantization tiny = {.scale = 0x1p-126f, .zero_point = 127};
    assert_int_equal(tmc_quantized(1e30f, &tiny), 127);
    assert_int_equal(tmc_quantized(-1e30f, &tiny), -128);
}

/* -------------------------------------------------------------------------------------------- computing operators */

/* An operator that makes new numbers, from inputs of [1,4,4,4]. */
typedef struct {
    uint16_t op;
    const void *params;
    op_tensor in[2];
    uint32_t count;
} maker;

static tmc_tensor_desc weights(uint8_t packing, uint32_t channels, int32_t rank, const int32_t *dims) {
    tmc_tensor_desc desc = quantized((tmc_quantization){.channels = channels}, rank, dims);
    desc.packing = packing;
    return desc;
}

static tmc_status infer(const maker *m, const tmc_quantization *declared, op_result *result) {
    const op_call call = {.op = m->op,
                          .params = m->params,
                          .inputs = m->in,
                          .input_count = m->count,
                          .output_count = 1,
                          .quantization = declared,
                          .infer_only = true};
    return op_run(&call, result);
}

static void makers_take_the_declaration(void **state) {
    (void)state;
    const tmc_binary_params add = {TMC_BINARY_ADD, no_act}, sub = {TMC_BINARY_SUB, no_act},
                            mul = {TMC_BINARY_MUL, no_act};
    const tmc_reduce_params mean = {TMC_REDUCE_MEAN, 6, 1};
    const tmc_fully_connected_params dense = {no_act};
    tmc_conv_params depthwise = conv;
    depthwise.groups = 4;
    const op_tensor x = {.desc = quantized(q, 4, DIMS(1, 4, 4, 4))};
    const maker makers[] = {
        {TMC_OP_QUANTIZE, &none, {{.desc = op_desc(TMC_F32, 4, DIMS(1, 4, 4, 4))}}, 1},
        {TMC_OP_TABLE, &none, {x, {.desc = op_desc(TMC_I8, 1, DIMS(256))}}, 2},
        {TMC_OP_CONV, &conv, {x, {.desc = weights(TMC_PACK_I8_PANELS, 5, 4, DIMS(5, 2, 2, 4))}}, 2},
        {TMC_OP_CONV, &conv, {x, {.desc = weights(TMC_PACK_NONE, 5, 4, DIMS(5, 2, 2, 4))}}, 2},
        {TMC_OP_CONV_TRANSPOSE, &conv, {x, {.desc = weights(TMC_PACK_I8_PANELS, 5, 4, DIMS(5, 2, 2, 4))}}, 2},
        {TMC_OP_DEPTHWISE_CONV, &depthwise, {x, {.desc = weights(TMC_PACK_I8_DEPTHWISE, 4, 3, DIMS(2, 2, 4))}}, 2},
        {TMC_OP_FULLY_CONNECTED, &dense, {x, {.desc = weights(TMC_PACK_I8_PANELS, 7, 2, DIMS(7, 4))}}, 2},
        {TMC_OP_BINARY, &add, {x, x}, 2},
        {TMC_OP_BINARY, &sub, {x, {.desc = quantized(other, 1, DIMS(4))}}, 2},
        {TMC_OP_BINARY, &mul, {x, x}, 2},
        {TMC_OP_AVERAGE_POOL, &pool, {x}, 1},
        {TMC_OP_REDUCE, &mean, {x}, 1},
    };
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        op_result r;
        maker m = makers[i];
        if (infer(&m, &other, &r) != TMC_OK) fail_msg("maker %zu: %s", i, r.err.message);
        assert_int_equal(r.descs[0].dtype, TMC_I8);
        assert_int_equal(r.descs[0].packing, TMC_PACK_NONE);
        assert_true(tmc_quantization_equal(&r.descs[0].quantization, &other));
        assert_int_equal(infer(&m, NULL, &r), TMC_E_QUANT);
        const tmc_quantization bad[] = {{0}, {.scale = -1.0f}, {.scale = 1.0f, .zero_point = 128}, {.channels = 5}};
        for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) assert_int_equal(infer(&m, &bad[b], &r), TMC_E_QUANT);
        if (m.op == TMC_OP_QUANTIZE) continue;
        m.in[0].desc.quantization = (tmc_quantization){0};
        assert_int_equal(infer(&m, &other, &r), TMC_E_QUANT);
    }
}

static void max_pool_keeps(void **state) {
    (void)state;
    op_result r;
    maker m = {TMC_OP_MAX_POOL, &pool, {{.desc = quantized(q, 4, DIMS(1, 4, 4, 4))}}, 1};
    assert_int_equal(infer(&m, NULL, &r), TMC_OK);
    assert_true(tmc_quantization_equal(&r.descs[0].quantization, &q));
    m.in[0].desc.quantization = (tmc_quantization){0};
    assert_int_equal(infer(&m, NULL, &r), TMC_E_QUANT);
}

static void weights_and_bias_fit(void **state) {
    (void)state;
    op_result r;
    const op_tensor x = {.desc = quantized(q, 4, DIMS(1, 4, 4, 4))};
    const tmc_tensor_desc w = weights(TMC_PACK_NONE, 5, 4, DIMS(5, 2, 2, 4));
    op_tensor in[3] = {x, {.desc = w}, {.desc = op_desc(TMC_I32, 1, DIMS(5))}};
    op_call call = {.op = TMC_OP_CONV,
                    .params = &conv,
                    .inputs = in,
                    .input_count = 3,
                    .output_count = 1,
                    .quantization = &other,
                    .infer_only = true};
    assert_int_equal(op_run(&call, &r), TMC_OK);
    in[2].desc = op_desc(TMC_F32, 1, DIMS(5)); /* catalogue 54 */
    assert_int_equal(op_run(&call, &r), TMC_E_QUANT);
    in[2].desc = op_desc(TMC_I32, 1, DIMS(4));
    assert_int_equal(op_run(&call, &r), TMC_E_SHAPE);
    call.input_count = 2;
    in[1].desc.quantization.channels = 4; /* 58 */
    assert_int_equal(op_run(&call, &r), TMC_E_QUANT);
    in[1].desc.quantization = q;
    assert_int_equal(op_run(&call, &r), TMC_E_QUANT);
    in[1].desc = op_desc(TMC_F32, 4, DIMS(5, 2, 2, 4));
    assert_int_equal(op_run(&call, &r), TMC_E_DTYPE);
    in[1].desc = w;
    in[1].desc.packing = TMC_PACK_F32_PANELS;
    assert_int_equal(op_run(&call, &r), TMC_E_UNSUPPORTED);
    in[1].desc.packing = TMC_PACK_I8_DEPTHWISE;
    assert_int_equal(op_run(&call, &r), TMC_E_UNSUPPORTED);
}

/* ----------------------------------------------------------------------------------------------- all other operators
 */

static void others_refuse(void **state) {
    (void)state;
    op_result r;
    const tmc_cast_params to_f32 = {TMC_F32};
    const tmc_softmax_params softmax = {.axis = 1};
    const tmc_binary_params less = {TMC_BINARY_LESS, no_act};
    const op_tensor x = {.desc = quantized(q, 4, DIMS(1, 4, 4, 4))};
    const maker cast = {TMC_OP_CAST, &to_f32, {x}, 1}, soft = {TMC_OP_SOFTMAX, &softmax, {x}, 1},
                compare = {TMC_OP_BINARY, &less, {x, x}, 2}, lp = {TMC_OP_LP_POOL, &pool, {x}, 1};
    assert_int_equal(infer(&cast, NULL, &r), TMC_E_QUANT);
    assert_int_equal(infer(&soft, NULL, &r), TMC_E_DTYPE);
    assert_int_equal(infer(&compare, NULL, &r), TMC_E_DTYPE);
    assert_int_equal(infer(&lp, NULL, &r), TMC_E_DTYPE);
}

static void dequantize_makes_f32(void **state) {
    (void)state;
    op_result r;
    maker m = {TMC_OP_DEQUANTIZE, &none, {{.desc = quantized(q, 2, DIMS(2, 3))}}, 1};
    assert_int_equal(infer(&m, NULL, &r), TMC_OK);
    assert_int_equal(r.descs[0].dtype, TMC_F32);
    assert_false(tmc_quantization_is_set(&r.descs[0].quantization));
    m.in[0].desc.quantization = (tmc_quantization){0};
    assert_int_equal(infer(&m, NULL, &r), TMC_E_QUANT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(movement_keeps),          cmocka_unit_test(inputs_must_agree),
        cmocka_unit_test(pad_takes_a_real_number), cmocka_unit_test(resize_extrapolates),
        cmocka_unit_test(numbers_become_integers), cmocka_unit_test(makers_take_the_declaration),
        cmocka_unit_test(max_pool_keeps),          cmocka_unit_test(weights_and_bias_fit),
        cmocka_unit_test(others_refuse),           cmocka_unit_test(dequantize_makes_f32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
