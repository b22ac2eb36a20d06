/* Opening models: the three sources, options of every size, what can go wrong with files, references, facts.
 * Numbers in brackets are lines of the catalogue of bad input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/counting_alloc.h"
#include "lib/graphs.h"
#include "lib/temp_file.h"

typedef struct {
    uint8_t *bytes;
    size_t size;
    temp_file file;
    counting_alloc counts;
    tmc_model_options options; /* with the counting allocator */
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
    *state = &f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    temp_file_remove(&f->file);
    free(f->bytes);
    return f->counts.live_blocks != 0;
}

/* Opens by path and expects a failure: handle NULL, nothing held, the error filled. */
static tmc_error open_fails(fixture *f, const char *path) {
    tmc_error err;
    tmc_model *model = (tmc_model *)f;
    tmc_error_init(&err);
    tmc_status status = tmc_model_open_file(path, &f->options, &model, &err);
    assert_int_not_equal(status, TMC_OK);
    assert_int_equal(err.status, status);
    assert_null(model);
    assert_int_equal(f->counts.live_blocks, 0);
    assert_true(strlen(err.message) > 10);
    return err;
}

static tmc_status open_bytes(fixture *f, const void *bytes, size_t size, tmc_error *err) {
    tmc_model *model = (tmc_model *)f;
    tmc_status status = tmc_model_open_memory(bytes, size, &f->options, &model, err);
    assert_int_equal(status == TMC_OK, model != NULL);
    tmc_model_release(&model);
    assert_int_equal(f->counts.live_blocks, 0);
    return status;
}

static void assert_same_facts(const tmc_model *a, const tmc_model *b) {
    tmc_model_info x = {.struct_size = sizeof x}, y = {.struct_size = sizeof y};
    assert_int_equal(tmc_model_get_info(a, &x), TMC_OK);
    assert_int_equal(tmc_model_get_info(b, &y), TMC_OK);
    assert_memory_equal(x.checksum, y.checksum, 16);
    assert_int_equal(x.file_bytes, y.file_bytes);
    assert_int_equal(x.macs, y.macs);
}

static void test_all_sources_give_the_same_model(void **state) {
    fixture *f = *state;
    tmc_model *models[5];
    tmc_model_options mapped = f->options, borrowed = f->options;
    mapped.flags = TMC_MODEL_MMAP;
    borrowed.flags = TMC_MODEL_BORROW;
    assert_int_equal(tmc_model_open_file(f->file.path, &f->options, &models[0], NULL), TMC_OK);
    assert_int_equal(tmc_model_open_file(f->file.path, &mapped, &models[1], NULL), TMC_OK);
    assert_int_equal(tmc_model_open_memory(f->bytes, f->size, &f->options, &models[2], NULL), TMC_OK);
    assert_int_equal(tmc_model_open_memory(f->bytes, f->size, &borrowed, &models[3], NULL), TMC_OK);
    int fd = open(f->file.path, O_RDONLY);
    lseek(fd, 100, SEEK_SET); /* the offset is ignored, and not moved */
    assert_int_equal(tmc_model_open_fd(fd, &f->options, &models[4], NULL), TMC_OK);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 100);
    close(fd);
    for (int i = 1; i < 5; i++) assert_same_facts(models[0], models[i]);
    for (int i = 0; i < 5; i++) {
        tmc_model_info info = {.struct_size = sizeof info};
        assert_int_equal(tmc_model_get_info(models[i], &info), TMC_OK);
        const bool holds_file = i == 0 || i == 2 || i == 4;
        assert_int_equal(info.memory_bytes > f->size, holds_file);
        assert_true(info.memory_bytes <= (holds_file ? f->size : 0) + 1024);
        tmc_plan *plan = graph_plan(models[i], NULL);
        tmc_session *session = graph_session(plan, NULL);
        uint8_t digest[16];
        static uint8_t first[16];
        graph_fill(session, 1);
        assert_int_equal(tmc_session_run(session, NULL, NULL), TMC_OK);
        graph_digest(session, digest);
        if (i == 0) memcpy(first, digest, 16);
        assert_memory_equal(digest, first, 16);
        tmc_session_release(&session);
        tmc_plan_release(&plan);
        tmc_model_release(&models[i]);
    }
}

