/* Every kernel of the family qs8_dwconv against plain loops, in guarded memory: every residue of channels and pixels,
 * windows that are walked and gathered, rows and columns in the padding, extreme values and multipliers. */
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
#include "cpu/cpu.h"
#include "format/packing_i8.h"
#include "kernels/qs8_dwconv_list.h"
#include "lib/guard.h"
#include "lib/random.h"

typedef struct listed_kernel {
    tmc_qs8_dwconv_fn fn;
    const char *name;
    tmc_isa isa;
    uint32_t feature;
} listed_kernel;

#if defined(__x86_64__)
/* The kernel for AVX-VNNI in another encoding of the same instructions, which more CPUs have: mk/test.mk. */
void tmc_qs8_dwconv_vnni__evex(const tmc_qs8_dwconv_args *args);
#endif

static const listed_kernel kernels[] = {
#define TMC_QS8_DWCONV_X(kernel, isa, ISA, feature)                                                                    \
    {tmc_qs8_##kernel##__##isa, "qs8_" #kernel "__" #isa, TMC_ISA_##ISA, feature},
#include "kernels/qs8_dwconv.inc"
#undef TMC_QS8_DWCONV_X
#if defined(__x86_64__)
    {tmc_qs8_dwconv_vnni__evex, "qs8_dwconv_vnni__evex", TMC_ISA_AVX512, TMC_FEATURE_AVX512_VNNI},
#endif
};

static bool can_run(const listed_kernel *k) {
    tmc_cpu cpu;
    tmc_cpu_query(&cpu);
    return cpu.isa_mask >> k->isa & 1 && (cpu.features & k->feature) == k->feature;
}

typedef enum values { RANDOM, EXTREME, HUGE_MULTIPLIER, VALUES } values;

typedef enum windows { GATHERED, WALKED, ONE_TAP } windows;

typedef struct dwconv_case {
    tmc_qs8_dwconv_args g;
    guard_buffer in, out[2], w, panels;
    int32_t *bias;
    float *multiplier;
} dwconv_case;

static void fill(random_state *r, int8_t *p, size_t count, values kind) {
    for (size_t i = 0; i < count; i++)
        p[i] = kind == EXTREME ? (random_u32(r) & 1 ? 127 : -128) : (int8_t)random_int(r, -128, 127);
}

/* Dense weights, biases and multipliers of the case as a panel has them. */
static void pack(dwconv_case *k, random_state *r, values kind, guard_side side) {
    const tmc_qs8_dwconv_args *g = &k->g;
    const size_t kernel[3] = {1, g->kernel_h, g->kernel_w}, taps = g->kernel_h * g->kernel_w, channels = g->channels;
    const size_t column = TMC_I8_COLUMN_HEADER + tmc_i8_depthwise_k(kernel);
    k->w = guard_alloc(taps * channels, side);
    fill(r, k->w.data, taps * channels, kind);
    k->bias = malloc(channels * sizeof *k->bias);
    k->multiplier = malloc(channels * sizeof *k->multiplier);
    assert_true(k->bias && k->multiplier);
    for (size_t i = 0; i < channels; i++) {
        k->bias[i] = random_int(r, -20000, 20000);
        k->multiplier[i] = kind == HUGE_MULTIPLIER ? 1e37f : i % 5 == 3 ? 0.5f : random_float(r, 1e-4f, 0.01f);
    }
    k->panels = guard_alloc((size_t)tmc_i8_depthwise_bytes(channels, kernel), side);
    memset(k->panels.data, 0, k->panels.bytes);
    for (size_t start = 0; start < channels; start += 16)
        for (size_t n = 0; n < 16 && tmc_depthwise_channel(channels, start) + n < channels; n++) {
            char *panel = (char *)k->panels.data + start * column;
            const size_t i = tmc_depthwise_channel(channels, start) + n;
            int32_t sum = 0;
            for (size_t t = 0; t < taps; t++) {
                const int8_t w = ((const int8_t *)k->w.data)[t * channels + i];
                const size_t y = t / g->kernel_w, x = t % g->kernel_w;
                panel[192 + ((y / 4 * g->kernel_w + x) * 16 + n) * 4 + y % 4] = (char)w;
                sum += w;
            }
            const int32_t low = k->bias[i] - 128 * sum;
            memcpy(panel + 4 * n, &k->bias[i], 4);
            memcpy(panel + 64 + 4 * n, &low, 4);
            memcpy(panel + 128 + 4 * n, &k->multiplier[i], 4);
        }
}

static void make_case(dwconv_case *k, size_t channels, size_t pixels, windows which, values kind, random_state *r) {
    const bool walks = which == WALKED;
    const guard_side side = random_u32(r) & 1 ? GUARD_START : GUARD_END;
    tmc_qs8_dwconv_args *g = &k->g;
    memset(k, 0, sizeof *k);
    g->pixels = pixels;
    g->channels = channels;
    g->kernel_w = walks ? (random_u32(r) & 1 ? 3 : 5) : (size_t)random_int(r, 1, 7);
    g->kernel_h =
        walks ? (size_t)random_int(r, g->kernel_w == 3 ? 1 : 5, g->kernel_w == 3 ? 4 : 8) : (size_t)random_int(r, 1, 9);
    if (which == ONE_TAP) g->kernel_w = g->kernel_h = 1;
    g->stride = (size_t)random_int(r, 1, walks ? 2 : 3);
    g->dilation = walks ? 1 : (size_t)random_int(r, 1, 2);
    g->c_rows = 1;
    if (tmc_qs8_dwconv_pairs(g->kernel_h, g->kernel_w, g->stride, g->dilation, channels))
        g->c_rows += random_u32(r) & 1;
    const size_t reached = (pixels - 1) * g->stride + (g->kernel_w - 1) * g->dilation + 1;
    g->pad = (size_t)random_int(r, 0, (int32_t)g->kernel_w - 1);
    g->columns = (size_t)random_int(r, 1, (int32_t)reached + 1); /* fewer or more than the windows cover */
    g->begin = (size_t)random_int(r, 0, (int32_t)(channels - 1) / 16) * 16;
    g->end = random_u32(r) & 1 ? g->begin + 16 : tmc_depthwise_columns(channels);
    const size_t rows = g->kernel_h + g->c_rows - 1;
    g->first = (size_t)random_int(r, 0, (int32_t)rows);
    g->last = (size_t)random_int(r, (int32_t)g->first, (int32_t)rows);
    if (random_u32(r) & 1) g->first = 0, g->last = rows;
    if (g->first == g->last) g->first = g->last = random_u32(r) & 1 ? rows : 0;
    g->a_pitch = channels + (size_t)random_int(r, 0, 1) * 5;
    g->c_pitch = channels + (size_t)random_int(r, 0, 1) * 3;
    g->zero_point = random_int(r, -128, 127);
    g->padding = (int8_t)random_int(r, -128, 127);
    g->lo = (float)(-128 - g->zero_point + random_int(r, 0, 1) * 40);
    g->hi = (float)(127 - g->zero_point - random_int(r, 0, 1) * 30);
    pack(k, r, kind, side);
    g->w = k->panels.data;
    /* Rows that lie on the image only, one behind the other, upside down in half of the cases. */
    const size_t held = g->last > g->first ? g->last - g->first : 1, row = (g->columns - 1) * g->a_pitch + channels;
    const size_t step = row + (size_t)random_int(r, 0, 9);
    k->in = guard_alloc((held - 1) * step + row, side);
    fill(r, k->in.data, k->in.bytes, kind);
    g->row_step = (ptrdiff_t)step;
    g->a = k->in.data;
    if (random_u32(r) & 1) {
        g->a += (held - 1) * step;
        g->row_step = -g->row_step;
    }
    for (size_t c = 0; c < g->c_rows; c++) {
        k->out[c] = guard_alloc((pixels - 1) * g->c_pitch + channels, side);
        g->c[c] = k->out[c].data;
    }
}

static int8_t expected_at(const dwconv_case *k, size_t r, size_t p, size_t i) {
    const tmc_qs8_dwconv_args *g = &k->g;
    const int8_t *w = k->w.data;
    int32_t acc = k->bias[i];
    for (size_t y = 0; y < g->kernel_h; y++)
        for (size_t x = 0; x < g->kernel_w; x++) {
            const int64_t column = (int64_t)(p * g->stride + x * g->dilation) - (int64_t)g->pad, row = (int64_t)(r + y);
            const bool inside =
                row >= (int64_t)g->first && row < (int64_t)g->last && column >= 0 && column < (int64_t)g->columns;
            const int8_t in =
                inside ? g->a[(row - (int64_t)g->first) * g->row_step + column * (int64_t)g->a_pitch + (int64_t)i]
                       : g->padding;
            acc += in * w[(y * g->kernel_w + x) * g->channels + i];
        }
    const float v = rintf((float)acc * k->multiplier[i]);
    return (int8_t)((v < g->lo ? g->lo : v > g->hi ? g->hi : v) + (float)g->zero_point);
}

static void free_case(dwconv_case *k) {
    guard_free(&k->in);
    guard_free(&k->w);
    guard_free(&k->panels);
    for (size_t c = 0; c < k->g.c_rows; c++) guard_free(&k->out[c]);
    free(k->bias);
    free(k->multiplier);
}

/* Channels of the panels have the results, all other bytes of the output stay. */
static void check(const listed_kernel *kernel, size_t channels, size_t pixels, windows which, values kind,
                  random_state *r) {
    dwconv_case k;
    make_case(&k, channels, pixels, which, kind, r);
    const tmc_qs8_dwconv_args *g = &k.g;
    kernel->fn(g);
    const size_t from = tmc_depthwise_channel(channels, g->begin), to = tmc_min_size(g->end, channels);
    for (size_t c = 0; c < g->c_rows; c++)
        for (size_t at = 0; at < k.out[c].bytes; at++) {
            const size_t p = at / g->c_pitch, i = at % g->c_pitch;
            const bool written = i >= from && i < to;
            const int8_t want = written ? expected_at(&k, c, p, i) : (int8_t)0xCD;
            if (g->c[c][at] != want)
                fail_msg(
                    "%s: %zu of %zu channels, pixel %zu of %zu, row %zu, window %zux%zu stride %zu dilation %zu pad "
                    "%zu columns %zu rows %zu..%zu: %d, expected %d",
                    kernel->name, i, channels, p, pixels, c, g->kernel_h, g->kernel_w, g->stride, g->dilation, g->pad,
                    g->columns, g->first, g->last, g->c[c][at], want);
        }
    free_case(&k);
}

static void test_windows(windows which) {
    const bool walks = which == WALKED;
    random_state r;
    random_init(&r, 31 + which);
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        if (!can_run(&kernels[i])) continue;
        for (size_t channels = walks ? 16 : 1; channels <= 50; channels++)
            for (size_t pixels = 1; pixels <= 13; pixels++)
                for (values kind = 0; kind < VALUES; kind++) check(&kernels[i], channels, pixels, which, kind, &r);
    }
}

