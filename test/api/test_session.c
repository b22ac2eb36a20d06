/* Sessions: right results, every rule of binding and of states, stops, checks, and the caller's process left as it was.
 * Numbers in brackets are lines of the catalogue of bad input; 89 (element type) and 94 (strides) have no place in this
 * interface, which takes dense bytes only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/exec.h"
#include "format/reader.h"
#include "format/selftest.h"
#include "lib/graphs.h"
#include "lib/guard.h"
#include "lib/levels.h"
#include "plan/plan.h"

enum { IMAGE = 8 * 8 * 4, LOGITS = 10 };

static tmc_error err;

static int setup(void **state) {
    (void)state;
    tmc_error_init(&err);
    return 0;
}

static void assert_ok(tmc_status status) {
    if (status != TMC_OK) fail_msg("%s: %s", tmc_status_name(status), err.message);
}

/* ------------------------------------------------------------------------------------------------------- results */

/* The classifier by its definition: one chain of fused multiply-adds per element, from the bias, taps ascending. */
static void expected_logits(const float *image, float *logits) {
    float w[8 * 36 + 8], hidden[8 * 8 * 8], dense[5120 + 10];
    tmc_selftest_fill(77, TMC_F32, w, 8 * 36 + 8);
    tmc_selftest_fill(78, TMC_F32, dense, 5120 + 10);
    for (int i = 0; i < 8 * 36; i++) w[i] *= 0.2f;
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++)
            for (int o = 0; o < 8; o++) {
                float sum = w[8 * 36 + o];
                for (int k = 0; k < 36; k++) {
                    const int iy = y + k / 12 - 1, ix = x + k / 4 % 3 - 1;
                    const bool inside = iy >= 0 && iy < 8 && ix >= 0 && ix < 8;
                    const float v = inside ? image[(iy * 8 + ix) * 4 + k % 4] : 0.0f;
                    sum = fmaf(v < 0.0f ? 0.0f : v > 6.0f ? 6.0f : v, w[o * 36 + k], sum);
                }
                hidden[(y * 8 + x) * 8 + o] = sum < 0.0f ? sum * 0.1f : sum;
            }
    for (int o = 0; o < LOGITS; o++) {
        float sum = dense[5120 + o];
        for (int k = 0; k < 512; k++) sum = fmaf(hidden[k], dense[o * 512 + k], sum);
        logits[o] = sum;
    }
}

static void image_of(uint32_t seed, float *image) { tmc_selftest_fill(seed, TMC_F32, image, IMAGE); }

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
            expected_logits(image, expected);
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

/* ------------------------------------------------------------------------------------------------------- buffers */

/* [91] Exactly the caller's bytes: guard pages in front of and behind bound buffers, with any element alignment. */
static void test_bound_buffers(void **state) {
    (void)state;
    float image[IMAGE], expected[LOGITS];
    image_of(9, image);
    expected_logits(image, expected);
    for (int external = 0; external < 2; external++) {
        tmc_plan_options options;
        tmc_plan_options_init(&options);
        options.flags = external ? TMC_PLAN_EXTERNAL_IO : 0;
        tmc_model *model = graph_open(graph_classifier(), NULL);
        tmc_plan *plan = graph_plan(model, &options);
        tmc_session *s = graph_session(plan, NULL);
        for (int side = 0; side < 2; side++) {
            guard_buffer in = guard_copy(image, sizeof image, (guard_side)side);
            guard_buffer out = guard_alloc(sizeof expected, (guard_side)side);
            guard_buffer classes = guard_alloc(sizeof expected, (guard_side)side);
            assert_ok(tmc_session_bind_input(s, 0, in.data, in.bytes, &err));
            assert_ok(tmc_session_bind_output(s, 0, classes.data, classes.bytes, &err));
            assert_ok(tmc_session_bind_output(s, 1, out.data, out.bytes, &err));
            assert_ok(tmc_session_run(s, NULL, &err));
            assert_memory_equal(out.data, expected, sizeof expected);
            assert_memory_equal(in.data, image, sizeof image);
            float other[LOGITS];
            assert_int_equal(tmc_session_read_output(s, 1, other, sizeof other, &err), TMC_E_STATE);
            assert_int_equal(tmc_session_write_input(s, 0, image, sizeof image, &err), TMC_E_STATE);
            const tmc_status back = external ? TMC_E_STATE : TMC_OK;
            assert_int_equal(tmc_session_bind_input(s, 0, NULL, 0, &err), back);
            assert_int_equal(tmc_session_bind_output(s, 0, NULL, 0, &err), back);
            assert_int_equal(tmc_session_bind_output(s, 1, NULL, 0, &err), back);
            if (!external) {
                /* The caller has the result; the arena has none, and no input. */
                assert_int_equal(tmc_session_read_output(s, 1, other, sizeof other, &err), TMC_E_STATE);
                assert_int_equal(tmc_session_run(s, NULL, &err), TMC_E_STATE);
            }
            guard_free(&in);
            guard_free(&out);
            guard_free(&classes);
            if (external) break; /* still bound to memory that is gone now */
        }
        tmc_session_release(&s);
        tmc_plan_release(&plan);
        tmc_model_release(&model);
    }
}

