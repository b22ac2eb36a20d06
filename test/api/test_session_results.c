/* Sessions: right results, with shared memory and without FMA, and what vouches for them: digest and self-test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/exec.h"
#include "format/reader.h"
#include "lib/levels.h"
#include "lib/session_case.h"
#include "plan/plan.h"

/* ------------------------------------------------------------------------------------------------------- results */

static void test_classifier_by_definition(void **state) {
    (void)state;
    float image[IMAGE], expected[LOGITS], logits[LOGITS], classes[LOGITS];
    for (tmc_isa isa = TMC_ISA_REF; isa <= TMC_ISA_AVX512; isa++) {
        if (!tmc_isa_available(isa)) continue;
        tmc_plan_options options;
        tmc_plan_options_init(&options);
        options.max_isa = isa;
        tmc_model *model = graph_open(graph_classifier(), NULL);
        tmc_plan *plan = graph_plan(model, &options);
        tmc_session *s = graph_session(plan, NULL);
        for (uint32_t seed = 1; seed < 6; seed++) {
            image_of(seed, image);
            graph_classifier_logits(image, expected);
            assert_ok(tmc_session_write_input(s, 0, image, sizeof image, &err));
            for (int repeat = 0; repeat < 2; repeat++) { /* the input stays */
                assert_ok(tmc_session_run(s, NULL, &err));
                assert_ok(tmc_session_read_output(s, 0, classes, sizeof classes, &err));
                assert_ok(tmc_session_read_output(s, 1, logits, sizeof logits, &err));
                assert_memory_equal(logits, expected, sizeof logits);
                float sum = 0;
                for (int i = 0; i < LOGITS; i++) sum += classes[i];
                assert_true(fabsf(sum - 1.0f) < 1e-5f);
            }
        }
        tmc_session_release(&s);
        tmc_plan_release(&plan);
        tmc_model_release(&model);
    }
}

/* Runs a plan without views with memory of its own for each tensor, so that no sharing can spoil anything. */
static void run_apart(const tmc_plan *plan, uint32_t seed, uint8_t *outputs) {
    const tmc_file_view *view = plan->view;
    void **data = calloc(view->tensor_count, sizeof *data);
    tmc_exec exec = {.threads = 1, .deadline_ns = UINT64_MAX};
    for (uint32_t t = 0; t < view->tensor_count; t++) {
        const bool constant = view->tensors[t].role == TMC_ROLE_CONSTANT;
        const size_t bytes = constant ? view->tensors[t].data_bytes : tmc_tensor_bytes(&plan->descs[t]);
        data[t] = aligned_alloc(64, (bytes + 63) / 64 * 64);
        if (constant)
            memcpy(data[t], view->weights + view->tensors[t].data_offset, bytes);
        else
            memset(data[t], 0xFF, bytes);
    }
    for (uint32_t i = 0; i < view->graph->input_count; i++) {
        const uint32_t t = tmc_plan_input_tensor(view, i);
        tmc_selftest_fill(seed + i, TMC_F32, data[t], tmc_tensor_elements(&plan->descs[t]));
    }
    for (uint32_t n = 0; n < plan->node_count; n++) {
        const tmc_step *node = &plan->nodes[n];
        const void *in[8];
        void *out[8], *scratch = aligned_alloc(64, (node->scratch_bytes + 64) / 64 * 64);
        for (uint32_t i = 0; i < node->op.input_count; i++) in[i] = data[node->tensors[i]];
        for (uint32_t o = 0; o < node->op.output_count; o++) out[o] = data[node->tensors[node->op.input_count + o]];
        const tmc_op_run run = {&node->op, &plan->kernels, in, out, scratch, &exec, &err};
        assert_ok(node->functions.run(&run));
        free(scratch);
    }
    for (uint32_t i = 0; i < view->graph->output_count; i++) {
        const uint32_t t = tmc_plan_output_tensor(view, i);
        memcpy(outputs, data[t], tmc_tensor_bytes(&plan->descs[t]));
        outputs += tmc_tensor_bytes(&plan->descs[t]);
    }
    for (uint32_t t = 0; t < view->tensor_count; t++) free(data[t]);
    free(data);
}

static size_t output_bytes(tmc_session *s, uint32_t index) {
    tmc_tensor_info info = {.struct_size = sizeof info};
    return tmc_session_output(s, index, &info) == TMC_OK ? info.bytes : 0;
}

