/* Kernels of the pool families, and the operators max_pool, average_pool and lp_pool against plain loops. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/op.h"
#include "kernels/f32_conv_list.h"
#include "lib/bits.h"
#include "lib/guard.h"
#include "lib/op_runner.h"
#include "lib/random.h"

typedef struct pool_kernel {
    tmc_f32_pool_kernel k;
    bool is_max;
} pool_kernel;

static const pool_kernel kernels[] = {
#define IS_MAX_max true
#define IS_MAX_average false
#define TMC_F32_POOL_X(kind, isa, ISA)                                                                                 \
    {{tmc_f32_##kind##_pool_4p__##isa, "f32_" #kind "_pool_4p__" #isa, TMC_ISA_##ISA}, IS_MAX_##kind},
#include "kernels/f32_pool.inc"
#undef TMC_F32_POOL_X
};

static float step(bool is_max, float acc, float x) {
    if (!is_max) return acc + x;
    return acc != acc ? acc : acc > x ? acc : x;
}

/* Input of exactly the floats that the taps of all pixels name, from first to last. */
static void check_kernel(const pool_kernel *kernel, size_t channels, uint32_t variant, random_state *r) {
    const guard_side side = variant % 2 ? GUARD_START : GUARD_END;
    tmc_f32_pool_args g = {
        .pixels = (size_t)random_int(r, 1, 9), .channels = channels, .divisor = variant ? 7.0f : 1.0f};
    g.taps_y = (size_t)random_int(r, 1, 4);
    g.taps_x = (size_t)random_int(r, 1, 4);
    g.x_step = channels + (size_t)random_int(r, 0, 1) * 3;
    g.a_step = g.x_step * (size_t)random_int(r, 1, 3);
    g.y_step = g.x_step * (size_t)random_int(r, 1, 30);
    g.c_step = channels + (size_t)random_int(r, 0, 1) * 5;
    const size_t in = (g.pixels - 1) * g.a_step + (g.taps_y - 1) * g.y_step + (g.taps_x - 1) * g.x_step + channels;
    const size_t out = (g.pixels - 1) * g.c_step + channels;
    guard_buffer a = guard_alloc(in * sizeof(float), side), c = guard_alloc(out * sizeof(float), side);
    if (variant == 3)
        random_fill_special(r, a.data, in);
    else
        random_fill(r, a.data, in, -1, 1);
    g.a = a.data;
    g.c = c.data;
    float *expected = malloc(out * sizeof *expected);
    assert_non_null(expected);
    memcpy(expected, c.data, out * sizeof *expected);
    for (size_t p = 0; p < g.pixels; p++)
        for (size_t i = 0; i < channels; i++) {
            const float *first = g.a + p * g.a_step + i;
            float acc = *first;
            for (size_t t = 1; t < g.taps_y * g.taps_x; t++)
                acc = step(kernel->is_max, acc, first[t / g.taps_x * g.y_step + t % g.taps_x * g.x_step]);
            expected[p * g.c_step + i] = kernel->is_max ? acc : acc / g.divisor;
        }
    kernel->k.fn(&g);
    bits_assert_equal(expected, c.data, out, kernel->k.name);
    free(expected);
    guard_free(&a);
    guard_free(&c);
}

static void test_kernels(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 31);
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        if (!op_isa_available(kernels[i].k.isa)) continue;
        for (size_t channels = 1; channels <= 70; channels++)
            for (uint32_t variant = 0; variant < 12; variant++) check_kernel(&kernels[i], channels, variant % 4, &r);
    }
}

static bool inside(int32_t i, int32_t begin, int32_t end) { return i >= begin && i < end; }

