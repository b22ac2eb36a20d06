/* conv, depthwise_conv and conv_transpose against plain loops: random geometries, every instruction set, one and two
 * threads, dense and packed weights. All must give the same bits. */
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
#include "lib/naive_conv.h"
#include "lib/op_runner.h"
#include "lib/random.h"
#include "ops/op.h"

typedef void (*naive_fn)(const tmc_conv_params *, const tmc_tensor_desc *, const float *, const float *, const float *,
                         const tmc_tensor_desc *, float *);

/* One convolution with its data. */
typedef struct conv_case {
    uint16_t op;
    tmc_conv_params p;
    tmc_tensor_desc x_desc, w_desc, b_desc;
    bool has_bias;
    float *x, *w, *b;
} conv_case;

static tmc_conv_params neutral_params(int32_t spatial) {
    tmc_conv_params p;
    memset(&p, 0, sizeof p);
    p.spatial = spatial;
    for (int i = 0; i < 3; i++) p.kernel[i] = p.stride[i] = p.dilation[i] = 1;
    p.groups = 1;
    p.act = (tmc_act_params){-INFINITY, INFINITY};
    return p;
}

static float *random_data(random_state *r, const tmc_tensor_desc *desc, bool special) {
    const size_t n = tmc_tensor_elements(desc);
    float *data = malloc(n * sizeof *data);
    assert_non_null(data);
    if (special)
        random_fill_special(r, data, n);
    else
        random_fill(r, data, n, -1, 1);
    return data;
}

/* x [n, h, w, groups * ic] with w [groups * oc, kernel, ic], or as depthwise_conv has them. */
static conv_case make_case(random_state *r, uint16_t op, const tmc_conv_params *p, int32_t n, int32_t h, int32_t w,
                           int32_t ic, int32_t oc, bool special) {
    conv_case c;
    memset(&c, 0, sizeof c);
    c.op = op;
    c.p = *p;
    if (op == TMC_OP_DEPTHWISE_CONV) c.p.groups = ic, oc = 1;
    const int32_t channels = op == TMC_OP_DEPTHWISE_CONV ? ic : ic * p->groups, outputs = oc * c.p.groups;
    const int32_t *k = c.p.kernel;
    c.x_desc = p->spatial == 2 ? op_desc(TMC_F32, 4, (int32_t[]){n, h, w, channels})
                               : op_desc(TMC_F32, 3, (int32_t[]){n, w, channels});
    if (op == TMC_OP_DEPTHWISE_CONV)
        c.w_desc = p->spatial == 2 ? op_desc(TMC_F32, 3, (int32_t[]){k[1], k[2], ic})
                                   : op_desc(TMC_F32, 2, (int32_t[]){k[2], ic});
    else
        c.w_desc = p->spatial == 2 ? op_desc(TMC_F32, 4, (int32_t[]){outputs, k[1], k[2], ic})
                                   : op_desc(TMC_F32, 3, (int32_t[]){outputs, k[2], ic});
    c.b_desc = op_desc(TMC_F32, 1, &outputs);
    c.has_bias = random_int(r, 0, 3) > 0;
    c.x = random_data(r, &c.x_desc, special);
    c.w = random_data(r, &c.w_desc, special);
    c.b = random_data(r, &c.b_desc, special);
    return c;
}

static void free_case(conv_case *c) {
    free(c->x);
    free(c->w);
    free(c->b);
}

static float *pack_depthwise(const conv_case *c, size_t *bytes) {
    const size_t channels = (size_t)c->p.groups, taps = tmc_tensor_elements(&c->w_desc) / channels;
    *bytes = tmc_depthwise_columns(channels) * (1 + taps) * sizeof(float);
    float *packed = malloc(*bytes);
    assert_non_null(packed);
    tmc_pack_depthwise(packed, c->w, channels, taps, c->has_bias ? c->b : NULL);
    return packed;
}

