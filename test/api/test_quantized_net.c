/* The quantised sample network against docs/quantization.md written down in plain loops: the same bits at every level,
 * with one and two threads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/graphs.h"
#include "lib/levels.h"
#include "lib/random.h"
#include "lib/tmc_samples.h"
#include "tmcnn/tmcnn.h"

/* Scales and zero points of test/lib/tmc_samples.c. */
static const tmc_quantization qx = {0.0078125f, -1, 0}, q1 = {0.02f, -128, 0}, q2 = {0.05f, 4, 0};

/* What build_i8_weights puts into weights. */
static int32_t weight(size_t i) { return (int32_t)(i * 37 % 255) - 127; }
static int32_t bias(int c) { return c * 100 - 300; }
static float scale(int c) { return 0.01f + (float)c / 1000.0f; }

static int8_t clamped(float r, float lo, float hi, const tmc_quantization *y) {
    float least = (float)(-128 - y->zero_point), most = (float)(127 - y->zero_point);
    if (rintf(lo / y->scale) > least) least = rintf(lo / y->scale);
    if (rintf(hi / y->scale) < most) most = rintf(hi / y->scale);
    r = rintf(r);
    return (int8_t)((int)(r < least ? least : r > most ? most : r) + y->zero_point);
}

static int8_t scaled(int32_t acc, int c, const tmc_quantization *x, float lo, float hi, const tmc_quantization *y) {
    const float m = (float)((double)x->scale * scale(c) / y->scale);
    return clamped((float)acc * m, lo, hi, y);
}

typedef struct {
    int8_t integers[8][8][3], conv[4][4][6], depthwise[4][4][6], sum[4][4][6], pooled[2][2][6], row[6], dense[5];
    float y[5];
} naive;

static void convolve(naive *n) {
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 4; x++)
            for (int c = 0; c < 6; c++) {
                int32_t acc = bias(c);
                for (int ky = 0; ky < 3; ky++)
                    for (int kx = 0; kx < 3; kx++)
                        for (int i = 0; i < 3; i++) {
                            const int yy = 2 * y + ky - 1, xx = 2 * x + kx - 1;
                            if (yy < 0 || yy > 7 || xx < 0 || xx > 7) continue;
                            acc += (n->integers[yy][xx][i] - qx.zero_point) *
                                   weight((size_t)(((c * 3 + ky) * 3 + kx) * 3 + i));
                        }
                n->conv[y][x][c] = scaled(acc, c, &qx, -INFINITY, INFINITY, &q1);
            }
}

static void convolve_channels(naive *n) {
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 4; x++)
            for (int c = 0; c < 6; c++) {
                int32_t acc = bias(c);
                for (int ky = 0; ky < 3; ky++)
                    for (int kx = 0; kx < 3; kx++) {
                        const int yy = y + ky - 1, xx = x + kx - 1;
                        if (yy < 0 || yy > 3 || xx < 0 || xx > 3) continue;
                        acc += (n->conv[yy][xx][c] - q1.zero_point) * weight((size_t)((ky * 3 + kx) * 6 + c));
                    }
                n->depthwise[y][x][c] = scaled(acc, c, &q1, 0.0f, 6.0f, &q1);
            }
}

static void add_and_pool(naive *n) {
    const float m = (float)((double)q1.scale / q2.scale);
    for (int i = 0; i < 96; i++) {
        const float a = (float)((&n->conv[0][0][0])[i] - q1.zero_point) * m;
        const float b = (float)((&n->depthwise[0][0][0])[i] - q1.zero_point) * m;
        (&n->sum[0][0][0])[i] = clamped(a + b, -INFINITY, INFINITY, &q2);
    }
    for (int y = 0; y < 2; y++)
        for (int x = 0; x < 2; x++)
            for (int c = 0; c < 6; c++) {
                int8_t most = -128;
                for (int k = 0; k < 4; k++) {
                    const int8_t v = n->sum[2 * y + k / 2][2 * x + k % 2][c];
                    if (v > most) most = v;
                }
                n->pooled[y][x][c] = most;
            }
    const float mean = (float)((double)q2.scale / q2.scale / 4);
    for (int c = 0; c < 6; c++) {
        int32_t sum = 0;
        for (int k = 0; k < 4; k++) sum += n->pooled[k / 2][k % 2][c] - q2.zero_point;
        n->row[c] = clamped((float)sum * mean, -INFINITY, INFINITY, &q2);
    }
}

static void classify(naive *n) {
    for (int c = 0; c < 5; c++) {
        int32_t acc = bias(c);
        for (int k = 0; k < 6; k++) acc += (n->row[k] - q2.zero_point) * weight((size_t)(c * 6 + k));
        n->dense[c] = scaled(acc, c, &q2, -INFINITY, INFINITY, &q2);
        const int8_t last = (int8_t)(127 - (n->dense[c] + 128)); /* the table */
        n->y[c] = (float)(last - q1.zero_point) * q1.scale;
    }
}

static void expect_bits(tmc_model *model, tmc_isa isa, uint32_t threads, const float *x, const float expected[5]) {
    tmc_plan_options options;
    tmc_plan_options_init(&options);
    options.max_isa = isa;
    options.threads = threads;
    tmc_plan *plan;
    tmc_session *session;
    tmc_error err;
    float y[5];
    tmc_error_init(&err);
    if (tmc_plan_create(model, &options, &plan, &err) != TMC_OK) fail_msg("%s", err.message);
    for (uint32_t i = 0; i < tmc_plan_node_count(plan); i++) {
        tmc_node_report node = {.struct_size = sizeof node};
        assert_int_equal(tmc_plan_node(plan, i, &node), TMC_OK);
        assert_int_equal(node.exact, 1);
    }
    assert_int_equal(tmc_session_create(plan, NULL, &session, NULL), TMC_OK);
    assert_int_equal(tmc_session_write_input(session, 0, x, 8 * 8 * 3 * sizeof *x, NULL), TMC_OK);
    assert_int_equal(tmc_session_run(session, NULL, NULL), TMC_OK);
    assert_int_equal(tmc_session_read_output(session, 0, y, sizeof y, NULL), TMC_OK);
    assert_memory_equal(y, expected, sizeof y);
    tmc_session_release(&session);
    tmc_plan_release(&plan);
}

