/* Every kernel of the families dwconv and dwconv_row against plain loops, in guarded memory; then its speed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernels/f32_conv_list.h"
#include "lib/bits.h"
#include "lib/guard.h"
#include "lib/levels.h"
#include "lib/op_runner.h"
#include "lib/random.h"
#include "lib/speed.h"

#define MAX_TAPS 30
#define MAX_ROWS 6

static const tmc_f32_dwconv_kernel dwconv_kernels[] = {
#define TMC_F32_DWCONV_X(isa, ISA) {tmc_f32_dwconv_1p__##isa, "f32_dwconv_1p__" #isa, TMC_ISA_##ISA},
#define TMC_F32_DWCONV_ROW_X(kw, isa, ISA)
#include "kernels/f32_dwconv.inc"
#undef TMC_F32_DWCONV_X
#undef TMC_F32_DWCONV_ROW_X
};

static const tmc_f32_dwconv_row_kernel row_kernels[] = {
#define TMC_F32_DWCONV_X(isa, ISA)
#define TMC_F32_DWCONV_ROW_X(kw, isa, ISA)                                                                             \
    {tmc_f32_dwconv_row_4p##kw##k__##isa, kw, 4, "f32_dwconv_row_4p" #kw "k__" #isa, TMC_ISA_##ISA},
#include "kernels/f32_dwconv.inc"
#undef TMC_F32_DWCONV_X
#undef TMC_F32_DWCONV_ROW_X
};

static guard_buffer random_buffer(random_state *r, size_t count, guard_side side, bool special) {
    guard_buffer b = guard_alloc(count * sizeof(float), side);
    if (special)
        random_fill_special(r, b.data, count);
    else
        random_fill(r, b.data, count, -1, 1);
    return b;
}

static void check_dwconv(const tmc_f32_dwconv_kernel *kernel, size_t channels, uint32_t variant, random_state *r) {
    const guard_side side = variant % 2 ? GUARD_START : GUARD_END;
    const size_t taps = (size_t)random_int(r, 1, MAX_TAPS);
    guard_buffer a[MAX_TAPS], w = random_buffer(r, taps * channels, side, variant == 3);
    guard_buffer bias = random_buffer(r, channels, side, false), c = random_buffer(r, channels, side, false);
    const float *pointers[MAX_TAPS];
    for (size_t t = 0; t < taps; t++) {
        a[t] = random_buffer(r, channels, side, variant == 3);
        pointers[t] = a[t].data;
    }
    const float inf = variant == 2 ? INFINITY : 0.5f;
    tmc_f32_dwconv_args g = {taps, channels, pointers, w.data, variant == 1 ? NULL : bias.data, c.data, -inf, inf};
    float *expected = malloc(channels * sizeof *expected);
    assert_non_null(expected);
    for (size_t i = 0; i < channels; i++) {
        float acc = g.bias ? g.bias[i] : g.c[i];
        for (size_t t = 0; t < taps; t++) acc = level_fma(kernel->isa, pointers[t][i], g.w[t * channels + i], acc);
        acc = acc < g.lo ? g.lo : acc;
        expected[i] = acc > g.hi ? g.hi : acc;
    }
    kernel->fn(&g);
    bits_assert_equal(expected, c.data, channels, kernel->name);
    free(expected);
    for (size_t t = 0; t < taps; t++) guard_free(&a[t]);
    guard_free(&w);
    guard_free(&bias);
    guard_free(&c);
}

static void test_dwconv(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 21);
    for (size_t i = 0; i < sizeof dwconv_kernels / sizeof *dwconv_kernels; i++) {
        if (!op_isa_available(dwconv_kernels[i].isa)) continue;
        for (size_t channels = 1; channels <= 70; channels++)
            for (uint32_t variant = 0; variant < 4; variant++) check_dwconv(&dwconv_kernels[i], channels, variant, &r);
    }
}

static void check_row(const tmc_f32_dwconv_row_kernel *kernel, size_t channels, size_t pixels, size_t stride,
                      uint32_t variant, random_state *r) {
    const guard_side side = variant % 2 ? GUARD_START : GUARD_END;
    const size_t kernel_h = (size_t)random_int(r, 1, MAX_ROWS), row = ((pixels - 1) * stride + kernel->kw) * channels;
    const bool special = variant == 2;
    guard_buffer rows[MAX_ROWS], w = random_buffer(r, kernel_h * kernel->kw * channels, side, special);
    guard_buffer bias = random_buffer(r, channels, side, false);
    guard_buffer c = guard_alloc(pixels * channels * sizeof(float), side);
    const float *pointers[MAX_ROWS];
    for (size_t y = 0; y < kernel_h; y++) {
        rows[y] = random_buffer(r, row, side, special);
        pointers[y] = rows[y].data;
    }
    tmc_f32_dwconv_row_args g = {pixels, channels, kernel_h, stride, pointers, w.data, bias.data, c.data, -0.75f, 0.5f};
    float *expected = malloc(pixels * channels * sizeof *expected);
    assert_non_null(expected);
    for (size_t p = 0; p < pixels; p++)
        for (size_t i = 0; i < channels; i++) {
            float acc = g.bias[i];
            for (size_t y = 0; y < kernel_h; y++)
                for (size_t x = 0; x < kernel->kw; x++)
                    acc = level_fma(kernel->isa, pointers[y][(p * stride + x) * channels + i],
                                    g.w[(y * kernel->kw + x) * channels + i], acc);
            acc = acc < g.lo ? g.lo : acc;
            expected[p * channels + i] = acc > g.hi ? g.hi : acc;
        }
    kernel->fn(&g);
    bits_assert_equal(expected, c.data, pixels * channels, kernel->name);
    free(expected);
    for (size_t y = 0; y < kernel_h; y++) guard_free(&rows[y]);
    guard_free(&w);
    guard_free(&bias);
    guard_free(&c);
}

static void test_dwconv_row(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 22);
    for (size_t i = 0; i < sizeof row_kernels / sizeof *row_kernels; i++) {
        if (!op_isa_available(row_kernels[i].isa)) continue;
        for (size_t channels = 1; channels <= 33; channels++)
            for (size_t pixels = 1; pixels <= 9; pixels++)
                for (uint32_t variant = 0; variant < 3; variant++)
                    check_row(&row_kernels[i], channels, pixels, 1 + (pixels + variant) % 2, variant, &r);
    }
}

static void call_dwconv(void *context) {
    tmc_f32_dwconv_args *g = ((void **)context)[1];
    (*(tmc_f32_dwconv_fn *)((void **)context)[0])(g);
}

static void call_row(void *context) {
    tmc_f32_dwconv_row_args *g = ((void **)context)[1];
    (*(tmc_f32_dwconv_row_fn *)((void **)context)[0])(g);
}

static void test_speed(void **state) {
    (void)state;
    enum { CHANNELS = 96, PIXELS = 16 };
    static float x[5 * 40 * CHANNELS], w[25 * CHANNELS], bias[CHANNELS], c[PIXELS * CHANNELS];
    const float *taps[9], *rows[5];
    for (int t = 0; t < 9; t++) taps[t] = x + t * CHANNELS;
    for (int y = 0; y < 5; y++) rows[y] = x + y * 40 * CHANNELS;
    for (size_t i = 0; i < sizeof dwconv_kernels / sizeof *dwconv_kernels; i++) {
        if (!op_isa_available(dwconv_kernels[i].isa)) continue;
        tmc_f32_dwconv_fn fn = dwconv_kernels[i].fn;
        tmc_f32_dwconv_args g = {9, CHANNELS, taps, w, bias, c, 0, 6};
        void *context[2] = {&fn, &g};
        speed_print(dwconv_kernels[i].name, "9 taps, 96 channels",
                    speed_measure(call_dwconv, context, 18.0 * CHANNELS));
    }
    for (size_t i = 0; i < sizeof row_kernels / sizeof *row_kernels; i++) {
        if (!op_isa_available(row_kernels[i].isa)) continue;
        tmc_f32_dwconv_row_fn fn = row_kernels[i].fn;
        for (size_t stride = 1; stride <= 2; stride++) {
            const size_t kw = row_kernels[i].kw;
            tmc_f32_dwconv_row_args g = {PIXELS, CHANNELS, kw, stride, rows, w, bias, c, 0, 6};
            void *context[2] = {&fn, &g};
            char detail[40];
            snprintf(detail, sizeof detail, "16 pixels, 96 channels, s%zu", stride);
            speed_print(row_kernels[i].name, detail,
                        speed_measure(call_row, context, 2.0 * (double)(kw * kw) * CHANNELS * PIXELS));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dwconv),
        cmocka_unit_test(test_dwconv_row),
        cmocka_unit_test(test_speed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
