/* Sessions: every rule of binding and of states. Numbers in brackets are lines of the catalogue of bad input; 89
 * (element type) and 94 (strides) have no place in this interface, which takes dense bytes only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/guard.h"
#include "lib/session_case.h"

/* ------------------------------------------------------------------------------------------------------- buffers */

/* [91] Exactly the caller's bytes: guard pages in front of and behind bound buffers, with any element alignment. */
static void test_bound_buffers(void **state) {
    (void)state;
    float image[IMAGE], expected[LOGITS];
    image_of(9, image);
    graph_classifier_logits(image, expected);
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

int main(void) {
#define T(name) cmocka_unit_test_setup(name, session_setup)
    const struct CMUnitTest tests[] = {
        T(test_bound_buffers), T(test_unsuitable_buffers), T(test_null_and_index),
        T(test_states),        T(test_callers_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
