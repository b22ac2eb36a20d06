/* Refusals of conv, depthwise_conv, conv_transpose, pools, fully_connected and matmul: one bad field at a time, with
 * the status of the catalogue; and output sizes. */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "graph/infer.h"

/* A node that infers, for tests to break. */
typedef struct node {
    uint16_t op;
    tmc_conv_params conv;
    tmc_pool_params pool;
    tmc_fully_connected_params fc;
    tmc_tensor_desc x, w, b, y;
    bool has_bias;
    tmc_error err;
} node;

static tmc_tensor_desc desc(int32_t rank, int32_t d0, int32_t d1, int32_t d2, int32_t d3) {
    tmc_tensor_desc d;
    memset(&d, 0, sizeof d);
    const int32_t dims[4] = {d0, d1, d2, d3};
    d.dtype = TMC_F32;
    d.rank = rank;
    for (int32_t i = 0; i < rank; i++) d.dims[i] = dims[i];
    return d;
}

/* 8x8 with a 3x3 window; 4 channels in, 6 out. */
static node good(uint16_t op) {
    node n;
    memset(&n, 0, sizeof n);
    n.op = op;
    n.conv.spatial = n.pool.spatial = 2;
    for (int i = 0; i < 3; i++) {
        n.conv.kernel[i] = n.pool.kernel[i] = i ? 3 : 1;
        n.conv.stride[i] = n.pool.stride[i] = n.conv.dilation[i] = n.pool.dilation[i] = 1;
    }
    n.conv.groups = op == TMC_OP_DEPTHWISE_CONV ? 4 : 1;
    n.conv.act = n.fc.act = (tmc_act_params){0, 6};
    n.pool.p = 2;
    n.has_bias = true;
    n.x = desc(4, 1, 8, 8, 4);
    n.w = op == TMC_OP_DEPTHWISE_CONV ? desc(3, 3, 3, 4, 0) : desc(4, 6, 3, 3, 4);
    n.b = desc(1, op == TMC_OP_DEPTHWISE_CONV ? 4 : 6, 0, 0, 0);
    if (op == TMC_OP_FULLY_CONNECTED) n.x = desc(2, 5, 7, 0, 0), n.w = desc(2, 6, 7, 0, 0);
    if (op == TMC_OP_MATMUL) n.x = desc(3, 2, 5, 7, 0), n.w = desc(2, 7, 3, 0, 0), n.has_bias = false;
    return n;
}

static tmc_status infer(node *n) {
    const bool pool = n->op >= TMC_OP_MAX_POOL && n->op <= TMC_OP_LP_POOL;
    const tmc_tensor_desc *inputs[3] = {&n->x, &n->w, &n->b};
    const void *params = pool                             ? (const void *)&n->pool
                         : n->op <= TMC_OP_CONV_TRANSPOSE ? (const void *)&n->conv
                                                          : (const void *)&n->fc;
    tmc_error_init(&n->err);
    const tmc_infer_args args = {n->op, params, pool ? 1 : n->has_bias ? 3 : 2, 1, inputs, &n->y, &n->err, NULL};
    return tmc_infer(&args);
}

/* Applies `change` to a good node of `op` and expects the status. */
#define REFUSED(code, expected, change)                                                                                \
    do {                                                                                                               \
        node n = good(code);                                                                                           \
        assert_int_equal(infer(&n), TMC_OK);                                                                           \
        change;                                                                                                        \
        assert_int_equal(infer(&n), expected);                                                                         \
        assert_int_equal(n.err.status, expected);                                                                      \
        assert_true(n.err.message[0] != 0);                                                                            \
    } while (0)