/* [88, 90, 92, 93] */
static void test_unsuitable_buffers(void **state) {
    (void)state;
    tmc_session *s = graph_start(graph_classifier(), 1);
    static float memory[2 * IMAGE];
    char *bytes = (char *)memory;
    float out[LOGITS] = {0};
    assert_int_equal(tmc_session_bind_input(s, 0, memory, sizeof(float) * IMAGE - 4, &err), TMC_E_BUFFER);
    assert_string_equal(err.field, "bytes");
    assert_true(err.tensor >= 0);
    assert_int_equal(tmc_session_bind_input(s, 0, memory, sizeof(float) * IMAGE + 4, &err), TMC_E_BUFFER);
    assert_int_equal(tmc_session_bind_input(s, 0, bytes + 2, sizeof(float) * IMAGE, &err), TMC_E_BUFFER);
    assert_int_equal(tmc_session_bind_input(s, 0, NULL, 4, &err), TMC_E_ARG);
    assert_int_equal(tmc_session_bind_input(s, 0, (void *)(UINTPTR_MAX - 3), sizeof(float) * IMAGE, &err),
                     TMC_E_BUFFER);
    assert_ok(tmc_session_bind_input(s, 0, bytes + 4, sizeof(float) * IMAGE, &err));
    assert_int_equal(tmc_session_bind_output(s, 0, memory + 10, sizeof out, &err), TMC_E_BUFFER);
    assert_int_equal(tmc_session_bind_output(s, 0, memory + IMAGE, sizeof out, &err), TMC_E_BUFFER);
    assert_ok(tmc_session_bind_output(s, 0, memory + IMAGE + 1, sizeof out, &err));
    assert_int_equal(tmc_session_bind_output(s, 1, memory + IMAGE + 1, sizeof out, &err), TMC_E_BUFFER);
    assert_int_equal(tmc_session_bind_output(s, 1, memory + IMAGE + 10, sizeof out, &err), TMC_E_BUFFER);
    assert_ok(tmc_session_bind_output(s, 1, memory + IMAGE + 11, sizeof out, &err));
    assert_ok(tmc_session_bind_output(s, 1, memory + IMAGE + 12, sizeof out, &err)); /* over its own former place */
    assert_int_equal(tmc_session_bind_output(s, 1, (char *)s + 64, sizeof out, &err), TMC_E_BUFFER);
    assert_int_equal(tmc_session_write_input(s, 0, memory, 4, &err), TMC_E_BUFFER);
    assert_int_equal(tmc_session_read_output(s, 0, memory, 4, &err), TMC_E_BUFFER);
    assert_int_equal(tmc_session_write_input(s, 0, NULL, sizeof(float) * IMAGE, &err), TMC_E_ARG);
    assert_int_equal(tmc_session_read_output(s, 0, NULL, sizeof out, &err), TMC_E_ARG);
    tmc_session_release(&s);
}

