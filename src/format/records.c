#include <stdbool.h>

#include "base/checked.h"
#include "format/sections.h"

typedef struct {
    const tmc_file_view *view;
    tmc_error *err;
    uint64_t index_used;                     /* entries of INDX that the lists so far take */
    uint64_t data_end;                       /* of the constants so far, in WGHT */
    uint32_t quantization_used, scales_used; /* records of QUAN and numbers of QSCL */
} checker;

static uint64_t place(const checker *c, const void *p) { return (uint64_t)((const uint8_t *)p - c->view->bytes); }

static tmc_status check_zero(const checker *c, const char *section, const char *field, const uint32_t *words,
                             size_t count) {
    for (size_t i = 0; i < count; i++)
        if (words[i])
            return tmc_fail_at(c->err, section, place(c, &words[i]),
                               tmc_fail_field(c->err, TMC_E_FORMAT, field, "0x%x in a field that must be 0", words[i]));
    return TMC_OK;
}

static tmc_status check_string(const checker *c, const char *section, const char *field, const uint32_t *reference) {
    const uint32_t offset = *reference;
    const tmc_file_view *v = c->view;
    if (offset >= v->strings_size)
        return tmc_fail_at(c->err, section, place(c, reference),
                           tmc_fail_field(c->err, TMC_E_RANGE, field, "string at %u of %llu bytes", offset,
                                          (unsigned long long)v->strings_size));
    if (offset && v->strings[offset - 1])
        return tmc_fail_at(
            c->err, section, place(c, reference),
            tmc_fail_field(c->err, TMC_E_FORMAT, field, "offset %u is not the start of a string", offset));
    return TMC_OK;
}

/* Lists share no entry and leave none out: together they are as long as INDX. That also bounds the work on all lists
 * by the size of the file. */
static tmc_status check_list(checker *c, const char *section, const uint32_t *first, uint64_t count) {
    if (!tmc_in_bounds(*first, count, c->view->index_count))
        return tmc_fail_at(c->err, section, place(c, first),
                           tmc_fail_field(c->err, TMC_E_RANGE, "index_first", "%llu entries from %u, INDX has %u",
                                          (unsigned long long)count, *first, c->view->index_count));
    c->index_used += count;
    return TMC_OK;
}

static tmc_status check_index_used(const checker *c) {
    if (c->index_used == c->view->index_count) return TMC_OK;
    return tmc_fail_at(c->err, "INDX", place(c, c->view->index),
                       tmc_fail_field(c->err, TMC_E_FORMAT, "count",
                                      "lists of %llu entries in all, INDX has %u: each must belong to one list",
                                      (unsigned long long)c->index_used, c->view->index_count));
}

static tmc_status check_graph(checker *c) {
    const tmc_file_graph *g = c->view->graph;
    TMC_TRY(check_string(c, "GRPH", "name", &g->name));
    TMC_TRY(check_zero(c, "GRPH", "reserved", g->reserved, 4));
    const uint64_t count = (uint64_t)g->input_count + g->output_count;
    if (count > TMC_FILE_MAX_IO)
        return tmc_fail_at(c->err, "GRPH", place(c, &g->input_count),
                           tmc_fail_field(c->err, TMC_E_LIMIT, "input_count", "%llu inputs and outputs, limit %u",
                                          (unsigned long long)count, TMC_FILE_MAX_IO));
    return check_list(c, "GRPH", &g->input_first, count);
}

