/* conv, conv_transpose and fully_connected on int8 against plain loops: random geometries, every level with and without
 * its dot product, one and two threads. The sums are below 2^24, so the loops of floats are exact. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/cpu.h"
#include "format/packing_i8.h"
#include "graph/op.h"
#include "graph/packed.h"
#include "lib/levels.h"
#include "lib/naive_conv.h"
#include "lib/op_runner.h"
#include "lib/random.h"

#define MAX_K 500

typedef struct qs8_case {
    uint16_t op;
    tmc_conv_params conv;
    tmc_fully_connected_params fc;
    tmc_tensor_desc x_desc, w_desc;
    tmc_quantization y_quantization;
    int8_t *x, *w;
    int32_t *bias;
    float *scales;
    void *packed;
    size_t packed_bytes;
} qs8_case;

static const void *params_of(const qs8_case *c) {
    return c->op == TMC_OP_FULLY_CONNECTED ? (const void *)&c->fc : (const void *)&c->conv;
}

static void *alloc(size_t bytes) {
    void *p = malloc(bytes ? bytes : 1);
    assert_non_null(p);
    return p;
}

static void fill(random_state *r, int8_t *p, size_t n, int32_t lo) {
    const bool extreme = random_int(r, 0, 5) == 0;
    for (size_t i = 0; i < n; i++) p[i] = (int8_t)(extreme ? (random_int(r, 0, 1) ? 127 : lo) : random_int(r, lo, 127));
}

static void pack(qs8_case *c) {
    tmc_error err;
    tmc_error_init(&err);
    const tmc_i8_source source = {.weights = c->w,
                                  .bias = c->bias,
                                  .scales = c->scales,
                                  .x_scale = c->x_desc.quantization.scale,
                                  .y_scale = c->y_quantization.scale,
                                  .x_zero_point = c->x_desc.quantization.zero_point};
    const tmc_pack_shape shape = tmc_packed_shape(c->op, params_of(c), &c->w_desc);
    c->packed_bytes = (size_t)tmc_i8_bytes(&shape);
    c->packed = alloc(c->packed_bytes);
    memset(c->packed, 0x55, c->packed_bytes);
    if (tmc_i8_pack(c->packed, &shape, &source, &err) != TMC_OK) fail_msg("%s", err.message);
}

static void finish(qs8_case *c, random_state *r) {
    const size_t outputs = (size_t)c->w_desc.dims[0];
    const size_t k = tmc_tensor_elements(&c->w_desc) / outputs;
    c->x = alloc(tmc_tensor_elements(&c->x_desc));
    c->w = alloc(tmc_tensor_elements(&c->w_desc));
    c->bias = alloc(outputs * sizeof(int32_t));
    c->scales = alloc(outputs * sizeof(float));
    fill(r, c->x, tmc_tensor_elements(&c->x_desc), -128);
    fill(r, c->w, tmc_tensor_elements(&c->w_desc), -127);
    c->x_desc.quantization = (tmc_quantization){.scale = 0.0625f, .zero_point = random_int(r, -128, 127)};
    c->y_quantization = (tmc_quantization){.scale = 0.5f, .zero_point = random_int(r, -128, 127)};
    for (size_t n = 0; n < outputs; n++) {
        c->bias[n] = random_int(r, -5000, 5000);
        c->scales[n] = random_float(r, 0.01f, 0.1f) / sqrtf((float)k);
        if (n % 5 == 4) c->scales[n] = 0.125f / 64; /* a power of two: ties occur */
    }
    pack(c);
}

static void free_case(qs8_case *c) {
    free(c->x);
    free(c->w);
    free(c->bias);
    free(c->scales);
    free(c->packed);
}

static op_call call_of(const qs8_case *c, op_tensor inputs[2]) {
    inputs[0] = (op_tensor){c->x_desc, c->x, 0};
    inputs[1] = (op_tensor){c->w_desc, c->packed, c->packed_bytes};
    inputs[1].desc.packing = TMC_PACK_I8_PANELS;
    inputs[1].desc.quantization = (tmc_quantization){.channels = (uint32_t)c->w_desc.dims[0]};
    op_call call;
    memset(&call, 0, sizeof call);
    call.op = c->op;
    call.params = params_of(c);
    call.inputs = inputs;
    call.input_count = 2;
    call.output_count = 1;
    call.quantization = &c->y_quantization;
    return call;
}

