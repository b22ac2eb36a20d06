/* Thread creation that fails: the k-th once, from the k-th on; and mutexes and conditions that cannot be made. A
 * session is made all the same, has the threads that did start, says that it is degraded, gives the same bits, and can
 * be released. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/park.h"
#include "lib/graphs.h"

static struct {
    uint32_t creates;          /* so far */
    uint32_t only, from;       /* counted from 1; 0: none */
    int mutex_init, cond_init; /* 1: fails */
} fault;

typedef int (*create_fn)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef int (*mutex_init_fn)(pthread_mutex_t *, const pthread_mutexattr_t *);
typedef int (*cond_init_fn)(pthread_cond_t *, const pthread_condattr_t *);

/* The next definition after ours: the C library's, or a sanitizer's. */
static void *next_definition(const char *name) { return dlsym(RTLD_NEXT, name); }

int pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*main_function)(void *), void *context) {
    const uint32_t n = __atomic_add_fetch(&fault.creates, 1, __ATOMIC_RELAXED);
    if (n == fault.only || (fault.from && n >= fault.from)) return EAGAIN;
    create_fn real;
    *(void **)&real = next_definition("pthread_create");
    return real(id, attr, main_function, context);
}

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr) {
    if (fault.mutex_init) return ENOMEM;
    mutex_init_fn real;
    *(void **)&real = next_definition("pthread_mutex_init");
    return real(mutex, attr);
}

int pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr) {
    if (fault.cond_init) return ENOMEM;
    cond_init_fn real;
    *(void **)&real = next_definition("pthread_cond_init");
    return real(cond, attr);
}

enum { THREADS = 4 };

/* A session under the current fault: run twice, released; its bits must be `expected`. */
static tmc_session_info live_with_fault(tmc_plan *plan, const uint8_t expected[16]) {
    uint8_t digest[16];
    tmc_session *s = NULL;
    tmc_session_info info = {.struct_size = sizeof info};
    fault.creates = 0;
    assert_int_equal(tmc_session_create(plan, NULL, &s, NULL), TMC_OK);
    assert_int_equal(tmc_session_get_info(s, &info), TMC_OK);
    for (int i = 0; i < 2; i++) {
        graph_fill(s, 1);
        assert_int_equal(tmc_session_run(s, NULL, NULL), TMC_OK);
        graph_digest(s, digest);
        assert_memory_equal(digest, expected, 16);
    }
    tmc_session_release(&s);
    return info;
}

static void on_log(void *user, tmc_log_level level, const char *line) {
    (void)line;
    *(int *)user += level == TMC_LOG_WARNING;
}

static void test_creation_fails(void **state) {
    (void)state;
    uint8_t expected[16];
    int warnings = 0;
    tmc_model_options mo;
    tmc_plan_options po;
    tmc_model_options_init(&mo);
    tmc_plan_options_init(&po);
    mo.log = on_log;
    mo.log_user = &warnings;
    po.threads = THREADS;
    tmc_model *model = graph_open(graph_heavy(2, 16, 16), &mo);
    tmc_plan *plan = graph_plan(model, &po);
    memset(&fault, 0, sizeof fault);
    tmc_session *s = graph_session(plan, NULL);
    graph_fill(s, 1);
    assert_int_equal(tmc_session_run(s, NULL, NULL), TMC_OK);
    graph_digest(s, expected);
    tmc_session_release(&s);
    assert_int_equal(warnings, 0);
    assert_int_equal(fault.creates, THREADS - 1);

    for (uint32_t k = 1; k <= THREADS; k++)
        for (int persistent = 0; persistent < 2; persistent++) {
            fault.only = persistent ? 0 : k;
            fault.from = persistent ? k : 0;
            warnings = 0;
            const tmc_session_info info = live_with_fault(plan, expected);
            /* One failure may be the small stack's: it is tried again with the system's own. */
            const uint32_t threads = persistent ? k : THREADS;
            assert_int_equal(info.threads, threads);
            assert_int_equal(info.degraded, threads < THREADS);
            assert_int_equal(warnings, threads < THREADS);
        }
    fault.only = fault.from = 0;
    fault.mutex_init = 1;
    assert_int_equal(live_with_fault(plan, expected).degraded, !TMC_FUTEX);
    fault.mutex_init = 0;
    fault.cond_init = 1;
    assert_int_equal(live_with_fault(plan, expected).degraded, !TMC_FUTEX);
    fault.cond_init = 0;
    assert_int_equal(live_with_fault(plan, expected).degraded, 0); /* nothing sticks */
    tmc_plan_release(&plan);
    tmc_model_release(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_creation_fails)};
    alarm(120);
    if (!TMC_THREADS) return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
