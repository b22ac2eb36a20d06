/* Every line of test/data/badinput.tsv through tmc_model_open_memory: the answer, the place, and what must hold after
 * any refusal: no model, no leak, memory within the file's bytes and 64 KiB, and a model that was open before gives the
 * same bits as before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/tmc_edit.h"
#include "lib/tmc_samples.h"
#include "tmcnn/tmcnn.h"

#define TABLE "test/data/badinput.tsv"
enum { ID, CASE, MODEL, EDITS, MODE, STATUS, SECTION, FIELD, COLUMNS };

typedef struct {
    size_t now, peak;
} usage;

static void *counted_alloc(void *user, size_t bytes, size_t align) {
    usage *u = user;
    void *p = NULL;
    if (posix_memalign(&p, align < sizeof(void *) ? sizeof(void *) : align, bytes)) return NULL;
    u->now += bytes;
    if (u->now > u->peak) u->peak = u->now;
    return p;
}

static void counted_free(void *user, void *p, size_t bytes) {
    ((usage *)user)->now -= bytes;
    free(p);
}

/* Whether `name` is one of the names in "A|B|C". */
static int is_one_of(const char *names, const char *name) {
    const size_t n = strlen(name);
    for (const char *at = names; (at = strstr(at, name)); at += n)
        if ((at == names || at[-1] == '|') && (at[n] == 0 || at[n] == '|')) return 1;
    return 0;
}

/* Prints what is wrong with one answer; returns whether it is as expected. */
static int is_expected(char *const *row, const tmc_error *err) {
    const char *status = tmc_status_name(err->status);
    const char *name = err->status == TMC_OK ? "OK" : status + strlen("TMC_");
    int good = is_one_of(row[STATUS], name);
    if (err->status != TMC_OK) {
        if (strcmp(row[SECTION], "-") != 0 && strcmp(row[SECTION], err->section) != 0) good = 0;
        if (strcmp(row[FIELD], "-") != 0 && strcmp(row[FIELD], err->field) != 0) good = 0;
        if (!err->section[0] || err->byte_offset == UINT64_MAX || !err->message[0]) good = 0;
    }
    if (!good)
        print_error("%s %s (%s: %s): expected %s at %s.%s, got %s at %s.%s+%llu: %s\n", row[ID], row[CASE], row[MODEL],
                    row[EDITS], row[STATUS], row[SECTION], row[FIELD], name, err->section, err->field,
                    (unsigned long long)err->byte_offset, err->message);
    return good;
}

static int check_row(char *const *row) {
    build *b = sample_model(row[MODEL]);
    if (!b) fail_msg("%s %s: no model '%s'", row[ID], row[CASE], row[MODEL]);
    size_t size;
    uint8_t *bytes = build_bytes(b, &size);
    build_free(b);
    const char *bad = strcmp(row[EDITS], "-") ? edit_file(&bytes, &size, row[EDITS]) : NULL;
    if (bad) fail_msg("%s %s: edit '%s' is not understood", row[ID], row[CASE], bad);

    usage used = {0, 0};
    const tmc_allocator allocator = {&used, counted_alloc, counted_free};
    tmc_model_options options;
    tmc_model_options_init(&options);
    options.allocator = &allocator;
    options.flags = strcmp(row[MODE], "strict") ? 0 : TMC_MODEL_STRICT;
    tmc_model *model = (tmc_model *)(uintptr_t)1;
    tmc_error err;
    tmc_error_init(&err);
    const tmc_status status = tmc_model_open_memory(bytes, size, &options, &model, &err);
    assert_int_equal(status, err.status);
    if (status != TMC_OK) assert_null(model);
    assert_true(used.peak <= size + 65536);
    tmc_model_release(&model);
    assert_int_equal(used.now, 0);
    free(bytes);
    return is_expected(row, &err);
}

/* ---------------------------------------------------------------------------------------- a model that stays open */