static float *pack_case(const conv_case *c, size_t *bytes) {
    if (c->op == TMC_OP_DEPTHWISE_CONV) return pack_depthwise(c, bytes);
    const bool transposed = c->op == TMC_OP_CONV_TRANSPOSE;
    tmc_pack_shape s = {(size_t)c->p.groups,
                        (size_t)(c->w_desc.dims[0] / c->p.groups),
                        (size_t)c->w_desc.dims[c->w_desc.rank - 1],
                        {1, 1, 1},
                        {1, 1, 1},
                        {1, 1, 1}};
    for (int i = 0; i < 3; i++) {
        s.kernel[i] = (size_t)c->p.kernel[i];
        if (transposed) s.stride[i] = (size_t)c->p.stride[i], s.dilation[i] = (size_t)c->p.dilation[i];
    }
    *bytes = (size_t)tmc_pack_floats(&s) * sizeof(float);
    float *packed = malloc(*bytes);
    assert_non_null(packed);
    tmc_pack_weights(packed, &s, c->w, c->has_bias ? c->b : NULL);
    return packed;
}

static op_call call_of(const conv_case *c, op_tensor inputs[3]) {
    inputs[0] = (op_tensor){c->x_desc, c->x, 0};
    inputs[1] = (op_tensor){c->w_desc, c->w, 0};
    inputs[2] = (op_tensor){c->b_desc, c->b, 0};
    op_call call;
    memset(&call, 0, sizeof call);
    call.op = c->op;
    call.params = &c->p;
    call.inputs = inputs;
    call.input_count = c->has_bias ? 3 : 2;
    call.output_count = 1;
    return call;
}

static void run_and_compare(const op_call *call, const float *expected, const char *what) {
    op_result result;
    if (op_run(call, &result) != TMC_OK) fail_msg("%s: %s", what, result.err.message);
    bits_assert_equal(expected, result.data[0], tmc_tensor_elements(&result.descs[0]), what);
    op_result_free(&result);
}

/* Every level, threads and weight layout of one case. */
static void check_case(conv_case *c, naive_fn naive) {
    char what[200];
    const tmc_conv_params *p = &c->p;
    snprintf(what, sizeof what,
             "op %d x [%d,%d,%d,%d] k %dx%d s %d,%d d %d,%d pad %d,%d,%d,%d groups %d out %d bias %d", c->op,
             c->x_desc.dims[0], c->x_desc.dims[1], c->x_desc.dims[2], c->x_desc.dims[3], p->kernel[1], p->kernel[2],
             p->stride[1], p->stride[2], p->dilation[1], p->dilation[2], p->pad_begin[1], p->pad_begin[2],
             p->pad_end[1], p->pad_end[2], p->groups, c->b_desc.dims[0], c->has_bias);
    op_tensor inputs[3];
    op_call call = call_of(c, inputs);
    op_result shape;
    call.infer_only = true;
    if (op_run(&call, &shape) != TMC_OK) fail_msg("%s: %s", what, shape.err.message);
    call.infer_only = false;
    float *expected = malloc(tmc_tensor_bytes(&shape.descs[0]));
    assert_non_null(expected);
    naive(p, &c->x_desc, c->x, c->w, c->has_bias ? c->b : NULL, &shape.descs[0], expected);

    tmc_isa levels[4];
    const size_t level_count = op_isa_levels(levels);
    for (size_t i = 0; i < level_count; i++) {
        call.isa = levels[i];
        for (call.threads = 1; call.threads <= 2; call.threads++) {
            call.guard = call.threads == 1 ? GUARD_END : GUARD_START;
            run_and_compare(&call, expected, what);
        }
        op_call packed_call = call;
        op_tensor packed_inputs[2] = {inputs[0], inputs[1]};
        float *packed = pack_case(c, &packed_inputs[1].bytes);
        packed_inputs[1].data = packed;
        packed_inputs[1].desc.packing = TMC_PACK_F32_PANELS;
        packed_call.inputs = packed_inputs;
        packed_call.input_count = 2;
        packed_call.threads = 1;
        run_and_compare(&packed_call, expected, what);
        if (tmc_op_takes_pitch(c->op))
            for (packed_call.pitch = 1; packed_call.pitch <= 16; packed_call.pitch += 15)
                run_and_compare(&packed_call, expected, what);
        free(packed);
    }
    free(expected);
    op_result_free(&shape);
}

