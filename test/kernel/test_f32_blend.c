/* The family blend: every kernel gives the bits of portable C for every width, inside guard pages. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/exec.h"
#include "kernels/f32_blend_list.h"
#include "lib/guard.h"
#include "lib/levels.h"
#include "lib/random.h"

static const struct {
    tmc_f32_blend_fn fn;
    const char *name;
    tmc_isa isa;
} all[] = {
#define TMC_F32_BLEND_X(isa, ISA) {tmc_f32_blend__##isa, "f32_blend__" #isa, TMC_ISA_##ISA},
#include "kernels/f32_blend.inc"
#undef TMC_F32_BLEND_X
};
#define KERNELS (sizeof all / sizeof *all)

static bool runs_here(size_t k) {
    if (tmc_isa_available(all[k].isa)) return true;
    print_message("skipped: this CPU has no %s\n", tmc_isa_name(all[k].isa));
    return false;
}

/* NaNs may differ in sign and payload: which operand a NaN is taken from is not fixed. */
static bool same_bits(const float *a, const float *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&a[i], &b[i], sizeof *a) && !(isnan(a[i]) && isnan(b[i]))) return false;
    }
    return true;
}

/* The contract of f32_blend.h, word for word. */
static void specification(tmc_isa isa, const tmc_f32_blend_args *args, float *y) {
    for (size_t o = 0; o < args->outputs; o++) {
        for (size_t i = 0; i < args->inner; i++) {
            const int32_t *index = args->index + o * args->taps;
            const float *w = args->weight + o * args->taps;
            float acc = args->x[(size_t)index[0] * args->x_stride + i] * w[0];
            for (size_t t = 1; t < args->taps; t++)
                acc = level_fma(isa, args->x[(size_t)index[t] * args->x_stride + i], w[t], acc);
            y[o * args->y_stride + i] = acc;
        }
    }
}

static void check(random_state *rng, size_t inner, size_t taps, guard_side side) {
    const size_t rows = 5, outputs = 7, x_stride = inner + (inner & 3), y_stride = inner + (inner & 1);
    const size_t x_count = (rows - 1) * x_stride + inner, y_count = (outputs - 1) * y_stride + inner;
    int32_t index[7 * 4];
    float weight[7 * 4];
    for (size_t i = 0; i < outputs * taps; i++) {
        index[i] = random_int(rng, 0, (int32_t)rows - 1);
        weight[i] = random_float(rng, -1.0f, 1.0f);
    }
    guard_buffer x = guard_alloc(x_count * sizeof(float), side), y = guard_alloc(y_count * sizeof(float), side);
    float *expected = malloc(y_count * sizeof *expected);
    assert_non_null(expected);
    random_fill_special(rng, x.data, x_count);
    const tmc_f32_blend_args args = {outputs, inner, x_stride, y_stride, taps, index, weight, x.data, y.data};
    for (size_t k = 0; k < KERNELS; k++) {
        if (!tmc_isa_available(all[k].isa)) continue;
        memset(y.data, 0xCD, y.bytes);
        memset(expected, 0xCD, y.bytes); /* gaps between the rows stay as they were */
        specification(all[k].isa, &args, expected);
        all[k].fn(&args);
        if (!same_bits(y.data, expected, y_count)) fail_msg("%s: inner %zu, taps %zu", all[k].name, inner, taps);
    }
    free(expected);
    guard_free(&x);
    guard_free(&y);
}

static void bits_of_every_width(void **state) {
    (void)state;
    random_state rng;
    random_init(&rng, 5);
    for (size_t inner = 1; inner <= 40; inner++) {
        for (size_t taps = 2; taps <= 4; taps += 2) {
            check(&rng, inner, taps, GUARD_END);
            check(&rng, inner, taps, GUARD_START);
        }
    }
}

static void selection(void **state) {
    (void)state;
    for (size_t k = 0; k < KERNELS; k++) {
        tmc_f32_blend_kernel kernel = {0};
        tmc_f32_blend_select(all[k].isa, &kernel);
        assert_ptr_equal(kernel.fn, all[k].fn);
        assert_int_equal(kernel.isa, all[k].isa);
        assert_string_equal(kernel.name, "f32_blend");
    }
}

static void speed(void **state) {
    (void)state;
    enum { OUTPUTS = 256, IN = 128 };
    static float x[IN * 64], y[OUTPUTS * 64];
    static int32_t index[OUTPUTS * 4];
    static float weight[OUTPUTS * 4];
    static const size_t inners[] = {1, 3, 16, 64};
    for (size_t k = 0; k < KERNELS; k++) {
        if (!runs_here(k)) continue;
        for (size_t n = 0; n < sizeof inners / sizeof *inners; n++) {
            for (size_t i = 0; i < OUTPUTS * 2; i++) index[i] = (int32_t)(i / 4), weight[i] = 0.5f;
            const tmc_f32_blend_args args = {OUTPUTS, inners[n], inners[n], inners[n], 2, index, weight, x, y};
            uint64_t best = UINT64_MAX;
            for (int rep = 0; rep < 20; rep++) {
                const uint64_t start = tmc_clock_ns();
                for (int i = 0; i < 20; i++) all[k].fn(&args);
                const uint64_t time = tmc_clock_ns() - start;
                if (time < best) best = time;
            }
            print_message("%s linear, %zu channels: %.2f G outputs/s\n", all[k].name, inners[n],
                          20.0 * OUTPUTS * (double)inners[n] / (double)best);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_of_every_width),
        cmocka_unit_test(selection),
        cmocka_unit_test(speed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
