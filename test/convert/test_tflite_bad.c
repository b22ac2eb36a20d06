/* Malformed and hostile TFLite files: each case breaks one place of a good model and names the status that must come
 * out, with no graph. Then every truncation and every changed byte, and files that are larger than they look. The
 * numbers are those of the catalogue of bad input (docs/testing.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "convert/tflite/tflite_import.h"
#include "lib/tflite_samples.h"

/* The bytes in a block of exactly their size, so that a sanitizer sees a read past them. */
static tmc_status import_exact(const uint8_t *bytes, size_t size, ir_graph **graph, tmc_error *err) {
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    tmc_error_init(err);
    tmc_status status = tflite_import_memory(copy, size, NULL, graph, err);
    free(copy);
    return status;
}

static void expect(const char *label, const fbw *b, tmc_status want) {
    ir_graph *graph;
    tmc_error err;
    tmc_status got = import_exact(b->bytes, b->size, &graph, &err);
    if (got != want)
        fail_msg("%s: %s (%s), expected %s", label, tmc_status_name(got), err.message, tmc_status_name(want));
    if (want == TMC_OK) {
        ir_graph_free(graph);
        return;
    }
    assert_null(graph);
    if (!err.message[0]) fail_msg("%s: no message", label);
}

/* ------------------------------------------------------------------------------------------------------ one place */

#define AT(member) offsetof(tflite_sample, member)

/* What is changed: a field of the table whose position lies at `where` in the sample, or with slot WORD + n the n-th
 * word of the vector there (0: its count), or with ABSOLUTE a byte of the file. */
enum { WORD = 1000, ABSOLUTE = 2000 };

typedef struct bad_case {
    const char *label;
    size_t where;
    uint32_t slot, bytes;
    uint64_t value;
    tmc_status status;
} bad_case;

