/* The family winograd: every transform gives the bits of plain loops, for every number of channels and columns and
 * every part of a tile, inside guard pages. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/exec.h"
#include "kernels/f32_winograd_list.h"
#include "lib/bits.h"
#include "lib/guard.h"
#include "lib/naive_winograd.h"
#include "lib/random.h"

static const tmc_f32_winograd_kernel all[] = {
#define TMC_F32_WINOGRAD_X(m, isa, ISA)                                                                                \
    {tmc_f32_winograd_##m##x##m##_input__##isa,  tmc_f32_winograd_##m##x##m##_weights__##isa,                          \
     tmc_f32_winograd_##m##x##m##_output__##isa, m,                                                                    \
     "f32_winograd_" #m "x" #m "__" #isa,        TMC_ISA_##ISA},
#include "kernels/f32_winograd.inc"
#undef TMC_F32_WINOGRAD_X
};
#define KERNELS (sizeof all / sizeof *all)

enum { MAX_POSITIONS = 36, MAX_WIDTH = 40, MAX_STRIDE = MAX_WIDTH + 3, MAX_PANEL = 16 * 9 };

static void fill(random_state *r, float *data, size_t count, bool special) {
    if (special)
        random_fill_special(r, data, count);
    else
        random_fill(r, data, count, -1, 1);
}

static void check_input(random_state *r, const tmc_f32_winograd_kernel *kernel, size_t channels, guard_side side,
                        bool special) {
    const size_t positions = (kernel->m + 2) * (kernel->m + 2), stride = channels + channels % 4;
    static float expected[MAX_POSITIONS * MAX_STRIDE];
    guard_buffer pixels[MAX_POSITIONS], v = guard_alloc(((positions - 1) * stride + channels) * sizeof(float), side);
    const float *a[MAX_POSITIONS];
    for (size_t i = 0; i < positions; i++) {
        pixels[i] = guard_alloc(channels * sizeof(float), side);
        fill(r, pixels[i].data, channels, special);
        a[i] = pixels[i].data;
    }
    memcpy(expected, v.data, v.bytes); /* between the positions nothing is written */
    for (size_t c = 0; c < channels; c++) {
        float d[MAX_POSITIONS], out[MAX_POSITIONS];
        for (size_t i = 0; i < positions; i++) d[i] = a[i][c];
        naive_winograd_input(kernel->isa, kernel->m, d, out);
        for (size_t i = 0; i < positions; i++) expected[i * stride + c] = out[i];
    }
    kernel->input(&(tmc_f32_winograd_input_args){channels, a, v.data, stride});
    char what[80];
    snprintf(what, sizeof what, "%s input, %zu channels", kernel->name, channels);
    bits_assert_equal(expected, v.data, v.bytes / sizeof(float), what);
    for (size_t i = 0; i < positions; i++) guard_free(&pixels[i]);
    guard_free(&v);
}

static void check_weights(random_state *r, const tmc_f32_winograd_kernel *kernel, size_t channels, size_t width,
                          guard_side side, bool special) {
    const size_t positions = (kernel->m + 2) * (kernel->m + 2), count = channels * width, stride = count + channels % 3;
    static float expected[MAX_POSITIONS * (MAX_PANEL + 2)];
    guard_buffer g = guard_alloc(9 * count * sizeof(float), side);
    guard_buffer u = guard_alloc(((positions - 1) * stride + count) * sizeof(float), side);
    const float *taps = g.data;
    fill(r, g.data, 9 * count, special);
    memcpy(expected, u.data, u.bytes);
    for (size_t i = 0; i < count; i++) {
        float in[9], out[MAX_POSITIONS];
        for (size_t k = 0; k < 9; k++) in[k] = taps[(i / width * 9 + k) * width + i % width];
        naive_winograd_weights(kernel->isa, kernel->m, in, out);
        for (size_t k = 0; k < positions; k++) expected[k * stride + i] = out[k];
    }
    kernel->weights(&(tmc_f32_winograd_weights_args){channels, width, g.data, u.data, stride});
    char what[100];
    snprintf(what, sizeof what, "%s weights, %zu channels of %zu columns", kernel->name, channels, width);
    bits_assert_equal(expected, u.data, u.bytes / sizeof(float), what);
    guard_free(&g);
    guard_free(&u);
}

