/* The operators of qs8_dwconv and qs8_math against the formulas in plain loops: random geometries, every level with its
 * features, threads, rows apart, in place. */
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
#include "lib/op_levels.h"
#include "lib/random.h"

static const tmc_quantization x_q = {0.05f, -7, 0}, b_q = {0.031f, 11, 0}, y_q = {0.07f, 5, 0};

static uint32_t cpu_features(void) {
    tmc_cpu cpu;
    tmc_cpu_query(&cpu);
    return cpu.features;
}

static op_tensor random_tensor(random_state *r, int32_t rank, const int32_t *dims, const tmc_quantization *q) {
    op_tensor t = {op_desc(TMC_I8, rank, dims), NULL, 0};
    const size_t n = tmc_tensor_elements(&t.desc);
    int8_t *data = malloc(n);
    assert_non_null(data);
    for (size_t i = 0; i < n; i++) data[i] = (int8_t)random_int(r, -128, 127);
    t.desc.quantization = *q;
    t.data = data;
    return t;
}

static int8_t requantize(float v, const tmc_act_params *act, const tmc_quantization *q) {
    float y = rintf(v) + (float)q->zero_point;
    const float lo = rintf(act->lo / q->scale) + (float)q->zero_point;
    const float hi = rintf(act->hi / q->scale) + (float)q->zero_point;
    y = y < lo ? lo : y;
    y = y > hi ? hi : y;
    return (int8_t)(y < -128 ? -128 : y > 127 ? 127 : y);
}

static tmc_act_params random_act(random_state *r) {
    return random_u32(r) & 1 ? (tmc_act_params){-INFINITY, INFINITY} : (tmc_act_params){0.0f, 6.0f};
}

/* Runs at every level and compares; frees the inputs. */
static void check(op_call *call, const op_tensor *inputs, uint32_t count, const int8_t *want, uint32_t in_place,
                  const char *what) {
    call->inputs = inputs;
    call->input_count = count;
    call->output_count = 1;
    call->quantization = &y_q;
    call->features = cpu_features();
    op_result got = op_run_levels(call, in_place);
    const size_t n = tmc_tensor_elements(&got.descs[0]);
    for (size_t i = 0; i < n; i++)
        if (((int8_t *)got.data[0])[i] != want[i])
            fail_msg("%s: element %zu of %zu is %d, expected %d", what, i, n, ((int8_t *)got.data[0])[i], want[i]);
    op_result_free(&got);
    for (uint32_t i = 0; i < count; i++) free((void *)inputs[i].data);
}

/* ------------------------------------------------------------------------------------------------------ depthwise */

typedef struct {
    tmc_conv_params p;
    int32_t n, h, w, c;
    int8_t *weights;
    int32_t *bias;
    float *scales;
} depthwise;

static int32_t outputs(const tmc_conv_params *p, int axis, int32_t in) {
    return (in + p->pad_begin[axis] + p->pad_end[axis] - (p->kernel[axis] - 1) * p->dilation[axis] - 1) /
               p->stride[axis] +
           1;
}

static int8_t depthwise_at(const depthwise *d, const int8_t *x, int32_t n, int32_t oy, int32_t ox, int32_t c) {
    const tmc_conv_params *p = &d->p;
    int32_t acc = d->bias[c];
    for (int32_t ky = 0; ky < p->kernel[1]; ky++)
        for (int32_t kx = 0; kx < p->kernel[2]; kx++) {
            const int32_t iy = oy * p->stride[1] - p->pad_begin[1] + ky * p->dilation[1];
            const int32_t ix = ox * p->stride[2] - p->pad_begin[2] + kx * p->dilation[2];
            if (iy < 0 || iy >= d->h || ix < 0 || ix >= d->w) continue;
            acc += (x[((n * d->h + iy) * d->w + ix) * d->c + c] - x_q.zero_point) *
                   d->weights[(ky * p->kernel[2] + kx) * d->c + c];
        }
    const float m = (float)((double)x_q.scale * d->scales[c] / y_q.scale);
    return requantize((float)acc * m, &p->act, &y_q);
}