static const bad_case cases[] = {
    {"3 identifier", 4, ABSOLUTE, 4, 0x334c4654 + 0x100, TMC_E_FORMAT},
    {"4 schema version", AT(model), 0, 4, 4, TMC_E_VERSION},
    {"119 root outside", 0, ABSOLUTE, 4, 0x7ffffff0, TMC_E_FORMAT},
    {"119 root at 0", 0, ABSOLUTE, 4, 0, TMC_E_FORMAT},
    {"120 root misaligned", 0, ABSOLUTE, 4, 9, TMC_E_FORMAT},
    {"120 vtable outside", AT(model), ABSOLUTE + 1, 4, 0x7fffffff, TMC_E_FORMAT},
    {"120 vtable behind the file", AT(model), ABSOLUTE + 1, 4, 0x80000000, TMC_E_FORMAT},
    {"120 vtable misaligned", AT(model), ABSOLUTE + 1, 4, 5, TMC_E_FORMAT},
    {"120 offset 0", AT(model), 2, 4, 0, TMC_E_FORMAT},
    {"120 offset outside", AT(model), 2, 4, 0xffffffff, TMC_E_FORMAT},
    {"120 vector misaligned", AT(model), 2, 4, 1, TMC_E_FORMAT},
    {"120 vector longer than the file", AT(tensors), WORD, 4, 0xffffffff, TMC_E_FORMAT},
    {"120 element outside", AT(tensors), WORD + 1, 4, 0x7ffffffc, TMC_E_FORMAT},
    {"120 shape longer than the file", AT(shape[0]), WORD, 4, 0x3fffffff, TMC_E_FORMAT},
    {"121 buffer index", AT(tensor[3]), 2, 4, 4, TMC_E_RANGE},
    {"121 buffer index 2^32-1", AT(tensor[3]), 2, 4, 0xffffffff, TMC_E_RANGE},
    {"121 data and offset", AT(buffer[2]), 1, 8, 64, TMC_E_FORMAT},
    {"122 wrong union type", AT(operator_[1]), 3, 1, 5, TMC_E_FORMAT},
    {"122 union without a type", AT(operator_[1]), 3, 1, 0, TMC_E_FORMAT},
    {"123 operator code index", AT(operator_[1]), 0, 4, 3, TMC_E_GRAPH},
    {"123 custom operator", AT(code[1]), 3, 4, 32, TMC_E_UNSUPPORTED},
    {"26 unknown operator", AT(code[1]), 3, 4, 100000, TMC_E_UNSUPPORTED},
    {"26 negative operator code", AT(code[1]), 0, 1, 0x80, TMC_E_FORMAT},
    {"25 input index", AT(inputs[1]), WORD + 1, 4, 7, TMC_E_GRAPH},
    {"25 input index -2", AT(inputs[1]), WORD + 1, 4, 0xfffffffe, TMC_E_GRAPH},
    {"25 output index -1", AT(outputs[1]), WORD + 1, 4, 0xffffffff, TMC_E_GRAPH},
    {"25 graph input index", AT(graph_inputs), WORD + 1, 4, 7, TMC_E_GRAPH},
    {"25 graph output index", AT(graph_outputs), WORD + 1, 4, 0x7fffffff, TMC_E_GRAPH},
    {"28 mandatory input absent", AT(inputs[1]), WORD + 2, 4, 0xffffffff, TMC_E_GRAPH},
    {"27 too few inputs", AT(inputs[1]), WORD, 4, 1, TMC_E_GRAPH},
    {"30 read before written", AT(inputs[1]), WORD + 1, 4, 6, TMC_E_GRAPH},
    {"31 two producers", AT(outputs[2]), WORD + 1, 4, 4, TMC_E_GRAPH},
    {"32 same input and output", AT(outputs[1]), WORD + 1, 4, 0, TMC_E_GRAPH},
    {"33 constant written", AT(outputs[1]), WORD + 1, 4, 3, TMC_E_GRAPH},
    {"33 constant as graph input", AT(graph_inputs), WORD + 1, 4, 3, TMC_E_GRAPH},
    {"34 constant without data", AT(tensor[3]), 2, 4, 0, TMC_E_GRAPH},
    {"35 no inputs", AT(graph_inputs), WORD, 4, 0, TMC_E_GRAPH},
    {"35 no outputs", AT(graph_outputs), WORD, 4, 0, TMC_E_GRAPH},
    {"40 rank", AT(shape[0]), WORD, 4, 9, TMC_E_SHAPE},
    {"41 dim 0 of an input", AT(shape[0]), WORD + 2, 4, 0, TMC_E_SHAPE},
    {"42 negative dim", AT(shape[0]), WORD + 2, 4, 0xfffffffc, TMC_E_SHAPE},
    {"43 product of dims", AT(shape[0]), WORD + 1, 4, 0x7fffffff, TMC_E_LIMIT},
    {"46 declared shape", AT(shape[4]), WORD + 4, 4, 5, TMC_E_SHAPE},
    {"47 data too short", AT(shape[3]), WORD + 1, 4, 4, TMC_E_SHAPE},
    {"47 data too long", AT(data[2]), WORD, 4, 11, TMC_E_SHAPE},
    {"53 element type", AT(tensor[0]), 1, 1, 10, TMC_E_UNSUPPORTED},
    {"53 unknown element type", AT(tensor[0]), 1, 1, 99, TMC_E_UNSUPPORTED},
    {"64 stride 0", AT(options[1]), 1, 4, 0, TMC_E_RANGE},
    {"64 stride negative", AT(options[1]), 2, 4, 0x80000000, TMC_E_RANGE},
    {"65 dilation 0", AT(options[1]), 4, 4, 0, TMC_E_RANGE},
    {"65 dilation too large", AT(options[1]), 4, 4, 0x7fffffff, TMC_E_RANGE},
    {"67 padding", AT(options[1]), 0, 1, 2, TMC_E_UNSUPPORTED},
    {"77 reshape", AT(data[3]), WORD + 2, 4, 47, TMC_E_SHAPE},
    {"77 reshape to 0", AT(data[3]), WORD + 2, 4, 0, TMC_E_SHAPE},
    {"84 activation", AT(options[1]), 3, 1, 17, TMC_E_UNSUPPORTED},
    {"125 no subgraph", AT(subgraphs), WORD, 4, 0, TMC_E_FORMAT},
    {"a variable", AT(tensor[3]), 5, 1, 1, TMC_E_UNSUPPORTED},
    {"an absent bias is fine", AT(inputs[1]), WORD + 3, 4, 0xffffffff, TMC_OK},
    {"an older file has no newer code", AT(code[1]), 3, 4, 0, TMC_OK},
};

static size_t place_of(const tflite_sample *s, const bad_case *c) {
    size_t position;
    if (c->slot == ABSOLUTE) return c->where;
    memcpy(&position, (const uint8_t *)s + c->where, sizeof position);
    if (c->slot > ABSOLUTE) return position; /* the table itself: the offset to its vtable */
    return c->slot >= WORD ? position + 4 * (size_t)(c->slot - WORD) : fbw_field(&s->b, position, c->slot);
}

