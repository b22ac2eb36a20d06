/* fork with a live thread pool: its threads exist in the parent only. The child can run, release and make anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/graphs.h"

/* ThreadSanitizer has no threads in a forked child, nor has qemu's user mode for a parent with threads. */
static uint32_t threads_after_fork(void) {
#if defined(__SANITIZE_THREAD__)
    return 1;
#else
    return getenv("TMC_TEST_EMULATED") ? 1 : 3;
#endif
}

static int run_gives(tmc_session *s, const uint8_t expected[16]) {
    uint8_t digest[16];
    if (tmc_session_run(s, NULL, NULL) != TMC_OK) return 0;
    graph_digest(s, digest);
    return !memcmp(digest, expected, 16);
}

/* 0: all well; else the step that failed. */
static int child(tmc_session *s, const uint8_t expected[16]) {
    tmc_session_info info = {.struct_size = sizeof info};
    if (!run_gives(s, expected)) return 1;
    if (tmc_session_get_info(s, &info) != TMC_OK || info.threads != 1 || !info.degraded) return 2;
    tmc_session_release(&s);
    s = graph_start(graph_heavy(2, 16, 16), threads_after_fork());
    graph_fill(s, 1);
    if (!run_gives(s, expected)) return 3;
    if (tmc_session_get_info(s, &info) != TMC_OK || info.degraded) return 4;
    tmc_session_release(&s);
    return 0;
}

static void test_fork(void **state) {
    (void)state;
    uint8_t expected[16];
    if (threads_after_fork() == 1) printf("SKIPPED: new threads in the child, which this environment does not have\n");
    tmc_session *s = graph_start(graph_heavy(2, 16, 16), 3);
    graph_fill(s, 1);
    assert_int_equal(tmc_session_run(s, NULL, NULL), TMC_OK);
    graph_digest(s, expected);
    for (int i = 0; i < 5; i++) {
        int status = 0;
        fflush(stdout);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            alarm(20);
            _exit(child(s, expected));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status)); /* not killed by its alarm */
        assert_int_equal(WEXITSTATUS(status), 0);
        assert_true(run_gives(s, expected));
    }
    tmc_session_info info = {.struct_size = sizeof info};
    assert_int_equal(tmc_session_get_info(s, &info), TMC_OK);
    assert_int_equal(info.threads, TMC_THREADS ? 3 : 1);
    tmc_session_release(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fork)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
