/* The command line's numbers at quantised inputs and outputs: the same as the library's operators make. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "graph/scalar.h"
#include "io/quantized.h"
#include "lib/random.h"

enum { N = 512 };

static void as_the_library(void **state) {
    (void)state;
    static const tmc_quantization cases[] = {{0.5f, 3, 0}, {0.0078125f, -128, 0}, {1e-30f, 127, 0}, {3.7f, 0, 0}};
    random_state r;
    random_init(&r, 1);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const tmc_tensor_info info = {
            .dtype = TMC_I8, .bytes = N, .scale = cases[c].scale, .zero_point = cases[c].zero_point};
        float real[N], back[N];
        int8_t numbers[N];
        for (int i = 0; i < N; i++) real[i] = (float)random_int(&r, -600, 600) * info.scale / 2;
        real[0] = NAN, real[1] = INFINITY, real[2] = -INFINITY;
        assert_true(io_is_quantized(&info));
        io_quantize(&info, real, numbers);
        io_dequantize(&info, numbers, back);
        for (int i = 0; i < N; i++) {
            assert_int_equal(numbers[i], tmc_quantized(real[i], &cases[c]));
            assert_true(back[i] == (float)(numbers[i] - info.zero_point) * info.scale);
        }
        io_quantize(&info, real, (int8_t *)real); /* in place */
        assert_memory_equal(real, numbers, N);
    }
}

static void only_with_a_scale(void **state) {
    (void)state;
    const tmc_tensor_info plain = {.dtype = TMC_I8, .bytes = 8}, f32 = {.dtype = TMC_F32, .bytes = 8};
    assert_false(io_is_quantized(&plain));
    assert_false(io_is_quantized(&f32));
    const tmc_tensor_info i8 = {.dtype = TMC_I8, .bytes = 8, .scale = 2, .zero_point = 1}, real = io_real_info(&i8);
    assert_true(real.dtype == TMC_F32 && real.bytes == 32 && real.scale == 0.0f && real.zero_point == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_the_library), cmocka_unit_test(only_with_a_scale)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
