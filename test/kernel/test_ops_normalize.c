/* scale_shift, group_norm, layer_norm and lrn against loops in double, at every level, thread count and in place. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/op.h"
#include "lib/op_levels.h"
#include "lib/random.h"

static random_state rng;

static float *random_floats(size_t n, float lo, float hi) {
    float *data = malloc(n * sizeof *data);
    random_fill(&rng, data, n, lo, hi);
    return data;
}

static tmc_tensor_desc vector(int32_t n) { return (tmc_tensor_desc){.dtype = TMC_F32, .rank = 1, .dims = {n}}; }

static void scale_shift(void **state) {
    (void)state;
    static const int32_t channels[] = {1, 3, 16, 67, 20000};
    for (size_t k = 0; k < 5; k++) {
        int32_t c = channels[k];
        tmc_tensor_desc desc = {.dtype = TMC_F32, .rank = 3, .dims = {2, 11, c}};
        size_t n = tmc_tensor_elements(&desc);
        float *x = random_floats(n, -3, 3), *s = random_floats((size_t)c, -2, 2), *t = random_floats((size_t)c, -2, 2);
        tmc_act_params p = {-1, 4};
        op_tensor in[3] = {{desc, x, 0}, {vector(c), s, 0}, {vector(c), t, 0}};
        op_call call = {.op = TMC_OP_SCALE_SHIFT, .params = &p, .inputs = in, .input_count = 3, .output_count = 1};
        op_result r = op_run_levels(&call, 1);
        for (size_t i = 0; i < n; i++) {
            float want = fmaf(x[i], s[i % (size_t)c], t[i % (size_t)c]);
            want = want < -1 ? -1 : want > 4 ? 4 : want;
            assert_true(((float *)r.data[0])[i] == want);
        }
        op_result_free(&r);
        free(x), free(s), free(t);
    }
}

/* The mean of x and of its squared deviation over elements chosen by `belongs`. */
typedef struct {
    double mean, rstd;
} moments;

static void check_close(const char *op, size_t i, float got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance * fmax(1, fabs(want))))
        fail_msg("%s, [%zu]: %.9g, expected %.9g", op, i, got, want);
}

static moments group_moments(const float *x, size_t pixels, size_t channels, size_t first, size_t width,
                             double epsilon) {
    double sum = 0, squares = 0, count = (double)(pixels * width);
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = first; c < first + width; c++) sum += x[p * channels + c];
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = first; c < first + width; c++) squares += pow(x[p * channels + c] - sum / count, 2);
    return (moments){sum / count, 1 / sqrt(squares / count + epsilon)};
}

static void check_group_norm(const tmc_tensor_desc *desc, int32_t groups, float offset, double tolerance) {
    size_t images = (size_t)desc->dims[0], channels = (size_t)desc->dims[desc->rank - 1];
    size_t pixels = tmc_dims_product(desc->dims, 1, desc->rank - 1), width = channels / (size_t)groups;
    float *x = random_floats(images * pixels * channels, offset - 2, offset + 2);
    float *s = random_floats(channels, -2, 2), *t = random_floats(channels, -2, 2);
    tmc_norm_params p = {1e-5f, groups, 0};
    op_tensor in[3] = {{*desc, x, 0}, {vector((int32_t)channels), s, 0}, {vector((int32_t)channels), t, 0}};
    op_call call = {.op = TMC_OP_GROUP_NORM, .params = &p, .inputs = in, .input_count = 3, .output_count = 1};
    op_result r = op_run_levels(&call, 1);
    for (size_t n = 0; n < images; n++) {
        for (size_t g = 0; g < (size_t)groups; g++) {
            const float *xn = x + n * pixels * channels, *yn = (const float *)r.data[0] + n * pixels * channels;
            moments m = group_moments(xn, pixels, channels, g * width, width, p.epsilon);
            for (size_t i = 0; i < pixels * width; i++) {
                size_t c = g * width + i % width, at = i / width * channels + c;
                check_close("group_norm", at, yn[at], (xn[at] - m.mean) * m.rstd * s[c] + t[c], tolerance);
            }
        }
    }
    op_result_free(&r);
    free(x), free(s), free(t);
}

