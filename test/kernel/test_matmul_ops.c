/* fully_connected and matmul against plain loops, at every instruction set, one and two threads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/packing.h"
#include "graph/op.h"
#include "lib/bits.h"
#include "lib/op_runner.h"
#include "lib/random.h"

static op_tensor random_tensor(random_state *r, int32_t rank, const int32_t *dims) {
    op_tensor t = {op_desc(TMC_F32, rank, dims), NULL, 0};
    const size_t n = tmc_tensor_elements(&t.desc);
    float *data = malloc(n * sizeof *data);
    assert_non_null(data);
    random_fill(r, data, n, -1, 1);
    t.data = data;
    return t;
}

static void free_tensor(op_tensor *t) { free((void *)(uintptr_t)t->data); }

static void check_all_levels(op_call call, const float *expected, const char *what) {
    tmc_isa levels[4];
    const size_t n = op_isa_levels(levels);
    for (size_t l = 0; l < n; l++)
        for (uint32_t threads = 1; threads <= 2; threads++) {
            call.isa = levels[l];
            call.threads = threads;
            op_result result;
            if (op_run(&call, &result) != TMC_OK) fail_msg("%s: %s", what, result.err.message);
            bits_assert_equal(expected, result.data[0], tmc_tensor_elements(&result.descs[0]), what);
            op_result_free(&result);
        }
}

static void check_fully_connected(random_state *r, int32_t m, int32_t k, int32_t n, bool bias) {
    op_tensor in[3] = {random_tensor(r, 2, (int32_t[]){m, k}), random_tensor(r, 2, (int32_t[]){n, k}),
                       random_tensor(r, 1, &n)};
    const float *x = in[0].data, *w = in[1].data, *b = in[2].data;
    const tmc_fully_connected_params p = {{-1, INFINITY}};
    float *expected = malloc((size_t)m * (size_t)n * sizeof *expected), *e = expected;
    assert_non_null(expected);
    for (int32_t i = 0; i < m; i++)
        for (int32_t o = 0; o < n; o++) {
            float acc = bias ? b[o] : 0;
            for (int32_t q = 0; q < k; q++) acc = fmaf(x[i * k + q], w[o * k + q], acc);
            *e++ = acc < -1 ? -1 : acc;
        }
    char what[80];
    snprintf(what, sizeof what, "fully_connected %dx%dx%d", m, k, n);
    op_call call = {.op = TMC_OP_FULLY_CONNECTED, .params = &p, .inputs = in, .input_count = bias ? 3 : 2};
    call.output_count = 1;
    check_all_levels(call, expected, what);

    const tmc_pack_shape s = {1, (size_t)n, (size_t)k, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}};
    op_tensor packed_in[2] = {in[0], in[1]};
    packed_in[1].bytes = (size_t)tmc_pack_floats(&s) * sizeof(float);
    float *packed = malloc(packed_in[1].bytes);
    assert_non_null(packed);
    tmc_pack_weights(packed, &s, w, bias ? b : NULL);
    packed_in[1].data = packed;
    packed_in[1].desc.packing = TMC_PACK_F32_PANELS;
    call.inputs = packed_in;
    call.input_count = 2;
    check_all_levels(call, expected, what);
    free(packed);
    free(expected);
    for (int i = 0; i < 3; i++) free_tensor(&in[i]);
}

static void test_fully_connected(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 41);
    static const int32_t shapes[][3] = {{1, 1, 1},  {1, 7, 15},  {1, 33, 16},   {1, 100, 77}, {1, 1030, 333},
                                        {2, 5, 20}, {7, 64, 29}, {13, 900, 12}, {50, 3, 64},  {1, 64, 2000}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_fully_connected(&r, shapes[i][0], shapes[i][1], shapes[i][2], i % 3 != 0);
}

typedef struct matmul_case {
    int32_t a_rank, a[4], b_rank, b[4];
} matmul_case;

static void test_matmul(void **state) {
    (void)state;
    static const matmul_case cases[] = {
        {2, {3, 5}, 2, {5, 7}},     {3, {4, 6, 8}, 3, {4, 8, 19}},       {3, {4, 6, 8}, 2, {8, 33}},
        {2, {6, 8}, 3, {5, 8, 10}}, {4, {2, 1, 9, 4}, 3, {3, 4, 13}},    {4, {1, 3, 2, 4}, 4, {2, 3, 4, 1}},
        {2, {1, 20}, 2, {20, 40}},  {4, {2, 3, 1, 4}, 4, {2, 1, 4, 29}}, {2, {70, 100}, 2, {100, 150}},
    };
    random_state r;
    random_init(&r, 42);
    const tmc_no_params p = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const matmul_case *c = &cases[i];
        op_tensor in[2] = {random_tensor(&r, c->a_rank, c->a), random_tensor(&r, c->b_rank, c->b)};
        op_call call = {.op = TMC_OP_MATMUL, .params = &p, .inputs = in, .input_count = 2, .output_count = 1};
        call.infer_only = true;
        op_result shape;
        assert_int_equal(op_run(&call, &shape), TMC_OK);
        call.infer_only = false;
        /* Right-aligned to rank 4: batch axes 0 and 1. */
        int32_t a4[4] = {1, 1, 1, 1}, b4[4] = {1, 1, 1, 1};
        for (int32_t d = 0; d < c->a_rank; d++) a4[4 - c->a_rank + d] = c->a[d];
        for (int32_t d = 0; d < c->b_rank; d++) b4[4 - c->b_rank + d] = c->b[d];
        const int32_t n0 = a4[0] > b4[0] ? a4[0] : b4[0], n1 = a4[1] > b4[1] ? a4[1] : b4[1];
        const int32_t m = a4[2], k = a4[3], n = b4[3];
        const size_t count = (size_t)(n0 * n1 * m * n);
        assert_int_equal(tmc_tensor_elements(&shape.descs[0]), count);
        float *expected = malloc(count * sizeof *expected), *e = expected;
        assert_non_null(expected);
        for (int32_t i0 = 0; i0 < n0; i0++)
            for (int32_t i1 = 0; i1 < n1; i1++) {
                const float *a = (const float *)in[0].data + ((i0 % a4[0]) * a4[1] + i1 % a4[1]) * m * k;
                const float *b = (const float *)in[1].data + ((i0 % b4[0]) * b4[1] + i1 % b4[1]) * k * n;
                for (int32_t y = 0; y < m; y++)
                    for (int32_t x = 0; x < n; x++) {
                        float acc = 0;
                        for (int32_t q = 0; q < k; q++) acc = fmaf(a[y * k + q], b[q * n + x], acc);
                        *e++ = acc;
                    }
            }
        char what[40];
        snprintf(what, sizeof what, "matmul case %zu", i);
        check_all_levels(call, expected, what);
        free(expected);
        op_result_free(&shape);
        free_tensor(&in[0]);
        free_tensor(&in[1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fully_connected), cmocka_unit_test(test_matmul)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
