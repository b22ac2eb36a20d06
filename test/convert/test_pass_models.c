/* The whole pipeline on small replicas of the usual networks, as an importer of channels-first models lowers them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/ir_check.h"

static ir_id conv_bn_relu(ir_graph *g, ir_id x, int32_t channels, int32_t kernel, int32_t stride) {
    return make_relu(g, make_batch_norm(g, make_conv(g, x, channels, kernel, stride, kernel / 2, 1)));
}

static ir_id inverted_residual(ir_graph *g, ir_id x, int32_t expanded, int32_t channels, int32_t stride) {
    ir_id y = make_clamp(g, make_batch_norm(g, make_conv(g, x, expanded, 1, 1, 0, 1)), 0.0f, 6.0f);
    y = make_clamp(g, make_batch_norm(g, make_depthwise(g, y, 3, stride, 1)), 0.0f, 6.0f);
    y = make_batch_norm(g, make_conv(g, y, channels, 1, 1, 0, 1));
    return stride == 1 && g->tensors[x].desc.dims[1] == channels ? make_binary(g, TMC_BINARY_ADD, x, y) : y;
}

static ir_id classifier(ir_graph *g, ir_id x, int32_t classes) {
    x = make_global_pool(g, x);
    return make_dense(g, make_reshape(g, x, DIMS(1, g->tensors[x].desc.dims[1])), classes);
}

static ir_id mobilenet(ir_graph *g, ir_id x) {
    x = conv_bn_relu(g, x, 8, 3, 2);
    x = inverted_residual(g, x, 16, 8, 1);
    x = inverted_residual(g, x, 24, 12, 2);
    return classifier(g, x, 10);
}

/* Squeeze and excitation with hard activations in parts, as in the third MobileNet. */
static ir_id squeeze(ir_graph *g, ir_id x) {
    const int32_t channels = g->tensors[x].desc.dims[1];
    ir_id s = make_conv(g, make_global_pool(g, x), 4, 1, 1, 0, 1);
    s = make_conv(g, make_relu(g, s), channels, 1, 1, 0, 1);
    s = make_clamp(g, make_binary(g, TMC_BINARY_ADD, s, make_scalar(g, 3.0f)), 0.0f, 6.0f);
    s = make_binary(g, TMC_BINARY_DIV, s, make_scalar(g, 6.0f));
    return make_binary(g, TMC_BINARY_MUL, s, x);
}

static ir_id mobilenet3(ir_graph *g, ir_id x) {
    x = make_batch_norm(g, make_conv(g, x, 8, 3, 2, 1, 1));
    ir_id h = make_clamp(g, make_binary(g, TMC_BINARY_ADD, x, make_scalar(g, 3.0f)), 0.0f, 6.0f);
    x = make_binary(g, TMC_BINARY_DIV, make_binary(g, TMC_BINARY_MUL, x, h), make_scalar(g, 6.0f));
    x = squeeze(g, make_relu(g, make_batch_norm(g, make_depthwise(g, x, 3, 1, 1))));
    return classifier(g, make_batch_norm(g, make_conv(g, x, 12, 1, 1, 0, 1)), 10);
}

static ir_id residual(ir_graph *g, ir_id x, int32_t channels, int32_t stride) {
    ir_id y = conv_bn_relu(g, x, channels, 3, stride);
    y = make_batch_norm(g, make_conv(g, y, channels, 3, 1, 1, 1));
    if (stride != 1) x = make_batch_norm(g, make_conv(g, x, channels, 1, stride, 0, 1));
    return make_relu(g, make_binary(g, TMC_BINARY_ADD, x, y));
}

static ir_id resnet(ir_graph *g, ir_id x) {
    x = make_max_pool(g, conv_bn_relu(g, x, 8, 3, 1), 3, 2, 1);
    x = residual(g, x, 8, 1);
    return classifier(g, residual(g, x, 16, 2), 10);
}

static ir_id densenet(ir_graph *g, ir_id x) {
    x = make_conv(g, x, 8, 3, 1, 1, 1);
    for (int i = 0; i < 3; i++) {
        ir_id y = make_relu(g, make_batch_norm(g, x));
        x = make_concat(g, 1, x, make_conv(g, y, 4, 3, 1, 1, 1));
    }
    return classifier(g, make_relu(g, make_batch_norm(g, x)), 10);
}

static ir_id upsample(ir_graph *g, ir_id x) {
    const tmc_tensor_desc *d = &g->tensors[x].desc;
    const tmc_resize_params resize = {.mode = TMC_RESIZE_LINEAR,
                                      .sizes = {d->dims[0], d->dims[1], 2 * d->dims[2], 2 * d->dims[3]},
                                      .roi_end = {1, 1, 1, 1, 1, 1}};
    return make_node(g, TMC_OP_RESIZE, &resize, x, IR_NONE, IR_NONE);
}

