/* Every kernel of the families gemm and gemv against plain loops: every tile height and width, partial taps, both guard
 * sides, special values; then its speed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/f32_conv_list.h"
#include "lib/bits.h"
#include "lib/guard.h"
#include "lib/levels.h"
#include "lib/op_runner.h"
#include "lib/random.h"

#define MAX_TAPS 6
#define MAX_MR 8
#define MAX_ROWS (3 * MAX_MR + 1)

static const tmc_f32_gemm_kernel gemm_kernels[] = {
#define TMC_F32_GEMM_X(mr, nr, isa, ISA)                                                                               \
    {tmc_f32_gemm_##mr##x##nr##__##isa, mr, nr, "f32_gemm_" #mr "x" #nr "__" #isa, TMC_ISA_##ISA},
#include "kernels/f32_gemm.inc"
#undef TMC_F32_GEMM_X
};

static const tmc_f32_gemv_kernel gemv_kernels[] = {
#define TMC_F32_GEMV_X(panels, nr, isa, ISA)                                                                           \
    {tmc_f32_gemv_##panels##x##nr##__##isa, panels, "f32_gemv_" #panels "x" #nr "__" #isa, TMC_ISA_##ISA},
#include "kernels/f32_gemv.inc"
#undef TMC_F32_GEMV_X
};

static float clamped(float x, float lo, float hi) {
    float t = x < lo ? lo : x;
    return t > hi ? hi : t;
}

/* Width of the first panel of a kernel; the second one, if any, has half of that. */
static size_t first_width(size_t nr) { return nr == 24 ? 16 : nr == 12 ? 8 : nr; }

/* Rows named one by one. */
static void naive_gemm(tmc_isa isa, const tmc_f32_gemm_args *g, size_t nr) {
    const size_t first = first_width(nr);
    for (size_t r = 0; r < g->rows; r++)
        for (size_t n = 0; n < g->columns; n++) {
            const bool second = n >= first;
            const size_t at = second ? n - first : n, width = second ? nr - first : first;
            const float *w = second ? g->w2 : g->w;
            float *c = &g->c[r][g->c_offset + n];
            float acc = g->bias ? (second ? g->bias2 : g->bias)[at] : *c;
            for (size_t t = 0; t < g->taps; t++)
                for (size_t k = 0; k < g->kc; k++)
                    acc = level_fma(isa, g->a[t * g->a_stride + r][k], w[(t * g->kc + k) * width + at], acc);
            *c = clamped(acc, g->lo, g->hi);
        }
}

/* Some rows in guarded memory. `split` taps in a first call, the others in a second. With `steps` the rows of A and of
 * C lie evenly in one buffer each, of which only they may be touched. */
typedef struct gemm_case {
    size_t rows, columns, taps, kc, c_offset, split;
    bool from_bias, clamp, special;
    guard_side side;
    bool steps;
} gemm_case;

/* The two panels of a kernel, or one. */
typedef struct weight_panels {
    guard_buffer first, second;
    size_t width, width2;
} weight_panels;

static weight_panels make_panels(const tmc_f32_gemm_kernel *kernel, const gemm_case *t, random_state *r) {
    const size_t rows = 1 + t->taps * t->kc;
    weight_panels p = {.width = first_width(kernel->nr)};
    p.width2 = kernel->nr - p.width;
    p.first = guard_alloc(rows * p.width * sizeof(float), t->side);
    p.second = guard_alloc(rows * p.width2 * sizeof(float), t->side);
    random_fill(r, p.first.data, rows * p.width, -1, 1);
    random_fill(r, p.second.data, rows * p.width2, -1, 1);
    if (t->special) random_fill_special(r, p.first.data, rows * p.width);
    return p;
}