static void same_bits_everywhere(void **state) {
    (void)state;
    build *b = sample_model("net_i8");
    size_t size;
    uint8_t *bytes = build_bytes(b, &size);
    build_free(b);
    tmc_model *model;
    tmc_model_options options;
    tmc_model_options_init(&options);
    options.flags = TMC_MODEL_STRICT;
    assert_int_equal(tmc_model_open_memory(bytes, size, &options, &model, NULL), TMC_OK);
    free(bytes);
    tmc_isa levels[LEVELS_MAX];
    const size_t count = level_list(levels);
    random_state r;
    random_init(&r, 1);
    for (int round = 0; round < 20; round++) {
        float x[8 * 8 * 3];
        naive n;
        random_fill(&r, x, 8 * 8 * 3, -1.2f, 1.2f);
        for (int i = 0; i < 8 * 8 * 3; i++)
            (&n.integers[0][0][0])[i] = clamped(x[i] / qx.scale, -INFINITY, INFINITY, &qx);
        convolve(&n);
        convolve_channels(&n);
        add_and_pool(&n);
        classify(&n);
        for (size_t l = 0; l < count; l++) expect_bits(model, levels[l], 1 + (uint32_t)round % 2, x, n.y);
    }
    tmc_model_release(&model);
}

/* ------------------------------------------------------------------------------------------ tensors inside others */

static uint32_t activation(build *b, const char *name, int32_t channels) {
    const uint32_t t = build_activation(b, name, TMC_I8, 4, (const int32_t[]){1, 9, 9, channels});
    build_quantization(b, q2.scale, q2.zero_point);
    return t;
}

static uint32_t convolved(build *b, const char *name, uint32_t x, int32_t in, int32_t out) {
    const tmc_conv_params p = {.spatial = 2,
                               .kernel = {1, 3, 3},
                               .stride = {1, 1, 1},
                               .dilation = {1, 1, 1},
                               .pad_begin = {0, 1, 1},
                               .pad_end = {0, 1, 1},
                               .groups = 1,
                               .act = {-INFINITY, INFINITY}};
    const int32_t dims[] = {out, 3, 3, in};
    const uint32_t w = build_i8_weights(b, name, TMC_OP_CONV, &p, 4, dims, &q2, &q2), y = activation(b, name, out);
    build_node(b, name, TMC_OP_CONV, &p, (uint32_t[]){x, w}, 2, &y, 1);
    return y;
}

/* Two convolutions write into one concatenation, others read ranges of its channels: rows that start anywhere. */
static build *branches(void) {
    static const tmc_axis_params last = {.axis = 3};
    static const tmc_split_params parts = {.axis = 3, .sizes = {6, 14}};
    build *b = build_new("branches");
    const uint32_t x = build_input(b, "x", TMC_I8, 4, (const int32_t[]){1, 9, 9, 5});
    build_quantization(b, q2.scale, q2.zero_point);
    const uint32_t ends[2] = {convolved(b, "a", x, 5, 7), convolved(b, "b", x, 5, 13)};
    const uint32_t joined = activation(b, "joined", 20), cut[2] = {activation(b, "c", 6), activation(b, "d", 14)};
    build_node(b, "concat", TMC_OP_CONCAT, &last, ends, 2, &joined, 1);
    build_node(b, "split", TMC_OP_SPLIT, &parts, &joined, 1, cut, 2);
    build_output(b, convolved(b, "e", cut[0], 6, 3));
    build_output(b, convolved(b, "f", cut[1], 14, 8));
    return b;
}

static void views_keep_the_bits(void **state) {
    (void)state;
    tmc_isa levels[LEVELS_MAX];
    const size_t count = level_list(levels);
    tmc_model *model = graph_open(branches(), NULL);
    uint8_t expected[16];
    for (size_t l = 0; l < count; l++)
        for (int views = TMC_VIEWS_NONE; views <= TMC_VIEWS_ALWAYS; views++) {
            tmc_plan_options options;
            tmc_plan_options_init(&options);
            options.max_isa = levels[l];
            options.threads = 1 + (uint32_t)views % 2;
            tmc_plan *plan = graph_plan_views(model, &options, (tmc_plan_views)views);
            tmc_session *session = graph_session(plan, NULL);
            int8_t x[9 * 9 * 5];
            uint8_t digest[16];
            for (size_t i = 0; i < sizeof x; i++) x[i] = (int8_t)(i * 73);
            assert_int_equal(tmc_session_write_input(session, 0, x, sizeof x, NULL), TMC_OK);
            assert_int_equal(tmc_session_run(session, NULL, NULL), TMC_OK);
            graph_digest(session, digest);
            if (l == 0 && views == TMC_VIEWS_NONE) memcpy(expected, digest, sizeof digest);
            assert_memory_equal(digest, expected, sizeof digest);
            tmc_session_release(&session);
            tmc_plan_release(&plan);
        }
    tmc_model_release(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_bits_everywhere), cmocka_unit_test(views_keep_the_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