static void test_one_place(void **state) {
    (void)state;
    tflite_sample good = tflite_sample_make();
    expect("the sample", &good.b, TMC_OK);
    fbw_free(&good.b);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tflite_sample s = tflite_sample_make();
        memcpy(s.b.bytes + place_of(&s, &cases[i]), &cases[i].value, cases[i].bytes);
        expect(cases[i].label, &s.b, cases[i].status);
        fbw_free(&s.b);
    }
}

/* Buffers behind the FlatBuffer (121): offset, size and what comes of it; the bias has 12 bytes. */
static void test_buffers_outside(void **state) {
    (void)state;
    static const struct {
        int64_t offset; /* from the end of the FlatBuffer */
        uint64_t size;
        tmc_status status;
    } buffers[] = {
        {0, 12, TMC_OK},
        {0, 11, TMC_E_SHAPE},
        {4, 12, TMC_E_RANGE},
        {0, 13, TMC_E_RANGE},
        {-12, UINT64_MAX, TMC_E_RANGE},
        {INT64_MAX, 12, TMC_E_RANGE},
        {INT64_MIN, 12, TMC_E_RANGE},
    };
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
        char label[48];
        tflite_sample s = tflite_sample_make();
        const uint32_t none = 0;
        const size_t end = fbw_vector(&s.b, 1, 8, NULL); /* 12 bytes with the count: room for the bias */
        const uint64_t offset = (uint64_t)end + (uint64_t)buffers[i].offset;
        memcpy(s.b.bytes + s.data[2], &none, sizeof none);
        fbw_set(&s.b, s.buffer[2], 1, &offset, sizeof offset);
        fbw_set(&s.b, s.buffer[2], 2, &buffers[i].size, sizeof buffers[i].size);
        snprintf(label, sizeof label, "121 external buffer %zu", i);
        expect(label, &s.b, buffers[i].status);
        fbw_free(&s.b);
    }
}

/* 33: nothing else would notice that the list of dims is written and given out. */
static void test_constant_written(void **state) {
    (void)state;
    const int32_t constant = 5;
    tflite_sample s = tflite_sample_make();
    memcpy(s.b.bytes + s.outputs[2] + 4, &constant, sizeof constant);
    memcpy(s.b.bytes + s.graph_outputs + 4, &constant, sizeof constant);
    expect("33 constant written", &s.b, TMC_E_GRAPH);
    fbw_free(&s.b);
}

static void test_strings(void **state) {
    (void)state;
    static const struct {
        const char *label;
        char text[4];
        tmc_status status;
    } names[] = {{"plain", "abc", TMC_OK},
                 {"UTF-8", "\xc3\xa9z", TMC_OK},
                 {"NUL inside", {'a', 0, 'c', 0}, TMC_E_FORMAT},
                 {"not UTF-8",
                  "a\xff"
                  "c",
                  TMC_E_FORMAT},
                 {"not ended", {'a', 'b', 'c', 'd'}, TMC_E_FORMAT}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        tflite_sample s = tflite_sample_make();
        const size_t name = fbw_string(&s.b, "abc");
        memcpy(s.b.bytes + name + 4, names[i].text, 4);
        fbw_link(&s.b, s.tensor[3], 3, name);
        expect(names[i].label, &s.b, names[i].status);
        fbw_free(&s.b);
    }
}

/* -------------------------------------------------------------------------------------------------- quantisation */

