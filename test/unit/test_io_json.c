/* The JSON writer: structure, escapes, numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/json.h"

static void expect_text(json_writer *json, const char *want) {
    char *text = json_finish(json);
    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
}

static void test_structure(void **state) {
    (void)state;
    json_writer json;
    json_start(&json);
    json_open_object(&json, NULL);
    json_string(&json, "a", "b");
    json_open_array(&json, "list");
    json_integer(&json, NULL, 1);
    json_open_object(&json, NULL);
    json_close_object(&json);
    json_open_array(&json, NULL);
    json_close_array(&json);
    json_close_array(&json);
    json_integer(&json, "n", -2);
    json_close_object(&json);
    expect_text(&json, "{\n  \"a\": \"b\",\n  \"list\": [\n    1,\n    {},\n    []\n  ],\n  \"n\": -2\n}\n");
    json_open_array(&json, NULL); /* the writer can be used again */
    json_close_array(&json);
    expect_text(&json, "[]\n");
}

static void expect_quoted(const char *value, const char *want) {
    char quoted[128];
    json_writer json;
    json_start(&json);
    json_string(&json, NULL, value);
    snprintf(quoted, sizeof quoted, "\"%s\"\n", want);
    expect_text(&json, quoted);
}

static void test_escapes(void **state) {
    (void)state;
    expect_quoted("", "");
    expect_quoted("\"", "\\\"");
    expect_quoted("\\", "\\\\");
    expect_quoted("C:\\x \"y\"", "C:\\\\x \\\"y\\\"");
    expect_quoted("a\nb\tc\r", "a\\u000ab\\u0009c\\u000d");
    expect_quoted("\x01\x1f", "\\u0001\\u001f");
    expect_quoted("\x7f/", "\x7f/");
    expect_quoted("\xc3\xa9\xe2\x82\xac\xf0\x9f\xab\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\xab\x80"); /* UTF-8 stays */
}

static void test_key_is_escaped(void **state) {
    (void)state;
    json_writer json;
    json_start(&json);
    json_open_object(&json, NULL);
    json_integer(&json, "a\"b\n", 0);
    json_close_object(&json);
    expect_text(&json, "{\n  \"a\\\"b\\u000a\": 0\n}\n");
}

static void expect_number(double value, const char *want) {
    json_writer json;
    json_start(&json);
    json_number(&json, NULL, value);
    char text[64];
    snprintf(text, sizeof text, "%s\n", want);
    expect_text(&json, text);
}

static void test_numbers(void **state) {
    (void)state;
    expect_number(0, "0");
    expect_number(-1.5, "-1.5");
    expect_number(1e300, "1e+300");
    expect_number(NAN, "\"nan\"");
    expect_number(INFINITY, "\"inf\"");
    expect_number(-INFINITY, "\"-inf\"");
    json_writer json;
    json_start(&json);
    json_integer(&json, NULL, INT64_MIN);
    expect_text(&json, "-9223372036854775808\n");
}

static void test_floats_read_back(void **state) {
    (void)state;
    uint32_t bits = 1;
    for (int i = 0; i < 20000; i++) {
        float value, back;
        bits = bits * 1664525u + 1013904223u;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        json_writer json;
        json_start(&json);
        json_number(&json, NULL, (double)value);
        char *text = json_finish(&json);
        back = strtof(text, NULL);
        assert_memory_equal(&back, &value, sizeof value);
        free(text);
    }
}

static void test_long_text(void **state) {
    (void)state;
    enum { N = 100000 };
    char *value = malloc(N + 1);
    json_writer json;
    memset(value, '\n', N);
    value[N] = 0;
    json_start(&json);
    json_string(&json, NULL, value);
    char *text = json_finish(&json);
    assert_int_equal(strlen(text), 6 * N + 3);
    free(text);
    free(value);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure),        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_key_is_escaped),   cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_floats_read_back), cmocka_unit_test(test_long_text),
    };
    return cmocka_run_group_tests_name("io_json", tests, NULL, NULL);
}
