/* Every allocation fails once, and every one from the n-th on: E_NOMEM, nothing held, and a retry gives the same bits.
 * Linked with --wrap (mk/test.mk) so that what the library takes behind the caller's allocator is counted too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "format/reader.h"
#include "lib/counting_alloc.h"
#include "lib/graphs.h"
#include "lib/temp_file.h"

/* Calls of the C library's allocator from the code under test (and this file). */
static size_t libc_calls;
static int libc_fails;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *ptr, size_t bytes);
void *__real_aligned_alloc(size_t align, size_t bytes);
int __real_posix_memalign(void **ptr, size_t align, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *ptr, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes);
int __wrap_posix_memalign(void **ptr, size_t align, size_t bytes);

void *__wrap_malloc(size_t bytes) {
    libc_calls++;
    return libc_fails ? NULL : __real_malloc(bytes);
}
void *__wrap_calloc(size_t count, size_t bytes) {
    libc_calls++;
    return libc_fails ? NULL : __real_calloc(count, bytes);
}
void *__wrap_realloc(void *ptr, size_t bytes) {
    libc_calls++;
    return libc_fails ? NULL : __real_realloc(ptr, bytes);
}
void *__wrap_aligned_alloc(size_t align, size_t bytes) {
    libc_calls++;
    return libc_fails ? NULL : __real_aligned_alloc(align, bytes);
}
int __wrap_posix_memalign(void **ptr, size_t align, size_t bytes) {
    libc_calls++;
    return libc_fails ? 12 : __real_posix_memalign(ptr, align, bytes);
}

enum { THREADS = 2 };

typedef struct {
    counting_alloc counts;
    uint8_t *bytes; /* a model with test vectors */
    size_t size;
    temp_file file;
    uint8_t digest[16];
} fixture;

/* One diagnosis from the file to the digest of its outputs; everything is released whatever happens. */
static tmc_status whole_life(fixture *f, int source, uint8_t digest[16], tmc_error *err) {
    tmc_model_options mo;
    tmc_plan_options po;
    tmc_model *model = NULL;
    tmc_plan *plan = NULL;
    tmc_session *session = NULL;
    tmc_model_options_init(&mo);
    tmc_plan_options_init(&po);
    mo.allocator = &f->counts.allocator;
    mo.flags = source == 0 ? TMC_MODEL_BORROW : source == 1 ? TMC_MODEL_MMAP : 0;
    po.threads = THREADS;
    tmc_status status = source == 0   ? tmc_model_open_memory(f->bytes, f->size, &mo, &model, err)
                        : source == 3 ? tmc_model_open_memory(f->bytes, f->size, &mo, &model, err)
                                      : tmc_model_open_file(f->file.path, &mo, &model, err);
    if (status == TMC_OK) status = tmc_model_selftest(model, &po, err);
    if (status == TMC_OK) status = tmc_plan_create(model, &po, &plan, err);
    if (status == TMC_OK) status = tmc_session_create(plan, NULL, &session, err);
    if (status == TMC_OK) {
        graph_fill(session, 9);
        status = tmc_session_run(session, NULL, err);
    }
    if (status == TMC_OK) graph_digest(session, digest);
    tmc_session_release(&session);
    tmc_plan_release(&plan);
    tmc_model_release(&model);
    return status;
}

static build *classifier_with_test(void) {
    float out[10];
    uint8_t digest[16];
    build *b = graph_classifier();
    tmc_session *s = graph_start(graph_classifier(), 1);
    graph_fill(s, 40);
    assert_int_equal(tmc_session_run(s, NULL, NULL), TMC_OK);
    assert_int_equal(tmc_session_read_output(s, 1, out, sizeof out, NULL), TMC_OK);
    tmc_digest(out, sizeof out, digest);
    build_test(b, 40, 1, digest);
    tmc_session_release(&s);
    return b;
}

static int setup(void **state) {
    static fixture f;
    build *b = classifier_with_test();
    f.bytes = build_bytes(b, &f.size);
    build_free(b);
    f.file = temp_file_make(f.bytes, f.size);
    counting_alloc_init(&f.counts);
    *state = &f;
    return whole_life(&f, 0, f.digest, NULL) != TMC_OK;
}

static int teardown(void **state) {
    fixture *f = *state;
    temp_file_remove(&f->file);
    free(f->bytes);
    return 0;
}

static void fail_each(fixture *f, int source, bool fail_on) {
    tmc_error err;
    tmc_error_init(&err);
    for (size_t n = 1;; n++) {
        uint8_t digest[16];
        f->counts.calls = 0;
        f->counts.fail_at = n;
        f->counts.fail_on = fail_on;
        tmc_status status = whole_life(f, source, digest, &err);
        assert_int_equal(f->counts.live_blocks, 0);
        assert_int_equal(f->counts.live_bytes, 0);
        f->counts.fail_at = 0;
        if (f->counts.calls < n) { /* the last allocation was passed */
            assert_int_equal(status, TMC_OK);
            assert_memory_equal(digest, f->digest, 16);
            assert_true(n > 6);
            break;
        }
        assert_int_equal(status, TMC_E_NOMEM);
        assert_int_equal(err.status, TMC_E_NOMEM);
        assert_non_null(strstr(err.message, "memory"));
        assert_int_equal(whole_life(f, source, digest, &err), TMC_OK);
        assert_memory_equal(digest, f->digest, 16);
    }
}