static void test_walked(void **state) {
    (void)state;
    test_windows(WALKED);
}

static void test_gathered(void **state) {
    (void)state;
    test_windows(GATHERED);
}

static void test_scales(void **state) {
    (void)state;
    test_windows(ONE_TAP);
}

static void test_select(void **state) {
    (void)state;
    tmc_qs8_dwconv_kernel k;
    tmc_qs8_dwconv_select(TMC_ISA_REF, 0, &k);
    assert_int_equal(k.isa, TMC_ISA_REF);
#if defined(__x86_64__)
    tmc_qs8_dwconv_select(TMC_ISA_AVX512, 0, &k);
    assert_int_equal(k.isa, TMC_ISA_AVX2);
    assert_string_equal(k.name, "qs8_dwconv");
    tmc_qs8_dwconv_select(TMC_ISA_AVX512, TMC_FEATURE_AVX512_VNNI, &k);
    assert_int_equal(k.isa, TMC_ISA_AVX512);
    assert_string_equal(k.name, "qs8_dwconv_vnni");
#elif defined(__aarch64__)
    tmc_qs8_dwconv_select(TMC_ISA_NEON, 0, &k);
    assert_string_equal(k.name, "qs8_dwconv");
    tmc_qs8_dwconv_select(TMC_ISA_NEON, TMC_FEATURE_DOT, &k);
    assert_string_equal(k.name, "qs8_dwconv_dot");
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walked),
        cmocka_unit_test(test_gathered),
        cmocka_unit_test(test_scales),
        cmocka_unit_test(test_select),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