static void test_facts(void **state) {
    fixture *f = *state;
    tmc_model *model;
    assert_int_equal(tmc_model_open_memory(f->bytes, f->size, NULL, &model, NULL), TMC_OK);
    tmc_model_info info = {.struct_size = sizeof info};
    assert_int_equal(tmc_model_get_info(model, &info), TMC_OK);
    assert_string_equal(info.name, "classifier");
    assert_int_equal(info.format_major, TMC_FILE_MAJOR);
    assert_int_equal(info.input_count, 1);
    assert_int_equal(info.output_count, 2);
    assert_int_equal(info.node_count, 8);
    assert_int_equal(info.metadata_count, 1);
    assert_int_equal(info.file_bytes, f->size);
    assert_int_equal(info.macs, 64 * 8 * 36 + 512 * 10);
    assert_int_equal(info.parameters, 8 * 36 + 8 + 512 * 10 + 10);
    assert_string_equal(tmc_model_metadata_get(model, "labels"), "a;b");
    assert_null(tmc_model_metadata_get(model, "none"));
    const char *key, *value;
    assert_int_equal(tmc_model_metadata_at(model, 0, &key, &value), TMC_OK);
    assert_string_equal(key, "labels");
    assert_string_equal(value, "a;b");
    assert_int_equal(tmc_model_metadata_at(model, 1, &key, &value), TMC_E_ARG);
    tmc_tensor_info t = {.struct_size = sizeof t};
    assert_int_equal(tmc_model_input(model, 0, &t), TMC_OK);
    assert_string_equal(t.name, "image");
    assert_int_equal(t.dtype, TMC_F32);
    assert_int_equal(t.rank, 4);
    assert_int_equal(t.dims[3], 4);
    assert_int_equal(t.dims_max[1], 8);
    assert_int_equal(t.bytes, 1024);
    assert_int_equal(tmc_model_output(model, 1, &t), TMC_OK);
    assert_int_equal(t.rank, 1);
    assert_int_equal(t.dims_max[0], 10);
    assert_int_equal(tmc_model_output(model, 2, &t), TMC_E_ARG);
    assert_int_equal(tmc_model_input(model, UINT32_MAX, &t), TMC_E_ARG);
    tmc_model_release(&model);
}

/* [86] */
static void test_null_arguments(void **state) {
    fixture *f = *state;
    tmc_model *model;
    tmc_tensor_info t = {.struct_size = sizeof t};
    const char *text;
    assert_int_equal(tmc_model_open_file(NULL, NULL, &model, NULL), TMC_E_ARG);
    assert_null(model);
    assert_int_equal(tmc_model_open_file(f->file.path, NULL, NULL, NULL), TMC_E_ARG);
    assert_int_equal(tmc_model_open_fd(0, NULL, NULL, NULL), TMC_E_ARG);
    assert_int_equal(tmc_model_open_memory(NULL, 10, NULL, &model, NULL), TMC_E_ARG);
    assert_int_equal(tmc_model_open_memory(f->bytes, f->size, NULL, NULL, NULL), TMC_E_ARG);
    assert_int_equal(tmc_model_get_info(NULL, NULL), TMC_E_ARG);
    assert_int_equal(tmc_model_input(NULL, 0, &t), TMC_E_ARG);
    assert_int_equal(tmc_model_output(NULL, 0, &t), TMC_E_ARG);
    assert_null(tmc_model_metadata_get(NULL, "a"));
    assert_int_equal(tmc_model_metadata_at(NULL, 0, &text, &text), TMC_E_ARG);
    assert_int_equal(tmc_model_selftest(NULL, NULL, NULL), TMC_E_ARG);
    assert_null(tmc_model_retain(NULL));
    tmc_model_options_init(NULL);
    tmc_plan_options_init(NULL);
    tmc_session_options_init(NULL);
    tmc_run_options_init(NULL);
    assert_int_equal(tmc_model_open_memory(f->bytes, f->size, NULL, &model, NULL), TMC_OK);
    assert_int_equal(tmc_model_get_info(model, NULL), TMC_E_ARG);
    assert_int_equal(tmc_model_input(model, 0, NULL), TMC_E_ARG);
    assert_null(tmc_model_metadata_get(model, NULL));
    tmc_model_release(&model);
    tmc_model_release(&model); /* [98] */
    tmc_model_release(NULL);
}

