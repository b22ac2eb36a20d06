/* The kernels of qs8_math.h at every level against portable C, and that against the formulas' corner cases: every
 * length up to several blocks, guard pages on both sides, extreme values, in place. */
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
#include "kernels/qs8_math.h"
#include "lib/guard.h"
#include "lib/random.h"

typedef void check_fn(const tmc_qs8_math_kernels *ref, const tmc_qs8_math_kernels *k, random_state *r);

/* Every level with and without its features. */
static void each_level(check_fn *check, uint64_t seed) {
    random_state r;
    tmc_cpu cpu;
    tmc_cpu_query(&cpu);
    tmc_qs8_math_kernels ref, k;
    tmc_qs8_math_select(TMC_ISA_REF, 0, &ref);
    random_init(&r, seed);
    for (int isa = TMC_ISA_REF; isa <= TMC_ISA_LAST; isa++) {
        if (!(cpu.isa_mask >> isa & 1)) continue;
        tmc_qs8_math_select((tmc_isa)isa, 0, &k);
        check(&ref, &k, &r);
        tmc_qs8_math_select((tmc_isa)isa, cpu.features, &k);
        check(&ref, &k, &r);
    }
}

static guard_buffer bytes(random_state *r, size_t count, guard_side side) {
    guard_buffer b = guard_alloc(count, side);
    const bool extreme = random_u32(r) & 1;
    for (size_t i = 0; i < count; i++)
        ((int8_t *)b.data)[i] = extreme ? (int8_t)((random_u32(r) & 1) ? 127 : -128) : (int8_t)random_int(r, -128, 127);
    return b;
}

static guard_side random_side(random_state *r) { return random_u32(r) & 1 ? GUARD_START : GUARD_END; }

static void expect_equal(const guard_buffer *want, const guard_buffer *got, const char *name, tmc_isa isa, size_t n) {
    for (size_t i = 0; i < want->bytes; i++)
        if (((const int8_t *)want->data)[i] != ((const int8_t *)got->data)[i])
            fail_msg("%s__%s, n %zu: byte %zu is %d, expected %d", name, tmc_isa_name(isa), n, i,
                     ((const int8_t *)got->data)[i], ((const int8_t *)want->data)[i]);
}

static void check_quantize(const tmc_qs8_math_kernels *ref, const tmc_qs8_math_kernels *k, random_state *r) {
    for (size_t n = 1; n <= 70; n++) {
        const guard_side side = random_side(r);
        guard_buffer x = guard_alloc(4 * n, side), want = guard_alloc(n, side), got = guard_alloc(n, side);
        const float scale = n % 3 ? random_float(r, 0.001f, 0.1f) : 0.5f;
        const int32_t zero = random_int(r, -128, 127);
        if (n % 2)
            random_fill_special(r, x.data, n);
        else
            for (size_t i = 0; i < n; i++) ((float *)x.data)[i] = (float)random_int(r, -300, 300) * 0.5f * scale;
        ref->quantize.run(n, x.data, want.data, scale, zero);
        k->quantize.run(n, x.data, got.data, scale, zero);
        expect_equal(&want, &got, k->quantize.name, k->quantize.isa, n);
        guard_free(&x);
        guard_free(&want);
        guard_free(&got);
    }
}

static void check_dequantize(const tmc_qs8_math_kernels *ref, const tmc_qs8_math_kernels *k, random_state *r) {
    for (size_t n = 1; n <= 70; n++) {
        const guard_side side = random_side(r);
        guard_buffer x = bytes(r, n, side), want = guard_alloc(4 * n, side), got = guard_alloc(4 * n, side);
        const int32_t zero = random_int(r, -128, 127);
        ref->dequantize.run(n, x.data, want.data, 0.037f, zero);
        k->dequantize.run(n, x.data, got.data, 0.037f, zero);
        expect_equal(&want, &got, k->dequantize.name, k->dequantize.isa, n);
        guard_free(&x);
        guard_free(&want);
        guard_free(&got);
    }
}