static tmc_conv_params random_params(random_state *r, uint16_t op) {
    tmc_conv_params p = neutral_params(random_int(r, 0, 4) ? 2 : 1);
    for (int i = 3 - p.spatial; i < 3; i++) {
        p.kernel[i] = random_int(r, 1, 5);
        p.stride[i] = random_int(r, 1, 3);
        p.dilation[i] = random_int(r, 0, 2) ? 1 : random_int(r, 2, 3);
        p.pad_begin[i] = random_int(r, 0, 3);
        p.pad_end[i] = random_int(r, 0, 3);
        if (op == TMC_OP_CONV_TRANSPOSE) p.output_pad[i] = random_int(r, 0, p.stride[i] - 1);
    }
    p.groups = random_int(r, 0, 3) ? 1 : random_int(r, 2, 3);
    if (random_int(r, 0, 1)) p.act = (tmc_act_params){0, random_int(r, 0, 1) ? 6 : INFINITY};
    return p;
}

static bool valid(const conv_case *c) {
    op_tensor inputs[3];
    op_call call = call_of(c, inputs);
    call.infer_only = true;
    op_result result;
    op_run(&call, &result);
    bool ok = result.status == TMC_OK;
    op_result_free(&result);
    return ok;
}

static void check_random(uint16_t op, naive_fn naive, uint64_t seed, int32_t count) {
    random_state r;
    random_init(&r, seed);
    for (int32_t tested = 0; tested < count;) {
        tmc_conv_params p = random_params(&r, op);
        const int32_t h = p.spatial == 2 ? random_int(&r, 1, 9) : 1;
        const int32_t w = random_int(&r, 1, tested % 4 == 1 ? 60 : 14); /* wide: strips of pixels */
        conv_case c = make_case(&r, op, &p, random_int(&r, 1, 2), h, w, random_int(&r, 1, tested % 3 ? 37 : 4),
                                random_int(&r, 1, 45), tested % 8 == 7);
        if (valid(&c)) {
            check_case(&c, naive);
            tested++;
        }
        free_case(&c);
    }
}

static void test_conv_random(void **state) {
    (void)state;
    check_random(TMC_OP_CONV, naive_conv, 11, 150);
}

static void test_depthwise_random(void **state) {
    (void)state;
    check_random(TMC_OP_DEPTHWISE_CONV, naive_depthwise_conv, 12, 150);
}

static void test_conv_transpose_random(void **state) {
    (void)state;
    check_random(TMC_OP_CONV_TRANSPOSE, naive_conv_transpose, 13, 150);
}

typedef struct shape_case {
    int32_t n, h, w, ic, oc, kh, kw, stride, pad;
} shape_case;

/* Sizes that reach each limit of the blocking: k cut within a tap, within a row of taps and between rows; more taps
 * than one call takes; several blocks of rows and of columns; one row (gemv). */
static void test_conv_blocking(void **state) {
    (void)state;
    static const shape_case shapes[] = {
        {1, 5, 7, 1601, 20, 1, 1, 1, 0},  {1, 4, 4, 800, 19, 2, 2, 1, 0}, {1, 5, 6, 300, 33, 3, 3, 1, 1},
        {1, 9, 70, 2, 5, 1, 66, 1, 3},    {1, 12, 13, 7, 18, 9, 9, 1, 4}, {1, 3, 3, 768, 290, 1, 1, 1, 0},
        {2, 4, 130, 3, 24, 3, 3, 1, 1},   {1, 9, 75, 3, 40, 7, 7, 2, 3},  {1, 5, 110, 32, 20, 3, 3, 1, 1},
        {2, 3, 60, 20, 58, 3, 3, 1, 1},   {1, 9, 8, 150, 12, 3, 3, 1, 1}, {1, 30, 30, 16, 28, 1, 1, 1, 0},
        {1, 1, 1, 1003, 700, 1, 1, 1, 0}, {2, 1, 1, 5, 4, 1, 1, 1, 0},    {1, 40, 40, 33, 17, 3, 3, 2, 1},
        {1, 33, 31, 3, 24, 3, 3, 2, 1},   {1, 1, 1, 40, 12, 1, 1, 1, 0},  {1, 1, 1, 40, 61, 3, 3, 1, 1},
    };
    random_state r;
    random_init(&r, 14);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const shape_case *s = &shapes[i];
        tmc_conv_params p = neutral_params(2);
        p.kernel[1] = s->kh, p.kernel[2] = s->kw;
        p.stride[1] = p.stride[2] = s->stride;
        p.pad_begin[1] = p.pad_end[1] = s->kh > 1 ? s->pad : 0;
        p.pad_begin[2] = p.pad_end[2] = s->pad;
        conv_case c = make_case(&r, TMC_OP_CONV, &p, s->n, s->h, s->w, s->ic, s->oc, false);
        check_case(&c, naive_conv);
        free_case(&c);
    }
}

