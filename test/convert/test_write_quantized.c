/* Quantised tensors through the converter's graph, the writer, the verifier and a run. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "convert/evaluate.h"
#include "convert/fold.h"
#include "convert/memory.h"
#include "convert/write_tmc.h"
#include "format/packing_i8.h"
#include "lib/ir_check.h"

static const tmc_no_params none;
static const tmc_quantization q = {.scale = 0.25f, .zero_point = 5}, wide = {.scale = 0.5f, .zero_point = -1};

static tmc_tensor_desc desc_i8(const int32_t *dims) {
    tmc_tensor_desc desc = {.dtype = TMC_I8};
    for (; dims[desc.rank]; desc.rank++) desc.dims[desc.rank] = dims[desc.rank];
    return desc;
}

static ir_id add(ir_graph *g, uint16_t op, const void *params, const ir_id *inputs, uint32_t count,
                 const tmc_quantization *y) {
    ir_id out;
    tmc_error err;
    tmc_error_init(&err);
    if (ir_add_quantized_node(g, NULL, op, params, inputs, count, y, &out, 1, &err) != TMC_OK)
        fail_msg("%s", err.message);
    return out;
}

static ir_id quantize(ir_graph *g, ir_id x, const tmc_quantization *y) {
    return add(g, TMC_OP_QUANTIZE, &none, &x, 1, y);
}

static ir_id dequantize(ir_graph *g, ir_id x) { return add(g, TMC_OP_DEQUANTIZE, &none, &x, 1, NULL); }

/* y = 2 * q: a table from one scale to another. */
static ir_id doubled(ir_graph *g, ir_id x) {
    int8_t table[256];
    for (int i = -128; i < 128; i++) {
        const int v = (i - q.zero_point) / 2 + wide.zero_point;
        table[i + 128] = (int8_t)v;
    }
    const tmc_tensor_desc desc = desc_i8(DIMS(256));
    return add(g, TMC_OP_TABLE, &none, (ir_id[]){x, ir_add_constant(g, "table", &desc, table)}, 2, &wide);
}

static tmc_model *open_strictly(const ir_graph *g, bool selftest, size_t *size) {
    uint8_t *bytes;
    size_t n;
    tmc_error err;
    tmc_model *model;
    tmc_model_options options;
    tmc_model_options_init(&options);
    options.flags = TMC_MODEL_STRICT;
    tmc_error_init(&err);
    const tmc_status status =
        selftest ? ir_write_with_selftest(g, 0, &bytes, &n, &err) : ir_write(g, 0, &bytes, &n, &err);
    if (status != TMC_OK) fail_msg("%s", err.message);
    if (tmc_model_open_memory(bytes, n, &options, &model, &err) != TMC_OK) fail_msg("%s", err.message);
    free(bytes);
    if (size) *size = n;
    return model;
}

/* x f32 -> quantize -> pad -> table -> dequantize -> y, and the padded integers themselves as an output. */
static ir_graph *sample(void) {
    static const tmc_pad_params pad = {.mode = TMC_PAD_CONSTANT, .begin = {1}, .value = 1.0f};
    ir_graph *g = ir_graph_new("quantised");
    const ir_id x = make_input(g, "x", DIMS(7));
    const ir_id integers = quantize(g, x, &q), padded = add(g, TMC_OP_PAD, &pad, &integers, 1, NULL);
    assert_true(tmc_quantization_equal(&g->tensors[padded].desc.quantization, &q));
    ir_add_output(g, dequantize(g, doubled(g, padded)));
    ir_add_output(g, padded);
    return g;
}

static void runs_as_defined(void **state) {
    (void)state;
    static const float x[7] = {0, 0.1f, 0.125f, 0.375f, -1000, 1000, NAN}; /* ties go to even */
    static const int8_t padded[8] = {9, 5, 5, 5, 7, -128, 127, 5};
    ir_graph *g = sample();
    uint8_t *bytes;
    size_t size, got;
    void *y, *p;
    evaluation e;
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(ir_write(g, 0, &bytes, &size, &err), TMC_OK);
    if (evaluation_open(&e, bytes, size, &err) != TMC_OK) fail_msg("%s", err.message);
    assert_int_equal(evaluation_set(&e, 0, x, sizeof x, &err), TMC_OK);
    assert_int_equal(evaluation_run(&e, &err), TMC_OK);
    assert_int_equal(evaluation_get(&e, 0, &y, &got, &err), TMC_OK);
    assert_int_equal(evaluation_get(&e, 1, &p, &got, &err), TMC_OK);
    assert_int_equal(got, sizeof padded);
    assert_memory_equal(p, padded, sizeof padded);
    for (int i = 0; i < 8; i++) assert_true(((float *)y)[i] == (float)((padded[i] - 5) / 2) * 0.5f);
    free(y);
    free(p);
    evaluation_release(&e);
    free(bytes);
    ir_graph_free(g);
}