static float *floats_of(const int8_t *q, size_t n, int32_t zero) {
    float *f = alloc(n * sizeof *f);
    for (size_t i = 0; i < n; i++) f[i] = (float)(q[i] - zero);
    return f;
}

static float *sums_of(const qs8_case *c, const tmc_tensor_desc *y_desc) {
    const size_t outputs = (size_t)c->w_desc.dims[0];
    float *x = floats_of(c->x, tmc_tensor_elements(&c->x_desc), c->x_desc.quantization.zero_point);
    float *w = floats_of(c->w, tmc_tensor_elements(&c->w_desc), 0), *bias = alloc(outputs * sizeof *bias);
    float *y = alloc(tmc_tensor_elements(y_desc) * sizeof *y);
    for (size_t n = 0; n < outputs; n++) bias[n] = (float)c->bias[n];
    tmc_conv_params p = c->conv;
    p.act = (tmc_act_params){-INFINITY, INFINITY};
    if (c->op == TMC_OP_FULLY_CONNECTED) {
        const size_t k = (size_t)c->w_desc.dims[1];
        for (size_t i = 0; i < tmc_tensor_elements(y_desc); i++) {
            y[i] = bias[i % outputs];
            for (size_t q = 0; q < k; q++) y[i] += x[i / outputs * k + q] * w[i % outputs * k + q];
        }
    } else {
        (c->op == TMC_OP_CONV ? naive_conv : naive_conv_transpose)(&p, &c->x_desc, x, w, bias, y_desc, y);
    }
    free(x);
    free(w);
    free(bias);
    return y;
}

static float bound(float v, const tmc_quantization *q) {
    const float y = rintf(v / q->scale) + (float)q->zero_point;
    return y < -128 ? -128 : y > 127 ? 127 : y;
}

static int8_t *expected_of(const qs8_case *c, const tmc_tensor_desc *y_desc) {
    const tmc_act_params *act = c->op == TMC_OP_FULLY_CONNECTED ? &c->fc.act : &c->conv.act;
    const tmc_quantization *q = &c->y_quantization;
    float *sums = sums_of(c, y_desc);
    const size_t n = tmc_tensor_elements(y_desc), outputs = (size_t)c->w_desc.dims[0];
    int8_t *y = alloc(n);
    for (size_t i = 0; i < n; i++) {
        const float m = tmc_i8_multiplier(c->x_desc.quantization.scale, c->scales[i % outputs], q->scale);
        const float v = rintf(sums[i] * m) + (float)q->zero_point, lo = bound(act->lo, q), hi = bound(act->hi, q);
        y[i] = (int8_t)(v < lo ? lo : v > hi ? hi : v);
    }
    free(sums);
    return y;
}

static void compare(const op_call *call, const int8_t *expected, const char *what) {
    op_result result;
    if (op_run(call, &result) != TMC_OK) fail_msg("%s: %s", what, result.err.message);
    const int8_t *y = result.data[0];
    for (size_t i = 0; i < tmc_tensor_elements(&result.descs[0]); i++)
        if (y[i] != expected[i])
            fail_msg("%s %s isa %d threads %u pitch %u: output %zu is %d, expected %d", what, result.kernel, result.isa,
                     call->threads, call->pitch, i, y[i], expected[i]);
    op_result_free(&result);
}

