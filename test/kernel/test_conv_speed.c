/* Speed of layers of MobileNetV2 and ResNet on one thread, weights packed. Prints only: the bits are the business of
 * test_conv_ops. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/packing.h"
#include "graph/op.h"
#include "lib/op_runner.h"
#include "lib/random.h"
#include "lib/speed.h"

typedef struct layer {
    uint16_t op;
    int32_t size, in, out, kernel, stride;
} layer;

static const layer layers[] = {
    {TMC_OP_CONV, 224, 3, 32, 3, 2},
    {TMC_OP_CONV, 112, 16, 96, 1, 1},
    {TMC_OP_CONV, 112, 32, 16, 1, 1},
    {TMC_OP_CONV, 56, 24, 144, 1, 1},
    {TMC_OP_CONV, 56, 144, 24, 1, 1},
    {TMC_OP_CONV, 14, 96, 576, 1, 1},
    {TMC_OP_CONV, 14, 576, 96, 1, 1},
    {TMC_OP_CONV, 7, 320, 1280, 1, 1},
    {TMC_OP_CONV, 7, 960, 160, 1, 1},
    {TMC_OP_CONV, 56, 64, 64, 3, 1},
    {TMC_OP_CONV, 7, 512, 512, 3, 1},
    {TMC_OP_CONV, 64, 116, 58, 3, 1},
    {TMC_OP_CONV, 1, 1280, 1000, 1, 1},
    {TMC_OP_DEPTHWISE_CONV, 112, 96, 96, 3, 2},
    {TMC_OP_DEPTHWISE_CONV, 112, 32, 32, 3, 1},
    {TMC_OP_DEPTHWISE_CONV, 56, 144, 144, 3, 1},
    {TMC_OP_DEPTHWISE_CONV, 14, 576, 576, 3, 1},
    {TMC_OP_DEPTHWISE_CONV, 14, 576, 576, 5, 1},
    {TMC_OP_DEPTHWISE_CONV, 7, 960, 960, 3, 1},
    {TMC_OP_CONV_TRANSPOSE, 32, 128, 64, 2, 2},
    {TMC_OP_CONV_TRANSPOSE, 32, 64, 64, 3, 2},
};

static void print_layer(const layer *l, tmc_isa isa) {
    tmc_conv_params p;
    memset(&p, 0, sizeof p);
    p.spatial = 2;
    for (int i = 0; i < 3; i++) p.kernel[i] = p.stride[i] = p.dilation[i] = 1;
    for (int i = 1; i < 3; i++) {
        p.kernel[i] = l->kernel;
        p.stride[i] = l->stride;
        if (l->op != TMC_OP_CONV_TRANSPOSE) p.pad_begin[i] = p.pad_end[i] = l->kernel / 2;
    }
    const bool depthwise = l->op == TMC_OP_DEPTHWISE_CONV;
    p.groups = depthwise ? l->in : 1;
    p.act = (tmc_act_params){0, 6};

    random_state r;
    random_init(&r, 5);
    op_tensor in[2] = {{op_desc(TMC_F32, 4, (int32_t[]){1, l->size, l->size, l->in}), NULL, 0},
                       {op_desc(TMC_F32, 4, (int32_t[]){l->out, l->kernel, l->kernel, l->in}), NULL, 0}};
    if (depthwise) in[1].desc = op_desc(TMC_F32, 3, (int32_t[]){l->kernel, l->kernel, l->in});
    tmc_pack_shape s = {1,         (size_t)l->out, (size_t)l->in, {1, (size_t)l->kernel, (size_t)l->kernel},
                        {1, 1, 1}, {1, 1, 1}};
    if (l->op == TMC_OP_CONV_TRANSPOSE) s.stride[1] = s.stride[2] = (size_t)l->stride;
    const size_t weights = tmc_tensor_elements(&in[1].desc);
    float *x = malloc(tmc_tensor_bytes(&in[0].desc)), *w = malloc(weights * sizeof *w), *packed = NULL;
    assert_true(x && w);
    random_fill(&r, x, tmc_tensor_elements(&in[0].desc), -1, 1);
    random_fill(&r, w, weights, -1, 1);
    in[0].data = x;
    in[1].data = w;
    const size_t channels = (size_t)l->in, taps = weights / channels;
    in[1].bytes =
        sizeof(float) * (depthwise ? tmc_depthwise_columns(channels) * (1 + taps) : (size_t)tmc_pack_floats(&s));
    in[1].desc.packing = TMC_PACK_F32_PANELS;
    in[1].data = packed = malloc(in[1].bytes);
    assert_non_null(packed);
    if (depthwise)
        tmc_pack_depthwise(packed, w, channels, taps, NULL);
    else
        tmc_pack_weights(packed, &s, w, NULL);
    op_call call = {.op = l->op, .params = &p, .inputs = in, .input_count = 2, .output_count = 1, .isa = isa};
    op_result result;
    call.repeat = isa == TMC_ISA_REF ? 1 : 40;
    if (op_run(&call, &result) != TMC_OK) fail_msg("%s", result.err.message);
    const int32_t side = l->op == TMC_OP_CONV_TRANSPOSE ? l->size : result.descs[0].dims[1];
    const double macs = (double)side * side * (double)weights;
    char detail[80];
    snprintf(detail, sizeof detail, "%3dx%-3d %4d -> %-4d k%d s%d", l->size, l->size, l->in, l->out, l->kernel,
             l->stride);
    speed_print(result.kernel, detail, 2 * macs / result.seconds * 1e-9);
    op_result_free(&result);
    free(x);
    free(w);
    free(packed);
}

static void test_layers(void **state) {
    (void)state;
    tmc_isa levels[4];
    const size_t n = op_isa_levels(levels);
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) print_layer(&layers[i], levels[n - 1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_layers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