static const struct {
    const char *label;
    float scale[3];
    int64_t zero_point[3];
    uint32_t scale_count, zero_count, dimension;
    tmc_status status;
} quantised[] = {
    {"per channel", {1, 2, 3}, {0, 0, 0}, 3, 3, 0, TMC_OK},
    {"no zero points", {1, 2, 3}, {0, 0, 0}, 3, 0, 2, TMC_OK},
    {"one for all", {1}, {-128}, 1, 1, 9, TMC_OK},
    {"55 scale 0", {1, 0, 3}, {0, 0, 0}, 3, 3, 0, TMC_E_QUANT},
    {"55 scale negative", {1, -1, 3}, {0, 0, 0}, 3, 3, 0, TMC_E_QUANT},
    {"55 scale NaN", {__builtin_nanf(""), 1, 1}, {0, 0, 0}, 3, 3, 0, TMC_E_QUANT},
    {"55 scale infinite", {1, 1, __builtin_inff()}, {0, 0, 0}, 3, 3, 0, TMC_E_QUANT},
    {"55 scale subnormal", {1e-40f, 1, 1}, {0, 0, 0}, 3, 3, 0, TMC_E_QUANT},
    {"57 zero point 128", {1, 1, 1}, {0, 128, 0}, 3, 3, 0, TMC_E_QUANT},
    {"57 zero point -2^63", {1, 1, 1}, {0, 0, INT64_MIN}, 3, 3, 0, TMC_E_QUANT},
    {"58 two zero points for three", {1, 1, 1}, {0, 0, 0}, 3, 2, 0, TMC_E_QUANT},
    {"58 two scales for three channels", {1, 1, 1}, {0, 0, 0}, 2, 2, 0, TMC_E_QUANT},
    {"58 three scales for two channels", {1, 1, 1}, {0, 0, 0}, 3, 3, 3, TMC_E_QUANT},
    {"126 axis 4", {1, 1, 1}, {0, 0, 0}, 3, 3, 4, TMC_E_QUANT},
    {"126 axis -1", {1, 1, 1}, {0, 0, 0}, 3, 3, 0xffffffff, TMC_E_QUANT},
};

static void test_quantisation(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof quantised / sizeof *quantised; i++) {
        tflite_sample s = tflite_sample_make();
        const uint32_t bytes = 54;
        fbw_set_u8(&s.b, s.tensor[1], 1, 9); /* int8 */
        memcpy(s.b.bytes + s.data[1], &bytes, sizeof bytes);
        memcpy(s.b.bytes + s.scale, &quantised[i].scale_count, sizeof bytes);
        memcpy(s.b.bytes + s.scale + 4, quantised[i].scale, sizeof quantised[i].scale);
        memcpy(s.b.bytes + s.zero_point, &quantised[i].zero_count, sizeof bytes);
        memcpy(s.b.bytes + s.zero_point + 4, quantised[i].zero_point, sizeof quantised[i].zero_point);
        fbw_set_u32(&s.b, s.quantization[1], 6, quantised[i].dimension);
        expect(quantised[i].label, &s.b, quantised[i].status);
        fbw_free(&s.b);
    }
}

/* ------------------------------------------------------------------------------------------------- every one of them
 */

static void test_every_truncation(void **state) {
    (void)state;
    tflite_sample s = tflite_sample_make();
    for (size_t size = 0; size < s.b.size; size++) {
        ir_graph *graph;
        tmc_error err;
        tmc_status status = import_exact(s.b.bytes, size, &graph, &err);
        if (status == TMC_OK) fail_msg("%zu of %zu bytes were accepted", size, s.b.size);
        assert_null(graph);
        assert_int_not_equal(status, TMC_E_INTERNAL);
    }
    fbw_free(&s.b);
}

/* What is still accepted must be a graph that can be written. */
static void check_accepted(ir_graph *graph, size_t at) {
    uint8_t *bytes = NULL;
    size_t size;
    tmc_error err;
    tmc_error_init(&err);
    tmc_status status = ir_write(graph, 0, &bytes, &size, &err);
    if (status != TMC_OK && status != TMC_E_LIMIT) fail_msg("byte %zu: %s", at, err.message);
    free(bytes);
    ir_graph_free(graph);
}

static void test_every_changed_byte(void **state) {
    (void)state;
    tflite_sample s = tflite_sample_make();
    uint32_t accepted = 0, refused = 0;
    for (size_t at = 0; at < s.b.size; at++)
        for (uint32_t change = 0; change <= 8; change++) {
            ir_graph *graph;
            tmc_error err;
            const uint8_t flip = change < 8 ? (uint8_t)(1u << change) : 0xff;
            s.b.bytes[at] ^= flip;
            tmc_status status = import_exact(s.b.bytes, s.b.size, &graph, &err);
            s.b.bytes[at] ^= flip;
            if (status == TMC_E_INTERNAL || (status != TMC_OK && (graph || !err.message[0])))
                fail_msg("byte %zu ^ %02x: %s %s", at, flip, tmc_status_name(status), err.message);
            if (status == TMC_OK) check_accepted(graph, at);
            accepted += status == TMC_OK;
            refused += status != TMC_OK;
        }
    assert_true(accepted > 100 && refused > 1000); /* both happen: weights and names, offsets and counts */
    fbw_free(&s.b);
}

/* ------------------------------------------------------------------------------------------- larger than they look */

enum { MANY = 20000 };