static void check_case(qs8_case *c) {
    char what[200];
    const tmc_conv_params *p = &c->conv;
    snprintf(what, sizeof what, "op %d x [%d,%d,%d,%d] w [%d,%d,%d,%d] s %d,%d d %d,%d pad %d,%d,%d,%d groups %d",
             c->op, c->x_desc.dims[0], c->x_desc.dims[1], c->x_desc.dims[2], c->x_desc.dims[3], c->w_desc.dims[0],
             c->w_desc.dims[1], c->w_desc.dims[2], c->w_desc.dims[3], p->stride[1], p->stride[2], p->dilation[1],
             p->dilation[2], p->pad_begin[1], p->pad_begin[2], p->pad_end[1], p->pad_end[2], p->groups);
    op_tensor inputs[2];
    op_call call = call_of(c, inputs);
    op_result shape;
    call.infer_only = true;
    if (op_run(&call, &shape) != TMC_OK) fail_msg("%s: %s", what, shape.err.message);
    call.infer_only = false;
    int8_t *expected = expected_of(c, &shape.descs[0]);
    tmc_isa levels[LEVELS_MAX];
    tmc_cpu cpu;
    tmc_cpu_query(&cpu);
    const size_t count = level_list(levels);
    for (size_t i = 0; i < count; i++)
        for (uint32_t features = 0; features < 4; features++) {
            if ((features & cpu.features) != features) continue;
            call.isa = levels[i];
            call.features = features;
            for (call.threads = 1; call.threads <= 2; call.threads++) {
                call.guard = call.threads == 1 ? GUARD_END : GUARD_START;
                call.pitch = 0;
                compare(&call, expected, what);
                call.pitch = call.threads == 1 ? 1 : 16;
                compare(&call, expected, what);
            }
        }
    free(expected);
    op_result_free(&shape);
}

static tmc_conv_params neutral_params(void) {
    tmc_conv_params p;
    memset(&p, 0, sizeof p);
    p.spatial = 2;
    for (int i = 0; i < 3; i++) p.kernel[i] = p.stride[i] = p.dilation[i] = 1;
    p.groups = 1;
    p.act = (tmc_act_params){-INFINITY, INFINITY};
    return p;
}

static qs8_case make_conv(random_state *r, uint16_t op, const tmc_conv_params *p, const int32_t x[4], int32_t outputs) {
    qs8_case c = {.op = op, .conv = *p};
    c.x_desc = op_desc(TMC_I8, 4, (int32_t[]){x[0], x[1], x[2], x[3] * p->groups});
    c.w_desc = op_desc(TMC_I8, 4, (int32_t[]){outputs * p->groups, p->kernel[1], p->kernel[2], x[3]});
    finish(&c, r);
    return c;
}

static bool valid(const qs8_case *c) {
    op_tensor inputs[2];
    op_call call = call_of(c, inputs);
    call.infer_only = true;
    op_result shape;
    const bool ok = op_run(&call, &shape) == TMC_OK;
    op_result_free(&shape);
    return ok;
}

static void random_convolutions(uint16_t op, int count) {
    random_state r;
    random_init(&r, op);
    for (int done = 0; done < count;) {
        tmc_conv_params p = neutral_params();
        for (int i = 1; i < 3; i++) {
            p.kernel[i] = random_int(&r, 1, 4);
            p.stride[i] = random_int(&r, 1, 3);
            p.dilation[i] = random_int(&r, 0, 2) ? 1 : random_int(&r, 2, 3);
            p.pad_begin[i] = random_int(&r, 0, 3);
            p.pad_end[i] = random_int(&r, 0, 3);
            if (op == TMC_OP_CONV_TRANSPOSE) p.output_pad[i] = random_int(&r, 0, p.stride[i] - 1);
        }
        p.groups = random_int(&r, 0, 3) ? 1 : random_int(&r, 2, 3);
        if (random_int(&r, 0, 1)) p.act = (tmc_act_params){0, random_int(&r, 0, 1) ? 6 : INFINITY};
        const int32_t x[4] = {random_int(&r, 1, 2), random_int(&r, 1, 12), random_int(&r, 1, 24),
                              random_int(&r, 0, 1) ? 4 * random_int(&r, 1, 6) : random_int(&r, 1, 20)};
        if (x[3] * p.kernel[1] * p.kernel[2] > MAX_K) continue;
        qs8_case c = make_conv(&r, op, &p, x, random_int(&r, 1, 75));
        if (valid(&c)) {
            check_case(&c);
            done++;
        }
        free_case(&c);
    }
}

static void test_conv(void **state) {
    (void)state;
    random_convolutions(TMC_OP_CONV, 250);
}