/* Constants lie like sections: in order, each at the first multiple of 64 after the one before, zeros between. */
static tmc_status check_constant(checker *c, const tmc_file_tensor *t) {
    const tmc_file_view *v = c->view;
    tmc_error *err = c->err;
    const uint64_t at = place(c, &t->data_offset);
    if (!tmc_in_bounds(t->data_offset, t->data_bytes, v->weights_size))
        return tmc_fail_at(err, "TENS", at,
                           tmc_fail_field(err, TMC_E_RANGE, "data_offset", "%llu bytes at %llu, WGHT has %llu",
                                          (unsigned long long)t->data_bytes, (unsigned long long)t->data_offset,
                                          (unsigned long long)v->weights_size));
    /* data_end is inside WGHT, so rounding it up cannot wrap. */
    const uint64_t expected = (c->data_end + TMC_FILE_ALIGN - 1) & ~(uint64_t)(TMC_FILE_ALIGN - 1);
    if (t->data_offset != expected)
        return tmc_fail_at(
            err, "TENS", at,
            tmc_fail_field(err, TMC_E_FORMAT, "data_offset",
                           "data at %llu, expected %llu: the next multiple of 64 after the constant before",
                           (unsigned long long)t->data_offset, (unsigned long long)expected));
    for (uint64_t i = c->data_end; i < t->data_offset; i++)
        if (v->weights[i])
            return tmc_fail_at(err, "WGHT", place(c, v->weights + i),
                               tmc_fail_field(err, TMC_E_FORMAT, "padding", "padding between constants must be 0"));
    c->data_end = t->data_offset + t->data_bytes;
    return TMC_OK;
}

/* Each record belongs to one tensor and each scale to one record, both in order: nothing is left over. */
static tmc_status check_quantization(checker *c, const tmc_file_tensor *t) {
    const tmc_file_view *v = c->view;
    if (t->quantization == TMC_FILE_NONE) return TMC_OK;
    if (t->quantization != c->quantization_used || t->quantization >= v->quantization_count)
        return tmc_fail_at(c->err, "TENS", place(c, &t->quantization),
                           tmc_fail_field(c->err, TMC_E_RANGE, "quantization", "record %u of %u, expected %u: the next",
                                          t->quantization, v->quantization_count, c->quantization_used));
    const tmc_file_quantization *q = &v->quantization[c->quantization_used++];
    const uint32_t expected = q->scale_count ? c->scales_used : 0;
    if (q->scale_first != expected || !tmc_in_bounds(q->scale_first, q->scale_count, v->scale_count))
        return tmc_fail_at(c->err, "QUAN", place(c, &q->scale_first),
                           tmc_fail_field(c->err, TMC_E_RANGE, "scale_first",
                                          "%u scales from %u, QSCL has %u, expected from %u", q->scale_count,
                                          q->scale_first, v->scale_count, expected));
    c->scales_used += q->scale_count;
    return TMC_OK;
}

static tmc_status check_quantization_used(const checker *c) {
    const tmc_file_view *v = c->view;
    if (c->quantization_used != v->quantization_count)
        return tmc_fail_at(c->err, "QUAN", place(c, v->quantization),
                           tmc_fail_field(c->err, TMC_E_FORMAT, "count", "%u records, but tensors have %u",
                                          v->quantization_count, c->quantization_used));
    if (c->scales_used != v->scale_count)
        return tmc_fail_at(c->err, "QSCL", place(c, v->scales),
                           tmc_fail_field(c->err, TMC_E_FORMAT, "count", "%u scales, but tensors have %u",
                                          v->scale_count, c->scales_used));
    return TMC_OK;
}

static tmc_status check_tensor(checker *c, const tmc_file_tensor *t) {
    tmc_error *err = c->err;
    TMC_TRY(check_string(c, "TENS", "name", &t->name));
    TMC_TRY(check_zero(c, "TENS", "reserved", t->reserved, 4));
    TMC_TRY(check_quantization(c, t));
    if (t->role > TMC_ROLE_CONSTANT)
        return tmc_fail_at(err, "TENS", place(c, &t->role),
                           tmc_fail_field(err, TMC_E_FORMAT, "role", "role %d, expected 0 to 2", t->role));
    if (t->layout > TMC_LAYOUT_CHANNELS_LAST)
        return tmc_fail_at(err, "TENS", place(c, &t->layout),
                           tmc_fail_field(err, TMC_E_FORMAT, "layout", "layout %d, expected 0 or 1", t->layout));
    if (t->role == TMC_ROLE_CONSTANT) return check_constant(c, t);
    if (t->data_offset || t->data_bytes)
        return tmc_fail_at(err, "TENS", place(c, &t->data_offset),
                           tmc_fail_field(err, TMC_E_FORMAT, "data_offset", "data in a tensor that is no constant"));
    if (t->packing)
        return tmc_fail_at(
            err, "TENS", place(c, &t->packing),
            tmc_fail_field(err, TMC_E_FORMAT, "packing", "packing %u in a tensor that is no constant", t->packing));
    return TMC_OK;
}