/* [86] */
static void test_null_and_index(void **state) {
    (void)state;
    tmc_session *s = graph_start(graph_classifier(), 1);
    float data[IMAGE] = {0};
    tmc_tensor_info info = {.struct_size = sizeof info};
    tmc_node_profile profile = {.struct_size = sizeof profile};
    assert_int_equal(tmc_session_run(NULL, NULL, &err), TMC_E_ARG);
    assert_int_equal(tmc_session_bind_input(NULL, 0, data, sizeof data, &err), TMC_E_ARG);
    assert_int_equal(tmc_session_bind_output(NULL, 0, data, sizeof data, NULL), TMC_E_ARG);
    assert_int_equal(tmc_session_write_input(NULL, 0, data, sizeof data, &err), TMC_E_ARG);
    assert_int_equal(tmc_session_read_output(NULL, 0, data, sizeof data, &err), TMC_E_ARG);
    assert_int_equal(tmc_session_write_input(s, 1, data, sizeof data, &err), TMC_E_ARG);
    assert_int_equal(tmc_session_read_output(s, 2, data, sizeof data, &err), TMC_E_ARG);
    assert_int_equal(tmc_session_bind_output(s, UINT32_MAX, data, sizeof data, &err), TMC_E_ARG);
    assert_int_equal(tmc_session_input(s, 1, &info), TMC_E_ARG);
    assert_int_equal(tmc_session_output(s, 2, &info), TMC_E_ARG);
    assert_int_equal(tmc_session_input(NULL, 0, &info), TMC_E_ARG);
    assert_int_equal(tmc_session_input(s, 0, NULL), TMC_E_ARG);
    assert_int_equal(tmc_session_profile(s, 7, &profile), TMC_E_ARG);
    assert_int_equal(tmc_session_profile(s, 0, NULL), TMC_E_ARG);
    assert_int_equal(tmc_session_get_info(NULL, NULL), TMC_E_ARG);
    assert_int_equal(tmc_plan_memory(NULL, NULL), TMC_E_ARG);
    assert_int_equal(tmc_plan_node(NULL, 0, NULL), TMC_E_ARG);
    assert_int_equal(tmc_plan_node_count(NULL), 0);
    tmc_session *none = s;
    assert_int_equal(tmc_session_create(NULL, NULL, &none, &err), TMC_E_ARG);
    assert_null(none);
    tmc_session_release(&s);
}

/* ------------------------------------------------------------------------------------------------- states and options
 */

/* [95] */
static void test_states(void **state) {
    (void)state;
    float image[IMAGE] = {0}, out[LOGITS];
    tmc_session *s = graph_start(graph_classifier(), 1);
    assert_int_equal(tmc_session_run(s, NULL, &err), TMC_E_STATE);
    assert_int_equal(tmc_session_read_output(s, 0, out, sizeof out, &err), TMC_E_STATE);
    assert_ok(tmc_session_write_input(s, 0, image, sizeof image, &err));
    assert_int_equal(tmc_session_read_output(s, 0, out, sizeof out, &err), TMC_E_STATE);
    assert_ok(tmc_session_run(s, NULL, &err));
    assert_ok(tmc_session_read_output(s, 0, out, sizeof out, &err));
    tmc_run_options run;
    tmc_run_options_init(&run);
    const int32_t cancelled = 1;
    run.cancel_flag = &cancelled;
    assert_int_equal(tmc_session_run(s, &run, &err), TMC_E_CANCELLED); /* after it the outputs are invalid */
    assert_int_equal(tmc_session_read_output(s, 0, out, sizeof out, &err), TMC_E_STATE);
    assert_ok(tmc_session_run(s, NULL, &err));
    assert_ok(tmc_session_read_output(s, 0, out, sizeof out, &err));
    tmc_session_release(&s);

    tmc_plan_options options;
    tmc_plan_options_init(&options);
    options.flags = TMC_PLAN_EXTERNAL_IO;
    tmc_model *model = graph_open(graph_classifier(), NULL);
    tmc_plan *plan = graph_plan(model, &options);
    s = graph_session(plan, NULL);
    float classes[LOGITS];
    assert_int_equal(tmc_session_write_input(s, 0, image, sizeof image, &err), TMC_E_STATE);
    assert_int_equal(tmc_session_run(s, NULL, &err), TMC_E_STATE);
    assert_ok(tmc_session_bind_input(s, 0, image, sizeof image, &err));
    assert_int_equal(tmc_session_run(s, NULL, &err), TMC_E_STATE);
    assert_ok(tmc_session_bind_output(s, 0, classes, sizeof classes, &err));
    assert_int_equal(tmc_session_run(s, NULL, &err), TMC_E_STATE);
    assert_ok(tmc_session_bind_output(s, 1, out, sizeof out, &err));
    assert_ok(tmc_session_run(s, NULL, &err));
    tmc_session_release(&s);
    tmc_plan_release(&plan);
    tmc_model_release(&model);
}

