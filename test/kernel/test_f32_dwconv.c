/* Every kernel of the families dwconv and dwconv_row against plain loops, in guarded memory; then its speed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/checked.h"
#include "format/packing.h"
#include "kernels/f32_conv_list.h"
#include "lib/bits.h"
#include "lib/guard.h"
#include "lib/levels.h"
#include "lib/op_runner.h"
#include "lib/random.h"

#define MAX_TAPS 30

static const tmc_f32_dwconv_kernel dwconv_kernels[] = {
#define TMC_F32_DWCONV_X(isa, ISA) {tmc_f32_dwconv_1p__##isa, "f32_dwconv_1p__" #isa, TMC_ISA_##ISA},
#define TMC_F32_DWCONV_ROW_X(pixels, kw, isa, ISA)
#include "kernels/f32_dwconv.inc"
#undef TMC_F32_DWCONV_X
#undef TMC_F32_DWCONV_ROW_X
};

static const tmc_f32_dwconv_row_kernel row_kernels[] = {
#define TMC_F32_DWCONV_X(isa, ISA)
#define TMC_F32_DWCONV_ROW_X(pixels, kw, isa, ISA)                                                                     \
    {tmc_f32_dwconv_row_2x##pixels##p##kw##k__##isa, pixels, kw, "f32_dwconv_row_2x" #pixels "p" #kw "k__" #isa,       \
     TMC_ISA_##ISA},
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

/* Dense weights [taps][channels] and a bias as the kernels read them. */
static guard_buffer packed(const float *w, const float *bias, size_t channels, size_t taps, guard_side side) {
    guard_buffer b = guard_alloc(tmc_depthwise_columns(channels) * (1 + taps) * sizeof(float), side);
    tmc_pack_depthwise(b.data, w, channels, taps, bias);
    return b;
}

static float clamped(float x, float lo, float hi) {
    x = x < lo ? lo : x;
    return x > hi ? hi : x;
}