static tmc_status check_tensors(checker *c) {
    const tmc_file_view *v = c->view;
    for (uint32_t i = 0; i < v->tensor_count; i++) {
        tmc_status status = check_tensor(c, &v->tensors[i]);
        if (status != TMC_OK) {
            tmc_error_at_tensor(c->err, (int32_t)i);
            return status;
        }
    }
    if (c->data_end != v->weights_size)
        return tmc_fail_at(c->err, "WGHT", place(c, v->weights) + c->data_end,
                           tmc_fail_field(c->err, TMC_E_FORMAT, "size", "%llu bytes after the last constant",
                                          (unsigned long long)(v->weights_size - c->data_end)));
    return check_quantization_used(c);
}

static tmc_status check_node(checker *c, const tmc_file_node *n) {
    TMC_TRY(check_string(c, "NODE", "name", &n->name));
    TMC_TRY(check_zero(c, "NODE", "reserved", n->reserved, 2));
    if (n->flags)
        return tmc_fail_at(c->err, "NODE", place(c, &n->flags),
                           tmc_fail_field(c->err, TMC_E_FORMAT, "flags", "flags 0x%x, expected 0", n->flags));
    TMC_TRY(check_list(c, "NODE", &n->index_first, (uint64_t)n->input_count + n->output_count));
    if (!tmc_in_bounds(n->param_first, n->param_count, c->view->param_count))
        return tmc_fail_at(c->err, "NODE", place(c, &n->param_first),
                           tmc_fail_field(c->err, TMC_E_RANGE, "param_first", "%u words from %u, PARM has %u",
                                          n->param_count, n->param_first, c->view->param_count));
    return TMC_OK;
}

static tmc_status check_nodes(checker *c) {
    const tmc_file_view *v = c->view;
    for (uint32_t i = 0; i < v->node_count; i++) {
        tmc_status status = check_node(c, &v->nodes[i]);
        if (status != TMC_OK) {
            tmc_error_at_node(c->err, (int32_t)i);
            return status;
        }
    }
    return check_index_used(c);
}

/* Strings are stored once, so keys are equal where their offsets are; the count limit bounds the square. */
static tmc_status check_metadata(const checker *c) {
    const tmc_file_metadata *m = c->view->metadata;
    for (uint32_t i = 0; i < c->view->metadata_count; i++) {
        TMC_TRY(check_string(c, "META", "key", &m[i].key));
        TMC_TRY(check_string(c, "META", "value", &m[i].value));
        if (!m[i].key)
            return tmc_fail_at(c->err, "META", place(c, &m[i].key),
                               tmc_fail_field(c->err, TMC_E_FORMAT, "key", "the key of entry %u is empty", i));
        for (uint32_t j = 0; j < i; j++)
            if (m[j].key == m[i].key)
                return tmc_fail_at(c->err, "META", place(c, &m[i].key),
                                   tmc_fail_field(c->err, TMC_E_FORMAT, "key",
                                                  "entries %u and %u have the same key '%s'", j, i,
                                                  c->view->strings + m[i].key));
    }
    return TMC_OK;
}

static tmc_status check_tests(const checker *c) {
    const tmc_file_view *v = c->view;
    for (uint32_t i = 0; i < v->test_count; i++)
        if (v->tests[i].output >= v->graph->output_count)
            return tmc_fail_at(c->err, "TEST", place(c, &v->tests[i].output),
                               tmc_fail_field(c->err, TMC_E_RANGE, "output", "self-test %u of output %u, there are %u",
                                              i, v->tests[i].output, v->graph->output_count));
    return TMC_OK;
}

tmc_status tmc_file_check_records(const tmc_file_view *view, tmc_error *err) {
    checker c = {.view = view, .err = err};
    TMC_TRY(check_graph(&c));
    TMC_TRY(check_tensors(&c));
    TMC_TRY(check_nodes(&c));
    TMC_TRY(check_metadata(&c));
    return check_tests(&c);
}