static void group_norm(void **state) {
    (void)state;
    static const tmc_tensor_desc shapes[] = {{.dtype = TMC_F32, .rank = 4, .dims = {2, 5, 7, 12}},
                                             {.dtype = TMC_F32, .rank = 4, .dims = {1, 40, 43, 24}},
                                             {.dtype = TMC_F32, .rank = 2, .dims = {3, 6}},
                                             {.dtype = TMC_F32, .rank = 5, .dims = {2, 3, 4, 5, 18}},
                                             {.dtype = TMC_F32, .rank = 3, .dims = {2, 600, 6}}};
    for (size_t i = 0; i < 5; i++) {
        int32_t channels = shapes[i].dims[shapes[i].rank - 1];
        bool one_pixel = shapes[i].rank == 2;
        check_group_norm(&shapes[i], 1, 0, 3e-6);
        check_group_norm(&shapes[i], 3, 0, 1e-5);
        if (!one_pixel) check_group_norm(&shapes[i], channels, 0, 1e-5);
    }
    /* A mean of 1000 deviations, and sums too long for a float: the mean itself is rounded to 3e-5. */
    check_group_norm(&shapes[1], 24, 1000, 3e-4);
    const tmc_tensor_desc large = {.dtype = TMC_F32, .rank = 3, .dims = {1, 300000, 2}};
    check_group_norm(&large, 2, 100, 3e-5);
}

static void check_layer_norm(const tmc_tensor_desc *desc, int32_t axis, bool shifted, float offset, double tolerance) {
    size_t n = tmc_dims_product(desc->dims, axis, desc->rank), rows = tmc_dims_product(desc->dims, 0, axis);
    float *x = random_floats(rows * n, offset - 2, offset + 2), *s = random_floats(n, -2, 2),
          *t = random_floats(n, -2, 2);
    tmc_norm_params p = {1e-5f, 0, axis};
    tmc_tensor_desc w = {.dtype = TMC_F32, .rank = desc->rank - axis};
    for (int32_t i = 0; i < w.rank; i++) w.dims[i] = desc->dims[axis + i];
    op_tensor in[3] = {{*desc, x, 0}, {w, s, 0}, {w, t, 0}};
    op_call call = {
        .op = TMC_OP_LAYER_NORM, .params = &p, .inputs = in, .input_count = shifted ? 3 : 2, .output_count = 1};
    op_result r = op_run_levels(&call, 1);
    for (size_t row = 0; row < rows; row++) {
        const float *xr = x + row * n, *yr = (const float *)r.data[0] + row * n;
        moments m = group_moments(xr, 1, n, 0, n, p.epsilon);
        for (size_t i = 0; i < n; i++)
            check_close("layer_norm", i, yr[i], (xr[i] - m.mean) * m.rstd * s[i] + (shifted ? t[i] : 0), tolerance);
    }
    op_result_free(&r);
    free(x), free(s), free(t);
}

static void layer_norm(void **state) {
    (void)state;
    const tmc_tensor_desc a = {.dtype = TMC_F32, .rank = 3, .dims = {5, 7, 37}};
    const tmc_tensor_desc b = {.dtype = TMC_F32, .rank = 2, .dims = {2, 100000}};
    for (int32_t axis = 0; axis < 3; axis++) {
        check_layer_norm(&a, axis, true, 0, 3e-6);
        check_layer_norm(&a, axis, false, 0, 3e-6);
    }
    check_layer_norm(&a, 2, true, 1000, 3e-4);
    check_layer_norm(&b, 1, true, 100, 3e-5);
}

static void lrn(void **state) {
    (void)state;
    static const int32_t sizes[] = {1, 2, 3, 5, 8, 99};
    for (size_t k = 0; k < 6; k++) {
        enum { C = 29, ROWS = 40 };
        tmc_tensor_desc desc = {.dtype = TMC_F32, .rank = 3, .dims = {2, ROWS / 2, C}};
        float *x = random_floats(ROWS * C, -5, 5);
        tmc_lrn_params p = {sizes[k], 0.3f, 0.75f, 1.5f};
        op_tensor in = {desc, x, 0};
        op_call call = {.op = TMC_OP_LRN, .params = &p, .inputs = &in, .input_count = 1, .output_count = 1};
        op_result r = op_run_levels(&call, 0);
        for (int i = 0; i < ROWS * C; i++) {
            int c = i % C, before = (sizes[k] - 1) / 2, after = sizes[k] / 2; /* floor and ceil of (size - 1) / 2 */
            double sum = 0;
            for (int j = c - before; j <= c + after; j++)
                if (j >= 0 && j < C) sum += pow(x[i - c + j], 2);
            check_close("lrn", (size_t)i, ((float *)r.data[0])[i],
                        x[i] / pow(1.5 + (double)0.3f / sizes[k] * sum, 0.75), 1e-6);
        }
        op_result_free(&r);
        free(x);
    }
}

static int setup(void **state) {
    (void)state;
    random_init(&rng, 23);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scale_shift),
        cmocka_unit_test(group_norm),
        cmocka_unit_test(layer_norm),
        cmocka_unit_test(lrn),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