static void test_conv_transpose(void **state) {
    (void)state;
    random_convolutions(TMC_OP_CONV_TRANSPOSE, 120);
}

/* First layers, plain products of every remainder of channels, several blocks, rows 4096 bytes apart. */
static void test_chosen_shapes(void **state) {
    (void)state;
    static const struct {
        int32_t x[4], kernel, stride, pad, outputs;
    } shapes[] = {{{1, 32, 32, 3}, 3, 2, 1, 32},   {{1, 40, 36, 3}, 7, 2, 3, 64},  {{1, 9, 300, 1}, 3, 1, 1, 20},
                  {{2, 30, 31, 16}, 1, 1, 0, 96},  {{1, 14, 14, 58}, 1, 1, 0, 58}, {{1, 7, 7, 5}, 1, 1, 0, 16},
                  {{1, 64, 64, 24}, 1, 1, 0, 40},  {{1, 5, 5, 480}, 1, 1, 0, 33},  {{1, 12, 8, 40}, 1, 2, 0, 48},
                  {{1, 40, 1200, 4}, 3, 1, 1, 16}, {{1, 1, 1, 500}, 1, 1, 0, 77}};
    random_state r;
    random_init(&r, 7);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        tmc_conv_params p = neutral_params();
        for (int a = 1; a < 3; a++) {
            p.kernel[a] = shapes[i].kernel;
            p.stride[a] = shapes[i].stride;
            p.pad_begin[a] = p.pad_end[a] = shapes[i].pad;
        }
        qs8_case c = make_conv(&r, TMC_OP_CONV, &p, shapes[i].x, shapes[i].outputs);
        check_case(&c);
        free_case(&c);
    }
}

/* Weights that are small enough for exact floats, channels that bring rows 4096 bytes apart. */
static void test_bad_steps(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 8);
    for (int32_t channels = 2048; channels <= 4096; channels *= 2) {
        qs8_case c = {.op = TMC_OP_CONV, .conv = neutral_params()};
        c.x_desc = op_desc(TMC_I8, 4, (int32_t[]){1, 3, 9, channels});
        c.w_desc = op_desc(TMC_I8, 4, (int32_t[]){37, 1, 1, channels});
        finish(&c, &r);
        for (size_t i = 0; i < tmc_tensor_elements(&c.w_desc); i++) c.w[i] = (int8_t)(c.w[i] / 16);
        free(c.packed);
        pack(&c);
        check_case(&c);
        free_case(&c);
    }
}

static void test_fully_connected(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 9);
    for (int32_t k = 1; k <= 40; k += 3)
        for (int32_t rows = 1; rows <= 15; rows += 7)
            for (int32_t outputs = 1; outputs <= 70; outputs += 1 + outputs / 3) {
                qs8_case c = {.op = TMC_OP_FULLY_CONNECTED};
                c.fc.act = (tmc_act_params){rows == 1 ? -INFINITY : 0, INFINITY};
                c.x_desc = op_desc(TMC_I8, 2, (int32_t[]){rows, k});
                c.w_desc = op_desc(TMC_I8, 2, (int32_t[]){outputs, k});
                finish(&c, &r);
                check_case(&c);
                free_case(&c);
            }
}

static void test_dense_weights_are_refused(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 10);
    const tmc_conv_params p = neutral_params();
    qs8_case c = make_conv(&r, TMC_OP_CONV, &p, (int32_t[]){1, 2, 2, 4}, 8);
    op_tensor inputs[2];
    op_call call = call_of(&c, inputs);
    inputs[1].desc.packing = TMC_PACK_NONE;
    inputs[1].data = c.w;
    inputs[1].bytes = 0;
    op_result result;
    assert_int_equal(op_run(&call, &result), TMC_E_UNSUPPORTED);
    op_result_free(&result);
    free_case(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv),
        cmocka_unit_test(test_conv_transpose),
        cmocka_unit_test(test_chosen_shapes),
        cmocka_unit_test(test_bad_steps),
        cmocka_unit_test(test_fully_connected),
        cmocka_unit_test(test_dense_weights_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
