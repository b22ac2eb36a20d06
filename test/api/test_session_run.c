/* Runs of a session: stops, checks, and the caller's process left as it was. Numbers in brackets are lines of the
 * catalogue of bad input. */
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
#include <time.h>

#include "base/exec.h"
#include "lib/session_case.h"

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

/* Of this thread: what others do on the machine is not counted. */
static uint64_t cpu_ns(void) {
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The processor's time is at most the clock's, so a run always reaches a quarter of what it needs, and what it takes
 * beyond that it has taken after the limit. */
static void test_timeout_inside_a_node(void **state) {
    (void)state;
    tmc_session *s = graph_start(graph_heavy(1, 96, 128), 1);
    tmc_run_options run;
    tmc_run_options_init(&run);
    graph_fill(s, 1);
    uint64_t whole = UINT64_MAX, shortest = UINT64_MAX;
    for (int i = 0; i < 3; i++) { /* the first run may take many times as long as the others */
        const uint64_t begin = cpu_ns();
        assert_ok(tmc_session_run(s, NULL, &err));
        const uint64_t took = cpu_ns() - begin;
        if (took < whole) whole = took;
    }
    run.timeout_ns = 1;
    assert_int_equal(tmc_session_run(s, &run, &err), TMC_E_TIMEOUT);
    run.timeout_ns = whole / 4;
    for (int i = 0; i < 5; i++) { /* the best of five: an interrupt may be counted as this thread's */
        const uint64_t begin = cpu_ns();
        assert_int_equal(tmc_session_run(s, &run, &err), TMC_E_TIMEOUT);
        const uint64_t took = cpu_ns() - begin, late = took > run.timeout_ns ? took - run.timeout_ns : 0;
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

int main(void) {
#define T(name) cmocka_unit_test_setup(name, session_setup)
    const struct CMUnitTest tests[] = {
        T(test_cancel_at_every_node),
        T(test_timeout_inside_a_node),
        T(test_run_options),
        T(test_finite_check),
        T(test_error_of_a_node),
        T(test_fpu_state),
        T(test_errno_locale_and_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