static void check_depthwise(random_state *r, int32_t kernel_h, int32_t kernel_w, int32_t stride, int32_t dilation) {
    depthwise d = {.n = random_int(r, 1, 2), .h = random_int(r, 1, 12), .w = random_int(r, 1, 20)};
    d.c = random_u32(r) & 3 ? random_int(r, 1, 70) : random_int(r, 1, 20) * 16;
    tmc_conv_params *p = &d.p;
    p->spatial = 2;
    for (int i = 0; i < 3; i++) p->kernel[i] = p->stride[i] = p->dilation[i] = 1;
    p->kernel[1] = kernel_h, p->kernel[2] = kernel_w;
    p->stride[1] = p->stride[2] = stride;
    p->dilation[1] = p->dilation[2] = dilation;
    for (int i = 1; i < 3; i++) {
        const int32_t extent = (p->kernel[i] - 1) * dilation + 1, in = i == 1 ? d.h : d.w;
        p->pad_begin[i] = random_int(r, 0, extent - 1);
        p->pad_end[i] = random_int(r, 0, extent - 1);
        if (in + p->pad_begin[i] + p->pad_end[i] < extent) p->pad_end[i] = extent;
    }
    p->groups = d.c;
    p->act = random_act(r);
    const size_t taps = (size_t)(kernel_h * kernel_w), channels = (size_t)d.c;
    const size_t kernel[3] = {1, (size_t)kernel_h, (size_t)kernel_w};
    const size_t packed_bytes = (size_t)tmc_i8_depthwise_bytes(channels, kernel);
    void *packed = malloc(packed_bytes);
    d.weights = malloc(taps * channels);
    d.bias = malloc(channels * sizeof *d.bias);
    d.scales = malloc(channels * sizeof *d.scales);
    assert_true(packed && d.weights && d.bias && d.scales);
    for (size_t i = 0; i < taps * channels; i++) d.weights[i] = (int8_t)random_int(r, -128, 127);
    for (size_t i = 0; i < channels; i++) {
        d.bias[i] = random_int(r, -5000, 5000);
        d.scales[i] = random_float(r, 0.0005f, 0.02f);
    }
    const tmc_i8_source source = {d.weights, d.bias, d.scales, x_q.scale, y_q.scale, x_q.zero_point};
    tmc_error err;
    assert_int_equal(tmc_i8_pack_depthwise(packed, channels, kernel, &source, &err), TMC_OK);
    op_tensor inputs[2] = {random_tensor(r, 4, (int32_t[]){d.n, d.h, d.w, d.c}, &x_q),
                           {op_desc(TMC_I8, 3, (int32_t[]){kernel_h, kernel_w, d.c}), packed, packed_bytes}};
    inputs[1].desc.packing = TMC_PACK_I8_DEPTHWISE;
    inputs[1].desc.quantization.channels = (uint32_t)d.c;
    const int32_t oh = outputs(p, 1, d.h), ow = outputs(p, 2, d.w);
    int8_t *want = malloc((size_t)d.n * (size_t)oh * (size_t)ow * channels), *at = want;
    assert_non_null(want);
    for (int32_t n = 0; n < d.n; n++)
        for (int32_t y = 0; y < oh; y++)
            for (int32_t x = 0; x < ow; x++)
                for (int32_t c = 0; c < d.c; c++) *at++ = depthwise_at(&d, inputs[0].data, n, y, x, c);
    char what[160];
    snprintf(what, sizeof what, "depthwise [%d,%d,%d,%d] k %dx%d s %d d %d pad %d,%d,%d,%d", d.n, d.h, d.w, d.c,
             kernel_h, kernel_w, stride, dilation, p->pad_begin[1], p->pad_begin[2], p->pad_end[1], p->pad_end[2]);
    op_call call = {.op = TMC_OP_DEPTHWISE_CONV, .params = p};
    check(&call, inputs, 2, want, 0, what);
    free(want);
    free(d.weights);
    free(d.bias);
    free(d.scales);
}

static void test_depthwise(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 51);
    for (int i = 0; i < 60; i++) {
        const int32_t k = i % 2 ? 3 : 5;
        check_depthwise(&r, k, k, 1 + i % 4 / 2, 1);
    }
    for (int i = 0; i < 20; i++) check_depthwise(&r, 1, 1, 1 + i % 4 / 3, 1);
    for (int i = 0; i < 40; i++)
        check_depthwise(&r, random_int(&r, 1, 9), random_int(&r, 1, 7), random_int(&r, 1, 3), random_int(&r, 1, 2));
}

/* --------------------------------------------------------------------------------------------------------- binary */

