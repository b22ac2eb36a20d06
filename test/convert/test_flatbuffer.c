/* The FlatBuffers reader on its own: values and fallbacks, and every claim of a file that it must not believe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "convert/tflite/flatbuffer.h"
#include "lib/flatbuffer_build.h"

/* A root with an i8, an i32, a u64, a float, a vector of 8-byte numbers, a string and a table. */
enum { BYTE, WORD, LONG, FLOAT, NUMBERS, TEXT, CHILD, MISSING };

typedef struct fixture {
    fbw b;
    size_t root, numbers, text, child;
    fb_reader reader;
    fb_table table;
    tmc_error err;
} fixture;

static int setup(void **state) {
    static const int64_t numbers[3] = {1, -2, INT64_MAX};
    const float number = 0.75f;
    const uint64_t large = 1ull << 40;
    fixture *f = calloc(1, sizeof *f);
    if (!f) return -1;
    *state = f;
    f->b = fbw_new("TEST");
    f->root = fbw_table(&f->b, "1484444");
    fbw_root(&f->b, f->root);
    fbw_set_u8(&f->b, f->root, BYTE, 0xfe);
    fbw_set(&f->b, f->root, LONG, &large, sizeof large);
    fbw_set(&f->b, f->root, FLOAT, &number, sizeof number);
    f->numbers = fbw_vector(&f->b, 8, 3, numbers);
    f->text = fbw_string(&f->b, "text");
    f->child = fbw_table(&f->b, "4");
    fbw_link(&f->b, f->root, NUMBERS, f->numbers);
    fbw_link(&f->b, f->root, TEXT, f->text);
    fbw_link(&f->b, f->root, CHILD, f->child);
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    fbw_free(&f->b);
    free(f);
    return 0;
}

static tmc_status open_root(fixture *f) {
    tmc_error_init(&f->err);
    return fb_open(&f->reader, f->b.bytes, f->b.size, "TEST", &f->table, &f->err);
}

static void test_values(void **state) {
    fixture *f = *state;
    int8_t byte;
    int32_t word;
    uint64_t large;
    float number;
    bool flag;
    const char *text;
    fb_vector numbers;
    fb_table child;
    assert_int_equal(open_root(f), TMC_OK);
    assert_int_equal(fb_i8(&f->reader, &f->table, BYTE, 0, &byte), TMC_OK);
    assert_int_equal(byte, -2);
    assert_int_equal(fb_u64(&f->reader, &f->table, LONG, 0, &large), TMC_OK);
    assert_true(large == 1ull << 40);
    assert_int_equal(fb_f32(&f->reader, &f->table, FLOAT, 0, &number), TMC_OK);
    assert_true(number == 0.75f);
    assert_int_equal(fb_vector_field(&f->reader, &f->table, NUMBERS, 8, "numbers", &numbers), TMC_OK);
    assert_int_equal(numbers.count, 3);
    assert_true(fb_vector_i64(&f->reader, &numbers, 1) == -2);
    assert_int_equal(fb_string(&f->reader, &f->table, TEXT, "text", &text), TMC_OK);
    assert_string_equal(text, "text");
    assert_int_equal(fb_sub_table(&f->reader, &f->table, CHILD, "child", &child), TMC_OK);
    assert_int_equal(child.at, f->child);
    /* Absent: beyond the vtable. */
    assert_int_equal(fb_i32(&f->reader, &f->table, MISSING, -7, &word), TMC_OK);
    assert_int_equal(word, -7);
    assert_int_equal(fb_bool(&f->reader, &f->table, MISSING, true, &flag), TMC_OK);
    assert_true(flag);
    assert_int_equal(fb_f32(&f->reader, &f->table, MISSING, 1.5f, &number), TMC_OK);
    assert_true(number == 1.5f);
    assert_int_equal(fb_string(&f->reader, &f->table, MISSING, "text", &text), TMC_OK);
    assert_null(text);
    assert_int_equal(fb_sub_table(&f->reader, &f->table, MISSING, "child", &child), TMC_OK);
    assert_int_equal(child.at, 0);
}

static void put(fixture *f, size_t at, uint32_t value, size_t bytes) { memcpy(f->b.bytes + at, &value, bytes); }

static size_t vtable_of(const fixture *f) {
    uint32_t back;
    memcpy(&back, f->b.bytes + f->root, sizeof back);
    return f->root - back;
}