static void test_callers_block(void **state) {
    (void)state;
    tmc_model *model = graph_open(graph_classifier(), NULL);
    tmc_plan *plan = graph_plan(model, NULL);
    tmc_memory memory = {.struct_size = sizeof memory};
    tmc_plan_memory(plan, &memory);
    guard_buffer block = guard_alloc(memory.session_bytes + 64, GUARD_START);
    tmc_session_options o;
    tmc_session *s = NULL;
    tmc_session_options_init(&o);
    o.memory = block.data;
    o.memory_bytes = memory.session_bytes - 1;
    assert_int_equal(tmc_session_create(plan, &o, &s, &err), TMC_E_BUFFER);
    assert_string_equal(err.field, "memory_bytes");
    o.memory = (char *)block.data + 32;
    o.memory_bytes = memory.session_bytes + 32;
    assert_int_equal(tmc_session_create(plan, &o, &s, &err), TMC_E_BUFFER);
    o.memory = block.data;
    o.memory_bytes = memory.session_bytes;
    s = graph_session(plan, &o);
    graph_fill(s, 1);
    assert_ok(tmc_session_run(s, NULL, &err));
    tmc_session_release(&s);
    for (size_t i = memory.session_bytes; i < block.bytes; i++) assert_int_equal(((uint8_t *)block.data)[i], 0xCD);
    guard_free(&block);

    tmc_session_options_init(&o);
    o.flags = 1;
    assert_int_equal(tmc_session_create(plan, &o, &s, &err), TMC_E_ARG);
    tmc_session_options_init(&o);
    o.reserved = 1;
    assert_int_equal(tmc_session_create(plan, &o, &s, &err), TMC_E_ARG);
    tmc_session_options_init(&o);
    o.struct_size = 3;
    assert_int_equal(tmc_session_create(plan, &o, &s, &err), TMC_E_ARG);
    assert_null(s);
    tmc_plan_release(&plan);
    tmc_model_release(&model);
}

/* ---------------------------------------------------------------------------------------------------------- runs */

typedef struct {
    tmc_session *session;
    uint32_t calls, stop_after;
    int32_t cancel;
} progress_state;

static void on_progress(void *user, uint32_t done, uint32_t total) {
    progress_state *p = user;
    assert_int_equal(done, ++p->calls);
    assert_int_equal(total, 7);
    if (done == p->stop_after) __atomic_store_n(&p->cancel, 1, __ATOMIC_RELAXED);
    /* [100] */
    float data[IMAGE];
    assert_int_equal(tmc_session_run(p->session, NULL, NULL), TMC_E_BUSY);
    assert_int_equal(tmc_session_read_output(p->session, 0, data, sizeof(float) * LOGITS, NULL), TMC_E_BUSY);
    assert_int_equal(tmc_session_write_input(p->session, 0, data, sizeof data, NULL), TMC_E_BUSY);
    assert_int_equal(tmc_session_bind_output(p->session, 0, data, sizeof data, NULL), TMC_E_BUSY);
    tmc_node_profile profile = {.struct_size = sizeof profile};
    assert_int_equal(tmc_session_profile(p->session, 0, &profile), TMC_E_BUSY);
}

