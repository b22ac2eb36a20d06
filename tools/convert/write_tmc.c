#include "convert/write_tmc.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "convert/memory.h"
#include "format/reader.h"
#include "io/digest.h"

enum { STRS, GRPH, TENS, NODE, INDX, PARM, QUAN, QSCL, META, WGHT, TEST, SECTION_COUNT };

static const struct {
    uint32_t id, flags, record_size;
} sections[SECTION_COUNT] = {
    [STRS] = {TMC_SECTION_STRS, TMC_SECTION_MANDATORY, 0},
    [GRPH] = {TMC_SECTION_GRPH, TMC_SECTION_MANDATORY, sizeof(tmc_file_graph)},
    [TENS] = {TMC_SECTION_TENS, TMC_SECTION_MANDATORY, sizeof(tmc_file_tensor)},
    [NODE] = {TMC_SECTION_NODE, TMC_SECTION_MANDATORY, sizeof(tmc_file_node)},
    [INDX] = {TMC_SECTION_INDX, TMC_SECTION_MANDATORY, sizeof(uint32_t)},
    [PARM] = {TMC_SECTION_PARM, TMC_SECTION_MANDATORY, sizeof(uint32_t)},
    [QUAN] = {TMC_SECTION_QUAN, TMC_SECTION_MANDATORY, sizeof(tmc_file_quantization)},
    [QSCL] = {TMC_SECTION_QSCL, TMC_SECTION_MANDATORY, sizeof(float)},
    [META] = {TMC_SECTION_META, 0, sizeof(tmc_file_metadata)},
    [WGHT] = {TMC_SECTION_WGHT, TMC_SECTION_MANDATORY, 0},
    [TEST] = {TMC_SECTION_TEST, 0, sizeof(tmc_file_test)},
};

typedef struct writer {
    const ir_graph *graph;
    uint32_t *tensor_index; /* of each ir tensor in the file, TMC_FILE_NONE if it is left out */
    const char **strings;   /* sorted, each once, without the empty one */
    uint32_t *string_offsets;
    uint32_t string_count;
    uint64_t sizes[SECTION_COUNT], offsets[SECTION_COUNT], file_size;
    uint32_t counts[SECTION_COUNT]; /* of records; 0 for blobs */
    uint8_t *bytes;
} writer;

/* ---------------------------------------------------------------------------------------------- what goes into it */

static void keep(writer *w, const ir_id *ids, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (ids[i] != IR_NONE) w->tensor_index[ids[i]] = 0;
}

/* Numbers the tensors that a live node or the graph's boundary names. */
static void number_tensors(writer *w) {
    const ir_graph *graph = w->graph;
    w->tensor_index = x_alloc(graph->tensor_count * sizeof *w->tensor_index);
    memset(w->tensor_index, 0xff, graph->tensor_count * sizeof *w->tensor_index);
    keep(w, graph->inputs, graph->input_count);
    keep(w, graph->outputs, graph->output_count);
    for (ir_id i = 0; i < graph->node_count; i++) {
        const ir_node *node = &graph->nodes[i];
        if (node->dead) continue;
        keep(w, node->inputs, node->input_count);
        keep(w, node->outputs, node->output_count);
    }
    for (ir_id i = 0; i < graph->tensor_count; i++)
        if (w->tensor_index[i] != TMC_FILE_NONE) w->tensor_index[i] = w->counts[TENS]++;
}

static int compare_strings(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b); /* compares unsigned bytes, as the format asks */
}

static void collect_strings(writer *w) {
    const ir_graph *graph = w->graph;
    size_t count = 0;
    w->strings =
        x_alloc((1 + graph->tensor_count + graph->node_count + 2 * (size_t)graph->metadata_count) * sizeof *w->strings);
    w->strings[count++] = graph->name;
    for (ir_id i = 0; i < graph->tensor_count; i++)
        if (w->tensor_index[i] != TMC_FILE_NONE) w->strings[count++] = graph->tensors[i].name;
    for (ir_id i = 0; i < graph->node_count; i++)
        if (!graph->nodes[i].dead) w->strings[count++] = graph->nodes[i].name;
    for (uint32_t i = 0; i < graph->metadata_count; i++) {
        w->strings[count++] = graph->metadata[i].key;
        w->strings[count++] = graph->metadata[i].value;
    }
    qsort(w->strings, count, sizeof *w->strings, compare_strings);
    for (size_t i = 0; i < count; i++)
        if (*w->strings[i] && (!w->string_count || strcmp(w->strings[w->string_count - 1], w->strings[i]) != 0))
            w->strings[w->string_count++] = w->strings[i];

    w->string_offsets = x_alloc(w->string_count * sizeof *w->string_offsets);
    uint64_t at = 1;
    for (uint32_t i = 0; i < w->string_count; i++) {
        w->string_offsets[i] = (uint32_t)at;
        at += strlen(w->strings[i]) + 1;
    }
    w->sizes[STRS] = at;
}