/* Reads everything; the first failure. */
static tmc_status read_all(fixture *f) {
    int8_t byte;
    int32_t word;
    uint64_t large;
    float number;
    const char *text;
    fb_vector numbers;
    fb_table child;
    TMC_TRY(open_root(f));
    TMC_TRY(fb_i8(&f->reader, &f->table, BYTE, 0, &byte));
    TMC_TRY(fb_i32(&f->reader, &f->table, WORD, 0, &word));
    TMC_TRY(fb_u64(&f->reader, &f->table, LONG, 0, &large));
    TMC_TRY(fb_f32(&f->reader, &f->table, FLOAT, 0, &number));
    TMC_TRY(fb_vector_field(&f->reader, &f->table, NUMBERS, 8, "numbers", &numbers));
    TMC_TRY(fb_string(&f->reader, &f->table, TEXT, "text", &text));
    TMC_TRY(fb_sub_table(&f->reader, &f->table, CHILD, "child", &child));
    return fb_i32(&f->reader, &child, 0, 0, &word);
}

static void expect_format(fixture *f, size_t at) {
    assert_int_equal(read_all(f), TMC_E_FORMAT);
    assert_string_equal(f->err.section, "TFLite");
    assert_int_equal(f->err.byte_offset, at);
}

static void test_field_outside_its_table(void **state) {
    fixture *f = *state;
    const size_t entry = vtable_of(f) + 4 + 2 * LONG;
    uint16_t table_size;
    memcpy(&table_size, f->b.bytes + vtable_of(f) + 2, sizeof table_size);
    put(f, entry, table_size - 4u, 2); /* the last 4 bytes of the table: 8 do not fit */
    expect_format(f, entry);
    put(f, entry, 2, 2); /* inside the offset to the vtable */
    expect_format(f, entry);
    put(f, entry, 0xffff, 2);
    expect_format(f, entry);
}

static void test_misaligned_field(void **state) {
    fixture *f = *state;
    const size_t entry = vtable_of(f) + 4 + 2 * WORD;
    put(f, entry, f->b.bytes[entry] + 1u, 2);
    expect_format(f, fbw_field(&f->b, f->root, WORD));
}

static void test_misaligned_elements(void **state) {
    fixture *f = *state;
    const size_t odd = fbw_vector(&f->b, 8, 1, NULL) - 4; /* a zero in front, then elements at 4 modulo 8 */
    const uint32_t one = 1;
    fbw_link(&f->b, f->root, NUMBERS, odd);
    put(f, odd, one, 4);
    expect_format(f, odd);
}

static void test_sizes_of_tables(void **state) {
    fixture *f = *state;
    const size_t vtable = vtable_of(f);
    const uint16_t good = (uint16_t)(f->b.bytes[vtable] | f->b.bytes[vtable + 1] << 8);
    static const uint32_t bad[] = {0, 2, 5, 0xfffe};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put(f, vtable, bad[i], 2);
        expect_format(f, vtable);
    }
    put(f, vtable, good, 2);
    put(f, vtable + 2, 0xffff, 2); /* of the table */
    expect_format(f, vtable);
    put(f, vtable + 2, 0, 2);
    expect_format(f, vtable);
}

static void test_vectors_and_strings(void **state) {
    fixture *f = *state;
    static const uint32_t counts[] = {0xffffffff, 0x20000000, 0x1fffffff, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) { /* the first three wrap 32 bits when multiplied */
        put(f, f->numbers, counts[i], 4);
        expect_format(f, f->numbers);
    }
    put(f, f->numbers, 3, 4);
    put(f, f->text, 5, 4); /* the string swallows its own end */
    assert_int_equal(read_all(f), TMC_E_FORMAT);
    put(f, f->text, 4, 4);
    assert_int_equal(read_all(f), TMC_OK);
    f->b.bytes[f->text + 5] = 0;
    expect_format(f, f->text + 5);
}

/* An offset that points to itself, and a table that is its own child: each step is taken once, so both end. */
static void test_loops(void **state) {
    fixture *f = *state;
    const size_t at = fbw_field(&f->b, f->root, CHILD);
    put(f, at, 0, 4);
    expect_format(f, at);
    const size_t inner = fbw_table(&f->b, "4");
    fbw_link(&f->b, f->root, CHILD, inner);
    put(f, inner, 0, 4); /* its vtable is the table itself */
    assert_int_equal(read_all(f), TMC_E_FORMAT);
}

static void test_budget(void **state) {
    fixture *f = *state;
    fb_vector numbers;
    uint64_t steps = 0;
    assert_int_equal(open_root(f), TMC_OK);
    while (fb_vector_field(&f->reader, &f->table, NUMBERS, 8, "numbers", &numbers) == TMC_OK) steps++;
    assert_int_equal(f->err.status, TMC_E_LIMIT);
    assert_true(steps > 1000 && 3 * steps <= 65536 + 16 * f->b.size);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_field_outside_its_table, setup, teardown),
        cmocka_unit_test_setup_teardown(test_misaligned_field, setup, teardown),
        cmocka_unit_test_setup_teardown(test_misaligned_elements, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sizes_of_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vectors_and_strings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_loops, setup, teardown),
        cmocka_unit_test_setup_teardown(test_budget, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