static void test_cancel_at_every_node(void **state) {
    (void)state;
    tmc_session *s = graph_start(graph_classifier(), 1);
    uint8_t expected[16], digest[16];
    graph_fill(s, 4);
    assert_ok(tmc_session_run(s, NULL, &err));
    graph_digest(s, expected);
    for (uint32_t stop = 1; stop <= 7; stop++) {
        progress_state p = {.session = s, .stop_after = stop};
        tmc_run_options run;
        tmc_run_options_init(&run);
        run.progress = on_progress;
        run.progress_user = &p;
        run.cancel_flag = &p.cancel;
        const tmc_status status = tmc_session_run(s, &run, &err);
        assert_int_equal(status, stop == 7 ? TMC_OK : TMC_E_CANCELLED); /* after the last node the result is there */
        assert_int_equal(p.calls, stop);
        if (stop < 7) assert_true(err.node >= 0);
        assert_ok(tmc_session_run(s, NULL, &err));
        graph_digest(s, digest);
        assert_memory_equal(digest, expected, 16);
    }
    tmc_session_release(&s);
}

static void test_timeout_inside_a_node(void **state) {
    (void)state;
    tmc_session *s = graph_start(graph_heavy(1, 96, 128), 1);
    tmc_run_options run;
    tmc_run_options_init(&run);
    graph_fill(s, 1);
    uint64_t begin, whole = UINT64_MAX;
    for (int i = 0; i < 3; i++) { /* the first run may take many times as long as the others */
        begin = tmc_clock_ns();
        assert_ok(tmc_session_run(s, NULL, &err));
        const uint64_t took = tmc_clock_ns() - begin;
        if (took < whole) whole = took;
    }
    run.timeout_ns = 1;
    assert_int_equal(tmc_session_run(s, &run, &err), TMC_E_TIMEOUT);
    run.timeout_ns = whole / 4;
    uint64_t shortest = UINT64_MAX;
    for (int i = 0; i < 5; i++) { /* the best of five: the machine may be busy with something else */
        begin = tmc_clock_ns();
        if (tmc_session_run(s, &run, &err) != TMC_E_TIMEOUT) continue;
        const uint64_t late = tmc_clock_ns() - begin - run.timeout_ns;
        if (late < shortest) shortest = late;
    }
    assert_true(shortest < (whole / 50 > 5000000 ? whole / 50 : 5000000)); /* emulators and sanitizers are slow */
    run.timeout_ns = UINT64_MAX;                                           /* does not wrap */
    assert_ok(tmc_session_run(s, &run, &err));
    tmc_session_release(&s);
}

static void test_run_options(void **state) {
    (void)state;
    tmc_session *s = graph_start(graph_classifier(), 1);
    tmc_run_options run;
    graph_fill(s, 1);
    tmc_run_options_init(&run);
    run.flags = 4;
    assert_int_equal(tmc_session_run(s, &run, &err), TMC_E_ARG);
    tmc_run_options_init(&run);
    run.reserved = 1;
    assert_int_equal(tmc_session_run(s, &run, &err), TMC_E_ARG);
    tmc_run_options_init(&run);
    run.struct_size = 1;
    assert_int_equal(tmc_session_run(s, &run, &err), TMC_E_ARG);
    tmc_run_options_init(&run);
    run.flags = TMC_RUN_PROFILE;
    for (int i = 0; i < 3; i++) assert_ok(tmc_session_run(s, &run, &err));
    assert_ok(tmc_session_run(s, NULL, &err)); /* not recorded */
    for (uint32_t i = 0; i < 7; i++) {
        tmc_node_profile p = {.struct_size = sizeof p};
        assert_int_equal(tmc_session_profile(s, i, &p), TMC_OK);
        assert_int_equal(p.runs, 3);
        assert_true(p.total_ns >= p.last_ns);
    }
    tmc_session_release(&s);
}

