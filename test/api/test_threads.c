/* Threads: the same bits for every count and pool, sessions side by side, E_BUSY, cancelling from another thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if TMC_THREADS
#include <pthreadpool.h>
#endif

#include "base/exec.h"
#include "lib/graphs.h"

static tmc_error err;

static void assert_ok(tmc_status status) {
    if (status != TMC_OK) fail_msg("%s: %s", tmc_status_name(status), err.message);
}

static void digest_of(tmc_session *s, uint32_t seed, uint8_t digest[16]) {
    graph_fill(s, seed);
    assert_ok(tmc_session_run(s, NULL, &err));
    graph_digest(s, digest);
}

static tmc_session_info info_of(const tmc_session *s) {
    tmc_session_info info = {.struct_size = sizeof info};
    assert_int_equal(tmc_session_get_info(s, &info), TMC_OK);
    return info;
}

/* [101] */
static void test_thread_counts_give_the_same_bits(void **state) {
    (void)state;
    const uint32_t counts[] = {1, 2, 3, 4, 7, 64};
    uint8_t expected[16], digest[16];
    for (int i = 0; i < 6; i++) {
        tmc_session *s = graph_start(graph_heavy(3, 24, 24), counts[i]);
        assert_int_equal(info_of(s).threads, TMC_THREADS ? counts[i] : 1);
        assert_int_equal(info_of(s).degraded, !TMC_THREADS && counts[i] > 1);
        for (int repeat = 0; repeat < 20; repeat++) {
            digest_of(s, 6, i || repeat ? digest : expected);
            if (i || repeat) assert_memory_equal(digest, expected, 16);
        }
        tmc_session_release(&s);
    }
}

static void test_random_graphs_on_threads(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed < 60; seed++) {
        uint8_t expected[16], digest[16];
        tmc_session *one = graph_start(graph_random(seed), 1), *three = graph_start(graph_random(seed), 3);
        digest_of(one, 2, expected);
        digest_of(three, 2, digest);
        assert_memory_equal(digest, expected, 16);
        tmc_session_release(&one);
        tmc_session_release(&three);
    }
}

static void test_callers_pool(void **state) {
    (void)state;
    tmc_plan_options options;
    tmc_session_options o;
    uint8_t expected[16], digest[16];
    tmc_plan_options_init(&options);
    tmc_session_options_init(&o);
    options.threads = 3;
    tmc_model *model = graph_open(graph_heavy(2, 20, 20), NULL);
    tmc_plan *plan = graph_plan(model, &options);
    tmc_session *s = graph_session(plan, NULL);
    digest_of(s, 1, expected);
    tmc_session_release(&s);
#if TMC_THREADS
    for (size_t threads = 1; threads <= 5; threads++) {
        o.threadpool = pthreadpool_create(threads);
        s = graph_session(plan, &o);
        assert_int_equal(info_of(s).threads, threads < 3 ? threads : 3);
        assert_int_equal(info_of(s).degraded, threads < 3);
        digest_of(s, 1, digest);
        assert_memory_equal(digest, expected, 16);
        tmc_session_release(&s);
        s = graph_session(plan, &o); /* the pool is still alive */
        digest_of(s, 1, digest);
        assert_memory_equal(digest, expected, 16);
        tmc_session_release(&s);
        pthreadpool_destroy(o.threadpool);
    }
#else
    o.threadpool = (struct pthreadpool *)digest;
    assert_int_equal(tmc_session_create(plan, &o, &s, &err), TMC_E_UNSUPPORTED);
#endif
    tmc_plan_release(&plan);
    tmc_model_release(&model);
}

/* -------------------------------------------------------------------------------------- several callers at once */

typedef struct {
    tmc_model *model;
    uint32_t threads, seed;
    int failures;
    uint8_t digest[16];
} worker;

/* Everything a thread may do with a shared model; no assertion here: cmocka's jump out of the thread. */
static void *worker_main(void *context) {
    worker *w = context;
    tmc_plan_options options;
    tmc_plan_options_init(&options);
    options.threads = w->threads;
    for (int round = 0; round < 5; round++) {
        tmc_model *model = tmc_model_retain(w->model);
        tmc_plan *plan = NULL;
        tmc_session *s = NULL;
        w->failures += tmc_plan_create(model, &options, &plan, NULL) != TMC_OK;
        tmc_model_release(&model);
        w->failures += tmc_session_create(plan, NULL, &s, NULL) != TMC_OK;
        tmc_plan_release(&plan);
        if (w->failures) return NULL;
        graph_fill(s, w->seed);
        for (int i = 0; i < 10; i++) w->failures += tmc_session_run(s, NULL, NULL) != TMC_OK;
        graph_digest(s, w->digest);
        tmc_session_release(&s);
    }
    return NULL;
}