/* variant 1: the sum goes on from c; 3: special numbers. */
static void check_dwconv(const tmc_f32_dwconv_kernel *kernel, size_t channels, uint32_t variant, random_state *r) {
    const guard_side side = variant % 2 ? GUARD_START : GUARD_END;
    const size_t all = (size_t)random_int(r, 2, MAX_TAPS),
                 first = variant == 1 ? (size_t)random_int(r, 1, 10) % all : 0;
    const size_t taps = variant == 2 ? all : (size_t)random_int(r, 1, (int32_t)(all - first));
    guard_buffer a[MAX_TAPS], w = random_buffer(r, all * channels, side, variant == 3);
    guard_buffer bias = random_buffer(r, channels, side, false), c = random_buffer(r, channels, side, false);
    guard_buffer panels = packed(w.data, bias.data, channels, all, side);
    const float *pointers[MAX_TAPS], *dense = w.data;
    for (size_t t = 0; t < taps; t++) {
        a[t] = random_buffer(r, channels, side, variant == 3);
        pointers[t] = a[t].data;
    }
    const float inf = variant == 2 ? INFINITY : 0.5f;
    tmc_f32_dwconv_args g = {first, taps, all, channels, pointers, panels.data, c.data, -inf, inf};
    float *expected = malloc(channels * sizeof *expected);
    assert_non_null(expected);
    for (size_t i = 0; i < channels; i++) {
        float acc = first ? g.c[i] : ((const float *)bias.data)[i];
        for (size_t t = 0; t < taps; t++)
            acc = level_fma(kernel->isa, pointers[t][i], dense[(first + t) * channels + i], acc);
        expected[i] = clamped(acc, g.lo, g.hi);
    }
    kernel->fn(&g);
    bits_assert_equal(expected, c.data, channels, kernel->name);
    free(expected);
    for (size_t t = 0; t < taps; t++) guard_free(&a[t]);
    guard_free(&w);
    guard_free(&bias);
    guard_free(&c);
    guard_free(&panels);
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

/* One or two output rows with their input rows, each in guarded memory of its own. */
typedef struct row_case {
    tmc_f32_dwconv_row_args g;
    guard_buffer in[2][TMC_F32_DWCONV_ROW_MAX_H], c[2], w, bias, panels, zeros;
    const float *rows[2][TMC_F32_DWCONV_ROW_MAX_H];
} row_case;

static void make_row_case(row_case *k, size_t kw, size_t channels, size_t pixels, uint32_t variant, random_state *r) {
    const guard_side side = variant % 2 ? GUARD_START : GUARD_END;
    const bool special = variant == 2;
    tmc_f32_dwconv_row_args *g = &k->g;
    memset(k, 0, sizeof *k);
    g->c_rows = (size_t)random_int(r, 1, 2);
    g->pixels = pixels;
    g->kernel_h = (size_t)random_int(r, 1, TMC_F32_DWCONV_ROW_MAX_H);
    g->stride = (size_t)random_int(r, 1, 2);
    g->pad = (size_t)random_int(r, 0, (int32_t)kw / 2);
    const size_t reached = (pixels - 1) * g->stride + kw - g->pad; /* columns that the windows cover */
    g->columns = reached - tmc_min_size(reached - 1, (size_t)random_int(r, 0, (int32_t)kw / 2));
    g->columns += variant == 1; /* one behind the last window */
    g->channels = channels;
    g->begin = (size_t)random_int(r, 0, (int32_t)(channels - 1) / 16) * 16;
    g->end = tmc_depthwise_columns(channels);
    if (variant == 0) g->end = g->begin + 16;
    g->a_pitch = channels + (size_t)random_int(r, 0, 1) * 5;
    g->c_pitch = channels + (size_t)random_int(r, 0, 1) * 3;
    g->lo = -0.75f, g->hi = 0.5f;
    k->w = random_buffer(r, g->kernel_h * kw * channels, side, special);
    k->bias = random_buffer(r, channels, side, false);
    k->panels = packed(k->w.data, k->bias.data, channels, g->kernel_h * kw, side);
    k->zeros = guard_alloc(channels * sizeof(float), side);
    memset(k->zeros.data, 0, channels * sizeof(float));
    for (size_t row = 0; row < g->c_rows; row++) {
        k->c[row] = guard_alloc(((pixels - 1) * g->c_pitch + channels) * sizeof(float), side);
        g->c[row] = k->c[row].data;
        g->rows[row] = k->rows[row];
        for (size_t y = 0; y < g->kernel_h; y++) {
            k->in[row][y] = random_buffer(r, (g->columns - 1) * g->a_pitch + channels, side, special);
            k->rows[row][y] = random_int(r, 0, 4) ? k->in[row][y].data : NULL;
        }
    }
    g->w = k->panels.data;
    g->zeros = k->zeros.data;
}

static void free_row_case(row_case *k) {
    for (size_t row = 0; row < k->g.c_rows; row++) {
        for (size_t y = 0; y < k->g.kernel_h; y++) guard_free(&k->in[row][y]);
        guard_free(&k->c[row]);
    }
    guard_free(&k->w);
    guard_free(&k->bias);
    guard_free(&k->panels);
    guard_free(&k->zeros);
}

static float row_output(const tmc_f32_dwconv_row_kernel *kernel, const row_case *k, size_t row, size_t p, size_t i) {
    const tmc_f32_dwconv_row_args *g = &k->g;
    const float *w = k->w.data;
    float acc = ((const float *)k->bias.data)[i];
    for (size_t y = 0; y < g->kernel_h; y++)
        for (size_t x = 0; x < kernel->kw; x++) {
            const size_t column = p * g->stride + x; /* from the padding on */
            const bool inside = g->rows[row][y] && column >= g->pad && column - g->pad < g->columns;
            const float v = inside ? g->rows[row][y][(column - g->pad) * g->a_pitch + i] : 0.0f;
            acc = level_fma(kernel->isa, v, w[(y * kernel->kw + x) * g->channels + i], acc);
        }
    return clamped(acc, g->lo, g->hi);
}

/* Channels of the panels have the sums, all other floats of the output stay. */
static void check_row(const tmc_f32_dwconv_row_kernel *kernel, size_t channels, size_t pixels, uint32_t variant,
                      random_state *r) {
    row_case k;
    make_row_case(&k, kernel->kw, channels, pixels, variant, r);
    const size_t floats = (pixels - 1) * k.g.c_pitch + channels;
    float *expected[2] = {0};
    for (size_t row = 0; row < k.g.c_rows; row++) {
        expected[row] = malloc(floats * sizeof(float));
        assert_non_null(expected[row]);
        memcpy(expected[row], k.g.c[row], floats * sizeof(float));
        for (size_t p = 0; p < pixels; p++)
            for (size_t i = tmc_depthwise_channel(channels, k.g.begin); i < tmc_min_size(k.g.end, channels); i++)
                expected[row][p * k.g.c_pitch + i] = row_output(kernel, &k, row, p, i);
    }
    kernel->fn(&k.g);
    for (size_t row = 0; row < k.g.c_rows; row++) {
        bits_assert_equal(expected[row], k.g.c[row], floats, kernel->name);
        free(expected[row]);
    }
    free_row_case(&k);
}

static void test_dwconv_row(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 22);
    for (size_t i = 0; i < sizeof row_kernels / sizeof *row_kernels; i++) {
        if (!op_isa_available(row_kernels[i].isa)) continue;
        for (size_t channels = TMC_F32_DWCONV_ROW_MIN_CHANNELS; channels <= 50; channels++)
            for (size_t pixels = row_kernels[i].pixels; pixels <= 20; pixels++)
                for (uint32_t variant = 0; variant < 3; variant++)
                    check_row(&row_kernels[i], channels, pixels, variant, &r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dwconv),
        cmocka_unit_test(test_dwconv_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
