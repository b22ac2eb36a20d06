/* The verifier by itself: every flipped bit and every truncation, facts of good files, limits, time and places. What is
 * wrong with a file that is wrong in one place is tested case by case through the API: test/api/test_bad_input.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/exec.h"
#include "format/packing.h"
#include "format/reader.h"
#include "graph/packed.h"
#include "graph/validate.h"
#include "lib/tmc_edit.h"
#include "lib/tmc_samples.h"

static tmc_status read_file(const void *bytes, size_t size, int strict, tmc_file_view *view, tmc_error *err) {
    tmc_checksum sum;
    tmc_checksum_start(&sum, tmc_hash_blocks, bytes, size);
    return tmc_file_read(&sum, strict, view, err);
}

static tmc_status verify(const uint8_t *bytes, size_t size, int strict, tmc_error *err) {
    tmc_file_view view;
    tmc_status status = read_file(bytes, size, strict, &view, err);
    if (status != TMC_OK) return status;
    uint8_t *scratch = malloc(view.tensor_count + 1);
    assert_non_null(scratch);
    status = tmc_graph_validate(&view, scratch, strict, err);
    free(scratch);
    return status;
}

static uint8_t *sample_bytes(const char *name, size_t *size) {
    build *b = sample_model(name);
    assert_non_null(b);
    uint8_t *bytes = build_bytes(b, size);
    build_free(b);
    return bytes;
}

static void test_samples_are_valid(void **state) {
    (void)state;
    for (size_t i = 0; sample_name(i); i++) {
        size_t size;
        tmc_error err;
        uint8_t *bytes = sample_bytes(sample_name(i), &size);
        int strict = strcmp(sample_name(i), "extra") != 0;
        if (verify(bytes, size, strict, &err) != TMC_OK)
            fail_msg("%s: %s: %s", sample_name(i), tmc_status_name(err.status), err.message);
        free(bytes);
    }
}

static void test_view(void **state) {
    (void)state;
    size_t size;
    tmc_error err;
    tmc_file_view view;
    uint8_t *bytes = sample_bytes("net", &size);
    assert_int_equal(read_file(bytes, size, 1, &view, &err), TMC_OK);
    assert_int_equal(view.size, size);
    assert_int_equal(view.tensor_count, 9);
    assert_int_equal(view.node_count, 5);
    assert_int_equal(view.metadata_count, 2);
    assert_int_equal(view.test_count, 1);
    assert_string_equal(tmc_file_string(&view, view.graph->name), "net");
    assert_string_equal(tmc_file_string(&view, view.metadata[1].key), "task");
    assert_string_equal(tmc_file_string(&view, view.tensors[0].name), "x");
    const tmc_tensor_desc w = tmc_graph_tensor(&view, &view.tensors[1]);
    assert_int_equal(w.rank, 4);
    assert_int_equal(tmc_tensor_bytes(&w), 6 * 3 * 3 * 4 * 4);
    assert_int_equal(view.tensors[2].data_offset % 64, 0);
    free(bytes);
}

/* A defect of one bit anywhere, the checksum itself included, is seen. */
static void test_every_bit(void **state) {
    (void)state;
    size_t size;
    tmc_error err;
    uint8_t *bytes = sample_bytes("net", &size);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (verify(bytes, size, 0, &err) == TMC_OK) fail_msg("bit %zu flipped and accepted", bit);
        assert_int_equal(err.status, bit / 8 < 8                          ? TMC_E_FORMAT
                                     : bit / 8 >= sizeof(tmc_file_header) ? TMC_E_INTEGRITY
                                                                          : err.status);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(verify(bytes, size, 0, &err), TMC_OK);
    free(bytes);
}

/* Bytes behind the checksum changed and the checksum repaired: whatever the answer, the verifier stays in the file
 * (sanitizers watch) and a refusal says where. */
static void test_every_byte_with_repaired_checksum(void **state) {
    (void)state;
    size_t size, refused = 0;
    tmc_error err;
    static const uint8_t changes[] = {0x01, 0x80, 0xff};
    uint8_t *bytes = sample_bytes("net", &size);
    for (size_t i = 0; i < size; i++)
        for (size_t c = 0; c < sizeof changes; c++) {
            bytes[i] ^= changes[c];
            build_seal(bytes, size);
            if (verify(bytes, size, 1, &err) != TMC_OK) {
                refused++;
                assert_true(err.section[0] && err.byte_offset <= size && err.message[0]);
            }
            bytes[i] ^= changes[c];
        }
    print_message("%zu of %zu changes refused\n", refused, size * sizeof changes);
    free(bytes);
}

