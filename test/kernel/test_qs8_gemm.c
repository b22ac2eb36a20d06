/* Every kernel of the family qs8_gemm against the formula in plain loops: every tile height, partial columns, taps,
 * both guard sides, extreme values and multipliers. */
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
#include "kernels/qs8_gemm_list.h"
#include "lib/guard.h"
#include "lib/random.h"

typedef struct listed_kernel {
    tmc_qs8_gemm_fn fn;
    size_t mr, nr;
    const char *name;
    tmc_isa isa;
    uint32_t feature;
} listed_kernel;

#if defined(__x86_64__)
/* The kernels for AVX-VNNI in another encoding of the same instructions, which more CPUs have: mk/test.mk. */
void tmc_qs8_gemm_6x16_vnni__evex(const tmc_qs8_gemm_args *args);
void tmc_qs8_gemm_8x8_vnni__evex(const tmc_qs8_gemm_args *args);
void tmc_qs8_gemm_4x4_vnni__evex(const tmc_qs8_gemm_args *args);
#endif

static const listed_kernel kernels[] = {
#define TMC_QS8_GEMM_X(kernel, mr, nr, isa, ISA, feature)                                                              \
    {tmc_qs8_gemm_##kernel##__##isa, mr, nr, "qs8_gemm_" #kernel "__" #isa, TMC_ISA_##ISA, feature},
#include "kernels/qs8_gemm.inc"
#undef TMC_QS8_GEMM_X
#if defined(__x86_64__)
    {tmc_qs8_gemm_6x16_vnni__evex, 6, 16, "qs8_gemm_6x16_vnni__evex", TMC_ISA_AVX512, TMC_FEATURE_AVX512_VNNI},
    {tmc_qs8_gemm_8x8_vnni__evex, 8, 8, "qs8_gemm_8x8_vnni__evex", TMC_ISA_AVX512, TMC_FEATURE_AVX512_VNNI},
    {tmc_qs8_gemm_4x4_vnni__evex, 4, 4, "qs8_gemm_4x4_vnni__evex", TMC_ISA_AVX512, TMC_FEATURE_AVX512_VNNI},
#endif
};

static bool can_run(const listed_kernel *k) {
    tmc_cpu cpu;
    tmc_cpu_query(&cpu);
    return cpu.isa_mask >> k->isa & 1 && (cpu.features & k->feature) == k->feature;
}

typedef enum values { RANDOM, EXTREME, TINY, HUGE_MULTIPLIER, VALUES } values;

typedef struct gemm_case {
    size_t rows, columns, taps_y, taps_x, kc; /* kc: of int8 */
    values kind;
    guard_side side;
    bool backward; /* taps and rows at negative steps */
} gemm_case;

static int8_t extreme(random_state *r) { return random_u32(r) & 1 ? 127 : -128; }

static void fill(random_state *r, int8_t *p, size_t count, values kind) {
    for (size_t i = 0; i < count; i++) p[i] = kind == EXTREME ? extreme(r) : (int8_t)random_int(r, -128, 127);
}

/* A panel as the converter packs it; `width` columns, also those that C does not have. */
static guard_buffer make_panel(random_state *r, size_t width, size_t k, values kind, guard_side side) {
    guard_buffer b = guard_alloc(width * (TMC_QS8_PANEL_HEADER + k), side);
    char *header = b.data;
    int8_t *w = (int8_t *)header + TMC_QS8_PANEL_HEADER * width;
    fill(r, w, width * k, kind);
    if (side == GUARD_END) /* plain NEON adds products as int16 then */
        for (size_t i = 0; i < width * k; i++) w[i] = w[i] == -128 ? -127 : w[i];
    for (size_t n = 0; n < width; n++) {
        int32_t sum = 0;
        for (size_t q = 0; q < k; q++) sum += w[q / 4 * 4 * width + 4 * n + q % 4];
        const int32_t bias = random_int(r, -100000, 100000), bias_u = bias - 128 * sum;
        const float low = kind == TINY ? 1e-37f : kind == HUGE_MULTIPLIER ? 1e37f : 1e-5f;
        const float multiplier =
            n % 7 == 3 && kind == RANDOM ? 0.5f : random_float(r, low, kind == RANDOM ? 0.02f : 2 * low);
        memcpy(header + 4 * n, &bias, 4);
        memcpy(header + 4 * (width + n), &bias_u, 4);
        memcpy(header + 4 * (2 * width + n), &multiplier, 4);
    }
    return b;
}

static int8_t expected_at(const tmc_qs8_gemm_args *g, const char *panel, size_t width, size_t row, size_t n) {
    const int8_t *w = (const int8_t *)panel + TMC_QS8_PANEL_HEADER * width;
    int32_t bias;
    float multiplier;
    memcpy(&bias, panel + 4 * n, 4);
    memcpy(&multiplier, panel + 4 * (2 * width + n), 4);
    int64_t acc = bias;
    size_t q = 0;
    for (size_t y = 0; y < g->taps_y; y++)
        for (size_t x = 0; x < g->taps_x; x++)
            for (size_t k = 0; k < g->kc; k++, q++) {
                const int8_t *a = (const int8_t *)g->a + (ptrdiff_t)row * g->a_step + (ptrdiff_t)y * g->y_step +
                                  (ptrdiff_t)x * g->x_step;
                acc += (int64_t)a[k] * w[q / 4 * 4 * width + 4 * n + q % 4];
            }
    assert_in_range(acc + INT32_MAX, 0, 2 * (int64_t)INT32_MAX);
    const float y = rintf((float)(int32_t)acc * multiplier);
    return (int8_t)((y < g->lo ? g->lo : y > g->hi ? g->hi : y) + (float)g->zero_point);
}

/* The int16 form of a level for a wide kernel: which one is in the table of its level without features. */
static void level_table(const listed_kernel *k, tmc_qs8_gemm_kernels *table) {
    tmc_qs8_gemm_select(k->isa, k->feature, table);
}

static void check(const listed_kernel *kernel, const gemm_case *t, random_state *r) {
    const size_t width = kernel->nr > 16 ? 16 : kernel->nr, k = t->taps_y * t->taps_x * t->kc, step = k + 8;
    const size_t pitch = t->columns + 3, a_bytes = k ? (t->rows - 1) * step + k : 1;
    tmc_qs8_gemm_kernels table;
    level_table(kernel, &table);
    guard_buffer panel = make_panel(r, width, k, t->kind, t->side), panel2 = make_panel(r, width, k, t->kind, t->side);
    guard_buffer a = guard_alloc(a_bytes, t->side), c = guard_alloc((t->rows - 1) * pitch + t->columns, t->side);
    guard_buffer wide_a = guard_alloc(2 * a_bytes, t->side), wide_panel = guard_alloc(width * (12 + 2 * k), t->side);
    fill(r, a.data, a_bytes, t->kind);
    fill(r, c.data, c.bytes, RANDOM);
    int8_t *expected = malloc(c.bytes);
    assert_non_null(expected);
    memcpy(expected, c.data, c.bytes);
    const int32_t zero = random_int(r, -128, 127);
    tmc_qs8_gemm_args g = {.rows = t->rows, .columns = t->columns, .taps_y = t->taps_y, .taps_x = t->taps_x};
    g.kc = t->kc;
    g.a = a.data;
    g.a_step = (ptrdiff_t)step;
    g.y_step = (ptrdiff_t)(t->taps_x * t->kc);
    g.x_step = (ptrdiff_t)t->kc;
    if (t->backward && k) {
        g.a = (int8_t *)a.data + a_bytes - t->kc;
        g.a_step = -g.a_step;
        g.y_step = -g.y_step;
        g.x_step = -g.x_step;
    }
    g.c_step = (ptrdiff_t)pitch;
    const bool clamp = t->rows % 3 == 1;
    g.lo = (float)((clamp ? -20 : -128) - zero);
    g.hi = (float)((clamp ? 90 : 127) - zero);
    g.zero_point = zero;
    for (size_t row = 0; row < t->rows; row++)
        for (size_t n = 0; n < t->columns; n++)
            expected[row * pitch + n] = expected_at(&g, n < width ? panel.data : panel2.data, width, row, n % width);

    g.c = c.data;
    g.panel = panel.data;
    g.panel2 = panel2.data;
    if (t->rows % 2) {
        g.next = a.data;
        g.next_step = 64;
    }
    if (table.widen_panel && kernel->nr <= 16) {
        table.widen(wide_a.data, a.data, a_bytes);
        table.widen_panel(wide_panel.data, panel.data, width, k);
        g.a = (int16_t *)wide_a.data + ((const int8_t *)g.a - (int8_t *)a.data);
        g.a_step *= 2;
        g.y_step *= 2;
        g.x_step *= 2;
        g.kc *= 2;
        g.panel = wide_panel.data;
    }
    kernel->fn(&g);
    if (memcmp(expected, c.data, c.bytes) != 0) {
        size_t i = 0;
        while (expected[i] == ((int8_t *)c.data)[i]) i++;
        fail_msg("%s rows %zu columns %zu taps %zu x %zu kc %zu kind %d: row %zu column %zu is %d, expected %d",
                 kernel->name, t->rows, t->columns, t->taps_y, t->taps_x, t->kc, t->kind, i / pitch, i % pitch,
                 ((int8_t *)c.data)[i], expected[i]);
    }
    free(expected);
    guard_free(&panel);
    guard_free(&panel2);
    guard_free(&a);
    guard_free(&c);
    guard_free(&wide_a);
    guard_free(&wide_panel);
}

static void test_tiles(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 1);
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        const listed_kernel *kernel = &kernels[i];
        if (!can_run(kernel)) continue;
        for (size_t rows = 1; rows <= 2 * kernel->mr + 3; rows++)
            for (size_t columns = 1; columns <= kernel->nr; columns++)
                for (uint32_t variant = 0; variant < 2 * VALUES; variant++) {
                    const gemm_case t = {.rows = rows,
                                         .columns = columns,
                                         .taps_y = 1 + random_u32(&r) % 3,
                                         .taps_x = 1 + random_u32(&r) % 3,
                                         .kc = 4 + 4 * (random_u32(&r) % 6),
                                         .kind = (values)(variant / 2),
                                         .side = variant % 2 ? GUARD_START : GUARD_END,
                                         .backward = rows % 4 == 3};
                    check(kernel, &t, &r);
                }
    }
}