/* A vector of many offsets to the sample's bias tensor, whose name is long. */
static void test_overlap_costs_linear_time(void **state) {
    (void)state;
    tflite_sample s = tflite_sample_make();
    char *name = malloc(MANY + 1);
    assert_non_null(name);
    memset(name, 'n', MANY);
    name[MANY] = 0;
    const size_t tensors = fbw_vector(&s.b, 4, MANY, NULL), tensor = fbw_table(&s.b, "4144");
    fbw_link(&s.b, tensor, 0, fbw_vector(&s.b, 4, 0, NULL));
    fbw_link(&s.b, tensor, 3, fbw_string(&s.b, name));
    for (size_t i = 0; i < MANY; i++) fbw_refer(&s.b, tensors + 4 + 4 * i, tensor);
    fbw_link(&s.b, s.subgraph, 0, tensors);
    expect("120 overlapping strings", &s.b, TMC_E_LIMIT); /* 400 MB of names in 100 KB */
    free(name);
    fbw_free(&s.b);
}

/* A chain of additions, each with a constant tensor of its own, all of them the same bytes. */
static void test_overlapping_constants(void **state) {
    (void)state;
    enum { LENGTH = 64, ELEMENTS = 1 << 18, ADD = 0, ADD_OPTIONS = 11 };
    static const int32_t dims[1] = {ELEMENTS}, input = 0, output = 2 * LENGTH;
    fbw b = fbw_new("TFL3");
    const size_t model = fbw_table(&b, "444.4"), codes = fbw_vector(&b, 4, 1, NULL), code = fbw_table(&b, "1.44");
    const size_t subgraphs = fbw_vector(&b, 4, 1, NULL), subgraph = fbw_table(&b, "4444");
    const size_t tensors = fbw_vector(&b, 4, 2 * LENGTH + 1, NULL), operators = fbw_vector(&b, 4, LENGTH, NULL);
    const size_t buffers = fbw_vector(&b, 4, 2, NULL), buffer = fbw_table(&b, "4");
    fbw_root(&b, model);
    fbw_set_u32(&b, model, 0, 3);
    fbw_link(&b, model, 1, codes);
    fbw_refer(&b, codes + 4, code);
    fbw_link(&b, model, 2, subgraphs);
    fbw_refer(&b, subgraphs + 4, subgraph);
    fbw_link(&b, model, 4, buffers);
    fbw_refer(&b, buffers + 4, buffer);
    fbw_refer(&b, buffers + 8, buffer);
    fbw_link(&b, subgraph, 0, tensors);
    fbw_link(&b, subgraph, 1, fbw_vector(&b, 4, 1, &input));
    fbw_link(&b, subgraph, 2, fbw_vector(&b, 4, 1, &output));
    fbw_link(&b, subgraph, 3, operators);
    const size_t activation = fbw_table(&b, "414"), constant = fbw_table(&b, "414");
    const size_t shape = fbw_vector(&b, 4, 1, dims);
    fbw_link(&b, activation, 0, shape);
    fbw_link(&b, constant, 0, shape);
    fbw_set_u32(&b, constant, 2, 1);
    /* Tensors: x, then a constant and a sum for each addition. */
    for (uint32_t i = 0; i <= 2 * LENGTH; i++)
        fbw_refer(&b, tensors + 4 + 4 * (size_t)i, i % 2 ? constant : activation);
    for (int32_t i = 0; i < LENGTH; i++) {
        const int32_t inputs[2] = {2 * i, 2 * i + 1}, sum = 2 * i + 2;
        const size_t op = fbw_table(&b, "44414");
        fbw_refer(&b, operators + 4 + 4 * (size_t)i, op);
        fbw_link(&b, op, 1, fbw_vector(&b, 4, 2, inputs));
        fbw_link(&b, op, 2, fbw_vector(&b, 4, 1, &sum));
        fbw_set_u8(&b, op, 3, ADD_OPTIONS);
        fbw_link(&b, op, 4, fbw_table(&b, "1"));
    }
    fbw_link(&b, buffer, 0, fbw_vector(&b, 1, 4 * ELEMENTS, NULL));
    expect("overlapping constants", &b, TMC_E_LIMIT); /* 64 MiB of constants in 1 MiB */
    fbw_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_place),
        cmocka_unit_test(test_buffers_outside),
        cmocka_unit_test(test_constant_written),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_quantisation),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_changed_byte),
        cmocka_unit_test(test_overlap_costs_linear_time),
        cmocka_unit_test(test_overlapping_constants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