/* [87] A caller's struct of any size: defaults for what it lacks, E_VERSION for what the library lacks. */
static void test_struct_sizes(void **state) {
    fixture *f = *state;
    struct {
        tmc_model_options o;
        uint64_t future;
    } wide;
    tmc_error err;
    tmc_error_init(&err);
    tmc_model_options saved = f->options;
    memset(&wide, 0, sizeof wide);
    wide.o = f->options;
    wide.o.struct_size = sizeof wide;
    tmc_model *model;
    assert_int_equal(tmc_model_open_memory(f->bytes, f->size, &wide.o, &model, &err), TMC_OK);
    tmc_model_release(&model);
    wide.future = 1;
    assert_int_equal(tmc_model_open_memory(f->bytes, f->size, &wide.o, &model, &err), TMC_E_VERSION);
    assert_string_equal(err.field, "struct_size");
    wide.o.struct_size = offsetof(tmc_model_options, max_bytes); /* an older caller: the default limit applies */
    wide.o.max_bytes = 1;
    assert_int_equal(tmc_model_open_memory(f->bytes, f->size, &wide.o, &model, &err), TMC_OK);
    tmc_model_release(&model);
    const size_t impossible[] = {0, 8, 15, 4097, SIZE_MAX};
    for (int i = 0; i < 5; i++) {
        f->options.struct_size = impossible[i];
        assert_int_equal(open_bytes(f, f->bytes, f->size, &err), TMC_E_ARG);
    }
    f->options = saved;

    /* Output structs: no byte past the caller's size is written. */
    assert_int_equal(tmc_model_open_memory(f->bytes, f->size, NULL, &model, NULL), TMC_OK);
    union {
        tmc_model_info info;
        uint8_t raw[sizeof(tmc_model_info) + 64];
    } u;
    for (size_t size = 16; size <= sizeof u; size += 8) {
        memset(&u, 0xEE, sizeof u);
        u.info.struct_size = size;
        assert_int_equal(tmc_model_get_info(model, &u.info), TMC_OK);
        assert_int_equal(u.info.struct_size, size);
        for (size_t i = size; i < sizeof u; i++) assert_int_equal(u.raw[i], 0xEE);
        assert_string_equal(u.info.name, "classifier");
    }
    u.info.struct_size = 0;
    assert_int_equal(tmc_model_get_info(model, &u.info), TMC_E_ARG);
    tmc_model_release(&model);

    /* Error records of every size: older ones end with the text cut, one without its init stays as it is. */
    for (size_t size = offsetof(tmc_error, message) + 1; size <= sizeof err; size += 16) {
        memset(&err, 0xEE, sizeof err);
        err.struct_size = size;
        assert_int_equal(tmc_model_open_file("/nowhere/at/all", NULL, &model, &err), TMC_E_IO);
        assert_true(strnlen(err.message, sizeof err.message) < sizeof err.message);
        for (size_t i = size; i < sizeof err; i++) assert_int_equal(((uint8_t *)&err)[i], 0xEE);
    }
    memset(&err, 0, sizeof err);
    assert_int_equal(tmc_model_open_file("/nowhere/at/all", NULL, &model, &err), TMC_E_IO);
    assert_int_equal(err.status, TMC_OK);
}

static void test_options(void **state) {
    fixture *f = *state;
    tmc_error err;
    tmc_error_init(&err);
    tmc_model_options saved = f->options;
    f->options.flags = 8;
    assert_int_equal(open_bytes(f, f->bytes, f->size, &err), TMC_E_ARG);
    f->options = saved;
    f->options.max_bytes = f->size - 1;
    assert_int_equal(open_bytes(f, f->bytes, f->size, &err), TMC_E_LIMIT);
    assert_int_equal(open_fails(f, f->file.path).status, TMC_E_LIMIT);
    f->options = saved;
    f->options.min_revision = 1; /* [20] */
    assert_int_equal(open_bytes(f, f->bytes, f->size, &err), TMC_E_AUTH);
    f->options = saved;
    f->options.flags = TMC_MODEL_STRICT;
    assert_int_equal(open_bytes(f, f->bytes, f->size, &err), TMC_OK);
    f->options.flags = TMC_MODEL_BORROW; /* [90] */
    assert_int_equal(open_bytes(f, f->bytes + 1, f->size - 1, &err), TMC_E_BUFFER);
    assert_int_equal(open_bytes(f, f->bytes, f->size, &err), TMC_OK);
    f->options = saved;
    tmc_allocator broken = {NULL, NULL, NULL};
    tmc_model *model;
    f->options.allocator = &broken;
    assert_int_equal(tmc_model_open_memory(f->bytes, f->size, &f->options, &model, &err), TMC_E_ARG);
    f->options = saved;
}

/* [99] A block at an odd address is given back and counts as none. */
static void test_misaligned_allocator(void **state) {
    fixture *f = *state;
    tmc_error err;
    tmc_error_init(&err);
    f->counts.misalign = 8;
    assert_int_equal(open_bytes(f, f->bytes, f->size, &err), TMC_E_NOMEM);
    f->counts.misalign = 0;
    assert_int_equal(open_bytes(f, f->bytes, f->size, &err), TMC_OK);
}

