/* Faults of open, fstat, pread and mmap, by definitions of our own in front of the C library's. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/counting_alloc.h"
#include "lib/graphs.h"
#include "lib/temp_file.h"

static struct {
    int open_error, open_times; /* fails that often, then works */
    int stat_error;
    int64_t stat_adds;    /* to the size that fstat tells */
    size_t read_most;     /* longest read; 0: as asked */
    size_t reads;         /* calls so far */
    size_t read_fails_at; /* call that fails with read_error, counted from 1 */
    int read_error;       /* 0: end of file */
    int interrupts;       /* every second read is interrupted */
    int mmap_error;
} fault;

static int fail_with(int error) {
    errno = error;
    return -1;
}

int open64(const char *path, int flags, ...);
int open64(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    const int mode = va_arg(args, int);
    va_end(args);
    if (fault.open_error && fault.open_times-- > 0) return fail_with(fault.open_error);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int fstat64(int fd, struct stat64 *status) {
    if (fault.stat_error) return fail_with(fault.stat_error);
    const int result = (int)syscall(SYS_fstat, fd, status);
    status->st_size += fault.stat_adds;
    return result;
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset) {
    fault.reads++;
    if (fault.interrupts && fault.reads % 2) return fail_with(EINTR);
    if (fault.reads == fault.read_fails_at) return fault.read_error ? fail_with(fault.read_error) : 0;
    if (fault.read_most && size > fault.read_most) size = fault.read_most;
    return syscall(SYS_pread64, fd, bytes, size, offset);
}

void *mmap64(void *address, size_t size, int protection, int flags, int fd, off64_t offset) {
    if (fault.mmap_error && fd >= 0) {
        errno = fault.mmap_error;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}

typedef struct {
    uint8_t *bytes;
    size_t size;
    temp_file file;
    counting_alloc counts;
    tmc_model_options options;
    uint8_t checksum[16];
} fixture;

static int setup(void **state) {
    static fixture f;
    build *b = graph_classifier();
    f.bytes = build_bytes(b, &f.size);
    build_free(b);
    f.file = temp_file_make(f.bytes, f.size);
    counting_alloc_init(&f.counts);
    tmc_model_options_init(&f.options);
    f.options.allocator = &f.counts.allocator;
    memcpy(f.checksum, f.bytes + offsetof(tmc_file_header, checksum), 16);
    *state = &f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    temp_file_remove(&f->file);
    free(f->bytes);
    return 0;
}

static int before_each(void **state) {
    (void)state;
    memset(&fault, 0, sizeof fault);
    return 0;
}

static int open_descriptors(void) {
    const int fd = dup(0);
    close(fd);
    return fd;
}

static tmc_status open_model(fixture *f, tmc_error *err) {
    tmc_model *model = (tmc_model *)f;
    const int descriptors = open_descriptors();
    tmc_error_init(err);
    tmc_status status = tmc_model_open_file(f->file.path, &f->options, &model, err);
    if (status == TMC_OK) {
        tmc_model_info info = {.struct_size = sizeof info};
        assert_int_equal(tmc_model_get_info(model, &info), TMC_OK);
        assert_memory_equal(info.checksum, f->checksum, 16);
    } else {
        assert_null(model);
        assert_int_equal(err->status, status);
    }
    tmc_model_release(&model);
    assert_int_equal(f->counts.live_blocks, 0);
    assert_int_equal(open_descriptors(), descriptors);
    return status;
}

static void test_hooks_are_in_place(void **state) {
    fixture *f = *state;
    tmc_error err;
    assert_int_equal(open_model(f, &err), TMC_OK);
    assert_true(fault.reads >= 2);
}

static void test_open_fails(void **state) {
    fixture *f = *state;
    tmc_error err;
    const int errors[] = {EACCES, EMFILE, ENFILE, ENOMEM, ELOOP};
    for (int i = 0; i < 5; i++) {
        fault.open_error = errors[i];
        fault.open_times = 1;
        assert_int_equal(open_model(f, &err), TMC_E_IO);
        assert_int_equal(err.os_error, errors[i]);
        assert_string_equal(err.field, "open");
    }
    fault.open_error = EINTR;
    fault.open_times = 3;
    assert_int_equal(open_model(f, &err), TMC_OK);
}

static void test_fstat_fails(void **state) {
    fixture *f = *state;
    tmc_error err;
    fault.stat_error = EIO;
    assert_int_equal(open_model(f, &err), TMC_E_IO);
    assert_int_equal(err.os_error, EIO);
}

static void test_short_and_interrupted_reads(void **state) {
    fixture *f = *state;
    tmc_error err;
    const size_t most[] = {1, 7, 64, 4096, 1000000};
    for (int i = 0; i < 5; i++)
        for (int interrupts = 0; interrupts < 2; interrupts++) {
            fault.read_most = most[i];
            fault.interrupts = interrupts;
            assert_int_equal(open_model(f, &err), TMC_OK);
        }
}

static void test_read_fails_midway(void **state) {
    fixture *f = *state;
    tmc_error err;
    fault.read_most = f->size / 8;
    for (fault.read_fails_at = 1; fault.read_fails_at <= 8; fault.read_fails_at++) {
        fault.reads = 0;
        fault.read_error = EIO;
        assert_int_equal(open_model(f, &err), TMC_E_IO);
        assert_int_equal(err.os_error, EIO);
        fault.reads = 0;
        fault.read_error = 0; /* the file was cut */
        assert_int_equal(open_model(f, &err), TMC_E_TRUNCATED);
    }
    fault.read_fails_at = 0;
    assert_int_equal(open_model(f, &err), TMC_OK);
}

/* The size that fstat told is no longer that of the file. */
static void test_file_changes_size(void **state) {
    fixture *f = *state;
    tmc_error err;
    fault.stat_adds = 64;
    assert_int_equal(open_model(f, &err), TMC_E_TRUNCATED);
    fault.stat_adds = -64;
    assert_int_equal(open_model(f, &err), TMC_E_IO);
    assert_non_null(strstr(err.message, "longer"));
    fault.stat_adds = -(int64_t)f->size - 5; /* impossible */
    assert_int_equal(open_model(f, &err), TMC_E_LIMIT);
    fault.stat_adds = (int64_t)1 << 40;
    assert_int_equal(open_model(f, &err), TMC_E_LIMIT);
    f->options.max_bytes = UINT64_MAX;
    f->counts.fail_at = f->counts.calls + 1; /* who has a terabyte */
    assert_int_equal(open_model(f, &err), TMC_E_NOMEM);
    f->counts.fail_at = 0;
    f->options.max_bytes = 0x7fffffff;
}

static void test_mmap_fails(void **state) {
    fixture *f = *state;
    tmc_error err;
    f->options.flags = TMC_MODEL_MMAP;
    assert_int_equal(open_model(f, &err), TMC_OK);
    assert_int_equal(fault.reads, 0);
    const int errors[] = {ENODEV, ENOMEM, EACCES};
    for (int i = 0; i < 3; i++) {
        fault.mmap_error = errors[i];
        fault.reads = 0;
        assert_int_equal(open_model(f, &err), TMC_OK);
        assert_true(fault.reads > 0);
    }
    f->options.flags = 0;
}

static void test_no_descriptors_left(void **state) {
    fixture *f = *state;
    struct rlimit saved, none;
    tmc_model *model;
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
    none = saved;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const tmc_status status = tmc_model_open_file(f->file.path, &f->options, &model, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
    assert_int_equal(status, TMC_E_IO);
    assert_int_equal(err.os_error, EMFILE);
    assert_int_equal(open_model(f, &err), TMC_OK);
}

static void test_storm(void **state) {
    fixture *f = *state;
    tmc_error err;
    for (int i = 0; i < 500; i++) {
        f->options.flags = i & 1;
        assert_int_equal(open_model(f, &err), TMC_OK);
    }
    f->options.flags = 0;
}

int main(void) {
#define T(name) cmocka_unit_test_setup(name, before_each)
    const struct CMUnitTest tests[] = {
        T(test_hooks_are_in_place),
        T(test_open_fails),
        T(test_fstat_fails),
        T(test_short_and_interrupted_reads),
        T(test_read_fails_midway),
        T(test_file_changes_size),
        T(test_mmap_fails),
        T(test_no_descriptors_left),
        T(test_storm),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