typedef struct output_case {
    size_t columns, rows, pixels;
    guard_side side;
    bool special, clamp;
} output_case;

static void check_output(random_state *r, const tmc_f32_winograd_kernel *kernel, const output_case *t) {
    const size_t m = kernel->m, positions = (m + 2) * (m + 2), columns = t->columns;
    const size_t m_stride = columns + columns % 3, pixel_stride = columns + columns % 2;
    const size_t row_stride = t->pixels * pixel_stride + 1;
    const size_t count = (t->rows - 1) * row_stride + (t->pixels - 1) * pixel_stride + columns;
    static float expected[4 * 4 * MAX_STRIDE + 4];
    guard_buffer products = guard_alloc(((positions - 1) * m_stride + columns) * sizeof(float), t->side);
    guard_buffer bias = guard_alloc(columns * sizeof(float), t->side), c = guard_alloc(count * sizeof(float), t->side);
    fill(r, products.data, products.bytes / sizeof(float), t->special);
    fill(r, bias.data, columns, t->special);
    tmc_f32_winograd_output_args args = {.columns = columns,
                                         .rows = t->rows,
                                         .pixels = t->pixels,
                                         .m = products.data,
                                         .m_stride = m_stride,
                                         .bias = bias.data,
                                         .c = c.data,
                                         .row_stride = row_stride,
                                         .pixel_stride = pixel_stride};
    args.lo = t->clamp ? -0.25f : -INFINITY;
    args.hi = t->clamp ? 0.5f : INFINITY;
    memcpy(expected, c.data, c.bytes);
    for (size_t n = 0; n < columns; n++) {
        float in[MAX_POSITIONS], out[16];
        for (size_t i = 0; i < positions; i++) in[i] = args.m[i * m_stride + n];
        naive_winograd_output(kernel->isa, m, in, args.bias[n], out);
        for (size_t y = 0; y < t->rows; y++)
            for (size_t x = 0; x < t->pixels; x++) {
                const float value = out[y * m + x], low = value < args.lo ? args.lo : value;
                expected[y * row_stride + x * pixel_stride + n] = low > args.hi ? args.hi : low;
            }
    }
    kernel->output(&args);
    char what[100];
    snprintf(what, sizeof what, "%s output, %zu columns, %zu x %zu pixels", kernel->name, columns, t->rows, t->pixels);
    bits_assert_equal(expected, c.data, count, what);
    guard_free(&products);
    guard_free(&bias);
    guard_free(&c);
}

static bool runs_here(size_t k) {
    if (tmc_isa_available(all[k].isa)) return true;
    print_message("skipped: this CPU has no %s\n", tmc_isa_name(all[k].isa));
    return false;
}

static void bits_of_inputs(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 61);
    for (size_t k = 0; k < KERNELS; k++) {
        if (!runs_here(k)) continue;
        for (size_t channels = 1; channels <= MAX_WIDTH; channels++)
            for (int i = 0; i < 4; i++) check_input(&r, &all[k], channels, i % 2 ? GUARD_START : GUARD_END, i >= 2);
    }
}

static void bits_of_weights(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 63);
    for (size_t k = 0; k < KERNELS; k++) {
        if (!runs_here(k)) continue;
        for (size_t channels = 1; channels <= 9; channels++)
            for (size_t width = 4; width <= 16; width *= 2)
                for (int i = 0; i < 4; i++)
                    check_weights(&r, &all[k], channels, width, i % 2 ? GUARD_START : GUARD_END, i >= 2);
    }
}