static void check_binary(random_state *r, int32_t kind, const int32_t a_dims[4], const int32_t b_dims[4]) {
    op_tensor inputs[2] = {random_tensor(r, 4, a_dims, &x_q), random_tensor(r, 4, b_dims, &b_q)};
    const tmc_binary_params p = {.kind = kind, .act = random_act(r)};
    int32_t dims[4];
    for (int i = 0; i < 4; i++) dims[i] = a_dims[i] > b_dims[i] ? a_dims[i] : b_dims[i];
    const size_t n = tmc_dims_product(dims, 0, 4);
    int8_t *want = malloc(n);
    assert_non_null(want);
    const float ma = (float)((double)x_q.scale / y_q.scale), mb = (float)((double)b_q.scale / y_q.scale);
    const float m = (float)((double)x_q.scale * b_q.scale / y_q.scale);
    for (size_t i = 0; i < n; i++) {
        size_t rest = i, at[2] = {0, 0}, step[2] = {1, 1};
        for (int k = 3; k >= 0; k--) {
            const size_t index = rest % (size_t)dims[k];
            rest /= (size_t)dims[k];
            if (a_dims[k] > 1) at[0] += index * step[0];
            if (b_dims[k] > 1) at[1] += index * step[1];
            step[0] *= (size_t)a_dims[k];
            step[1] *= (size_t)b_dims[k];
        }
        const int32_t a = ((const int8_t *)inputs[0].data)[at[0]] - x_q.zero_point;
        const int32_t b = ((const int8_t *)inputs[1].data)[at[1]] - b_q.zero_point;
        const float pa = (float)a * ma, pb = (float)b * mb;
        const float v = kind == TMC_BINARY_MUL ? (float)(a * b) * m : kind == TMC_BINARY_ADD ? pa + pb : pa - pb;
        want[i] = requantize(v, &p.act, &y_q);
    }
    const uint32_t in_place =
        (uint32_t)(memcmp(dims, a_dims, sizeof dims) == 0) | (uint32_t)(memcmp(dims, b_dims, sizeof dims) == 0) << 1;
    op_call call = {.op = TMC_OP_BINARY, .params = &p};
    check(&call, inputs, 2, want, in_place, "binary");
    free(want);
}

static void test_binary(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 52);
    for (int32_t c = 1; c <= 40; c += 3)
        for (int32_t kind = 0; kind < 3; kind++) {
            static const int32_t kinds[3] = {TMC_BINARY_ADD, TMC_BINARY_SUB, TMC_BINARY_MUL};
            const int32_t whole[4] = {2, 3, 5, c}, pixels[4] = {2, 1, 1, c}, one[4] = {1, 1, 1, 1};
            check_binary(&r, kinds[kind], whole, whole);
            check_binary(&r, kinds[kind], whole, pixels);
            check_binary(&r, kinds[kind], one, whole);
        }
    const int32_t large[4] = {1, 60, 60, 24}, gate[4] = {1, 1, 1, 24};
    check_binary(&r, TMC_BINARY_MUL, large, gate);
}

/* ------------------------------------------------------------------------------------------------ pools and means */

static void check_pool(random_state *r, uint16_t op) {
    tmc_pool_params p = {.spatial = 2, .count_include_pad = (int32_t)(random_u32(r) & 1)};
    const int32_t n = random_int(r, 1, 2), h = random_int(r, 3, 9), w = random_int(r, 3, 14), c = random_int(r, 1, 70);
    for (int i = 0; i < 3; i++) p.kernel[i] = p.stride[i] = p.dilation[i] = 1;
    for (int i = 1; i < 3; i++) {
        p.kernel[i] = random_int(r, 1, 3);
        p.stride[i] = random_int(r, 1, 2);
        p.pad_begin[i] = random_int(r, 0, p.kernel[i] - 1);
        p.pad_end[i] = random_int(r, 0, p.kernel[i] - 1);
    }
    op_tensor x = random_tensor(r, 4, (int32_t[]){n, h, w, c}, &x_q);
    const int32_t oh = (h + p.pad_begin[1] + p.pad_end[1] - p.kernel[1]) / p.stride[1] + 1;
    const int32_t ow = (w + p.pad_begin[2] + p.pad_end[2] - p.kernel[2]) / p.stride[2] + 1;
    int8_t *want = malloc((size_t)n * (size_t)oh * (size_t)ow * (size_t)c), *at = want;
    assert_non_null(want);
    const tmc_act_params none = {-INFINITY, INFINITY};
    for (int32_t i = 0; i < n * oh * ow * c; i++) {
        const int32_t ch = i % c, ox = i / c % ow, oy = i / c / ow % oh, image = i / c / ow / oh;
        int32_t sum = 0, count = 0, most = -128;
        for (int32_t ky = 0; ky < p.kernel[1]; ky++)
            for (int32_t kx = 0; kx < p.kernel[2]; kx++) {
                const int32_t iy = oy * p.stride[1] - p.pad_begin[1] + ky, ix = ox * p.stride[2] - p.pad_begin[2] + kx;
                const bool inside = iy >= 0 && iy < h && ix >= 0 && ix < w;
                count += inside || p.count_include_pad;
                if (!inside) continue;
                const int32_t v = ((const int8_t *)x.data)[((image * h + iy) * w + ix) * c + ch];
                sum += v - x_q.zero_point;
                most = v > most ? v : most;
            }
        const float m = (float)((double)x_q.scale / y_q.scale / (double)(float)count);
        *at++ = op == TMC_OP_MAX_POOL ? (int8_t)most : requantize((float)sum * m, &none, &y_q);
    }
    op_call call = {.op = op, .params = &p};
    check(&call, &x, 1, want, 0, "pool");
    free(want);
}