static void check_gemm(const tmc_f32_gemm_kernel *kernel, const gemm_case *t, random_state *r) {
    const size_t k = t->taps * t->kc, row_floats = t->c_offset + t->columns, pitch = row_floats + 5, step = k + 3;
    weight_panels w = make_panels(kernel, t, r);
    guard_buffer a = guard_alloc((t->rows - 1) * step * sizeof(float) + k * sizeof(float), t->side);
    guard_buffer c = guard_alloc(((t->rows - 1) * pitch + row_floats) * sizeof(float), t->side);
    const size_t a_floats = a.bytes / sizeof(float), c_floats = c.bytes / sizeof(float);
    float *expected = malloc(c.bytes);
    const float *pointers[MAX_TAPS * MAX_ROWS];
    float *c_rows[MAX_ROWS], *expected_rows[MAX_ROWS];
    assert_non_null(expected);
    random_fill(r, a.data, a_floats, -1, 1);
    if (t->special) random_fill_special(r, a.data, a_floats);
    random_fill(r, c.data, c_floats, -1, 1);
    memcpy(expected, c.data, c.bytes);
    for (size_t row = 0; row < t->rows; row++) {
        /* By name in any order; taps are not neighbours in memory: backwards. */
        const size_t place = t->steps ? row : t->rows - 1 - row;
        for (size_t tap = 0; tap < t->taps; tap++)
            pointers[tap * MAX_ROWS + row] = (const float *)a.data + place * step + (t->taps - 1 - tap) * t->kc;
        c_rows[row] = (float *)c.data + place * pitch;
        expected_rows[row] = expected + place * pitch;
    }
    tmc_f32_gemm_args g = {.rows = t->rows, .columns = t->columns, .taps = t->taps, .kc = t->kc, .a = pointers};
    const float *bias = w.first.data, *bias2 = w.second.data;
    g.a_stride = MAX_ROWS;
    g.w = bias + w.width;
    g.w2 = bias2 + w.width2;
    g.bias = t->from_bias ? bias : NULL;
    g.bias2 = bias2;
    g.c_offset = t->c_offset;
    g.lo = t->clamp ? -0.25f : -INFINITY;
    g.hi = t->clamp ? 0.5f : INFINITY;
    g.c = expected_rows;
    naive_gemm(kernel->isa, &g, kernel->nr);

    g.c = c_rows;
    if (t->steps) {
        g.a_step = (ptrdiff_t)step;
        g.c_step = (ptrdiff_t)pitch;
    }
    if (t->rows % 2) {
        g.next = a.data;
        g.next_step = 64;
    }
    if (t->split) {
        tmc_f32_gemm_args first = g;
        first.taps = t->split;
        first.lo = -INFINITY;
        first.hi = INFINITY;
        kernel->fn(&first);
        g.taps -= t->split;
        g.a += t->split * g.a_stride;
        g.w += t->split * t->kc * w.width;
        g.w2 += t->split * t->kc * w.width2;
        g.bias = NULL;
    }
    kernel->fn(&g);
    char what[128];
    snprintf(what, sizeof what, "%s rows %zu columns %zu taps %zu kc %zu%s", kernel->name, t->rows, t->columns, t->taps,
             t->kc, t->steps ? " by steps" : "");
    bits_assert_equal(expected, c.data, c_floats, what);
    free(expected);
    guard_free(&a);
    guard_free(&c);
    guard_free(&w.first);
    guard_free(&w.second);
}

static void test_gemm_tiles(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 1);
    for (size_t i = 0; i < sizeof gemm_kernels / sizeof *gemm_kernels; i++) {
        const tmc_f32_gemm_kernel *kernel = &gemm_kernels[i];
        if (!op_isa_available(kernel->isa)) continue;
        for (size_t rows = 1; rows <= 3 * kernel->mr + 1; rows++)
            for (size_t columns = 1; columns <= kernel->nr; columns++)
                for (uint32_t variant = 0; variant < 6; variant++) {
                    gemm_case t = {rows,
                                   columns,
                                   (size_t)random_int(&r, variant ? 1 : 0, MAX_TAPS),
                                   (size_t)random_int(&r, 1, variant == 1 ? 70 : 11),
                                   0,
                                   0,
                                   true,
                                   false,
                                   false,
                                   variant % 2 ? GUARD_START : GUARD_END,
                                   rows > 1 && random_int(&r, 0, 1) == 1};
                    t.c_offset = (size_t)random_int(&r, 0, 3);
                    t.clamp = variant >= 2;
                    t.from_bias = variant != 3;
                    t.special = variant == 4;
                    if (t.taps) t.split = variant == 5 ? t.taps - 1 : 0;
                    check_gemm(kernel, &t, &r);
                }
    }
}