static void bits_of_outputs(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 62);
    for (size_t k = 0; k < KERNELS; k++) {
        if (!runs_here(k)) continue;
        for (size_t columns = 1; columns <= MAX_WIDTH; columns++)
            for (size_t part = 0; part < all[k].m * all[k].m; part++) {
                const output_case t = {.columns = columns,
                                       .rows = 1 + part / all[k].m,
                                       .pixels = 1 + part % all[k].m,
                                       .side = (part + columns) % 2 ? GUARD_START : GUARD_END,
                                       .special = random_int(&r, 0, 3) == 0,
                                       .clamp = random_int(&r, 0, 1)};
                check_output(&r, &all[k], &t);
            }
    }
}

/* A NaN or infinity in a pixel reaches every output whose window has the pixel. */
static void nothing_vanishes(void **state) {
    (void)state;
    for (size_t tile = 2; tile <= 4; tile += 2)
        for (size_t at = 0; at < (tile + 2) * (tile + 2); at++)
            for (int kind = 0; kind < 3; kind++) {
                float d[MAX_POSITIONS], v[MAX_POSITIONS], y[16];
                for (size_t i = 0; i < MAX_POSITIONS; i++) d[i] = 0.5f;
                d[at] = kind == 0 ? NAN : kind == 1 ? INFINITY : -INFINITY;
                naive_winograd_input(TMC_ISA_REF, tile, d, v);
                naive_winograd_output(TMC_ISA_REF, tile, v, 0.0f, y);
                const size_t py = at / (tile + 2), px = at % (tile + 2);
                for (size_t i = 0; i < tile * tile; i++) {
                    const size_t oy = i / tile, ox = i % tile;
                    if (py >= oy && py <= oy + 2 && px >= ox && px <= ox + 2) assert_false(isfinite(y[i]));
                }
            }
}

static void selection(void **state) {
    (void)state;
    for (size_t k = 0; k < KERNELS; k++) {
        tmc_f32_winograd_kernels kernels;
        memset(&kernels, 0, sizeof kernels);
        tmc_f32_winograd_select(all[k].isa, &kernels);
        const tmc_f32_winograd_kernel *kernel = &kernels.size[all[k].m == 4];
        assert_ptr_equal(kernel->input, all[k].input);
        assert_ptr_equal(kernel->weights, all[k].weights);
        assert_ptr_equal(kernel->output, all[k].output);
        assert_int_equal(kernel->m, all[k].m);
        assert_int_equal(strncmp(all[k].name, kernel->name, strlen(kernel->name)), 0); /* without the level */
    }
}

static void speed(void **state) {
    (void)state;
    enum { CHANNELS = 64, TILES = 200 };
    static float x[MAX_POSITIONS * CHANNELS], v[MAX_POSITIONS * CHANNELS], bias[CHANNELS];
    const float *a[MAX_POSITIONS];
    for (size_t i = 0; i < MAX_POSITIONS; i++) a[i] = x + i * CHANNELS;
    for (size_t k = 0; k < KERNELS; k++) {
        if (!runs_here(k)) continue;
        const size_t m = all[k].m;
        const tmc_f32_winograd_input_args in = {CHANNELS, a, v, CHANNELS};
        const tmc_f32_winograd_output_args out = {CHANNELS,     m,        m,         v,       CHANNELS, bias, x,
                                                  m * CHANNELS, CHANNELS, -INFINITY, INFINITY};
        uint64_t best[2] = {UINT64_MAX, UINT64_MAX};
        for (int rep = 0; rep < 20; rep++) {
            const uint64_t start = tmc_clock_ns();
            for (int i = 0; i < TILES; i++) all[k].input(&in);
            const uint64_t middle = tmc_clock_ns();
            for (int i = 0; i < TILES; i++) all[k].output(&out);
            const uint64_t end = tmc_clock_ns();
            if (middle - start < best[0]) best[0] = middle - start;
            if (end - middle < best[1]) best[1] = end - middle;
        }
        print_message("%s: tile of 64 channels %.0f ns in, %.0f ns out\n", all[k].name, (double)best[0] / TILES,
                      (double)best[1] / TILES);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_of_inputs),   cmocka_unit_test(bits_of_weights), cmocka_unit_test(bits_of_outputs),
        cmocka_unit_test(nothing_vanishes), cmocka_unit_test(selection),       cmocka_unit_test(speed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