static void test_pool(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 53);
    for (int i = 0; i < 30; i++) {
        check_pool(&r, TMC_OP_MAX_POOL);
        check_pool(&r, TMC_OP_AVERAGE_POOL);
    }
}

static void check_mean(random_state *r, int32_t h, int32_t w, int32_t c, uint32_t axes) {
    const int32_t dims[4] = {2, h, w, c};
    op_tensor x = random_tensor(r, 4, dims, &x_q);
    const tmc_reduce_params p = {.kind = TMC_REDUCE_MEAN, .axes = (int32_t)axes, .keep_dims = 1};
    const size_t n = tmc_tensor_elements(&x.desc);
    size_t out[4], outs = 1, count = 1;
    for (int k = 0; k < 4; k++) {
        out[k] = axes >> k & 1 ? 1 : (size_t)dims[k];
        outs *= out[k];
        count *= axes >> k & 1 ? (size_t)dims[k] : 1;
    }
    int32_t *sums = calloc(outs, sizeof *sums);
    int8_t *want = malloc(outs);
    assert_true(sums && want);
    for (size_t i = 0; i < n; i++) {
        size_t rest = i, at = 0, step = 1;
        for (int k = 3; k >= 0; k--) {
            if (out[k] > 1) at += rest % (size_t)dims[k] * step;
            rest /= (size_t)dims[k];
            step *= out[k];
        }
        sums[at] += ((const int8_t *)x.data)[i] - x_q.zero_point;
    }
    const tmc_act_params none = {-INFINITY, INFINITY};
    const float m = (float)((double)x_q.scale / y_q.scale / (double)count);
    for (size_t i = 0; i < outs; i++) want[i] = requantize((float)sums[i] * m, &none, &y_q);
    op_call call = {.op = TMC_OP_REDUCE, .params = &p};
    check(&call, &x, 1, want, 0, "mean");
    free(sums);
    free(want);
}

static void test_mean(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 54);
    for (uint32_t axes = 1; axes < 16; axes++)
        for (int32_t c = 1; c <= 40; c += 13) check_mean(&r, 3, 5, c, axes);
    check_mean(&r, 20, 20, 200, 6);
}

/* Rows apart too, and tasks of many rows. */
static void test_table(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 55);
    for (int i = 0; i < 20; i++) {
        const int32_t c = i ? random_int(&r, 1, 150) : 32, side = i ? random_int(&r, 1, 9) : 60;
        const op_tensor inputs[2] = {random_tensor(&r, 4, (int32_t[]){1, side, side, c}, &x_q),
                                     random_tensor(&r, 1, (int32_t[]){256}, &(tmc_quantization){0})};
        const size_t n = tmc_tensor_elements(&inputs[0].desc);
        int8_t *want = malloc(n);
        assert_non_null(want);
        for (size_t k = 0; k < n; k++)
            want[k] = ((const int8_t *)inputs[1].data)[((const int8_t *)inputs[0].data)[k] + 128];
        op_call call = {.op = TMC_OP_TABLE};
        check(&call, inputs, 2, want, 1, "table");
        free(want);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_depthwise), cmocka_unit_test(test_binary), cmocka_unit_test(test_pool),
        cmocka_unit_test(test_mean),      cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