static void test_each_allocation_fails_once(void **state) {
    for (int source = 0; source < 4; source++) fail_each(*state, source, false);
}

static void test_all_allocations_fail_from_n_on(void **state) {
    for (int source = 0; source < 4; source++) fail_each(*state, source, true);
}

/* A model and a plan that exist stay usable when a session cannot be made. */
static void test_survivors_stay_usable(void **state) {
    fixture *f = *state;
    tmc_model_options mo;
    tmc_model_options_init(&mo);
    mo.allocator = &f->counts.allocator;
    f->counts.fail_at = 0;
    tmc_model *model;
    assert_int_equal(tmc_model_open_memory(f->bytes, f->size, &mo, &model, NULL), TMC_OK);
    tmc_plan *plan = graph_plan(model, NULL);
    tmc_session *session = graph_session(plan, NULL), *none = session;
    tmc_plan *no_plan = plan;
    f->counts.fail_at = 1;
    f->counts.fail_on = true;
    assert_int_equal(tmc_session_create(plan, NULL, &none, NULL), TMC_E_NOMEM);
    assert_null(none);
    assert_int_equal(tmc_plan_create(model, NULL, &no_plan, NULL), TMC_E_NOMEM);
    assert_null(no_plan);
    assert_int_equal(tmc_model_selftest(model, NULL, NULL), TMC_E_NOMEM);
    uint8_t digest[16];
    graph_fill(session, 9);
    assert_int_equal(tmc_session_run(session, NULL, NULL), TMC_OK);
    graph_digest(session, digest);
    assert_memory_equal(digest, f->digest, 16);
    f->counts.fail_at = 0;
    tmc_session_release(&session);
    tmc_plan_release(&plan);
    tmc_model_release(&model);
    assert_int_equal(f->counts.live_blocks, 0);
}

static void on_progress(void *user, uint32_t done, uint32_t total) {
    (void)user;
    (void)done;
    (void)total;
}

/* Neither through the caller's allocator nor behind it: with every option of a run, on success and on failure. */
static void test_a_run_allocates_nothing(void **state) {
    (void)state;
    tmc_run_options run;
    tmc_run_options_init(&run);
    run.flags = TMC_RUN_PROFILE | TMC_RUN_CHECK_FINITE;
    run.progress = on_progress;
    for (uint64_t seed = 0; seed < 40; seed++) {
        tmc_error err;
        tmc_error_init(&err);
        tmc_session *s = graph_start(seed ? graph_random(seed) : graph_classifier(), 1 + seed % 2);
        graph_fill(s, 1);
        libc_fails = 1;
        const size_t before = libc_calls;
        const tmc_status first = tmc_session_run(s, &run, &err), second = tmc_session_run(s, NULL, &err);
        run.timeout_ns = 1;
        tmc_session_run(s, &run, &err);
        run.timeout_ns = 0;
        const size_t after = libc_calls;
        libc_fails = 0;
        assert_int_equal(before, after);
        assert_int_equal(first, TMC_OK);
        assert_int_equal(second, TMC_OK);
        tmc_session_release(&s);
    }
}

/* With an allocator of the caller, the C library's is not used, nor for threads but inside pthread_create. */
static void test_nothing_behind_the_callers_allocator(void **state) {
    fixture *f = *state;
    tmc_model_options mo;
    tmc_model_options_init(&mo);
    mo.allocator = &f->counts.allocator;
    const size_t own = f->counts.calls;
    tmc_model *model = NULL;
    size_t before = libc_calls;
    assert_int_equal(tmc_model_open_memory(f->bytes, f->size, &mo, &model, NULL), TMC_OK);
    tmc_plan_options po;
    tmc_plan_options_init(&po);
    tmc_plan *plan = graph_plan(model, &po);
    tmc_session *s = graph_session(plan, NULL);
    /* The counting allocator takes each block from the C library. */
    assert_int_equal(libc_calls - before, f->counts.calls - own);
    tmc_session_release(&s);
    tmc_plan_release(&plan);
#if TMC_THREADS
    po.threads = 2;
    plan = graph_plan(model, &po);
    tmc_memory memory = {.struct_size = sizeof memory};
    tmc_plan_memory(plan, &memory);
    tmc_session_options so;
    tmc_session_options_init(&so);
    so.memory_bytes = memory.session_bytes;
    so.memory = aligned_alloc(64, (memory.session_bytes + 63) / 64 * 64);
    libc_fails = 1;
    const tmc_status status = tmc_session_create(plan, &so, &s, NULL);
    libc_fails = 0;
    assert_int_equal(status, TMC_OK);
    tmc_session_info info = {.struct_size = sizeof info};
    tmc_session_get_info(s, &info);
    assert_int_equal(info.threads, 2);
    assert_int_equal(info.degraded, 0);
    uint8_t digest[16];
    graph_fill(s, 9);
    assert_int_equal(tmc_session_run(s, NULL, NULL), TMC_OK);
    graph_digest(s, digest);
    assert_memory_equal(digest, f->digest, 16);
    tmc_session_release(&s);
    free(so.memory);
    tmc_plan_release(&plan);
#endif
    tmc_model_release(&model);
    assert_int_equal(f->counts.live_blocks, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation_fails_once),
        cmocka_unit_test(test_all_allocations_fail_from_n_on),
        cmocka_unit_test(test_survivors_stay_usable),
        cmocka_unit_test(test_a_run_allocates_nothing),
        cmocka_unit_test(test_nothing_behind_the_callers_allocator),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