static void test_every_truncation(void **state) {
    (void)state;
    size_t size;
    tmc_error err;
    uint8_t *bytes = sample_bytes("net", &size);
    for (size_t n = 0; n < size; n++) {
        uint8_t *part = build_block(n); /* of its own, so that a read past the end is caught */
        memcpy(part, bytes, n);
        assert_int_equal(verify(part, n, 0, &err), TMC_E_TRUNCATED);
        if (n >= sizeof(tmc_file_header)) {
            ((tmc_file_header *)(void *)part)->file_size = n;
            build_seal(part, n);
            assert_int_not_equal(verify(part, n, 0, &err), TMC_OK);
        }
        free(part);
    }
    free(bytes);
}

static void test_error_says_where(void **state) {
    (void)state;
    size_t size;
    tmc_error err;
    uint8_t *bytes = sample_bytes("net", &size);
    assert_null(edit_file(&bytes, &size, "NODE[1].out[0]=999"));
    assert_int_equal(verify(bytes, size, 0, &err), TMC_E_GRAPH);
    assert_int_equal(err.node, 1);
    assert_string_equal(err.section, "INDX");
    const tmc_file_section *index = build_find_section(bytes, TMC_SECTION_INDX);
    assert_int_equal(err.byte_offset, index->offset + 4 * 5);
    assert_non_null(strstr(err.message, "999"));
    free(bytes);

    bytes = sample_bytes("net", &size);
    assert_null(edit_file(&bytes, &size, "TENS[3].dims[1]=3"));
    assert_int_equal(verify(bytes, size, 0, &err), TMC_E_SHAPE);
    assert_int_equal(err.node, 0);
    assert_int_equal(err.tensor, 3);
    assert_non_null(strstr(err.message, "[1,2,2,6]"));
    free(bytes);
}

static void test_view_untouched_on_failure(void **state) {
    (void)state;
    tmc_error err;
    tmc_file_view view, before;
    memset(&view, 0x5a, sizeof view);
    before = view;
    assert_int_equal(read_file("", 0, 0, &view, &err), TMC_E_TRUNCATED);
    assert_memory_equal(&view, &before, sizeof view);
}

static void test_names_are_unique(void **state) {
    (void)state;
    static const int32_t dims[] = {1, 4};
    static const tmc_unary_params clamp = {.kind = TMC_UNARY_CLAMP, .alpha = 0, .beta = 1};
    size_t size;
    tmc_error err;
    build *b = build_new("twice");
    uint32_t x = build_input(b, "x", TMC_F32, 2, dims), y = build_activation(b, "x", TMC_F32, 2, dims);
    build_node(b, "same", TMC_OP_UNARY, &clamp, &x, 1, &y, 1);
    build_output(b, y);
    uint8_t *bytes = build_bytes(b, &size);
    assert_int_equal(verify(bytes, size, 0, &err), TMC_E_FORMAT);
    assert_string_equal(err.field, "name");
    free(bytes);
    build_free(b);
}

/* tiny, and what `extra` adds; `edits` as in test/lib/tmc_edit.h. */
static void check_extra(void (*extra)(build *), const char *edits, tmc_status status, const char *field) {
    size_t size;
    tmc_error err;
    build *b = sample_model("tiny");
    extra(b);
    uint8_t *bytes = build_bytes(b, &size);
    assert_null(edit_file(&bytes, &size, edits));
    assert_int_equal(verify(bytes, size, 0, &err), status);
    if (status != TMC_OK) assert_string_equal(err.field, field);
    free(bytes);
    build_free(b);
}

static void add_activation(build *b) {
    static const int32_t dims[] = {1, 4};
    build_activation(b, "z", TMC_F32, 2, dims);
}

static void add_constant(build *b) {
    static const int32_t dims[] = {5, 4};
    build_constant(b, "w", TMC_F32, 2, dims, NULL);
}

static void add_panels(build *b) {
    static const int32_t dims[] = {5, 4};
    static const float w[20];
    build_panels(b, "w", 2, dims, 1, w, NULL);
}

static void read_panels(build *b, const char *name) {
    static const int32_t dims[] = {1, 5};
    static const tmc_fully_connected_params dense = {.act = {.lo = 0, .hi = 1}};
    const uint32_t inputs[] = {0, 2}, z = build_activation(b, name, TMC_F32, 2, dims);
    build_node(b, "fc", TMC_OP_FULLY_CONNECTED, &dense, inputs, 2, &z, 1);
}

static void add_one_reader(build *b) {
    add_panels(b);
    read_panels(b, "z1");
}

static void add_two_readers(build *b) {
    add_one_reader(b);
    read_panels(b, "z2");
}