static void report_says_what_is_quantised(void **state) {
    (void)state;
    ir_graph *g = sample();
    tmc_model *model = open_strictly(g, true, NULL);
    tmc_tensor_info info = {.struct_size = sizeof info};
    assert_int_equal(tmc_model_input(model, 0, &info), TMC_OK);
    assert_true(info.dtype == TMC_F32 && info.scale == 0.0f && info.zero_point == 0);
    assert_int_equal(tmc_model_output(model, 1, &info), TMC_OK);
    assert_true(info.dtype == TMC_I8 && info.scale == q.scale && info.zero_point == q.zero_point);
    assert_int_equal(info.bytes, 8);
    tmc_model_info facts = {.struct_size = sizeof facts};
    assert_int_equal(tmc_model_get_info(model, &facts), TMC_OK);
    assert_int_equal(facts.parameters, 0); /* a table is none */
    assert_int_equal(facts.selftest_count, 2);
    assert_int_equal(tmc_model_selftest(model, NULL, NULL), TMC_OK);

    static const tmc_dtype precision[] = {TMC_F32, TMC_I8, TMC_I8, TMC_F32};
    tmc_plan *plan;
    assert_int_equal(tmc_plan_create(model, NULL, &plan, NULL), TMC_OK);
    for (uint32_t i = 0; i < 4; i++) {
        tmc_node_report node = {.struct_size = sizeof node};
        assert_int_equal(tmc_plan_node(plan, i, &node), TMC_OK);
        assert_int_equal(node.precision, precision[i]);
        assert_int_equal(node.written_bytes, i == 3 ? 32 : i == 0 ? 7 : 8);
    }
    tmc_plan_release(&plan);
    tmc_model_release(&model);
    ir_graph_free(g);
}

/* The planner infers again where a dim is chosen: quantised outputs keep their scale. */
static void other_shapes(void **state) {
    (void)state;
    ir_graph *g = sample();
    g->tensors[g->inputs[0]].dims_max[0] = 20;
    tmc_model *model = open_strictly(g, false, NULL);
    const tmc_shape shape = {1, {13}};
    tmc_plan_options options;
    tmc_plan_options_init(&options);
    options.input_count = 1;
    options.input_shapes = &shape;
    tmc_plan *plan;
    tmc_session *session;
    assert_int_equal(tmc_plan_create(model, &options, &plan, NULL), TMC_OK);
    assert_int_equal(tmc_session_create(plan, NULL, &session, NULL), TMC_OK);
    tmc_tensor_info info = {.struct_size = sizeof info};
    assert_int_equal(tmc_session_output(session, 1, &info), TMC_OK);
    assert_int_equal(info.dims[0], 14);
    assert_true(info.scale == q.scale && info.zero_point == q.zero_point);
    tmc_session_release(&session);
    tmc_plan_release(&plan);
    tmc_model_release(&model);
    ir_graph_free(g);
}

/* Inputs of i8: the self-test fills them with all integers, not only with 0 and 1. */
static void quantised_inputs(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("i8");
    const tmc_tensor_desc desc = desc_i8(DIMS(300));
    const ir_id x = ir_add_tensor(g, "x", &desc);
    ir_set_quantization(g, x, &q, NULL);
    ir_add_input(g, x);
    ir_add_output(g, dequantize(g, x));
    tmc_model *model = open_strictly(g, true, NULL);
    tmc_tensor_info info = {.struct_size = sizeof info};
    assert_int_equal(tmc_model_input(model, 0, &info), TMC_OK);
    assert_true(info.scale == q.scale && info.zero_point == q.zero_point);
    assert_int_equal(tmc_model_selftest(model, NULL, NULL), TMC_OK);
    tmc_model_release(&model);
    ir_graph_free(g);
}