/* One output element by the words of docs/operators.md. */
static float naive_pool(uint16_t op, const tmc_pool_params *p, const tmc_tensor_desc *d, const float *image, int32_t oy,
                        int32_t ox, int32_t c) {
    const int32_t in_h = d->dims[1], in_w = d->dims[2];
    float acc = 0;
    int32_t taps = 0, counted = 0;
    for (int32_t ky = 0; ky < p->kernel[1]; ky++)
        for (int32_t kx = 0; kx < p->kernel[2]; kx++) {
            const int32_t iy = oy * p->stride[1] - p->pad_begin[1] + ky * p->dilation[1];
            const int32_t ix = ox * p->stride[2] - p->pad_begin[2] + kx * p->dilation[2];
            counted += inside(iy, -p->pad_begin[1], in_h + p->pad_end[1]) &&
                       inside(ix, -p->pad_begin[2], in_w + p->pad_end[2]);
            if (!inside(iy, 0, in_h) || !inside(ix, 0, in_w)) continue;
            const float x = image[((size_t)iy * (size_t)in_w + (size_t)ix) * (size_t)d->dims[3] + (size_t)c];
            if (op == TMC_OP_LP_POOL)
                acc = p->p == 1 ? acc + fabsf(x) : fmaf(x, x, acc);
            else
                acc = taps ? step(op == TMC_OP_MAX_POOL, acc, x) : x;
            taps++;
        }
    if (op == TMC_OP_AVERAGE_POOL) return acc / (float)(p->count_include_pad ? counted : taps);
    return op == TMC_OP_LP_POOL && p->p == 2 ? sqrtf(acc) : acc;
}

static void check_op(uint16_t op, const tmc_pool_params *p, const op_tensor *x) {
    tmc_isa levels[4];
    const size_t level_count = op_isa_levels(levels);
    for (size_t l = 0; l < level_count; l++)
        for (uint32_t run = 0; run < (op == TMC_OP_LP_POOL ? 2 : 3); run++) {
            const uint32_t threads = 1 + run % 2;
            op_call call = {.op = op, .params = p, .inputs = x, .input_count = 1, .output_count = 1};
            call.isa = levels[l];
            call.threads = threads;
            call.pitch = run == 2 ? 3 : 0;
            call.guard = threads == 1 ? GUARD_END : GUARD_START;
            op_result result;
            if (op_run(&call, &result) != TMC_OK) fail_msg("pool: %s", result.err.message);
            const int32_t *d = result.descs[0].dims;
            const size_t image = (size_t)x->desc.dims[1] * (size_t)x->desc.dims[2] * (size_t)d[3];
            const size_t count = tmc_tensor_elements(&result.descs[0]);
            float *expected = malloc(count * sizeof *expected), *e = expected;
            assert_non_null(expected);
            for (int32_t n = 0; n < d[0]; n++)
                for (int32_t oy = 0; oy < d[1]; oy++)
                    for (int32_t ox = 0; ox < d[2]; ox++)
                        for (int32_t c = 0; c < d[3]; c++)
                            *e++ = naive_pool(op, p, &x->desc, (const float *)x->data + (size_t)n * image, oy, ox, c);
            bits_assert_equal(expected, result.data[0], count, "pool");
            free(expected);
            op_result_free(&result);
        }
}

static tmc_pool_params neutral_params(void) {
    tmc_pool_params p;
    memset(&p, 0, sizeof p);
    p.spatial = 2;
    for (int i = 0; i < 3; i++) p.kernel[i] = p.stride[i] = p.dilation[i] = 1;
    p.p = 2;
    return p;
}

static bool infers(uint16_t op, const tmc_pool_params *p, const op_tensor *x) {
    op_call call = {.op = op, .params = p, .inputs = x, .input_count = 1, .output_count = 1, .infer_only = true};
    op_result result;
    bool ok = op_run(&call, &result) == TMC_OK;
    op_result_free(&result);
    return ok;
}