/* [102] */
static void test_finite_check(void **state) {
    (void)state;
    float image[IMAGE], out[LOGITS];
    tmc_session *s = graph_start(graph_classifier(), 1);
    tmc_run_options run;
    tmc_run_options_init(&run);
    run.flags = TMC_RUN_CHECK_FINITE;
    const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 4; i++)
        for (int at = 0; at < IMAGE; at += 51) {
            image_of(1, image);
            image[at] = bad[i];
            assert_ok(tmc_session_write_input(s, 0, image, sizeof image, &err));
            assert_int_equal(tmc_session_run(s, &run, &err), TMC_E_NONFINITE);
            assert_int_equal(err.tensor, 0);
            assert_non_null(strstr(err.message, "image"));
            assert_int_equal(tmc_session_read_output(s, 0, out, sizeof out, &err), TMC_E_STATE);
        }
    image_of(1, image);
    image[3] = 1e-42f; /* subnormal numbers are numbers */
    image[7] = 3.4028234e38f;
    assert_ok(tmc_session_write_input(s, 0, image, sizeof image, &err));
    assert_ok(tmc_session_run(s, &run, &err));
    image[5] = NAN; /* without the check: defined, and visible in what depends on it */
    assert_ok(tmc_session_write_input(s, 0, image, sizeof image, &err));
    assert_ok(tmc_session_run(s, NULL, &err));
    assert_ok(tmc_session_read_output(s, 1, out, sizeof out, &err));
    for (int i = 0; i < LOGITS; i++) assert_true(isnan(out[i]));
    tmc_session_release(&s);

    /* Finite inputs whose output is not. */
    const tmc_binary_params mul = {TMC_BINARY_MUL, {-INFINITY, INFINITY}};
    build *b = build_new("overflow");
    uint32_t x = build_input(b, "x", TMC_F32, 1, (int32_t[]){5000});
    uint32_t y = build_activation(b, "y", TMC_F32, 1, (int32_t[]){5000});
    build_node(b, "square", TMC_OP_BINARY, &mul, (uint32_t[]){x, x}, 2, &y, 1);
    build_output(b, y);
    s = graph_start(b, 1);
    float *huge = calloc(5000, sizeof *huge);
    huge[4999] = 1e30f;
    assert_ok(tmc_session_write_input(s, 0, huge, 5000 * sizeof *huge, &err));
    assert_int_equal(tmc_session_run(s, &run, &err), TMC_E_NONFINITE);
    assert_non_null(strstr(err.message, "output"));
    free(huge);
    tmc_session_release(&s);
}

/* An index computed from the input is checked when it is used; the error names the node. */
static void test_error_of_a_node(void **state) {
    (void)state;
    const tmc_axis_params axis = {0};
    build *b = build_new("gather");
    uint32_t data = build_input(b, "data", TMC_F32, 2, (int32_t[]){5, 3});
    uint32_t index = build_input(b, "index", TMC_I32, 1, (int32_t[]){2});
    uint32_t y = build_activation(b, "y", TMC_F32, 2, (int32_t[]){2, 3});
    build_node(b, "lookup", TMC_OP_GATHER, &axis, (uint32_t[]){data, index}, 2, &y, 1);
    build_output(b, y);
    tmc_session *s = graph_start(b, 1);
    float values[15] = {0}, out[6];
    int32_t good[2] = {4, 0}, bad[2] = {0, 5};
    assert_ok(tmc_session_write_input(s, 0, values, sizeof values, &err));
    assert_ok(tmc_session_write_input(s, 1, bad, sizeof bad, &err));
    assert_int_equal(tmc_session_run(s, NULL, &err), TMC_E_RANGE);
    assert_int_equal(err.node, 0);
    assert_non_null(strstr(err.message, "lookup"));
    assert_int_equal(tmc_session_read_output(s, 0, out, sizeof out, &err), TMC_E_STATE);
    assert_ok(tmc_session_write_input(s, 1, good, sizeof good, &err));
    assert_ok(tmc_session_run(s, NULL, &err));
    tmc_session_release(&s);
}

/* ------------------------------------------------------------------------------------------- a guest in the process */