/* Kernels with their own code, and windows of more taps than one call takes. */
static void test_depthwise_windows(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 15);
    for (int32_t kernel = 1; kernel <= 9; kernel++)
        for (int32_t stride = 1; stride <= 3; stride++)
            for (int32_t pad = 0; pad <= kernel / 2; pad++) {
                tmc_conv_params p = neutral_params(2);
                p.kernel[1] = p.kernel[2] = kernel;
                p.stride[1] = p.stride[2] = stride;
                for (int i = 1; i < 3; i++) p.pad_begin[i] = p.pad_end[i] = pad;
                conv_case c = make_case(&r, TMC_OP_DEPTHWISE_CONV, &p, 1, random_int(&r, 9, 12), random_int(&r, 9, 21),
                                        random_int(&r, 1, 45), 1, false);
                check_case(&c, naive_depthwise_conv);
                free_case(&c);
            }
}

/* So many channels that tasks take parts of them, with a last panel that repeats some, and rows too narrow for a tile.
 */
static void test_depthwise_parts(void **state) {
    (void)state;
    static const shape_case shapes[] = {{2, 7, 7, 1003, 0, 3, 3, 1, 1},  {1, 14, 15, 523, 0, 5, 5, 2, 2},
                                        {1, 13, 14, 304, 0, 3, 3, 2, 1}, {1, 9, 3, 40, 0, 3, 3, 1, 1},
                                        {1, 1, 1, 33, 0, 5, 5, 1, 2},    {1, 5, 30, 24, 0, 1, 3, 1, 1}};
    random_state r;
    random_init(&r, 17);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const shape_case *s = &shapes[i];
        tmc_conv_params p = neutral_params(2);
        p.kernel[1] = s->kh, p.kernel[2] = s->kw;
        p.stride[1] = p.stride[2] = s->stride;
        p.pad_begin[1] = p.pad_end[1] = s->kh > 1 ? s->pad : 0;
        p.pad_begin[2] = p.pad_end[2] = s->pad;
        conv_case c = make_case(&r, TMC_OP_DEPTHWISE_CONV, &p, s->n, s->h, s->w, s->ic, 1, false);
        check_case(&c, naive_depthwise_conv);
        free_case(&c);
    }
}

/* A stride above the kernel leaves phases without taps, whose outputs are the bias. */
static void test_conv_transpose_gaps(void **state) {
    (void)state;
    random_state r;
    random_init(&r, 16);
    for (int32_t stride = 1; stride <= 5; stride++)
        for (int32_t kernel = 1; kernel <= 4; kernel++)
            for (int32_t dilation = 1; dilation <= 3; dilation++) {
                tmc_conv_params p = neutral_params(2);
                for (int i = 1; i < 3; i++) {
                    p.kernel[i] = kernel;
                    p.stride[i] = stride;
                    p.dilation[i] = dilation;
                    p.output_pad[i] = stride - 1;
                }
                p.pad_begin[1] = p.pad_end[2] = kernel / 2;
                conv_case c = make_case(&r, TMC_OP_CONV_TRANSPOSE, &p, 1, 3, 4, 5, 18, false);
                if (valid(&c)) check_case(&c, naive_conv_transpose);
                free_case(&c);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv_random),           cmocka_unit_test(test_depthwise_random),
        cmocka_unit_test(test_conv_transpose_random), cmocka_unit_test(test_conv_blocking),
        cmocka_unit_test(test_depthwise_windows),     cmocka_unit_test(test_depthwise_parts),
        cmocka_unit_test(test_conv_transpose_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