static void test_conv_refusals(void **state) {
    (void)state;
    for (uint16_t op = TMC_OP_CONV; op <= TMC_OP_CONV_TRANSPOSE; op++) {
        REFUSED(op, TMC_E_RANGE, n.conv.stride[1] = 0);
        REFUSED(op, TMC_E_RANGE, n.conv.stride[2] = -1);
        REFUSED(op, TMC_E_RANGE, n.conv.dilation[1] = 0);
        REFUSED(op, TMC_E_RANGE, n.conv.dilation[2] = INT32_MAX);
        REFUSED(op, TMC_E_RANGE, n.conv.pad_begin[1] = -1);
        REFUSED(op, TMC_E_RANGE, n.conv.pad_end[2] = INT32_MIN);
        REFUSED(op, TMC_E_LIMIT, (n.conv.pad_end[2] = INT32_MAX, n.conv.pad_begin[2] = INT32_MAX));
        REFUSED(op, TMC_E_SHAPE, n.conv.kernel[1] = 0);
        REFUSED(op, TMC_E_SHAPE, n.conv.kernel[1] = 2);
        REFUSED(op, TMC_E_RANGE, n.conv.kernel[0] = 2);
        REFUSED(op, TMC_E_RANGE, n.conv.pad_begin[0] = 1);
        REFUSED(op, TMC_E_SHAPE, n.conv.groups = 0);
        REFUSED(op, TMC_E_SHAPE, n.conv.groups = -1);
        REFUSED(op, TMC_E_SHAPE, n.conv.groups = 3);
        REFUSED(op, TMC_E_SHAPE, n.conv.groups = 2);
        REFUSED(op, TMC_E_RANGE, n.conv.spatial = 0);
        REFUSED(op, TMC_E_RANGE, n.conv.spatial = 4);
        REFUSED(op, TMC_E_SHAPE, n.conv.spatial = 3);
        REFUSED(op, TMC_E_RANGE, (n.conv.act.lo = 2, n.conv.act.hi = 1));
        REFUSED(op, TMC_E_RANGE, n.conv.act.lo = NAN);
        REFUSED(op, TMC_E_RANGE, n.conv.act.hi = NAN);
        REFUSED(op, TMC_E_SHAPE, n.b.dims[0]++);
        REFUSED(op, TMC_E_SHAPE, n.b = desc(2, 1, n.b.dims[0], 0, 0));
        REFUSED(op, TMC_E_SHAPE, n.w.dims[n.w.rank - 1]++);
        REFUSED(op, TMC_E_SHAPE, n.w.rank--);
        REFUSED(op, TMC_E_DTYPE, n.x.dtype = TMC_I8);
        REFUSED(op, TMC_E_DTYPE, n.w.dtype = TMC_F16);
        REFUSED(op, TMC_E_DTYPE, n.b.dtype = TMC_I32);
        REFUSED(op, TMC_E_GRAPH, n.w.packing = TMC_PACK_F32_PANELS);
        if (op == TMC_OP_CONV_TRANSPOSE) continue;
        REFUSED(op, TMC_E_SHAPE, (n.conv.dilation[1] = 4));
        REFUSED(op, TMC_E_RANGE, n.conv.output_pad[1] = 1);
    }
    REFUSED(TMC_OP_CONV_TRANSPOSE, TMC_E_RANGE, n.conv.output_pad[1] = 1);
    REFUSED(TMC_OP_CONV_TRANSPOSE, TMC_E_RANGE, n.conv.output_pad[1] = -1);
    REFUSED(TMC_OP_CONV_TRANSPOSE, TMC_E_SHAPE, n.conv.pad_begin[1] = 10);
    REFUSED(TMC_OP_CONV_TRANSPOSE, TMC_E_LIMIT, n.conv.stride[1] = INT32_MAX);
    REFUSED(TMC_OP_CONV_TRANSPOSE, TMC_E_LIMIT, n.conv.stride[1] = n.conv.stride[2] = 65);
}

/* Weights in Winograd's domain: one kernel, every pixel, small pads. */
static void test_winograd_refusals(void **state) {
    (void)state;
#define WINOGRAD (n.has_bias = false, n.w.packing = TMC_PACK_F32_WINOGRAD_4X4)
    REFUSED(TMC_OP_CONV, TMC_E_GRAPH, n.w.packing = TMC_PACK_F32_WINOGRAD_2X2);
    REFUSED(TMC_OP_CONV, TMC_E_UNSUPPORTED, (WINOGRAD, n.conv.stride[1] = 2));
    REFUSED(TMC_OP_CONV, TMC_E_UNSUPPORTED, (WINOGRAD, n.conv.dilation[2] = 2));
    REFUSED(TMC_OP_CONV, TMC_E_UNSUPPORTED, (WINOGRAD, n.conv.pad_begin[1] = 3));
    REFUSED(TMC_OP_CONV, TMC_E_UNSUPPORTED, (WINOGRAD, n.conv.pad_end[2] = 3));
    REFUSED(TMC_OP_CONV, TMC_E_UNSUPPORTED, (WINOGRAD, n.conv.groups = 2, n.w.dims[3] = 2));
    REFUSED(TMC_OP_CONV, TMC_E_UNSUPPORTED, (WINOGRAD, n.conv.kernel[1] = n.w.dims[1] = 2));
    REFUSED(TMC_OP_CONV, TMC_E_UNSUPPORTED, (WINOGRAD, n.conv.kernel[2] = n.w.dims[2] = 1));
    REFUSED(TMC_OP_DEPTHWISE_CONV, TMC_E_UNSUPPORTED, WINOGRAD);
    REFUSED(TMC_OP_CONV_TRANSPOSE, TMC_E_UNSUPPORTED, WINOGRAD);
    REFUSED(TMC_OP_FULLY_CONNECTED, TMC_E_UNSUPPORTED, WINOGRAD);
#undef WINOGRAD
    node n = good(TMC_OP_CONV);
    n.has_bias = false;
    n.w.packing = TMC_PACK_F32_WINOGRAD_2X2;
    n.conv.pad_begin[1] = n.conv.pad_end[2] = 2;
    assert_int_equal(infer(&n), TMC_OK);
    assert_memory_equal(n.y.dims, ((int32_t[6]){1, 8, 8, 6, 0, 0}), sizeof n.y.dims);
    assert_int_equal(n.y.packing, TMC_PACK_NONE);
}