static void test_left_over(void **state) {
    (void)state;
    check_extra(add_activation, "", TMC_E_GRAPH, "role");
    check_extra(add_activation, "GRPH.out[0]=2", TMC_E_GRAPH, "outputs");
    check_extra(add_activation, "TENS[2].role=1 TENS[2].dims_max[0]=1 TENS[2].dims_max[1]=4", TMC_E_GRAPH, "inputs");
    check_extra(add_constant, "", TMC_OK, "");
    check_extra(add_panels, "", TMC_E_GRAPH, "packing");
    check_extra(add_one_reader, "", TMC_OK, "");
    check_extra(add_two_readers, "", TMC_E_GRAPH, "packing");
}

static void test_messages(void **state) {
    (void)state;
    static const struct {
        const char *edits, *text;
    } cases[] = {{"HEAD.endian=0x04030201", "big-endian"},
                 {"HEAD.version_major=2 HEAD.version_minor=3", "file version 2.3, this library reads up to 1.x"},
                 {"append=3", "3 trailing bytes"},
                 {"NODE[0].op=99", "code 99"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size;
        tmc_error err;
        uint8_t *bytes = sample_bytes("tiny", &size);
        assert_null(edit_file(&bytes, &size, cases[i].edits));
        assert_int_not_equal(verify(bytes, size, 0, &err), TMC_OK);
        assert_non_null(strstr(err.message, cases[i].text));
        free(bytes);
    }
}

static void test_strings(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int good;
    } cases[] = {
        {"z\xc3\xa9", 1},
        {"z\xe2\x82\xac", 1},
        {"z\xf0\x9f\xab\x80", 1},
        {"z\xc0\x80", 0},
        {"z\xc1\xbf", 0},
        {"z\xe0\x9f\xbf", 0},
        {"z\xed\xa0\x80", 0},
        {"z\xf0\x8f\xbf\xbf", 0},
        {"z\xf4\x90\x80\x80", 0},
        {"z\xf5\x80\x80\x80", 0},
        {"z\x80", 0},
        {"z\xc3", 0},
        {"z\xe2\x82", 0},
        {"z\xf0\x9f\xab", 0},
        {"z\xff", 0},
        {"z\xf4\x8f\xbf\xbf", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size;
        tmc_error err;
        build *b = sample_model("tiny");
        build_metadata(b, "key", cases[i].text);
        uint8_t *bytes = build_bytes(b, &size);
        assert_int_equal(verify(bytes, size, 0, &err), cases[i].good ? TMC_OK : TMC_E_FORMAT);
        if (!cases[i].good) assert_string_equal(err.section, "STRS");
        free(bytes);
        build_free(b);
    }
}

/* The size of packed weights agrees with what the packer writes. */
static void test_packed_bytes(void **state) {
    (void)state;
    uint64_t bytes = 0;
    tmc_error err;
    tmc_conv_params conv = {.spatial = 2, .kernel = {1, 3, 3}, .stride = {1, 2, 2}, .dilation = {1, 1, 1}, .groups = 1};
    tmc_tensor_desc w = {.dtype = TMC_F32, .packing = TMC_PACK_F32_PANELS, .rank = 4, .dims = {21, 3, 3, 4}};
    assert_int_equal(tmc_packed_bytes(TMC_OP_CONV, &conv, &w, &bytes, &err), TMC_OK);
    assert_int_equal(bytes, tmc_panels_floats(21, 36) * 4);
    /* Four phases with 1 + 2 + 2 + 4 = 9 taps in all. */
    assert_int_equal(tmc_packed_bytes(TMC_OP_CONV_TRANSPOSE, &conv, &w, &bytes, &err), TMC_OK);
    assert_int_equal(bytes, 4 * (tmc_panels_floats(21, 4) + 2 * tmc_panels_floats(21, 8) + tmc_panels_floats(21, 16)));
    /* Nine taps, whatever the algorithm. */
    w.packing = TMC_PACK_F32_WINOGRAD_2X2;
    assert_int_equal(tmc_packed_bytes(TMC_OP_CONV, &conv, &w, &bytes, &err), TMC_OK);
    assert_int_equal(bytes, tmc_panels_floats(21, 36) * 4);
    w.packing = TMC_PACK_F32_WINOGRAD_4X4;
    assert_int_equal(tmc_packed_bytes(TMC_OP_CONV, &conv, &w, &bytes, &err), TMC_OK);
    assert_int_equal(bytes, tmc_panels_floats(21, 36) * 4);
    w.packing = TMC_PACK_F32_PANELS;
    conv.groups = 7;
    assert_int_equal(tmc_packed_bytes(TMC_OP_CONV, &conv, &w, &bytes, &err), TMC_OK);
    const size_t group = tmc_panels_floats(3, 36) * 4;
    assert_int_equal(bytes, 6 * ((group + 63) / 64 * 64) + group);
    conv.groups = 1;
    w = (tmc_tensor_desc){.dtype = TMC_F32, .packing = TMC_PACK_F32_PANELS, .rank = 4, .dims = {1, 1, 1, 0x1fffffff}};
    assert_int_equal(tmc_packed_bytes(TMC_OP_CONV, &conv, &w, &bytes, &err), TMC_E_LIMIT);
    w = (tmc_tensor_desc){
        .dtype = TMC_F32, .packing = TMC_PACK_F32_WINOGRAD_4X4, .rank = 4, .dims = {1, 3, 3, 0x1fffffff / 9}};
    assert_int_equal(tmc_packed_bytes(TMC_OP_CONV, &conv, &w, &bytes, &err), TMC_E_LIMIT);
}

/* 10^6 nodes: linear time on a constant stack. */
static void test_long_chain(void **state) {
    (void)state;
    static const uint32_t lengths[] = {125000, 250000, 500000, 1000000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t size;
        tmc_error err;
        build *b = sample_chain(lengths[i]);
        uint8_t *bytes = build_bytes(b, &size);
        uint64_t start = tmc_clock_ns();
        assert_int_equal(verify(bytes, size, 1, &err), TMC_OK);
        print_message("%u nodes, %zu bytes: %.1f ms\n", lengths[i], size, (double)(tmc_clock_ns() - start) / 1e6);
        free(bytes);
        build_free(b);
    }
}

static void test_checksum_speed(void **state) {
    (void)state;
    const size_t size = 14u << 20;
    uint8_t *bytes = build_block(size), checksum[16];
    uint64_t best = UINT64_MAX;
    memset(bytes, 0x5a, size);
    for (int i = 0; i < 10; i++) {
        uint64_t start = tmc_clock_ns();
        tmc_file_checksum(bytes, size, checksum);
        uint64_t time = tmc_clock_ns() - start;
        if (time < best) best = time;
    }
    print_message("checksum of 14 MiB: %.2f ms\n", (double)best / 1e6);
    free(bytes);
}

/* The checksum is XXH3-128 of the file with the field as zeros, in canonical (big-endian) order. */
static void test_checksum_definition(void **state) {
    (void)state;
    size_t size;
    uint8_t stored[16], computed[16];
    uint8_t *bytes = sample_bytes("tiny", &size);
    memcpy(stored, bytes + 32, 16);
    memset(bytes + 32, 0, 16);
    tmc_digest(bytes, size, computed);
    assert_memory_equal(stored, computed, 16);
    static const uint8_t of_nothing[16] = {0x99, 0xaa, 0x06, 0xd3, 0x01, 0x47, 0x98, 0xd8,
                                           0x60, 0x01, 0xc3, 0x24, 0x46, 0x8d, 0x49, 0x7f};
    tmc_digest("", 0, computed);
    assert_memory_equal(of_nothing, computed, 16);
    free(bytes);
}

/* The bytes that docs/format.md shows are those of the sample "tiny". */
static void test_documented_example(void **state) {
    (void)state;
    char line[256];
    size_t size, offset = 0, seen = 0;
    int used = 0;
    uint8_t *bytes = sample_bytes("tiny", &size), *shown = calloc(1, size);
    FILE *page = fopen("docs/format.md", "r");
    if (!page || !shown) fail_msg("docs/format.md: run the test in the root of the source tree");
    while (fgets(line, sizeof line, page)) {
        if (strspn(line, "0123456789abcdef") != 3 || sscanf(line, "%3zx  %n", &offset, &used) != 1) continue;
        char *at = line + used, *next;
        for (size_t i = 0; i < 16 && offset + i < size; i++, at = next) {
            shown[offset + i] = (uint8_t)strtoul(at, &next, 16);
            seen++;
        }
    }
    fclose(page);
    assert_true(seen > 300);
    assert_memory_equal(shown, bytes, size);
    free(shown);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples_are_valid),
        cmocka_unit_test(test_view),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_every_byte_with_repaired_checksum),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_error_says_where),
        cmocka_unit_test(test_view_untouched_on_failure),
        cmocka_unit_test(test_names_are_unique),
        cmocka_unit_test(test_left_over),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_packed_bytes),
        cmocka_unit_test(test_long_chain),
        cmocka_unit_test(test_checksum_speed),
        cmocka_unit_test(test_checksum_definition),
        cmocka_unit_test(test_documented_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