static void test_shared_memory_changes_no_bit(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed <= 300; seed++) {
        tmc_model *model = graph_open(graph_random(seed), NULL);
        tmc_plan_options options;
        tmc_plan_options_init(&options);
        tmc_plan *plan = graph_plan(model, NULL), *apart = graph_plan_views(model, &options, TMC_VIEWS_NONE);
        tmc_session *s = graph_session(plan, NULL);
        uint8_t *expected = malloc(1 << 20), *got = malloc(1 << 20);
        for (uint32_t round = 0; round < 2; round++) {
            size_t used = 0;
            run_apart(apart, seed + 100 * round, expected);
            graph_fill(s, seed + 100 * round);
            for (int repeat = 0; repeat < 2; repeat++) assert_ok(tmc_session_run(s, NULL, &err));
            for (uint32_t i = 0; output_bytes(s, i); used += output_bytes(s, i), i++)
                assert_ok(tmc_session_read_output(s, i, got + used, output_bytes(s, i), &err));
            assert_memory_equal(got, expected, used);
        }
        free(expected);
        free(got);
        tmc_session_release(&s);
        tmc_plan_release(&plan);
        tmc_plan_release(&apart);
        tmc_model_release(&model);
    }
}

/* ----------------------------------------------------------------------------------------------- digest and self-test
 */

static void session_digest(const tmc_plan_options *options, build *b, uint8_t digest[16]) {
    tmc_model *model = graph_open(b, NULL);
    tmc_plan *plan = graph_plan(model, options);
    tmc_session *s = graph_session(plan, NULL);
    tmc_session_info info = {.struct_size = sizeof info};
    assert_int_equal(tmc_session_get_info(s, &info), TMC_OK);
    memcpy(digest, info.digest, 16);
    assert_int_equal(info.degraded, 0);
    tmc_session_release(&s);
    tmc_plan_release(&plan);
    tmc_model_release(&model);
}

static void test_digest(void **state) {
    (void)state;
    uint8_t a[16], b[16];
    tmc_plan_options options;
    tmc_plan_options_init(&options);
    session_digest(&options, graph_classifier(), a);
    session_digest(&options, graph_classifier(), b);
    assert_memory_equal(a, b, 16);
    session_digest(&options, graph_heavy(1, 8, 8), b);
    assert_memory_not_equal(a, b, 16);
    if (tmc_isa_available(TMC_ISA_AVX2) || tmc_isa_available(TMC_ISA_NEON)) {
        options.max_isa = TMC_ISA_REF;
        session_digest(&options, graph_classifier(), b);
        assert_memory_not_equal(a, b, 16);
    }
}

/* The classifier with test vectors of its own results, the last one's digest changed by `damage`. */
static tmc_model *with_tests(uint8_t damage) {
    build *b = graph_classifier();
    for (uint32_t seed = 40; seed < 42; seed++) {
        tmc_session *s = graph_start(graph_classifier(), 1);
        float out[LOGITS];
        uint8_t digest[16];
        graph_fill(s, seed);
        assert_ok(tmc_session_run(s, NULL, &err));
        for (uint32_t o = 0; o < 2; o++) {
            assert_ok(tmc_session_read_output(s, o, out, sizeof out, &err));
            tmc_digest(out, sizeof out, digest);
            if (seed == 41 && o == 1) digest[3] ^= damage;
            build_test(b, seed, o, digest);
        }
        tmc_session_release(&s);
    }
    return graph_open(b, NULL);
}

static void test_selftest(void **state) {
    (void)state;
    tmc_plan_options options;
    tmc_plan_options_init(&options);
    tmc_model *model = with_tests(0);
    options.max_isa = level_best_exact();
    assert_ok(tmc_model_selftest(model, &options, &err));
    options.max_isa = TMC_ISA_REF;
    options.threads = 2;
    options.flags = TMC_PLAN_EXTERNAL_IO;
    assert_ok(tmc_model_selftest(model, &options, &err));
    options.threads = 0;
    assert_int_equal(tmc_model_selftest(model, &options, &err), TMC_E_ARG);
    const tmc_shape shape = {4, {1, 8, 8, 4}};
    tmc_plan_options_init(&options);
    options.input_count = 1;
    options.input_shapes = &shape;
    assert_int_equal(tmc_model_selftest(model, &options, &err), TMC_E_ARG);
    tmc_model_release(&model);
    model = with_tests(1);
    tmc_plan_options_init(&options);
    options.max_isa = level_best_exact();
    assert_int_equal(tmc_model_selftest(model, &options, &err), TMC_E_INTEGRITY);
    assert_non_null(strstr(err.message, "logits"));
    assert_true(err.tensor >= 0);
    tmc_model_release(&model);
    model = graph_open(graph_classifier(), NULL);
    assert_int_equal(tmc_model_selftest(model, NULL, &err), TMC_E_STATE);
    tmc_model_release(&model);
}