/* A constant is quantised when the graph is converted. */
static void constants_fold(void **state) {
    (void)state;
    static const float values[4] = {0, 1, -1, 100};
    ir_graph *g = ir_graph_new("fold");
    const ir_id folded = quantize(g, make_floats(g, DIMS(4), values), &q);
    tmc_error err;
    tmc_error_init(&err);
    if (ir_fold_node(g, 0, &err) != TMC_OK) fail_msg("%s", err.message);
    assert_true(ir_is_constant(g, folded));
    assert_true(tmc_quantization_equal(&g->tensors[folded].desc.quantization, &q));
    assert_memory_equal(g->tensors[folded].data, ((const int8_t[]){5, 9, 1, 127}), 4);
    const ir_id back = dequantize(g, folded);
    if (ir_fold_node(g, 1, &err) != TMC_OK) fail_msg("%s", err.message);
    assert_true(ir_is_constant(g, back));
    assert_true(((const float *)g->tensors[back].data)[3] == 30.5f);
    ir_graph_free(g);
}

/* A pool of one pixel and a mean over one change the scale: no identities. With equal scales they are. */
static void identities(void **state) {
    (void)state;
    const tmc_pool_params one = {.spatial = 2, .kernel = {1, 1, 1}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
    const tmc_reduce_params mean = {TMC_REDUCE_MEAN, 2, 0};
    for (int same = 0; same < 2; same++) {
        ir_graph *g = ir_graph_new("identities");
        ir_id x = quantize(g, make_input(g, "x", DIMS(2, 1, 3, 4)), &q);
        x = add(g, TMC_OP_AVERAGE_POOL, &one, &x, 1, same ? &q : &wide);
        x = add(g, TMC_OP_REDUCE, &mean, &x, 1, &q);
        ir_add_output(g, dequantize(g, x));
        apply_pass(g, pass_remove_identity);
        assert_int_equal(count_nodes(g, TMC_OP_AVERAGE_POOL), !same);
        assert_int_equal(count_nodes(g, TMC_OP_REDUCE), !same);
        ir_graph_free(g);
    }
}

/* Scales of channels, bias and multipliers of a packed convolution, in the order of the file. */
static void packed_weights(void **state) {
    (void)state;
    static const int32_t bias[3] = {100, -7, 0};
    static const float scales[3] = {0.5f, 0.25f, 0.125f};
    int8_t w[3 * 9 * 2];
    for (size_t i = 0; i < sizeof w; i++) w[i] = (int8_t)(i * 11);
    ir_graph *g = ir_graph_new("conv");
    tmc_conv_params p = conv_params(3, 1, 1, 1);
    tmc_tensor_desc desc = desc_i8(DIMS(1, 4, 4, 2));
    const ir_id x = ir_add_tensor(g, "x", &desc);
    ir_set_quantization(g, x, &q, NULL);
    ir_add_input(g, x);

    desc = desc_i8(DIMS(3, 3, 3, 2));
    desc.packing = TMC_PACK_I8_PANELS;
    const tmc_pack_shape shape = {1, 3, 2, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}};
    const tmc_i8_source source = {w, bias, scales, q.scale, wide.scale, q.zero_point};
    const ir_id packed = ir_add_tensor(g, "w", &desc);
    tmc_error err;
    tmc_error_init(&err);
    g->tensors[packed].data_bytes = (size_t)tmc_i8_bytes(&shape);
    g->tensors[packed].data = x_alloc(g->tensors[packed].data_bytes);
    assert_int_equal(tmc_i8_pack(g->tensors[packed].data, &shape, &source, &err), TMC_OK);
    ir_set_quantization(g, packed, &(tmc_quantization){.channels = 3}, scales);
    ir_add_output(g, add(g, TMC_OP_CONV, &p, (ir_id[]){x, packed}, 2, &wide));

    uint8_t *bytes;
    size_t size;
    assert_int_equal(ir_write(g, 0, &bytes, &size, &err), TMC_OK);
    tmc_model *model;
    tmc_model_options options;
    tmc_model_options_init(&options);
    options.flags = TMC_MODEL_STRICT;
    if (tmc_model_open_memory(bytes, size, &options, &model, &err) != TMC_OK) fail_msg("%s", err.message);
    tmc_model_info info = {.struct_size = sizeof info};
    assert_int_equal(tmc_model_get_info(model, &info), TMC_OK);
    assert_int_equal(info.parameters, 3 * 18 + 3);
    assert_int_equal(info.weight_bytes, 4 * (12 + 20));
    assert_int_equal(info.macs, 16 * 3 * 18);
    tmc_model_release(&model);
    free(bytes);
    ir_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_as_defined), cmocka_unit_test(report_says_what_is_quantised),
        cmocka_unit_test(other_shapes),    cmocka_unit_test(quantised_inputs),
        cmocka_unit_test(identities),      cmocka_unit_test(constants_fold),
        cmocka_unit_test(packed_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