typedef struct {
    tmc_model *model;
    tmc_plan *plan;
    tmc_session *session;
    float before[5];
} bystander;

static void run_bystander(const bystander *s, float out[5]) {
    float x[64];
    for (int i = 0; i < 64; i++) x[i] = (float)(i % 11) / 8.0f - 0.5f;
    assert_int_equal(tmc_session_write_input(s->session, 0, x, sizeof x, NULL), TMC_OK);
    assert_int_equal(tmc_session_run(s->session, NULL, NULL), TMC_OK);
    assert_int_equal(tmc_session_read_output(s->session, 0, out, 5 * sizeof *out, NULL), TMC_OK);
}

static void open_bystander(bystander *s) {
    size_t size;
    build *b = sample_model("net");
    uint8_t *bytes = build_bytes(b, &size);
    build_free(b);
    memset(s, 0, sizeof *s);
    assert_int_equal(tmc_model_open_memory(bytes, size, NULL, &s->model, NULL), TMC_OK);
    free(bytes);
    assert_int_equal(tmc_plan_create(s->model, NULL, &s->plan, NULL), TMC_OK);
    assert_int_equal(tmc_session_create(s->plan, NULL, &s->session, NULL), TMC_OK);
    run_bystander(s, s->before);
}

static void close_bystander(bystander *s) {
    float after[5];
    run_bystander(s, after);
    assert_memory_equal(after, s->before, sizeof after);
    tmc_session_release(&s->session);
    tmc_plan_release(&s->plan);
    tmc_model_release(&s->model);
}

/* ---------------------------------------------------------------------------------------------------------- tests */

/* Cuts a line at its tabs; returns the number of columns. */
static int split_line(char *line, char *row[COLUMNS]) {
    int n = 0;
    line[strcspn(line, "\n")] = 0;
    for (char *at = line; at && n < COLUMNS; n++) {
        row[n] = at;
        at = strchr(at, '\t');
        if (at) *at++ = 0;
    }
    return n;
}

static void test_table(void **state) {
    (void)state;
    char line[1024], *row[COLUMNS];
    int rows = 0, wrong = 0;
    bystander other;
    FILE *table = fopen(TABLE, "r");
    if (!table) fail_msg("%s: run the test in the root of the source tree", TABLE);
    open_bystander(&other);
    while (fgets(line, sizeof line, table)) {
        if (line[0] == '#') continue;
        if (split_line(line, row) != COLUMNS) fail_msg("row %d: expected %d columns", rows, COLUMNS);
        wrong += !check_row(row);
        rows++;
    }
    fclose(table);
    close_bystander(&other);
    print_message("%d cases\n", rows);
    assert_int_equal(wrong, 0);
    assert_true(rows > 300);
}

/* C48: the arena is over the caller's limit. */
static void test_arena_limit(void **state) {
    (void)state;
    bystander other;
    tmc_plan_options options;
    tmc_plan *plan = NULL;
    tmc_memory memory = {.struct_size = sizeof memory};
    tmc_error err;
    open_bystander(&other);
    assert_int_equal(tmc_plan_memory(other.plan, &memory), TMC_OK);
    tmc_plan_options_init(&options);
    options.arena_limit = memory.arena_bytes - 1;
    tmc_error_init(&err);
    assert_int_equal(tmc_plan_create(other.model, &options, &plan, &err), TMC_E_LIMIT);
    assert_null(plan);
    options.arena_limit = memory.arena_bytes;
    assert_int_equal(tmc_plan_create(other.model, &options, &plan, NULL), TMC_OK);
    tmc_plan_release(&plan);
    close_bystander(&other);
}