static void check_table(const tmc_qs8_math_kernels *ref, const tmc_qs8_math_kernels *k, random_state *r) {
    for (size_t n = 1; n <= 300; n++) {
        const guard_side side = random_side(r);
        guard_buffer x = bytes(r, n, side), table = bytes(r, 256, side), want = guard_alloc(n, side);
        for (size_t i = 0; i < n && n > 256; i++) ((int8_t *)x.data)[i] = (int8_t)i; /* every entry */
        for (size_t i = 0; i < 256; i++) ((int8_t *)table.data)[i] = (int8_t)random_int(r, -128, 127);
        ref->table.run(n, x.data, want.data, table.data);
        k->table.run(n, x.data, x.data, table.data);
        expect_equal(&want, &x, k->table.name, k->table.isa, n);
        guard_free(&x);
        guard_free(&table);
        guard_free(&want);
    }
}

static void check_binary_case(const tmc_qs8_math_kernels *ref, const tmc_qs8_math_kernels *k, random_state *r,
                              size_t rows, size_t cols, int mode) {
    const guard_side side = random_side(r);
    const int a_col = mode != 1, b_col = mode != 2; /* 3: b stands still; 4: y over a */
    const size_t a_row = a_col ? cols + (size_t)random_int(r, 0, 3) : 1, b_row = mode == 3 ? 0 : b_col ? cols : 1;
    tmc_qs8_binary_args g = {.rows = rows,
                             .cols = cols,
                             .a_row = a_row,
                             .b_row = b_row,
                             .y_row = mode == 4 ? a_row : cols + (size_t)random_int(r, 0, 3),
                             .a_col = a_col,
                             .b_col = b_col,
                             .a_zero = random_int(r, -128, 127),
                             .b_zero = random_int(r, -128, 127),
                             .zero_point = random_int(r, -128, 127),
                             .a_multiplier = random_u32(r) & 3 ? random_float(r, 0.001f, 1.0f) : 0.5f,
                             .b_multiplier = random_u32(r) & 3 ? random_float(r, -1.0f, 1.0f) : 0.25f};
    if (random_int(r, 0, 5) == 0) g.a_multiplier = random_u32(r) & 1 ? 1e30f : 16000.0f;
    g.lo = (float)(-128 - g.zero_point + random_int(r, 0, 1) * 50);
    g.hi = (float)(127 - g.zero_point - random_int(r, 0, 1) * 50);
    guard_buffer a = bytes(r, (rows - 1) * a_row + (a_col ? cols : 1), side);
    guard_buffer b = bytes(r, (rows - 1) * b_row + (b_col ? cols : 1), side);
    const size_t y_bytes = (rows - 1) * g.y_row + cols;
    for (int is_mul = 0; is_mul < 2; is_mul++) {
        guard_buffer want = mode == 4 ? guard_copy(a.data, a.bytes, side) : guard_alloc(y_bytes, side);
        guard_buffer got = mode == 4 ? guard_copy(a.data, a.bytes, side) : guard_alloc(y_bytes, side);
        g.a = mode == 4 ? want.data : a.data;
        g.b = b.data;
        g.y = want.data;
        (is_mul ? ref->mul.run : ref->add.run)(&g);
        g.a = mode == 4 ? got.data : a.data;
        g.y = got.data;
        (is_mul ? k->mul.run : k->add.run)(&g);
        expect_equal(&want, &got, is_mul ? k->mul.name : k->add.name, k->add.isa, cols);
        guard_free(&want);
        guard_free(&got);
    }
    guard_free(&a);
    guard_free(&b);
}

static void check_binary(const tmc_qs8_math_kernels *ref, const tmc_qs8_math_kernels *k, random_state *r) {
    for (size_t cols = 1; cols <= 140; cols++)
        for (int mode = 0; mode < 5; mode++) check_binary_case(ref, k, r, 1 + cols % 3, cols, mode);
}

