/* NumPy files: good ones of every type, and bad ones made from a good one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "graph/tensor.h"
#include "io/npy.h"
#include "lib/temp_file.h"

typedef struct {
    uint8_t bytes[70000];
    size_t size;
} file;

static void put(file *f, const void *bytes, size_t n) {
    assert_true(f->size + n <= sizeof f->bytes);
    memcpy(f->bytes + f->size, bytes, n);
    f->size += n;
}

/* `header_bytes` 0: the text's own length. */
static void make(file *f, int version, const char *header, size_t header_bytes, const void *data, size_t data_bytes) {
    size_t length = header_bytes ? header_bytes : strlen(header);
    const uint8_t start[12] = {0x93,
                               'N',
                               'U',
                               'M',
                               'P',
                               'Y',
                               (uint8_t)version,
                               0,
                               (uint8_t)length,
                               (uint8_t)(length >> 8),
                               (uint8_t)(length >> 16),
                               (uint8_t)(length >> 24)};
    f->size = 0;
    put(f, start, version == 1 ? 10 : 12);
    put(f, header, strlen(header));
    put(f, data, data_bytes);
}

static tmc_status read_bytes(const void *bytes, size_t size, npy_array *array) {
    tmc_error err;
    tmc_error_init(&err);
    temp_file t = temp_file_make(bytes, size);
    tmc_status status = npy_read(t.path, array, &err);
    temp_file_remove(&t);
    if (status) {
        assert_null(array->data);
        assert_int_equal(err.status, status);
        assert_true(err.message[0]);
    }
    return status;
}

#define GOOD "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n"
static const float six[6] = {1, -2, 3.5f, -0.0f, 1e-40f, 6};

static void test_versions(void **state) {
    (void)state;
    file f;
    for (int version = 1; version <= 3; version++) {
        npy_array a;
        make(&f, version, GOOD, 0, six, sizeof six);
        assert_int_equal(read_bytes(f.bytes, f.size, &a), TMC_OK);
        assert_int_equal(a.dtype, TMC_F32);
        assert_int_equal(a.rank, 2);
        assert_int_equal(a.dims[0], 2);
        assert_int_equal(a.dims[1], 3);
        assert_memory_equal(a.data, six, sizeof six);
        npy_free(&a);
    }
}

/* What is written is read again, and starts at a multiple of 64 bytes as NumPy writes it. */
static void test_round_trip(void **state) {
    (void)state;
    static const tmc_dtype types[] = {TMC_F32, TMC_I32, TMC_I64, TMC_U8, TMC_I8, TMC_BOOL, TMC_F16};
    uint8_t data[64];
    for (size_t i = 0; i < sizeof data; i++) data[i] = i & 1;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        for (int32_t rank = 0; rank <= TMC_MAX_RANK; rank++) {
            npy_array a = {.dtype = types[i], .rank = rank, .data = data}, b;
            tmc_error err;
            tmc_error_init(&err);
            a.bytes = tmc_dtype_size(types[i]);
            for (int32_t k = 0; k < rank; k++) a.dims[k] = k == 1 ? 4 : k == 3 ? 2 : 1;
            for (int32_t k = 0; k < rank; k++) a.bytes *= (size_t)a.dims[k];
            temp_file t = temp_file_make("", 0);
            assert_int_equal(npy_write(t.path, &a, &err), TMC_OK);
            assert_int_equal(npy_read(t.path, &b, &err), TMC_OK);
            assert_int_equal(b.dtype, a.dtype);
            assert_int_equal(b.rank, rank);
            assert_memory_equal(b.dims, a.dims, sizeof a.dims);
            assert_int_equal(b.bytes, a.bytes);
            assert_memory_equal(b.data, data, a.bytes);
            npy_free(&b);
            FILE *stream = fopen(t.path, "rb");
            assert_non_null(stream);
            fseek(stream, 0, SEEK_END);
            assert_int_equal((ftell(stream) - (long)a.bytes) % 64, 0);
            fclose(stream);
            temp_file_remove(&t);
        }
    }
}

static void test_doubles(void **state) {
    (void)state;
    const double good[2] = {0.1, INFINITY}, bad[2] = {1, 1e300};
    const char *header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }";
    file f;
    npy_array a;
    make(&f, 1, header, 0, good, sizeof good);
    assert_int_equal(read_bytes(f.bytes, f.size, &a), TMC_OK);
    assert_int_equal(a.dtype, TMC_F32);
    assert_int_equal(a.bytes, 8);
    assert_true(((float *)a.data)[0] == 0.1f && isinf(((float *)a.data)[1]));
    npy_free(&a);
    make(&f, 1, header, 0, bad, sizeof bad);
    assert_int_equal(read_bytes(f.bytes, f.size, &a), TMC_E_RANGE);
}

static void test_every_truncation(void **state) {
    (void)state;
    file f;
    npy_array a;
    for (int version = 1; version <= 2; version++) {
        make(&f, version, GOOD, 0, six, sizeof six);
        for (size_t size = 0; size < f.size; size++) assert_int_equal(read_bytes(f.bytes, size, &a), TMC_E_TRUNCATED);
    }
}

/* No byte of a good file can be changed so that the reader crashes or leaks. */
static void test_every_byte(void **state) {
    (void)state;
    static const uint8_t values[] = {0, 0x20, 0x27, 0x28, 0x2c, 0x39, 0x7f, 0xff};
    file f;
    make(&f, 1, GOOD, 0, six, sizeof six);
    for (size_t at = 0; at < f.size; at++) {
        uint8_t old = f.bytes[at];
        for (size_t i = 0; i < sizeof values; i++) {
            npy_array a;
            f.bytes[at] = values[i];
            if (read_bytes(f.bytes, f.size, &a) == TMC_OK) npy_free(&a);
        }
        f.bytes[at] = old;
    }
}