static void test_pool_refusals(void **state) {
    (void)state;
    for (uint16_t op = TMC_OP_MAX_POOL; op <= TMC_OP_LP_POOL; op++) {
        REFUSED(op, TMC_E_RANGE, n.pool.stride[1] = 0);
        REFUSED(op, TMC_E_RANGE, n.pool.dilation[1] = 0);
        REFUSED(op, TMC_E_RANGE, n.pool.dilation[1] = INT32_MAX);
        REFUSED(op, TMC_E_SHAPE, n.pool.kernel[1] = 0);
        REFUSED(op, TMC_E_SHAPE, n.pool.kernel[1] = 9);
        REFUSED(op, TMC_E_RANGE, n.pool.pad_begin[1] = -1);
        REFUSED(op, TMC_E_SHAPE, n.pool.pad_begin[1] = 3);
        REFUSED(op, TMC_E_SHAPE, n.pool.pad_end[1] = 3);
        REFUSED(op, TMC_E_RANGE, n.pool.ceil_mode = 2);
        REFUSED(op, TMC_E_RANGE, n.pool.count_include_pad = -1);
        REFUSED(op, TMC_E_UNSUPPORTED, (n.pool.dilation[1] = 9, n.pool.pad_begin[1] = n.pool.pad_end[1] = 6));
        REFUSED(op, TMC_E_LIMIT, (n.pool.kernel[1] = n.pool.kernel[2] = 4097, n.x.dims[1] = n.x.dims[2] = 5000));
        REFUSED(op, TMC_E_DTYPE, n.x.dtype = TMC_U8);
        REFUSED(op, TMC_E_SHAPE, n.x.rank = 3);
    }
    REFUSED(TMC_OP_LP_POOL, TMC_E_RANGE, n.pool.p = 0);
    REFUSED(TMC_OP_LP_POOL, TMC_E_UNSUPPORTED, n.pool.p = 3);
}

static void test_matrix_refusals(void **state) {
    (void)state;
    REFUSED(TMC_OP_FULLY_CONNECTED, TMC_E_SHAPE, n.x.dims[1] = 8);
    REFUSED(TMC_OP_FULLY_CONNECTED, TMC_E_SHAPE, n.x = desc(0, 0, 0, 0, 0));
    REFUSED(TMC_OP_FULLY_CONNECTED, TMC_E_SHAPE, n.w.rank = 1);
    REFUSED(TMC_OP_FULLY_CONNECTED, TMC_E_SHAPE, n.b.dims[0] = 5);
    REFUSED(TMC_OP_FULLY_CONNECTED, TMC_E_DTYPE, n.x.dtype = TMC_I32);
    REFUSED(TMC_OP_FULLY_CONNECTED, TMC_E_RANGE, n.fc.act.hi = -1);
    REFUSED(TMC_OP_FULLY_CONNECTED, TMC_E_GRAPH, n.w.packing = TMC_PACK_F32_PANELS);
    REFUSED(TMC_OP_MATMUL, TMC_E_SHAPE, n.x.rank = 1);
    REFUSED(TMC_OP_MATMUL, TMC_E_SHAPE, n.w.dims[0] = 6);
    REFUSED(TMC_OP_MATMUL, TMC_E_SHAPE, n.w = desc(3, 3, 7, 3, 0));
    REFUSED(TMC_OP_MATMUL, TMC_E_DTYPE, n.w.dtype = TMC_F16);
    REFUSED(TMC_OP_MATMUL, TMC_E_UNSUPPORTED, n.w.packing = TMC_PACK_F32_PANELS);
    REFUSED(TMC_OP_MATMUL, TMC_E_LIMIT, (n.x = desc(3, 1, 1 << 20, 1, 0), n.w = desc(3, 1, 1, 1 << 20, 0)));
}

static void test_output_shapes(void **state) {
    (void)state;
    node n = good(TMC_OP_CONV);
    n.conv.stride[1] = 2, n.conv.pad_begin[1] = 1, n.conv.dilation[2] = 2;
    assert_int_equal(infer(&n), TMC_OK);
    assert_memory_equal(n.y.dims, ((int32_t[6]){1, 4, 4, 6, 0, 0}), sizeof n.y.dims);

    n = good(TMC_OP_CONV_TRANSPOSE);
    n.conv.stride[1] = 2, n.conv.pad_begin[1] = 1, n.conv.output_pad[1] = 1;
    assert_int_equal(infer(&n), TMC_OK);
    assert_memory_equal(n.y.dims, ((int32_t[6]){1, 17, 10, 6, 0, 0}), sizeof n.y.dims);

    n = good(TMC_OP_MATMUL);
    assert_int_equal(infer(&n), TMC_OK);
    assert_int_equal(n.y.rank, 3);
    assert_memory_equal(n.y.dims, ((int32_t[6]){2, 5, 3, 0, 0, 0}), sizeof n.y.dims);

    n = good(TMC_OP_CONV);
    n.has_bias = false;
    n.w.packing = TMC_PACK_F32_PANELS;
    assert_int_equal(infer(&n), TMC_OK);
    assert_int_equal(n.y.packing, TMC_PACK_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv_refusals), cmocka_unit_test(test_winograd_refusals),
        cmocka_unit_test(test_pool_refusals), cmocka_unit_test(test_matrix_refusals),
        cmocka_unit_test(test_output_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