static uint32_t string_offset(const writer *w, const char *text) {
    if (!*text) return 0;
    const char **found = bsearch(&text, w->strings, w->string_count, sizeof *w->strings, compare_strings);
    return w->string_offsets[found - w->strings];
}

static void measure(writer *w, uint32_t test_count) {
    const ir_graph *graph = w->graph;
    w->counts[GRPH] = 1;
    w->counts[INDX] = graph->input_count + graph->output_count;
    for (ir_id i = 0; i < graph->node_count; i++) {
        const ir_node *node = &graph->nodes[i];
        if (node->dead) continue;
        w->counts[NODE]++;
        w->counts[INDX] += node->input_count + node->output_count;
        w->counts[PARM] += tmc_op_schema_find(node->op)->param_words;
    }
    w->counts[META] = graph->metadata_count;
    w->counts[TEST] = test_count;
    uint64_t end = 0;
    for (ir_id i = 0; i < graph->tensor_count; i++) {
        const ir_tensor *t = &graph->tensors[i];
        if (w->tensor_index[i] == TMC_FILE_NONE) continue;
        if (t->data) end = tmc_round_up(end, TMC_FILE_ALIGN) + t->data_bytes;
        if (!tmc_quantization_is_set(&t->desc.quantization)) continue;
        w->counts[QUAN]++;
        w->counts[QSCL] += t->desc.quantization.channels;
    }
    w->sizes[WGHT] = end;
}

static bool is_written(const writer *w, int section) {
    return section <= PARM || w->sizes[section] != 0; /* the first six are there in every file */
}

static tmc_status lay_out(writer *w, tmc_error *err) {
    if (w->counts[TENS] > TMC_FILE_MAX_TENSORS || w->counts[NODE] > TMC_FILE_MAX_NODES || w->sizes[STRS] > UINT32_MAX)
        return tmc_fail(err, TMC_E_LIMIT, "%u tensors and %u nodes are more than a file may have", w->counts[TENS],
                        w->counts[NODE]);
    uint32_t count = 0;
    for (int s = 0; s < SECTION_COUNT; s++) {
        if (sections[s].record_size) w->sizes[s] = (uint64_t)w->counts[s] * sections[s].record_size;
        if (is_written(w, s)) count++;
    }
    uint64_t end = sizeof(tmc_file_header) + count * sizeof(tmc_file_section);
    for (int s = 0; s < SECTION_COUNT; s++) {
        if (!is_written(w, s)) continue;
        w->offsets[s] = tmc_round_up(end, TMC_FILE_ALIGN);
        end = w->offsets[s] + w->sizes[s];
    }
    w->file_size = end;
    return TMC_OK;
}

/* ------------------------------------------------------------------------------------------------------ the bytes */

static void put_header(writer *w, uint32_t revision) {
    tmc_file_header *header = (tmc_file_header *)w->bytes;
    memcpy(header->magic, TMC_FILE_MAGIC, sizeof header->magic);
    header->version_major = TMC_FILE_MAJOR;
    header->version_minor = TMC_FILE_MINOR;
    header->endian = TMC_FILE_ENDIAN;
    header->file_size = w->file_size;
    header->header_size = sizeof *header;
    header->revision = revision;
    tmc_file_section *table = (tmc_file_section *)(header + 1);
    for (int s = 0; s < SECTION_COUNT; s++)
        if (is_written(w, s))
            table[header->section_count++] = (tmc_file_section){
                sections[s].id, sections[s].flags, w->offsets[s], w->sizes[s], w->counts[s], sections[s].record_size};
}

static void put_strings(const writer *w) {
    char *out = (char *)w->bytes + w->offsets[STRS];
    for (uint32_t i = 0; i < w->string_count; i++) strcpy(out + w->string_offsets[i], w->strings[i]);
}

/* Next free places of QUAN and QSCL. */
typedef struct {
    uint32_t record, scale;
} quantization_end;

static uint32_t put_quantization(const writer *w, const ir_tensor *t, quantization_end *end) {
    const tmc_quantization *q = &t->desc.quantization;
    if (!tmc_quantization_is_set(q)) return TMC_FILE_NONE;
    tmc_file_quantization *record = (tmc_file_quantization *)(w->bytes + w->offsets[QUAN]) + end->record;
    *record = (tmc_file_quantization){q->scale, q->zero_point, q->channels ? end->scale : 0, q->channels};
    if (q->channels)
        memcpy((float *)(w->bytes + w->offsets[QSCL]) + end->scale, t->scales, q->channels * sizeof *t->scales);
    end->scale += q->channels;
    return end->record++;
}