/* No taps: the bias alone; and sums up to the bound that the verifier sets. */
static void test_ends_of_k(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 2);
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        if (!can_run(&kernels[i])) continue;
        gemm_case t = {.rows = kernels[i].mr + 1, .columns = kernels[i].nr, .kind = RANDOM, .kc = 8};
        check(&kernels[i], &t, &r);
        t = (gemm_case){.rows = 3, .columns = kernels[i].nr, .taps_y = 1, .taps_x = 1, .kc = 60000, .kind = EXTREME};
        check(&kernels[i], &t, &r);
    }
}

static void test_gemv(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 3);
    static const tmc_isa levels[] = {TMC_ISA_AVX2, TMC_ISA_SSE41};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        tmc_qs8_gemm_kernels table;
        if (!tmc_isa_available(levels[i])) continue;
        tmc_qs8_gemm_select(levels[i], 0, &table);
        for (size_t columns = 1; columns <= 16; columns++)
            for (size_t k = 4; k < 48; k += 4)
                for (uint32_t variant = 0; variant < VALUES; variant++) {
                    const guard_side side = k % 8 ? GUARD_START : GUARD_END;
                    guard_buffer panel = make_panel(&r, 16, k, (values)variant, side);
                    guard_buffer a = guard_alloc(k, side), wide = guard_alloc(2 * k, side),
                                 c = guard_alloc(columns, side);
                    fill(&r, a.data, k, (values)variant);
                    table.widen(wide.data, a.data, k);
                    tmc_qs8_gemm_args g = {.rows = 1, .columns = columns, .taps_y = 1, .taps_x = 1, .kc = k};
                    g.a = a.data;
                    g.lo = -128 - 5;
                    g.hi = 127 - 5;
                    g.zero_point = 5;
                    int8_t expected[16];
                    for (size_t n = 0; n < columns; n++) expected[n] = expected_at(&g, panel.data, 16, 0, n);
                    g.a = wide.data;
                    g.kc = 2 * k;
                    g.panel = panel.data;
                    g.c = c.data;
                    table.gemv.fn(&g);
                    assert_memory_equal(expected, c.data, columns);
                    guard_free(&panel);
                    guard_free(&a);
                    guard_free(&wide);
                    guard_free(&c);
                }
    }
}