static ir_id unet(ir_graph *g, ir_id x) {
    ir_id a = conv_bn_relu(g, x, 4, 3, 1);
    ir_id b = conv_bn_relu(g, make_max_pool(g, a, 2, 2, 0), 8, 3, 1);
    ir_id c = conv_bn_relu(g, make_max_pool(g, b, 2, 2, 0), 16, 3, 1);
    b = conv_bn_relu(g, make_concat(g, 1, make_conv_transpose(g, c, 8, 2, 2), b), 8, 3, 1);
    a = conv_bn_relu(g, make_concat(g, 1, upsample(g, b), a), 4, 3, 1);
    const tmc_softmax_params softmax = {1, 0};
    return make_node(g, TMC_OP_SOFTMAX, &softmax, make_conv(g, a, 3, 1, 1, 0, 1), IR_NONE, IR_NONE);
}

static ir_id shuffle(ir_graph *g, ir_id x) {
    const tmc_tensor_desc d = g->tensors[x].desc;
    ir_id y = make_reshape(g, x, DIMS(d.dims[0], 2, d.dims[1] / 2, d.dims[2], d.dims[3]));
    y = make_transpose(g, y, DIMS(0, 2, 1, 3, 4));
    return make_reshape(g, y, DIMS(d.dims[0], d.dims[1], d.dims[2], d.dims[3]));
}

static ir_id shufflenet(ir_graph *g, ir_id x) {
    x = conv_bn_relu(g, x, 8, 3, 2);
    for (int i = 0; i < 2; i++) {
        const tmc_split_params split = {.axis = 1, .sizes = {4, 4}};
        ir_id parts[2];
        tmc_error err;
        tmc_error_init(&err);
        assert_int_equal(ir_add_node(g, NULL, TMC_OP_SPLIT, &split, &x, 1, parts, 2, &err), TMC_OK);
        ir_id y = conv_bn_relu(g, parts[1], 4, 1, 1);
        y = make_batch_norm(g, make_depthwise(g, y, 3, 1, 1));
        x = shuffle(g, make_concat(g, 1, parts[0], conv_bn_relu(g, y, 4, 1, 1)));
    }
    return classifier(g, x, 10);
}

static ir_id squeezenet(ir_graph *g, ir_id x) {
    x = make_max_pool(g, make_relu(g, make_conv(g, x, 8, 3, 2, 0, 1)), 3, 2, 0);
    ir_id s = make_relu(g, make_conv(g, x, 4, 1, 1, 0, 1));
    x = make_concat(g, 1, make_relu(g, make_conv(g, s, 8, 1, 1, 0, 1)), make_relu(g, make_conv(g, s, 8, 3, 1, 1, 1)));
    x = make_global_pool(g, make_relu(g, make_conv(g, x, 10, 1, 1, 0, 1)));
    return make_reshape(g, x, DIMS(1, 10));
}

static void check(ir_id (*build)(ir_graph *g, ir_id x), uint32_t nodes) {
    ir_graph *g = ir_graph_new("replica");
    ir_add_output(g, build(g, make_input(g, "image", DIMS(1, 3, 16, 24))));
    ir_result before = run_graph(g, 11);
    apply_all(g);
    assert_int_equal(count_nodes(g, TMC_OP_TRANSPOSE), 0);
    assert_int_equal(count_nodes(g, TMC_OP_SCALE_SHIFT), build == densenet ? 4 : 0);
    assert_int_equal(g->tensors[g->inputs[0]].layout, TMC_LAYOUT_CHANNELS_LAST);
    assert_int_equal(count_nodes(g, 0), nodes);
    expect_same(before, run_graph(g, 11), 2e-6);
    ir_graph_free(g);
}

#define REPLICA(name, nodes)                                                                                           \
    static void test_##name(void **state) {                                                                            \
        (void)state;                                                                                                   \
        check(name, nodes);                                                                                            \
    }
REPLICA(mobilenet, 11)
REPLICA(mobilenet3, 12)
REPLICA(resnet, 12)
REPLICA(densenet, 14)
REPLICA(unet, 13)
REPLICA(shufflenet, 14)
REPLICA(squeezenet, 9)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mobilenet),  cmocka_unit_test(test_mobilenet3), cmocka_unit_test(test_resnet),
        cmocka_unit_test(test_densenet),   cmocka_unit_test(test_unet),       cmocka_unit_test(test_shufflenet),
        cmocka_unit_test(test_squeezenet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