static void put_tensors(const writer *w) {
    tmc_file_tensor *records = (tmc_file_tensor *)(w->bytes + w->offsets[TENS]);
    quantization_end quantization = {0, 0};
    uint64_t end = 0;
    for (ir_id i = 0; i < w->graph->tensor_count; i++) {
        const ir_tensor *t = &w->graph->tensors[i];
        if (w->tensor_index[i] == TMC_FILE_NONE) continue;
        tmc_file_tensor *r = &records[w->tensor_index[i]];
        r->name = string_offset(w, t->name);
        r->dtype = t->desc.dtype;
        r->rank = (uint8_t)t->desc.rank;
        r->role = t->data ? TMC_ROLE_CONSTANT : t->is_input ? TMC_ROLE_INPUT : TMC_ROLE_ACTIVATION;
        r->layout = t->is_input || t->is_output ? t->layout : TMC_LAYOUT_PLAIN;
        memcpy(r->dims, t->desc.dims, sizeof r->dims);
        r->quantization = put_quantization(w, t, &quantization);
        if (t->is_input)
            for (int32_t d = 0; d < t->desc.rank; d++)
                r->dims_max[d] = t->dims_max[d] > t->desc.dims[d] ? t->dims_max[d] : t->desc.dims[d];
        if (t->data) {
            r->packing = t->desc.packing;
            r->data_offset = tmc_round_up(end, TMC_FILE_ALIGN);
            r->data_bytes = t->data_bytes;
            end = r->data_offset + t->data_bytes;
            memcpy(w->bytes + w->offsets[WGHT] + r->data_offset, t->data, t->data_bytes);
        }
    }
}

static uint32_t *put_ids(const writer *w, uint32_t *out, const ir_id *ids, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) *out++ = ids[i] == IR_NONE ? TMC_FILE_NONE : w->tensor_index[ids[i]];
    return out;
}

static void put_graph(const writer *w) {
    const ir_graph *graph = w->graph;
    tmc_file_graph *g = (tmc_file_graph *)(w->bytes + w->offsets[GRPH]);
    tmc_file_node *record = (tmc_file_node *)(w->bytes + w->offsets[NODE]);
    uint32_t *index = (uint32_t *)(w->bytes + w->offsets[INDX]), *entry = index;
    uint32_t *params = (uint32_t *)(w->bytes + w->offsets[PARM]), param = 0;
    g->name = string_offset(w, graph->name);
    g->input_count = graph->input_count;
    g->output_count = graph->output_count;
    entry = put_ids(w, entry, graph->inputs, graph->input_count);
    entry = put_ids(w, entry, graph->outputs, graph->output_count);
    for (ir_id i = 0; i < graph->node_count; i++) {
        const ir_node *node = &graph->nodes[i];
        if (node->dead) continue;
        uint32_t words = tmc_op_schema_find(node->op)->param_words;
        *record++ = (tmc_file_node){.name = string_offset(w, node->name),
                                    .op = node->op,
                                    .input_count = (uint16_t)node->input_count,
                                    .output_count = (uint16_t)node->output_count,
                                    .index_first = (uint32_t)(entry - index),
                                    .param_first = param,
                                    .param_count = words};
        entry = put_ids(w, entry, node->inputs, node->input_count);
        entry = put_ids(w, entry, node->outputs, node->output_count);
        memcpy(params + param, node->params, words * 4u);
        param += words;
    }
}

static void put_metadata(const writer *w) {
    tmc_file_metadata *records = (tmc_file_metadata *)(w->bytes + w->offsets[META]);
    for (uint32_t i = 0; i < w->graph->metadata_count; i++) {
        records[i].key = string_offset(w, w->graph->metadata[i].key);
        records[i].value = string_offset(w, w->graph->metadata[i].value);
    }
}

/* The digest first: the checksum covers it. */
static void put_digests(writer *w) {
    tmc_file_header *header = (tmc_file_header *)w->bytes;
    io_file_sha256(w->bytes, w->file_size, header->sha256);
    tmc_file_checksum(w->bytes, w->file_size, header->checksum);
}

tmc_status ir_write_with_tests(const ir_graph *graph, uint32_t revision, const tmc_file_test *tests,
                               uint32_t test_count, uint8_t **bytes, size_t *size, tmc_error *err) {
    writer w = {.graph = graph};
    number_tensors(&w);
    collect_strings(&w);
    measure(&w, test_count);
    tmc_status status = lay_out(&w, err);
    if (status == TMC_OK) {
        w.bytes = x_alloc(w.file_size);
        put_header(&w, revision);
        put_strings(&w);
        put_tensors(&w);
        put_graph(&w);
        if (w.sizes[META]) put_metadata(&w);
        if (test_count) memcpy(w.bytes + w.offsets[TEST], tests, w.sizes[TEST]);
        put_digests(&w);
        *bytes = w.bytes;
        *size = w.file_size;
    }
    free(w.tensor_index);
    free(w.strings);
    free(w.string_offsets);
    return status;
}

tmc_status ir_write(const ir_graph *graph, uint32_t revision, uint8_t **bytes, size_t *size, tmc_error *err) {
    return ir_write_with_tests(graph, revision, NULL, 0, bytes, size, err);
}