static void test_table(void **state) {
    (void)state;
    static const tmc_isa levels[] = {TMC_ISA_REF, TMC_ISA_SSE41, TMC_ISA_AVX2, TMC_ISA_AVX512, TMC_ISA_NEON};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        for (uint32_t features = 0; features < 32; features++) {
            tmc_qs8_gemm_kernels k;
            const tmc_isa isa = levels[i];
            if (!tmc_isa_available(isa)) continue;
            tmc_qs8_gemm_select(isa, features, &k);
            for (size_t p = 0; p < 3; p++) assert_true(k.gemm[p].fn && k.gemm[p].nr == (size_t)16 >> p);
            const bool vnni512 = isa == TMC_ISA_AVX512 && features & TMC_FEATURE_AVX512_VNNI;
            const bool avx2 = (isa == TMC_ISA_AVX512 && !vnni512) || isa == TMC_ISA_AVX2;
            const bool wide = isa == TMC_ISA_SSE41 || (avx2 && !(features & TMC_FEATURE_AVX_VNNI));
            assert_int_equal(k.gemm[3].fn != NULL, vnni512);
            assert_int_equal(tmc_qs8_gemm_is_wide(&k), wide);
            assert_int_equal(k.gemv.fn != NULL, wide);
            if (isa != TMC_ISA_NEON) continue;
            const char *unit = features & TMC_FEATURE_I8MM ? "_i8mm" : features & TMC_FEATURE_DOT ? "_dot" : "";
            for (size_t p = 0; p < 3; p++) assert_non_null(strstr(k.gemm[p].name, unit));
            assert_int_equal(strlen(k.gemm[0].name), strlen("qs8_gemm_0x16") + strlen(unit));
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiles),
        cmocka_unit_test(test_ends_of_k),
        cmocka_unit_test(test_gemv),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