/* A20 and the caller's size limit. */
static void test_caller_limits(void **state) {
    (void)state;
    size_t size;
    tmc_model *model = NULL;
    tmc_model_options options;
    build *b = sample_model("tiny");
    uint8_t *bytes = build_bytes(b, &size);
    build_free(b);
    assert_null(edit_file(&bytes, &size, "HEAD.revision=7"));
    tmc_model_options_init(&options);
    options.min_revision = 8;
    assert_int_equal(tmc_model_open_memory(bytes, size, &options, &model, NULL), TMC_E_AUTH);
    assert_null(model);
    options.min_revision = 7;
    options.max_bytes = size - 1;
    assert_int_equal(tmc_model_open_memory(bytes, size, &options, &model, NULL), TMC_E_LIMIT);
    options.max_bytes = size;
    assert_int_equal(tmc_model_open_memory(bytes, size, &options, &model, NULL), TMC_OK);
    tmc_model_release(&model);
    free(bytes);
}

/* A23: what is no regular file. */
static void test_not_a_file(void **state) {
    (void)state;
    static const char *const paths[] = {"test/data", "/dev/zero", "/dev/null", "test/data/there-is-no-such-file"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        tmc_model *model = NULL;
        assert_int_equal(tmc_model_open_file(paths[i], NULL, &model, NULL), TMC_E_IO);
        assert_null(model);
    }
}

/* The file of format 1.0 that must load for ever. */
static void test_golden_file(void **state) {
    (void)state;
    tmc_model *model = NULL;
    tmc_model_options options;
    tmc_error err;
    tmc_error_init(&err);
    tmc_model_options_init(&options);
    options.flags = TMC_MODEL_STRICT;
    if (tmc_model_open_file("test/data/golden_v1.tmc", &options, &model, &err) != TMC_OK) fail_msg("%s", err.message);
    tmc_model_info info = {.struct_size = sizeof info};
    assert_int_equal(tmc_model_get_info(model, &info), TMC_OK);
    assert_string_equal(info.name, "net");
    assert_int_equal(info.format_major, 1);
    assert_int_equal(info.format_minor, 0);
    assert_int_equal(info.node_count, 5);
    assert_int_equal(info.tensor_count, 9);
    assert_int_equal(info.parameters, 6 * 36 + 6 + 5 * 24);
    assert_int_equal(info.macs, 4 * 6 * 36 + 5 * 24);
    assert_string_equal(tmc_model_metadata_get(model, "license"), "CC0-1.0");
    tmc_tensor_info y = {.struct_size = sizeof y};
    assert_int_equal(tmc_model_output(model, 0, &y), TMC_OK);
    assert_string_equal(y.name, "y");
    assert_int_equal(y.rank, 2);
    assert_int_equal(y.dims[1], 5);
    assert_int_equal(tmc_model_selftest(model, NULL, &err), TMC_OK);
    tmc_model_release(&model);
}

/* The same of one with integers: sections QUAN and QSCL, both packings, a table. */
static void test_golden_i8_file(void **state) {
    (void)state;
    tmc_model *model = NULL;
    tmc_model_options options;
    tmc_error err;
    tmc_error_init(&err);
    tmc_model_options_init(&options);
    options.flags = TMC_MODEL_STRICT;
    if (tmc_model_open_file("test/data/golden_i8_v1.tmc", &options, &model, &err) != TMC_OK)
        fail_msg("%s", err.message);
    tmc_model_info info = {.struct_size = sizeof info};
    assert_int_equal(tmc_model_get_info(model, &info), TMC_OK);
    assert_string_equal(info.name, "net_i8");
    assert_int_equal(info.format_major, 1);
    assert_int_equal(info.node_count, 9);
    assert_int_equal(info.macs, 16 * 6 * 27 + 16 * 6 * 9 + 5 * 6);
    assert_string_equal(tmc_model_metadata_get(model, "license"), "CC0-1.0");
    assert_int_equal(tmc_model_selftest(model, NULL, &err), TMC_OK);
    tmc_model_release(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),      cmocka_unit_test(test_arena_limit), cmocka_unit_test(test_caller_limits),
        cmocka_unit_test(test_not_a_file), cmocka_unit_test(test_golden_file), cmocka_unit_test(test_golden_i8_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
