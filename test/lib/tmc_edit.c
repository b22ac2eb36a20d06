#include "lib/tmc_edit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/tmc_build.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

typedef struct {
    const char *name;
    size_t offset, width, count;
    bool real;
} field;

#define ELEMENT(type, member) sizeof(((type *)0)->member)
#define ONE(type, member)                                                                                              \
    { #member, offsetof(type, member), ELEMENT(type, member), 1, false }
#define MANY(type, member)                                                                                             \
    {                                                                                                                  \
#member, offsetof(type, member), ELEMENT(type, member[0]), ELEMENT(type, member) / ELEMENT(type, member[0]),   \
            false                                                                                                      \
    }
#define REAL(type, member)                                                                                             \
    { #member, offsetof(type, member), 4, 1, true }
#define REALS(type, member)                                                                                            \
    { #member, offsetof(type, member), 4, ELEMENT(type, member) / 4, true }
#define ACT(type, at)                                                                                                  \
    {"lo", (at), 4, 1, true}, { "hi", (at) + 4, 4, 1, true }
#define WINDOW(type)                                                                                                   \
    ONE(type, spatial), MANY(type, kernel), MANY(type, stride), MANY(type, dilation), MANY(type, pad_begin),           \
        MANY(type, pad_end)

static const field header_fields[] = {
    MANY(tmc_file_header, magic),      ONE(tmc_file_header, version_major), ONE(tmc_file_header, version_minor),
    ONE(tmc_file_header, endian),      ONE(tmc_file_header, file_size),     ONE(tmc_file_header, section_count),
    ONE(tmc_file_header, header_size), MANY(tmc_file_header, checksum),     MANY(tmc_file_header, sha256),
    ONE(tmc_file_header, revision),    ONE(tmc_file_header, flags),         MANY(tmc_file_header, reserved),
};
static const field section_fields[] = {
    ONE(tmc_file_section, id),   ONE(tmc_file_section, flags), ONE(tmc_file_section, offset),
    ONE(tmc_file_section, size), ONE(tmc_file_section, count), ONE(tmc_file_section, record_size),
};
static const field graph_fields[] = {
    ONE(tmc_file_graph, name),         ONE(tmc_file_graph, input_first), ONE(tmc_file_graph, input_count),
    ONE(tmc_file_graph, output_count), MANY(tmc_file_graph, reserved),
};
static const field tensor_fields[] = {
    ONE(tmc_file_tensor, name),      ONE(tmc_file_tensor, dtype),        ONE(tmc_file_tensor, rank),
    ONE(tmc_file_tensor, role),      ONE(tmc_file_tensor, layout),       MANY(tmc_file_tensor, dims),
    MANY(tmc_file_tensor, dims_max), ONE(tmc_file_tensor, data_offset),  ONE(tmc_file_tensor, data_bytes),
    ONE(tmc_file_tensor, packing),   ONE(tmc_file_tensor, quantization), MANY(tmc_file_tensor, reserved),
};
static const field node_fields[] = {
    ONE(tmc_file_node, name),        ONE(tmc_file_node, op),           ONE(tmc_file_node, flags),
    ONE(tmc_file_node, input_count), ONE(tmc_file_node, output_count), ONE(tmc_file_node, index_first),
    ONE(tmc_file_node, param_first), ONE(tmc_file_node, param_count),  MANY(tmc_file_node, reserved),
};
static const field metadata_fields[] = {ONE(tmc_file_metadata, key), ONE(tmc_file_metadata, value)};
static const field test_fields[] = {ONE(tmc_file_test, seed), ONE(tmc_file_test, output), MANY(tmc_file_test, digest)};
static const field index_fields[] = {{"", 0, 4, 1, false}};
static const field byte_fields[] = {{"", 0, 1, 1, false}};
static const field f32_fields[] = {{"", 0, 4, 1, true}, {"bits", 0, 4, 1, false}};
static const field quantization_fields[] = {
    REAL(tmc_file_quantization, scale),
    ONE(tmc_file_quantization, zero_point),
    ONE(tmc_file_quantization, scale_first),
    ONE(tmc_file_quantization, scale_count),
};

static const struct {
    const char *name;
    size_t record;
    const field *fields;
    size_t count;
} tables[] = {
    {"GRPH", sizeof(tmc_file_graph), graph_fields, COUNT(graph_fields)},
    {"TENS", sizeof(tmc_file_tensor), tensor_fields, COUNT(tensor_fields)},
    {"NODE", sizeof(tmc_file_node), node_fields, COUNT(node_fields)},
    {"META", sizeof(tmc_file_metadata), metadata_fields, COUNT(metadata_fields)},
    {"TEST", sizeof(tmc_file_test), test_fields, COUNT(test_fields)},
    {"INDX", 4, index_fields, COUNT(index_fields)},
    {"STRS", 1, byte_fields, COUNT(byte_fields)},
    {"WGHT", 4, f32_fields, COUNT(f32_fields)},
    {"QUAN", sizeof(tmc_file_quantization), quantization_fields, COUNT(quantization_fields)},
    {"QSCL", 4, f32_fields, COUNT(f32_fields)},
};

static const field conv_fields[] = {WINDOW(tmc_conv_params), MANY(tmc_conv_params, output_pad),
                                    ONE(tmc_conv_params, groups), ACT(tmc_conv_params, offsetof(tmc_conv_params, act))};
static const field act_fields[] = {ACT(tmc_act_params, 0)};
static const field pool_fields[] = {WINDOW(tmc_pool_params), ONE(tmc_pool_params, ceil_mode),
                                    ONE(tmc_pool_params, count_include_pad), ONE(tmc_pool_params, p)};
static const field unary_fields[] = {ONE(tmc_unary_params, kind), REAL(tmc_unary_params, alpha),
                                     REAL(tmc_unary_params, beta)};
static const field binary_fields[] = {ONE(tmc_binary_params, kind),
                                      ACT(tmc_binary_params, offsetof(tmc_binary_params, act))};
static const field norm_fields[] = {REAL(tmc_norm_params, epsilon), ONE(tmc_norm_params, groups),
                                    ONE(tmc_norm_params, axis)};
static const field lrn_fields[] = {ONE(tmc_lrn_params, size), REAL(tmc_lrn_params, alpha), REAL(tmc_lrn_params, beta),
                                   REAL(tmc_lrn_params, bias)};
static const field softmax_fields[] = {ONE(tmc_softmax_params, axis), ONE(tmc_softmax_params, log)};
static const field reduce_fields[] = {ONE(tmc_reduce_params, kind), ONE(tmc_reduce_params, axes),
                                      ONE(tmc_reduce_params, keep_dims)};
static const field arg_fields[] = {ONE(tmc_arg_params, axis), ONE(tmc_arg_params, keep_dims),
                                   ONE(tmc_arg_params, select_last)};
static const field axis_fields[] = {ONE(tmc_axis_params, axis)};
static const field split_fields[] = {ONE(tmc_split_params, axis), MANY(tmc_split_params, sizes)};
static const field slice_fields[] = {MANY(tmc_slice_params, begin), MANY(tmc_slice_params, end),
                                     MANY(tmc_slice_params, step)};
static const field pad_fields[] = {ONE(tmc_pad_params, mode), MANY(tmc_pad_params, begin), MANY(tmc_pad_params, end),
                                   REAL(tmc_pad_params, value)};
/* "rank" and "dims" of the output's tensor record are TENS fields; these are the node's. */
static const field shape_fields[] = {ONE(tmc_shape_params, rank), MANY(tmc_shape_params, dims)};
static const field resize_fields[] = {ONE(tmc_resize_params, mode),        ONE(tmc_resize_params, coordinates),
                                      ONE(tmc_resize_params, nearest),     ONE(tmc_resize_params, exclude_outside),
                                      REAL(tmc_resize_params, cubic_a),    REAL(tmc_resize_params, extrapolation),
                                      MANY(tmc_resize_params, sizes),      REALS(tmc_resize_params, scales),
                                      REALS(tmc_resize_params, roi_begin), REALS(tmc_resize_params, roi_end)};
static const field block_fields[] = {ONE(tmc_block_params, block), ONE(tmc_block_params, mode)};
static const field cast_fields[] = {ONE(tmc_cast_params, dtype)};
static const field no_fields[] = {ONE(tmc_no_params, reserved)};

#define OP(code, fields)                                                                                               \
    { TMC_OP_##code, fields, COUNT(fields) }
static const struct {
    uint16_t op;
    const field *fields;
    size_t count;
} op_params[] = {
    OP(CONV, conv_fields),
    OP(DEPTHWISE_CONV, conv_fields),
    OP(CONV_TRANSPOSE, conv_fields),
    OP(FULLY_CONNECTED, act_fields),
    OP(MATMUL, no_fields),
    OP(MAX_POOL, pool_fields),
    OP(AVERAGE_POOL, pool_fields),
    OP(LP_POOL, pool_fields),
    OP(UNARY, unary_fields),
    OP(BINARY, binary_fields),
    OP(SCALE_SHIFT, act_fields),
    OP(GROUP_NORM, norm_fields),
    OP(LAYER_NORM, norm_fields),
    OP(LRN, lrn_fields),
    OP(SOFTMAX, softmax_fields),
    OP(REDUCE, reduce_fields),
    OP(ARG_MAX, arg_fields),
    OP(CONCAT, axis_fields),
    OP(SPLIT, split_fields),
    OP(SLICE, slice_fields),
    OP(PAD, pad_fields),
    OP(RESHAPE, shape_fields),
    OP(EXPAND, shape_fields),
    OP(TILE, shape_fields),
    OP(TRANSPOSE, shape_fields),
    OP(RESIZE, resize_fields),
    OP(DEPTH_TO_SPACE, block_fields),
    OP(SPACE_TO_DEPTH, block_fields),
    OP(CHANNEL_SHUFFLE, block_fields),
    OP(GATHER, axis_fields),
    OP(CAST, cast_fields),
    OP(QUANTIZE, no_fields),
    OP(DEQUANTIZE, no_fields),
    OP(TABLE, no_fields),
};

/* One edit, cut into NAME [record] . field [element] and a value. */
typedef struct {
    char name[12], record[16], field[24];
    long element;
    bool add;
    const char *value;
    size_t value_length;
} edit;

typedef struct {
    uint8_t *at;
    size_t width;
    bool real;
} target;

static const char *copy_until(const char *s, const char *end, const char *stops, char *out, size_t size) {
    size_t n = 0;
    while (s < end && !strchr(stops, *s)) {
        if (n + 1 < size) out[n++] = *s;
        s++;
    }
    out[n] = 0;
    return s;
}

static const char *parse_brackets(const char *s, const char *end, char *out, size_t size) {
    out[0] = 0;
    if (s >= end || *s != '[') return s;
    s = copy_until(s + 1, end, "]", out, size);
    return s < end ? s + 1 : s;
}

static edit parse(const char *s, const char *end) {
    edit e = {.value = ""};
    char element[16];
    s = copy_until(s, end, "[.+=", e.name, sizeof e.name);
    s = parse_brackets(s, end, e.record, sizeof e.record);
    if (s < end && *s == '.') s = copy_until(s + 1, end, "[+=", e.field, sizeof e.field);
    s = parse_brackets(s, end, element, sizeof element);
    e.element = atol(element);
    if (s < end && *s == '+') e.add = true, s++;
    if (s < end && *s == '=') {
        e.value = s + 1;
        e.value_length = (size_t)(end - e.value);
    }
    return e;
}

static uint32_t id_of(const char *text) {
    return strlen(text) < 4 ? 0 : TMC_FOURCC((uint8_t)text[0], (uint8_t)text[1], (uint8_t)text[2], (uint8_t)text[3]);
}

static long long integer_of(const edit *e) {
    if (e->value[0] == '\'') return id_of(e->value + 1);
    if (!strncmp(e->value, "none", 4)) return TMC_FILE_NONE;
    return (long long)strtoull(e->value, NULL, 0); /* takes a minus sign too */
}

static bool find_field(const field *fields, size_t count, uint8_t *record, const edit *e, target *t) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(fields[i].name, e->field) && e->element >= 0 && (size_t)e->element < fields[i].count) {
            *t = (target){record + fields[i].offset + (size_t)e->element * fields[i].width, fields[i].width,
                          fields[i].real};
            return true;
        }
    return false;
}

/* in[] and out[] of a node or of the graph. */
static bool find_index(uint8_t *bytes, uint32_t first, uint32_t inputs, const edit *e, target *t) {
    const bool is_input = !strcmp(e->field, "in");
    const tmc_file_section *index = build_find_section(bytes, TMC_SECTION_INDX);
    if (!is_input && strcmp(e->field, "out") != 0) return false;
    *t = (target){bytes + index->offset + 4 * (first + (is_input ? 0 : inputs) + (size_t)e->element), 4, false};
    return true;
}

static bool find_param(uint8_t *bytes, const tmc_file_node *n, const edit *e, target *t) {
    uint8_t *params = bytes + build_find_section(bytes, TMC_SECTION_PARM)->offset + 4 * (size_t)n->param_first;
    for (size_t i = 0; i < COUNT(op_params); i++)
        if (op_params[i].op == n->op) return find_field(op_params[i].fields, op_params[i].count, params, e, t);
    return false;
}

static bool find_in_section(uint8_t *bytes, const edit *e, target *t) {
    const tmc_file_section *s = build_find_section(bytes, id_of(e->name));
    const size_t i = (size_t)atol(e->record);
    for (size_t k = 0; s && k < COUNT(tables); k++) {
        if (strcmp(tables[k].name, e->name) != 0) continue;
        if ((i + 1) * tables[k].record > s->size) return false;
        uint8_t *record = bytes + s->offset + i * tables[k].record;
        if (find_field(tables[k].fields, tables[k].count, record, e, t)) return true;
        if (!strcmp(e->name, "GRPH")) {
            const tmc_file_graph *g = (const tmc_file_graph *)(void *)record;
            return find_index(bytes, g->input_first, g->input_count, e, t);
        }
        if (!strcmp(e->name, "NODE")) {
            const tmc_file_node *n = (const tmc_file_node *)(void *)record;
            return find_index(bytes, n->index_first, n->input_count, e, t) || find_param(bytes, n, e, t);
        }
    }
    return false;
}

static bool find_target(uint8_t *bytes, const edit *e, target *t) {
    if (!strcmp(e->name, "HEAD")) return find_field(header_fields, COUNT(header_fields), bytes, e, t);
    if (!strcmp(e->name, "SECT") || !strcmp(e->name, "PAD")) {
        tmc_file_section *s = build_find_section(bytes, id_of(e->record));
        if (!s) return false;
        if (e->name[0] == 'S') return find_field(section_fields, COUNT(section_fields), (uint8_t *)s, e, t);
        *t = (target){bytes + s->offset + s->size, 1, false};
        return true;
    }
    return find_in_section(bytes, e, t);
}

static void store(const target *t, const edit *e) {
    if (t->real) {
        float value = strtof(e->value, NULL);
        memcpy(t->at, &value, sizeof value);
        return;
    }
    uint64_t value = 0;
    if (e->add) memcpy(&value, t->at, t->width);
    value += (uint64_t)integer_of(e);
    memcpy(t->at, &value, t->width);
}

static void resize(uint8_t **bytes, size_t *size, size_t wanted) {
    uint8_t *copy = build_block(wanted);
    memset(copy, 0, wanted);
    memcpy(copy, *bytes, wanted < *size ? wanted : *size);
    free(*bytes);
    *bytes = copy;
    *size = wanted;
}

/* Edits of the whole file. */
static bool apply_whole(uint8_t **bytes, size_t *size, const edit *e, bool *seal) {
    const size_t value = (size_t)integer_of(e);
    if (!strcmp(e->name, "raw")) {
        *seal = false;
    } else if (!strcmp(e->name, "truncate")) {
        resize(bytes, size, value);
    } else if (!strcmp(e->name, "append")) {
        resize(bytes, size, *size + value);
    } else if (!strcmp(e->name, "flip") && value / 8 < *size) {
        (*bytes)[value / 8] ^= (uint8_t)(1u << value % 8);
    } else {
        return false;
    }
    return true;
}

const char *edit_file(uint8_t **bytes, size_t *size, const char *edits) {
    bool seal = true;
    for (const char *s = edits; *s;) {
        const char *end = s + strcspn(s, " ");
        const edit e = parse(s, end);
        target t;
        if (!apply_whole(bytes, size, &e, &seal)) {
            if (!find_target(*bytes, &e, &t)) return s;
            store(&t, &e);
        }
        s = end + strspn(end, " ");
    }
    if (seal) build_seal(*bytes, *size);
    return NULL;
}