/* A NaN in the inputs is a NaN in the output, whatever the clamp. */
static void test_gemm_keeps_nan(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof gemm_kernels / sizeof *gemm_kernels; i++) {
        const tmc_f32_gemm_kernel *kernel = &gemm_kernels[i];
        if (!op_isa_available(kernel->isa)) continue;
        float a[2] = {1, NAN}, panel[3 * 24], c[24];
        for (size_t n = 0; n < 3 * kernel->nr; n++) panel[n] = 1;
        const float *pointers[1] = {a};
        float *rows[1] = {c};
        const size_t width = first_width(kernel->nr);
        tmc_f32_gemm_args g = {.rows = 1, .columns = kernel->nr, .taps = 1, .kc = 2, .a = pointers, .a_stride = 1};
        g.bias = panel;
        g.w = panel + width;
        g.bias2 = panel + 3 * width;
        g.w2 = g.bias2 + kernel->nr - width;
        g.c = rows;
        g.hi = 6;
        kernel->fn(&g);
        for (size_t n = 0; n < kernel->nr; n++) assert_true(isnan(c[n]));
    }
}

static void test_gemv(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 2);
    for (size_t i = 0; i < sizeof gemv_kernels / sizeof *gemv_kernels; i++) {
        const tmc_f32_gemv_kernel *kernel = &gemv_kernels[i];
        if (!op_isa_available(kernel->isa)) continue;
        for (size_t panels = 1; panels <= kernel->panels; panels++)
            for (size_t k = 1; k < 40; k += 3)
                for (int variant = 0; variant < 4; variant++) {
                    const guard_side side = variant % 2 ? GUARD_START : GUARD_END;
                    const size_t stride = 16 * (1 + k);
                    guard_buffer a = guard_alloc(k * sizeof(float), side);
                    guard_buffer w = guard_alloc(panels * stride * sizeof(float), side);
                    guard_buffer c = guard_alloc(panels * 16 * sizeof(float), side);
                    random_fill(&r, a.data, k, -1, 1);
                    random_fill(&r, w.data, panels * stride, -1, 1);
                    if (variant == 3) random_fill_special(&r, a.data, k);
                    tmc_f32_gemv_args g = {panels, k, stride, a.data, w.data, c.data, -0.5f, INFINITY};
                    kernel->fn(&g);
                    float expected[16 * 8];
                    for (size_t n = 0; n < 16 * panels; n++) {
                        const float *p = g.w + n / 16 * stride + n % 16;
                        float acc = p[0];
                        for (size_t q = 0; q < k; q++) acc = level_fma(kernel->isa, g.a[q], p[(1 + q) * 16], acc);
                        expected[n] = clamped(acc, g.lo, g.hi);
                    }
                    bits_assert_equal(expected, c.data, 16 * panels, kernel->name);
                    guard_free(&a);
                    guard_free(&w);
                    guard_free(&c);
                }
    }
}

/* The table of every level has an entry everywhere, with the geometry of its panel width. */
static void test_table(void **state) {
    (void)state;
    tmc_isa levels[LEVELS_MAX];
    size_t n = level_list(levels);
    for (size_t i = 0; i < n; i++) {
        tmc_f32_conv_kernels k;
        memset(&k, 0, sizeof k);
        tmc_f32_conv_select(levels[i], &k);
        for (size_t p = 0; p < 3; p++) {
            assert_true(k.gemm[p].fn && k.gemm[p].name && k.gemm[p].nr == (size_t)16 >> p);
            assert_in_range(k.gemm[p].mr, 1, MAX_MR);
            if (levels[i] == TMC_ISA_SSE41) /* portable C would bring an emulated FMA */
                assert_int_equal(k.gemm[p].isa, levels[i]);
            else
                assert_int_not_equal(k.gemm[p].isa, TMC_ISA_SSE41);
            assert_int_equal(k.gemm[p].isa == TMC_ISA_REF, levels[i] == TMC_ISA_REF);
        }
        assert_true(k.gemv.fn && k.gemv.panels && k.dwconv.fn && k.max_pool.fn && k.average_pool.fn);
        for (size_t r = 0; r < 4; r++) {
            const tmc_f32_dwconv_row_kernel *row = &k.dwconv_row[r / 2][r % 2];
            assert_true(row->fn && row->kw == 3 + r / 2 * 2 && row->pixels >= 4);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gemm_tiles),
        cmocka_unit_test(test_gemm_keeps_nan),
        cmocka_unit_test(test_gemv),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
