/* ONNX files that are no well-formed messages, cut, changed or nested. The numbers are those of the catalogue of bad
 * input (docs/testing.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/onnx_fixture.h"

/* ------------------------------------------------------------------------------------------------------ raw bytes */

static const struct raw_case {
    const char *name, *bytes;
    size_t size;
    tmc_status status;
} raw_cases[] = {
    {"105 empty", "", 0, TMC_E_FORMAT},
    {"105 text", "hello world\n", 12, TMC_E_FORMAT},
    {"105 varint of 11 bytes", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, TMC_E_FORMAT},
    {"105 varint over 64 bits", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, TMC_E_FORMAT},
    {"105 varint cut off", "\x08\x80", 2, TMC_E_FORMAT},
    {"105 length past the end", "\x3a\x7f\x0a", 3, TMC_E_FORMAT},
    {"105 length of 2^63", "\x3a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, TMC_E_FORMAT},
    {"105 fixed64 cut off", "\x09\x01\x02", 3, TMC_E_FORMAT},
    {"105 fixed32 cut off", "\x0d\x01\x02", 3, TMC_E_FORMAT},
    {"105 field number 0", "\x00\x01", 2, TMC_E_FORMAT},
    {"105 wire type 7", "\x0f", 1, TMC_E_FORMAT},
    {"105 graph as a number", "\x08\x08\x38\x01", 4, TMC_E_FORMAT},
    {"105 graph twice", "\x08\x08\x3a\x00\x3a\x00", 6, TMC_E_FORMAT},
    {"106 group", "\x0b\x0c", 2, TMC_E_FORMAT},
    {"NUL in a name",
     "\x08\x08\x12\x03"
     "a\0b",
     7, TMC_E_FORMAT},
    {"name that is not UTF-8", "\x08\x08\x12\x02\xc3\x28", 6, TMC_E_FORMAT},
    {"name with a surrogate", "\x08\x08\x12\x03\xed\xa0\x80", 7, TMC_E_FORMAT},
    {"name in overlong form", "\x08\x08\x12\x02\xc0\x80", 6, TMC_E_FORMAT},
};

static void test_raw_bytes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof raw_cases / sizeof *raw_cases; i++) {
        tmc_error err;
        uint8_t *copy = malloc(raw_cases[i].size ? raw_cases[i].size : 1); /* so that a sanitizer sees an over-read */
        assert_non_null(copy);
        memcpy(copy, raw_cases[i].bytes, raw_cases[i].size);
        onnx_fixture_expect(raw_cases[i].name, onnx_fixture_import(copy, raw_cases[i].size, NULL, &err),
                            raw_cases[i].status, &err);
        free(copy);
    }
}

static void test_every_truncation_fails(void **state) {
    (void)state;
    onnx_fixture f;
    size_t size;
    tmc_error err;
    onnx_fixture_init(&f);
    uint8_t *bytes = onnx_fixture_pack(&f, &size);
    for (size_t n = 0; n < size; n++) {
        uint8_t *cut = malloc(n ? n : 1);
        assert_non_null(cut);
        memcpy(cut, bytes, n);
        if (onnx_fixture_import(cut, n, NULL, &err) == TMC_OK) fail_msg("%zu of %zu bytes are accepted", n, size);
        free(cut);
    }
    free(bytes);
}

/* Any single wrong byte gives an answer: the sanitizers are the judge. */
static void test_every_byte_changed(void **state) {
    (void)state;
    static const uint8_t masks[] = {0x01, 0x80, 0xff};
    onnx_fixture f;
    size_t size;
    tmc_error err;
    onnx_fixture_init(&f);
    uint8_t *bytes = onnx_fixture_pack(&f, &size);
    for (size_t at = 0; at < size; at++)
        for (size_t m = 0; m < sizeof masks; m++) {
            bytes[at] ^= masks[m];
            onnx_fixture_import(bytes, size, NULL, &err);
            bytes[at] ^= masks[m];
        }
    free(bytes);
}

/* Type -> sequence -> element type -> ... `depth` levels deep, from the inside out. */
static void test_nesting(void **state) {
    (void)state;
    enum { DEPTH = 100000, HEAD = 6 };
    size_t capacity = (size_t)DEPTH * (2 * HEAD), at = capacity;
    uint8_t *bytes = malloc(capacity);
    tmc_error err;
    assert_non_null(bytes);
    for (int level = 0; level < DEPTH; level++) {
        static const uint8_t tags[2] = {0x0a, 0x22}; /* Sequence.elem_type, TypeProto.sequence_type */
        size_t length = capacity - at;
        uint8_t varint[HEAD];
        size_t n = 0;
        for (; length >= 0x80; length >>= 7) varint[n++] = (uint8_t)(length | 0x80);
        varint[n++] = (uint8_t)length;
        at -= n;
        memcpy(bytes + at, varint, n);
        bytes[--at] = tags[level & 1];
    }
    /* As a model's graph (7) the levels are not messages of the right type; as input (11) . type (2) they are. */
    static const uint8_t outer_tags[3] = {0x12, 0x5a, 0x3a};
    for (int i = 0; i < 3; i++) {
        size_t length = capacity - at, n = 0;
        uint8_t varint[HEAD];
        for (; length >= 0x80; length >>= 7) varint[n++] = (uint8_t)(length | 0x80);
        varint[n++] = (uint8_t)length;
        at -= n;
        memcpy(bytes + at, varint, n);
        bytes[--at] = outer_tags[i];
    }
    onnx_fixture_expect("106 nesting of 10^5", onnx_fixture_import(bytes + at, capacity - at, NULL, &err), TMC_E_LIMIT,
                        &err);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raw_bytes),
        cmocka_unit_test(test_every_truncation_fails),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_nesting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
