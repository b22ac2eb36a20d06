/* Whole files: what is written appears complete or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/file.h"

/* A folder of its own, so that a forgotten temporary file shows. */
static char folder[256];

static int make_folder(void **state) {
    (void)state;
    const char *dir = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/tmcnn-test-XXXXXX", dir ? dir : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static int each_file(int (*fn)(const char *path)) {
    int count = 0;
    DIR *dir = opendir(folder);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        char path[600];
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (fn) fn(path);
        count++;
    }
    closedir(dir);
    return count;
}

static int remove_folder(void **state) {
    (void)state;
    each_file(remove);
    return rmdir(folder);
}

static const char *in_folder(const char *name) {
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void expect_content(const char *path, const char *want) {
    uint8_t *data;
    size_t size;
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(io_read_file(path, 1000, &data, &size, &err), TMC_OK);
    assert_int_equal(size, strlen(want));
    assert_memory_equal(data, want, size);
    free(data);
}

static void test_write_and_replace(void **state) {
    (void)state;
    tmc_error err;
    tmc_error_init(&err);
    const char *path = in_folder("a");
    assert_int_equal(io_write_file(path, "one", 3, &err), TMC_OK);
    expect_content(path, "one");
    assert_int_equal(io_write_file(path, "second", 6, &err), TMC_OK);
    expect_content(path, "second");
    assert_int_equal(io_write_file(path, "", 0, &err), TMC_OK);
    expect_content(path, "");
    assert_int_equal(each_file(NULL), 1);
}

static void test_mode_follows_the_mask(void **state) {
    (void)state;
    tmc_error err;
    struct stat info;
    tmc_error_init(&err);
    mode_t old = umask(027);
    assert_int_equal(io_write_file(in_folder("mode"), "x", 1, &err), TMC_OK);
    umask(old);
    assert_int_equal(stat(in_folder("mode"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

/* The disk is full after 4 KiB. */
static void test_failed_write_keeps_the_old_file(void **state) {
    (void)state;
    enum { SIZE = 100000 };
    char *data = calloc(1, SIZE);
    struct rlimit old, small;
    tmc_error err;
    tmc_error_init(&err);
    const char *path = in_folder("kept");
    assert_int_equal(io_write_file(path, "whole", 5, &err), TMC_OK);
    int before = each_file(NULL);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    tmc_status status = io_write_file(path, data, SIZE, &err);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, TMC_E_IO);
    assert_int_equal(err.os_error, EFBIG);
    expect_content(path, "whole");
    assert_int_equal(each_file(NULL), before);
    free(data);
}

static void test_impossible_targets(void **state) {
    (void)state;
    char *long_path = malloc(6000);
    tmc_error err;
    tmc_error_init(&err);
    int before = each_file(NULL);
    assert_int_equal(io_write_file(folder, "x", 1, &err), TMC_E_IO);
    assert_int_equal(err.os_error, EISDIR);
    assert_int_equal(io_write_file(in_folder("none/a"), "x", 1, &err), TMC_E_IO);
    assert_int_equal(err.os_error, ENOENT);
    memset(long_path, 'a', 5999);
    long_path[5999] = 0;
    assert_int_equal(io_write_file(long_path, "x", 1, &err), TMC_E_IO);
    assert_int_equal(err.os_error, ENAMETOOLONG);
    assert_int_equal(io_write_file("/dev/full", "x", 1, &err), TMC_E_IO);
    assert_int_equal(err.os_error, ENOSPC);
    assert_int_equal(io_write_file("/dev/null", "x", 1, &err), TMC_OK); /* a device is written to, not replaced */
    struct stat info;
    stat("/dev/null", &info);
    assert_true(S_ISCHR(info.st_mode));
    assert_int_equal(each_file(NULL), before);
    free(long_path);
}

static void test_read_limits(void **state) {
    (void)state;
    uint8_t *data = NULL;
    size_t size;
    tmc_error err;
    tmc_error_init(&err);
    const char *path = in_folder("five");
    assert_int_equal(io_write_file(path, "12345", 5, &err), TMC_OK);
    assert_int_equal(io_read_file(path, 4, &data, &size, &err), TMC_E_LIMIT);
    assert_null(data);
    assert_int_equal(io_read_file(path, 5, &data, &size, &err), TMC_OK);
    free(data);
    assert_int_equal(io_read_file(folder, 5, &data, &size, &err), TMC_E_IO);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(io_read_file(in_folder("fifo"), 5, &data, &size, &err), TMC_E_IO); /* and does not wait */
    assert_int_equal(io_read_file(in_folder("absent"), 5, &data, &size, &err), TMC_E_IO);
    assert_int_equal(err.os_error, ENOENT);
}

/* Stopped in the middle of a write: no temporary file, and the target is absent or complete. */
static void test_signal_removes_the_temporary(void **state) {
    (void)state;
    enum { SIZE = 64 << 20 };
    struct stat info;
    int status, before = each_file(NULL);
    pid_t child = fork();
    if (child == 0) {
        tmc_error err;
        tmc_error_init(&err);
        io_remove_temporary_on_signal();
        io_write_file(in_folder("big"), calloc(1, SIZE), SIZE, &err);
        _exit(0);
    }
    for (int i = 0; i < 5000 && each_file(NULL) == before; i++) nanosleep(&(struct timespec){0, 1000000}, NULL);
    kill(child, SIGTERM);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 0) {
        assert_int_equal(stat(in_folder("big"), &info), 0);
        assert_int_equal(info.st_size, SIZE);
        return;
    }
    assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
    if (stat(in_folder("big"), &info) == 0) {
        assert_int_equal(info.st_size, SIZE);
        before++;
    }
    assert_int_equal(each_file(NULL), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_and_replace),
        cmocka_unit_test(test_mode_follows_the_mask),
        cmocka_unit_test(test_failed_write_keeps_the_old_file),
        cmocka_unit_test(test_impossible_targets),
        cmocka_unit_test(test_read_limits),
        cmocka_unit_test(test_signal_removes_the_temporary),
    };
    return cmocka_run_group_tests_name("io_file", tests, make_folder, remove_folder);
}