/* [1, 2, 18] through every source. */
static void test_damaged_bytes(void **state) {
    fixture *f = *state;
    tmc_error err;
    tmc_error_init(&err);
    assert_int_equal(open_bytes(f, f->bytes, 0, &err), TMC_E_TRUNCATED);
    for (uint32_t flags = 0; flags <= TMC_MODEL_BORROW; flags++) {
        f->options.flags = flags;
        assert_int_equal(open_bytes(f, f->bytes, 64, &err), TMC_E_TRUNCATED);
        f->bytes[f->size - 1] ^= 1;
        temp_file file = temp_file_make(f->bytes, f->size);
        assert_int_equal(open_bytes(f, f->bytes, f->size, &err), TMC_E_INTEGRITY);
        assert_int_equal(open_fails(f, file.path).status, TMC_E_INTEGRITY);
        f->bytes[f->size - 1] ^= 1;
        temp_file_remove(&file);
        file = temp_file_make(f->bytes, 0);
        assert_int_equal(open_fails(f, file.path).status, TMC_E_TRUNCATED);
        temp_file_remove(&file);
    }
    f->options.flags = 0;
}

/* [23] */
static void test_what_is_no_file(void **state) {
    fixture *f = *state;
    char fifo[300];
    tmc_error err = open_fails(f, "/tmp");
    assert_int_equal(err.status, TMC_E_IO);
    err = open_fails(f, "/nowhere/at/all");
    assert_int_equal(err.status, TMC_E_IO);
    assert_int_equal(err.os_error, ENOENT);
    assert_int_equal(open_fails(f, "/dev/null").status, TMC_E_IO);
    assert_int_equal(open_fails(f, "/dev/zero").status, TMC_E_IO);
    assert_int_equal(open_fails(f, "").status, TMC_E_IO);
    snprintf(fifo, sizeof fifo, "%s.fifo", f->file.path);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    alarm(5); /* opening must not wait for a writer */
    assert_int_equal(open_fails(f, fifo).status, TMC_E_IO);
    alarm(0);
    unlink(fifo);
    tmc_model *model;
    assert_int_equal(tmc_model_open_fd(-1, &f->options, &model, NULL), TMC_E_IO);
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(tmc_model_open_fd(pipes[0], &f->options, &model, NULL), TMC_E_IO);
    close(pipes[0]);
    close(pipes[1]);
}

/* [97] */
static void test_references(void **state) {
    fixture *f = *state;
    tmc_model *model;
    assert_int_equal(tmc_model_open_memory(f->bytes, f->size, &f->options, &model, NULL), TMC_OK);
    tmc_model *second = tmc_model_retain(model);
    assert_ptr_equal(second, model);
    tmc_model_release(&model);
    assert_null(model);
    tmc_plan *plan = graph_plan(second, NULL);
    tmc_model_release(&second);
    tmc_plan *other = tmc_plan_retain(plan);
    tmc_plan_release(&plan);
    tmc_session *session = graph_session(other, NULL);
    tmc_plan_release(&other);
    graph_fill(session, 3);
    assert_int_equal(tmc_session_run(session, NULL, NULL), TMC_OK);
    assert_true(f->counts.live_blocks == 3);
    tmc_session_release(&session);
    assert_int_equal(f->counts.live_blocks, 0);
    tmc_plan_release(&plan);
    tmc_plan_release(NULL);
    tmc_session_release(&session);
    tmc_session_release(NULL);
    assert_null(tmc_plan_retain(NULL));
}

/* [104] */
static void test_errno_is_kept(void **state) {
    fixture *f = *state;
    tmc_model *model;
    errno = 4711;
    open_fails(f, "/nowhere/at/all");
    assert_int_equal(errno, 4711);
    assert_int_equal(tmc_model_open_file(f->file.path, &f->options, &model, NULL), TMC_OK);
    assert_int_equal(errno, 4711);
    tmc_model_release(&model);
    assert_int_equal(errno, 4711);
}

static void count_lines(void *user, tmc_log_level level, const char *line) {
    assert_int_equal(level, TMC_LOG_INFO);
    assert_non_null(strstr(line, "read"));
    ++*(int *)user;
}

/* An empty file cannot be mapped: the fallback reads it, and says so. */
static void test_mapping_falls_back(void **state) {
    fixture *f = *state;
    temp_file empty = temp_file_make("", 0);
    int lines = 0;
    f->options.flags = TMC_MODEL_MMAP;
    f->options.log = count_lines;
    f->options.log_user = &lines;
    assert_int_equal(open_fails(f, empty.path).status, TMC_E_TRUNCATED);
    assert_int_equal(lines, 1);
    f->options.flags = 0;
    f->options.log = NULL;
    temp_file_remove(&empty);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_sources_give_the_same_model),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_null_arguments),
        cmocka_unit_test(test_struct_sizes),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_misaligned_allocator),
        cmocka_unit_test(test_damaged_bytes),
        cmocka_unit_test(test_what_is_no_file),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_errno_is_kept),
        cmocka_unit_test(test_mapping_falls_back),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