static void check_pool_case(const tmc_qs8_math_kernels *ref, const tmc_qs8_math_kernels *k, random_state *r,
                            size_t channels, size_t pixels) {
    const guard_side side = random_side(r);
    const size_t pitch = channels + (size_t)random_int(r, 0, 3), columns = 12;
    tmc_qs8_pool_args g = {.pixels = pixels,
                           .taps_y = (size_t)random_int(r, 1, 4),
                           .taps_x = (size_t)random_int(r, 1, 4),
                           .channels = channels,
                           .a_step = (size_t)random_int(r, 1, 2) * pitch,
                           .y_step = columns * pitch,
                           .x_step = pitch,
                           .c_step = channels + (size_t)random_int(r, 0, 3),
                           .a_zero = random_int(r, -128, 127),
                           .zero_point = random_int(r, -128, 127)};
    g.multiplier = random_float(r, 0.5f, 2.0f) / (float)(g.taps_y * g.taps_x);
    guard_buffer a =
        bytes(r, (pixels - 1) * g.a_step + (g.taps_y - 1) * g.y_step + (g.taps_x - 1) * pitch + channels, side);
    g.a = a.data;
    for (int is_max = 0; is_max < 2; is_max++) {
        guard_buffer want = guard_alloc((pixels - 1) * g.c_step + channels, side), got = guard_alloc(want.bytes, side);
        g.c = want.data;
        (is_max ? ref->max_pool.run : ref->average_pool.run)(&g);
        g.c = got.data;
        (is_max ? k->max_pool.run : k->average_pool.run)(&g);
        expect_equal(&want, &got, is_max ? k->max_pool.name : k->average_pool.name, k->max_pool.isa, channels);
        guard_free(&want);
        guard_free(&got);
    }
    guard_free(&a);
}

static void check_pool(const tmc_qs8_math_kernels *ref, const tmc_qs8_math_kernels *k, random_state *r) {
    for (size_t channels = 1; channels <= 140; channels++)
        for (size_t pixels = 1; pixels <= 4; pixels++) check_pool_case(ref, k, r, channels, pixels);
}

#define TEST(name, seed)                                                                                               \
    static void test_##name(void **state) {                                                                            \
        (void)state;                                                                                                   \
        each_level(check_##name, seed);                                                                                \
    }
TEST(quantize, 41)
TEST(dequantize, 42)
TEST(table, 43)
TEST(binary, 44)
TEST(pool, 45)

/* Portable C itself, where the formulas have corners. */
static void test_corners(void **state) {
    (void)state;
    tmc_qs8_math_kernels k;
    tmc_qs8_math_select(TMC_ISA_REF, 0, &k);
    const float x[8] = {NAN, INFINITY, -INFINITY, 0.5f, 1.5f, -0.5f, -2.5f, 1e38f};
    const int8_t quantized[8] = {7, 127, -128, 7, 9, 7, 5, 127}; /* ties to even before the zero point */
    int8_t y[8];
    k.quantize.run(8, x, y, 1.0f, 7);
    assert_memory_equal(y, quantized, 8);
    const int8_t a[3] = {127, -128, 0}, b[3] = {127, 127, 1};
    tmc_qs8_binary_args g = {.rows = 1, .cols = 3, .a = a, .b = b, .a_col = 1, .b_col = 1, .y = y};
    g.a_multiplier = g.b_multiplier = 0.5f;
    g.lo = -128, g.hi = 127;
    k.add.run(&g);
    assert_memory_equal(y, ((int8_t[3]){127, 0, 0}), 3); /* -0.5 and 0.5 */
    k.mul.run(&g);
    assert_memory_equal(y, ((int8_t[3]){127, -128, 0}), 3);
    const tmc_qs8_pool_args p = {
        .pixels = 1, .channels = 3, .a = a, .c = y, .a_zero = 5, .zero_point = -3, .multiplier = 1.0f};
    k.average_pool.run(&p); /* no taps: zero */
    assert_memory_equal(y, ((int8_t[3]){-3, -3, -3}), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantize), cmocka_unit_test(test_dequantize), cmocka_unit_test(test_table),
        cmocka_unit_test(test_binary),   cmocka_unit_test(test_pool),       cmocka_unit_test(test_corners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