/* [103] Rounding, flush-to-zero and traps of the caller change no bit and are there again afterwards. */
static void test_fpu_state(void **state) {
    (void)state;
    float image[IMAGE];
    uint8_t expected[16], digest[16];
    tmc_session *s = graph_start(graph_classifier(), 1);
    image_of(3, image);
    for (int i = 0; i < IMAGE; i += 3) image[i] *= 1e-38f; /* products are subnormal */
    assert_ok(tmc_session_write_input(s, 0, image, sizeof image, &err));
    assert_ok(tmc_session_run(s, NULL, &err));
    graph_digest(s, expected);
    const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    for (int i = 0; i < 4; i++) {
        build *b = graph_classifier(); /* in the usual mode: its weights are computed */
        fesetround(modes[i]);
        assert_int_equal(tmc_session_run(s, NULL, &err), TMC_OK);
        assert_int_equal(fegetround(), modes[i]);
        tmc_session *fresh = graph_start(b, 1);
        assert_int_equal(tmc_session_write_input(fresh, 0, image, sizeof image, &err), TMC_OK);
        assert_int_equal(tmc_session_run(fresh, NULL, &err), TMC_OK);
        assert_int_equal(fegetround(), modes[i]);
        fesetround(FE_TONEAREST);
        graph_digest(s, digest);
        assert_memory_equal(digest, expected, 16);
        graph_digest(fresh, digest);
        assert_memory_equal(digest, expected, 16);
        tmc_session_release(&fresh);
    }
    uint64_t plain = tmc_fpenv_enter();
#if defined(__x86_64__)
    const uint64_t strange = (plain | 0x8040) & ~(uint64_t)0x1F80; /* flush and denormals-are-zero, every trap armed */
#elif defined(__aarch64__)
    const uint64_t strange = 1u << 24 | 3u << 22; /* flush to zero, towards zero */
#else
    const uint64_t strange = plain;
#endif
    tmc_fpenv_restore(strange);
    const tmc_status status = tmc_session_run(s, NULL, &err);
    const uint64_t after = tmc_fpenv_enter();
    tmc_fpenv_restore(plain);
    assert_int_equal(status, TMC_OK);
    assert_int_equal(after, strange);
    graph_digest(s, digest);
    assert_memory_equal(digest, expected, 16);
    tmc_session_release(&s);
}

/* [104] */
static void test_errno_locale_and_signals(void **state) {
    (void)state;
    sigset_t before, after;
    setlocale(LC_ALL, "de_DE.UTF-8"); /* a comma as decimal point, where it is installed */
    char *locale_before = strdup(setlocale(LC_ALL, NULL));
    sigemptyset(&before);
    sigaddset(&before, SIGUSR1);
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = 1234;
    for (uint32_t threads = 1; threads <= 2; threads++) {
        tmc_session *s = graph_start(graph_classifier(), threads);
        graph_fill(s, 1);
        errno = 1234;
        tmc_session_run(s, NULL, &err);
        assert_int_equal(errno, 1234);
        tmc_session_release(&s);
        assert_int_equal(errno, 1234);
    }
    sigprocmask(SIG_SETMASK, NULL, &after);
    assert_true(sigismember(&after, SIGUSR1) && !sigismember(&after, SIGUSR2) && !sigismember(&after, SIGTERM));
    assert_string_equal(setlocale(LC_ALL, NULL), locale_before);
    free(locale_before);
    setlocale(LC_ALL, "C");
    sigemptyset(&before);
    sigprocmask(SIG_SETMASK, &before, NULL);
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
#define T(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        T(test_classifier_by_definition),
        T(test_shared_memory_changes_no_bit),
        T(test_bound_buffers),
        T(test_unsuitable_buffers),
        T(test_null_and_index),
        T(test_states),
        T(test_callers_block),
        T(test_cancel_at_every_node),
        T(test_timeout_inside_a_node),
        T(test_run_options),
        T(test_finite_check),
        T(test_error_of_a_node),
        T(test_fpu_state),
        T(test_errno_locale_and_signals),
        T(test_digest),
        T(test_inexact_level),
        T(test_selftest),
        T(test_selftest_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
