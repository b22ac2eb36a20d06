/* How deep the whole life of a diagnosis uses its stack, seen on a painted one: firmware threads have 64 KiB. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/graphs.h"
#include "lib/tmc_samples.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSTRUMENTED 1 /* frames several times as large */
#else
#define INSTRUMENTED 0
#endif

/* More than is allowed to be used: glibc's smallest stack on AArch64 is 128 KiB, and an overflow is then seen, not
 * felt. */
enum { STACK = 1024 * 1024, PAINT = 0xA5 };

typedef struct {
    const uint8_t *bytes;
    size_t size;
    uint32_t threads;
    const char *failed;
} job;

static void *life(void *context) {
    job *j = context;
    tmc_model_options mo;
    tmc_plan_options po;
    tmc_model *model = NULL;
    tmc_plan *plan = NULL;
    tmc_session *session = NULL;
    tmc_error err;
    tmc_error_init(&err);
    tmc_model_options_init(&mo);
    tmc_plan_options_init(&po);
    mo.flags = TMC_MODEL_BORROW;
    po.threads = j->threads;
    if (tmc_model_open_memory(j->bytes, j->size, &mo, &model, &err) != TMC_OK)
        j->failed = "open";
    else if (tmc_plan_create(model, &po, &plan, &err) != TMC_OK)
        j->failed = "plan";
    else if (tmc_session_create(plan, NULL, &session, &err) != TMC_OK)
        j->failed = "session";
    tmc_tensor_info info = {.struct_size = sizeof info};
    for (uint32_t i = 0; session && tmc_session_input(session, i, &info) == TMC_OK; i++) {
        void *zeros = calloc(1, info.bytes);
        if (tmc_session_write_input(session, i, zeros, info.bytes, &err) != TMC_OK) j->failed = "write";
        free(zeros);
    }
    if (session && tmc_session_run(session, NULL, &err) != TMC_OK) j->failed = "run";
    tmc_session_release(&session);
    tmc_plan_release(&plan);
    tmc_model_release(&model);
    return NULL;
}

/* Bytes of the stack that were written. */
static size_t run_on_painted_stack(job *j) {
    pthread_attr_t attr;
    pthread_t id;
    uint8_t *stack = aligned_alloc((size_t)sysconf(_SC_PAGESIZE), STACK);
    memset(stack, PAINT, STACK);
    assert_int_equal(pthread_attr_init(&attr), 0);
    assert_int_equal(pthread_attr_setstack(&attr, stack, STACK), 0);
    assert_int_equal(pthread_create(&id, &attr, life, j), 0);
    pthread_join(id, NULL);
    pthread_attr_destroy(&attr);
    size_t untouched = 0;
    while (untouched < STACK && stack[untouched] == PAINT) untouched++;
    free(stack);
    return STACK - untouched;
}

static size_t use(build *b, uint32_t threads, const char *name) {
    job j = {.threads = threads};
    j.bytes = build_bytes(b, &j.size);
    build_free(b);
    const size_t used = run_on_painted_stack(&j);
    if (j.failed) fail_msg("%s: %s failed", name, j.failed);
    free((void *)j.bytes);
    return used;
}

static void test_every_operator_on_a_small_stack(void **state) {
    (void)state;
    size_t most = use(graph_classifier(), 1, "classifier");
    const char *deepest = "classifier";
    for (size_t i = 0; sample_name(i); i++) {
        const size_t used = use(sample_model(sample_name(i)), 1, sample_name(i));
        if (used > most) most = used, deepest = sample_name(i);
    }
    printf("deepest stack: %zu bytes (%s), thread start and C library included\n", most, deepest);
    if (!INSTRUMENTED) assert_true(most < 32 * 1024);
    const size_t threaded = use(graph_heavy(2, 16, 16), 2, "threads");
    if (!INSTRUMENTED) assert_true(threaded < 64 * 1024);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_operator_on_a_small_stack)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