static void run_side_by_side(uint32_t callers, uint32_t threads) {
    pthread_t ids[8];
    worker workers[8];
    tmc_model *model = graph_open(graph_classifier(), NULL);
    for (uint32_t i = 0; i < callers; i++) {
        workers[i] = (worker){.model = model, .threads = threads, .seed = 3};
        assert_int_equal(pthread_create(&ids[i], NULL, worker_main, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < callers; i++) {
        pthread_join(ids[i], NULL);
        assert_int_equal(workers[i].failures, 0);
        assert_memory_equal(workers[i].digest, workers[0].digest, 16);
    }
    tmc_model_release(&model);
}

static void test_sessions_side_by_side(void **state) {
    (void)state;
    run_side_by_side(4, 1);
    run_side_by_side(8, 1);
    run_side_by_side(3, 2);
}

/* [96] */
typedef struct {
    tmc_session *session;
    int32_t ok, busy, other;
} shared;

static void *shared_main(void *context) {
    shared *sh = context;
    for (int i = 0; i < 300; i++) {
        const tmc_status status = tmc_session_run(sh->session, NULL, NULL);
        __atomic_fetch_add(status == TMC_OK       ? &sh->ok
                           : status == TMC_E_BUSY ? &sh->busy
                                                  : &sh->other,
                           1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void test_one_session_from_two_threads(void **state) {
    (void)state;
    pthread_t ids[2];
    uint8_t expected[16], digest[16];
    shared sh = {.session = graph_start(graph_heavy(2, 16, 16), 1)};
    digest_of(sh.session, 1, expected);
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&ids[i], NULL, shared_main, &sh), 0);
    for (int i = 0; i < 2; i++) pthread_join(ids[i], NULL);
    assert_int_equal(sh.ok + sh.busy, 600);
    assert_int_equal(sh.other, 0);
    assert_true(sh.ok > 0);
    graph_digest(sh.session, digest);
    assert_memory_equal(digest, expected, 16);
    tmc_session_release(&sh.session);
}

/* ---------------------------------------------------------------------------------------------------- cancelling */

typedef struct {
    int32_t flag;
    uint64_t set_at;
    int64_t after_ns;
} canceller;

static void *cancel_main(void *context) {
    canceller *c = context;
    const struct timespec t = {0, (long)c->after_ns};
    nanosleep(&t, NULL);
    __atomic_store_n(&c->set_at, tmc_clock_ns(), __ATOMIC_RELAXED);
    __atomic_store_n(&c->flag, 1, __ATOMIC_RELEASE);
    return NULL;
}

/* A flag set from another thread in the middle of a long node is seen within 5 ms. */
static void test_cancel_within_5_ms(void **state) {
    (void)state;
    for (uint32_t threads = 1; threads <= 2; threads++) {
        tmc_session *s = graph_start(graph_heavy(1, 96, 128), threads);
        tmc_run_options run;
        tmc_run_options_init(&run);
        graph_fill(s, 1);
        uint64_t shortest = UINT64_MAX, begin = tmc_clock_ns();
        assert_ok(tmc_session_run(s, NULL, &err));
        const uint64_t whole = tmc_clock_ns() - begin;
        for (int i = 0; i < 8; i++) { /* the best: others use this machine too */
            pthread_t id;
            canceller c = {.after_ns = 2000000};
            run.cancel_flag = &c.flag;
            assert_int_equal(pthread_create(&id, NULL, cancel_main, &c), 0);
            const tmc_status status = tmc_session_run(s, &run, &err);
            const uint64_t end = tmc_clock_ns();
            pthread_join(id, NULL);
            assert_true(status == TMC_E_CANCELLED || status == TMC_OK);
            if (status == TMC_E_CANCELLED && end - c.set_at < shortest) shortest = end - c.set_at;
        }
        assert_true(shortest < (whole / 50 > 5000000 ? whole / 50 : 5000000)); /* emulators are slow */
        assert_ok(tmc_session_run(s, NULL, &err));
        tmc_session_release(&s);
    }
}

int main(void) {
    tmc_error_init(&err);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thread_counts_give_the_same_bits),
        cmocka_unit_test(test_random_graphs_on_threads),
        cmocka_unit_test(test_callers_pool),
        cmocka_unit_test(test_sessions_side_by_side),
        cmocka_unit_test(test_one_session_from_two_threads),
        cmocka_unit_test(test_cancel_within_5_ms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