static void test_ops_random(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 32);
    for (int tested = 0; tested < 300;) {
        tmc_pool_params p = neutral_params();
        for (int i = 1; i < 3; i++) {
            p.kernel[i] = random_int(&r, 1, 4);
            p.stride[i] = random_int(&r, 1, 3);
            p.dilation[i] = random_int(&r, 0, 2) ? 1 : 2;
            p.pad_begin[i] = random_int(&r, 0, 2);
            p.pad_end[i] = random_int(&r, 0, 2);
        }
        p.ceil_mode = random_int(&r, 0, 1);
        p.count_include_pad = random_int(&r, 0, 1);
        p.p = random_int(&r, 1, 2);
        const tmc_tensor_desc d = op_desc(
            TMC_F32, 4,
            (int32_t[]){random_int(&r, 1, 2), random_int(&r, 1, 11), random_int(&r, 1, 11), random_int(&r, 1, 40)});
        const uint16_t op = (uint16_t)random_int(&r, TMC_OP_MAX_POOL, TMC_OP_LP_POOL);
        float *data = malloc(tmc_tensor_bytes(&d));
        assert_non_null(data);
        if (tested % 5 == 4)
            random_fill_special(&r, data, tmc_tensor_elements(&d));
        else
            random_fill(&r, data, tmc_tensor_elements(&d), -1, 1);
        const op_tensor x = {d, data, 0};
        if (infers(op, &p, &x)) {
            check_op(op, &p, &x);
            tested++;
        }
        free(data);
    }
}

/* More taps than one call takes, and few outputs with much in each: cut across channels. */
static void test_global_pool(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 33);
    const tmc_tensor_desc d = op_desc(TMC_F32, 4, (int32_t[]){1, 17, 19, 150});
    float *data = malloc(tmc_tensor_bytes(&d));
    assert_non_null(data);
    random_fill(&r, data, tmc_tensor_elements(&d), -1, 1);
    const op_tensor x = {d, data, 0};
    tmc_pool_params p = neutral_params();
    p.kernel[1] = 17, p.kernel[2] = 19;
    for (uint16_t op = TMC_OP_MAX_POOL; op <= TMC_OP_LP_POOL; op++) check_op(op, &p, &x);
    free(data);
}

typedef struct shape_rule {
    int32_t in, kernel, stride, dilation, pad_begin, pad_end, ceil, out;
} shape_rule;

/* Output sizes by ONNX's formulas, worked out by hand. */
static void test_output_sizes(void **state) {
    (void)state;
    static const shape_rule rules[] = {
        {10, 3, 2, 1, 0, 0, 0, 4}, {10, 3, 2, 1, 0, 0, 1, 5}, {10, 3, 2, 1, 1, 1, 0, 5}, {7, 2, 2, 1, 0, 0, 1, 4},
        {6, 2, 3, 1, 1, 0, 1, 3},  {4, 1, 3, 1, 0, 0, 1, 2},  {5, 3, 1, 2, 0, 0, 0, 1},  {2, 2, 3, 1, 1, 1, 1, 1},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const shape_rule *s = &rules[i];
        tmc_pool_params p = neutral_params();
        p.kernel[2] = s->kernel, p.stride[2] = s->stride, p.dilation[2] = s->dilation;
        p.pad_begin[2] = s->pad_begin, p.pad_end[2] = s->pad_end, p.ceil_mode = s->ceil;
        const op_tensor x = {op_desc(TMC_F32, 4, (int32_t[]){1, 1, s->in, 1}), NULL, 0};
        op_call call = {.op = TMC_OP_MAX_POOL, .params = &p, .inputs = &x, .input_count = 1, .output_count = 1};
        call.infer_only = true;
        op_result result;
        if (op_run(&call, &result) != TMC_OK) fail_msg("rule %zu: %s", i, result.err.message);
        assert_int_equal(result.descs[0].dims[2], s->out);
        op_result_free(&result);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernels),
        cmocka_unit_test(test_ops_random),
        cmocka_unit_test(test_global_pool),
        cmocka_unit_test(test_output_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