#define HEAD(descr, order, shape) "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }"
static const struct {
    const char *what;
    int version;
    const char *header;
    size_t header_bytes, data_bytes;
    tmc_status status;
} bad[] = {
    {"version 0", 0, GOOD, 0, 24, TMC_E_VERSION},
    {"version 4", 4, GOOD, 0, 24, TMC_E_VERSION},
    {"header of 4 GiB", 2, GOOD, 0xffffffff, 24, TMC_E_LIMIT},
    {"header longer than the file", 1, GOOD, 1000, 24, TMC_E_TRUNCATED},
    {"empty header", 1, "", 0, 24, TMC_E_FORMAT},
    {"header of other text", 1, "hello", 0, 24, TMC_E_FORMAT},
    {"no shape", 1, "{'descr': '<f4', 'fortran_order': False, }", 0, 24, TMC_E_FORMAT},
    {"no type", 1, "{'fortran_order': False, 'shape': (2, 3), }", 0, 24, TMC_E_DTYPE},
    {"no order", 1, "{'descr': '<f4', 'shape': (2, 3), }", 0, 24, TMC_E_FORMAT},
    {"Fortran order", 1, HEAD("'<f4'", "True", "(2, 3)"), 0, 24, TMC_E_FORMAT},
    {"big-endian", 1, HEAD("'>f4'", "False", "(2, 3)"), 0, 24, TMC_E_DTYPE},
    {"complex", 1, HEAD("'<c8'", "False", "(3,)"), 0, 24, TMC_E_DTYPE},
    {"Unicode", 1, HEAD("'<U2'", "False", "(3,)"), 0, 24, TMC_E_DTYPE},
    {"objects", 1, HEAD("'|O'", "False", "(3,)"), 0, 24, TMC_E_DTYPE},
    {"record", 1, HEAD("[('a', '<f4')]", "False", "(6,)"), 0, 24, TMC_E_DTYPE},
    {"uint16", 1, HEAD("'<u2'", "False", "(12,)"), 0, 24, TMC_E_DTYPE},
    {"longer name of a type", 1, HEAD("'<f42'", "False", "(6,)"), 0, 24, TMC_E_DTYPE},
    {"shape of words", 1, HEAD("'<f4'", "False", "(a, b)"), 0, 24, TMC_E_FORMAT},
    {"shape not closed", 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3", 0, 0, TMC_E_FORMAT},
    {"shape is a list", 1, HEAD("'<f4'", "False", "[2, 3]"), 0, 24, TMC_E_FORMAT},
    {"rank 7", 1, HEAD("'<f4'", "False", "(1, 1, 1, 1, 1, 2, 3)"), 0, 24, TMC_E_SHAPE},
    {"dimension 0", 1, HEAD("'<f4'", "False", "(0, 3)"), 0, 0, TMC_E_SHAPE},
    {"dimension -1", 1, HEAD("'<f4'", "False", "(-1, 3)"), 0, 24, TMC_E_SHAPE},
    {"dimension 2^31", 1, HEAD("'<f4'", "False", "(2147483648,)"), 0, 24, TMC_E_SHAPE},
    {"dimension of 30 digits", 1, HEAD("'<f4'", "False", "(999999999999999999999999999999,)"), 0, 24, TMC_E_SHAPE},
    {"product over 2^64", 1, HEAD("'<f4'", "False", "(2147483647, 2147483647, 2147483647)"), 0, 24, TMC_E_LIMIT},
    {"product over 2^31", 1, HEAD("'|u1'", "False", "(65536, 65536)"), 0, 24, TMC_E_LIMIT},
    {"data short by one element", 1, GOOD, 0, 20, TMC_E_TRUNCATED},
    {"data long by one byte", 1, GOOD, 0, 25, TMC_E_FORMAT},
    {"truth value 255", 1, HEAD("'|b1'", "False", "(24,)"), 0, 24, TMC_E_FORMAT},
};

static void test_bad_files(void **state) {
    (void)state;
    file f;
    uint8_t data[32];
    memset(data, 0xff, sizeof data);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        npy_array a;
        make(&f, bad[i].version, bad[i].header, bad[i].header_bytes, data, bad[i].data_bytes);
        tmc_status status = read_bytes(f.bytes, f.size, &a);
        if (status != bad[i].status)
            fail_msg("%s: %s, expected %s", bad[i].what, tmc_status_name(status), tmc_status_name(bad[i].status));
    }
}

static void test_wrong_magic(void **state) {
    (void)state;
    file f;
    npy_array a;
    make(&f, 1, GOOD, 0, six, sizeof six);
    for (size_t bit = 0; bit < 48; bit++) {
        f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(read_bytes(f.bytes, f.size, &a), TMC_E_FORMAT);
        f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void test_not_a_file(void **state) {
    (void)state;
    tmc_error err;
    npy_array a;
    tmc_error_init(&err);
    assert_int_equal(npy_read("/nonexistent/x.npy", &a, &err), TMC_E_IO);
    assert_int_equal(npy_read("/tmp", &a, &err), TMC_E_IO);
    assert_int_equal(npy_read("/dev/null", &a, &err), TMC_E_IO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),         cmocka_unit_test(test_round_trip), cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_every_truncation), cmocka_unit_test(test_every_byte), cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_wrong_magic),      cmocka_unit_test(test_not_a_file),
    };
    return cmocka_run_group_tests_name("io_npy", tests, NULL, NULL);
}