/* -------------------------------------------------------------------------------------------- results without FMA */

static void run_classes(tmc_model *model, tmc_isa isa, const float *image, float *classes, tmc_session_info *info) {
    tmc_plan_options options;
    tmc_plan_options_init(&options);
    options.max_isa = isa;
    tmc_plan *plan = graph_plan(model, &options);
    tmc_session *s = graph_session(plan, NULL);
    uint32_t inexact = 0;
    for (uint32_t i = 0; i < tmc_plan_node_count(plan); i++) {
        tmc_node_report node = {.struct_size = sizeof node};
        assert_int_equal(tmc_plan_node(plan, i, &node), TMC_OK);
        assert_int_equal(node.exact, node.isa != TMC_ISA_SSE41);
        inexact += !node.exact;
    }
    *info = (tmc_session_info){.struct_size = sizeof *info};
    assert_int_equal(tmc_session_get_info(s, info), TMC_OK);
    assert_int_equal(info->exact, inexact == 0);
    assert_ok(tmc_session_write_input(s, 0, image, IMAGE * sizeof *image, &err));
    assert_ok(tmc_session_run(s, NULL, &err));
    assert_ok(tmc_session_read_output(s, 0, classes, LOGITS * sizeof *classes, &err));
    tmc_session_release(&s);
    tmc_plan_release(&plan);
}

/* SSE4.1 is close to the other levels, says that it is not equal, and refuses the self-test, which compares bits. */
static void test_inexact_level(void **state) {
    (void)state;
    if (!tmc_isa_available(TMC_ISA_SSE41)) return;
    float image[IMAGE], expected[LOGITS], classes[LOGITS];
    tmc_session_info exact, inexact;
    tmc_plan_options options;
    tmc_model *model = graph_open(graph_classifier(), NULL);
    image_of(1, image);
    run_classes(model, TMC_ISA_REF, image, expected, &exact);
    run_classes(model, TMC_ISA_SSE41, image, classes, &inexact);
    assert_int_equal(exact.exact, 1);
    assert_int_equal(inexact.exact, 0);
    assert_memory_not_equal(exact.digest, inexact.digest, sizeof exact.digest);
    assert_memory_not_equal(expected, classes, sizeof expected);
    for (int i = 0; i < LOGITS; i++) assert_true(fabsf(classes[i] - expected[i]) <= 1e-5f * expected[i]);
    tmc_model_release(&model);

    model = with_tests(0);
    tmc_plan_options_init(&options);
    options.max_isa = TMC_ISA_SSE41;
    assert_int_equal(tmc_model_selftest(model, &options, &err), TMC_E_UNSUPPORTED);
    assert_string_equal(err.field, "max_isa");
    tmc_model_release(&model);
}

/* ------------------------------------------------------------------------------------------ pattern of self-tests */

/* The numbers are part of the file format. */
static void test_selftest_pattern(void **state) {
    (void)state;
    float f[4];
    int32_t i[8];
    tmc_selftest_fill(1, TMC_F32, f, 4);
    const uint32_t h = 0x9E3779B9u; /* element 0 of seed 1, by the formula of selftest.h, written out */
    uint32_t m = (h ^ h >> 16) * 0x7FEB352Du;
    m = (m ^ m >> 15) * 0x846CA68Bu;
    m ^= m >> 16;
    assert_true(f[0] == (float)(m >> 8) / 8388608.0f - 1.0f);
    for (int k = 0; k < 4; k++) assert_true(f[k] >= -1.0f && f[k] < 1.0f);
    tmc_selftest_fill(1, TMC_I32, i, 8);
    int ones = 0;
    for (int k = 0; k < 8; k++) ones += i[k], assert_true(i[k] == 0 || i[k] == 1);
    assert_true(ones > 0 && ones < 8);
}

int main(void) {
#define T(name) cmocka_unit_test_setup(name, session_setup)
    const struct CMUnitTest tests[] = {
        T(test_classifier_by_definition),
        T(test_shared_memory_changes_no_bit),
        T(test_digest),
        T(test_selftest),
        T(test_inexact_level),
        T(test_selftest_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
