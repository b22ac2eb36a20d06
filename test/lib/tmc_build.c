#include "lib/tmc_build.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "format/packing_i8.h"
#include "format/reader.h"
#include "graph/packed.h"

typedef struct {
    void *data;
    size_t count, capacity, element;
} list;

typedef struct {
    tmc_file_section section;
    const void *data;
} piece;

struct build {
    tmc_file_graph graph;
    list strings; /* char *; records hold positions here until build_bytes knows the offsets */
    list tensors, nodes, index, params, quantization, scales, metadata, tests, inputs, outputs, weights, extra;
};

static void *checked(void *p) {
    if (!p) abort();
    return p;
}

static void *push(list *l, const void *elements, size_t count) {
    if (!count) return NULL;
    if (l->count + count > l->capacity) {
        l->capacity = (l->count + count) * 2 + 16;
        l->data = checked(realloc(l->data, l->capacity * l->element));
    }
    void *at = (uint8_t *)l->data + l->count * l->element;
    if (elements)
        memcpy(at, elements, count * l->element);
    else
        memset(at, 0, count * l->element);
    l->count += count;
    return at;
}

static uint32_t intern(build *b, const char *text) {
    if (!*text) return 0;
    char *copy = checked(strdup(text));
    push(&b->strings, &copy, 1);
    return (uint32_t)b->strings.count - 1;
}

build *build_new(const char *graph_name) {
    build *b = checked(calloc(1, sizeof *b));
    b->strings.element = sizeof(char *);
    b->tensors.element = sizeof(tmc_file_tensor);
    b->nodes.element = sizeof(tmc_file_node);
    b->index.element = b->params.element = b->inputs.element = b->outputs.element = sizeof(uint32_t);
    b->quantization.element = sizeof(tmc_file_quantization);
    b->scales.element = sizeof(float);
    b->metadata.element = sizeof(tmc_file_metadata);
    b->tests.element = sizeof(tmc_file_test);
    b->weights.element = 1;
    b->extra.element = sizeof(piece);
    char *empty = checked(strdup(""));
    push(&b->strings, &empty, 1);
    b->graph.name = intern(b, graph_name);
    return b;
}

void build_free(build *b) {
    if (!b) return;
    for (size_t i = 0; i < b->strings.count; i++) free(((char **)b->strings.data)[i]);
    list *all[] = {&b->strings, &b->tensors,  &b->nodes,  &b->index,   &b->params,  &b->tests, &b->quantization,
                   &b->scales,  &b->metadata, &b->inputs, &b->outputs, &b->weights, &b->extra};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]->data);
    free(b);
}

/* ------------------------------------------------------------------------------------------------------- content */

static uint32_t add_tensor(build *b, const char *name, uint8_t role, uint8_t dtype, int32_t rank, const int32_t *dims) {
    tmc_file_tensor t = {.name = intern(b, name), .dtype = dtype, .rank = (uint8_t)rank, .role = role};
    memcpy(t.dims, dims, (size_t)rank * sizeof *dims);
    if (role == TMC_ROLE_INPUT) memcpy(t.dims_max, t.dims, sizeof t.dims);
    t.quantization = TMC_FILE_NONE;
    push(&b->tensors, &t, 1);
    return (uint32_t)b->tensors.count - 1;
}

uint32_t build_input(build *b, const char *name, uint8_t dtype, int32_t rank, const int32_t *dims) {
    uint32_t t = add_tensor(b, name, TMC_ROLE_INPUT, dtype, rank, dims);
    push(&b->inputs, &t, 1);
    return t;
}

uint32_t build_activation(build *b, const char *name, uint8_t dtype, int32_t rank, const int32_t *dims) {
    return add_tensor(b, name, TMC_ROLE_ACTIVATION, dtype, rank, dims);
}

/* Room for a constant's data in WGHT. */
static void *add_data(build *b, uint32_t tensor, size_t bytes) {
    push(&b->weights, NULL, tmc_round_up(b->weights.count, TMC_FILE_ALIGN) - b->weights.count);
    tmc_file_tensor *t = (tmc_file_tensor *)b->tensors.data + tensor;
    t->data_offset = b->weights.count;
    t->data_bytes = bytes;
    return push(&b->weights, NULL, bytes);
}

static float pattern(size_t i) { return (float)((int)(i * 37 % 17) - 8) / 16.0f; }

uint32_t build_constant(build *b, const char *name, uint8_t dtype, int32_t rank, const int32_t *dims,
                        const void *data) {
    uint32_t t = add_tensor(b, name, TMC_ROLE_CONSTANT, dtype, rank, dims);
    size_t elements = tmc_dims_product(dims, 0, rank), bytes = elements * tmc_dtype_size(dtype);
    void *at = add_data(b, t, bytes);
    if (data)
        memcpy(at, data, bytes);
    else if (dtype == TMC_F32)
        for (size_t i = 0; i < elements; i++) ((float *)at)[i] = pattern(i);
    return t;
}

uint32_t build_panels(build *b, const char *name, int32_t rank, const int32_t *dims, int32_t groups, const float *w,
                      const float *bias) {
    uint32_t t = add_tensor(b, name, TMC_ROLE_CONSTANT, TMC_F32, rank, dims);
    ((tmc_file_tensor *)b->tensors.data)[t].packing = TMC_PACK_F32_PANELS;
    size_t n = (size_t)(dims[0] / groups), k = tmc_dims_product(dims, 1, rank);
    size_t group = tmc_panels_floats(n, k) * sizeof(float), stride = tmc_round_up(group, TMC_FILE_ALIGN);
    uint8_t *at = add_data(b, t, stride * (size_t)(groups - 1) + group);
    for (size_t g = 0; g < (size_t)groups; g++)
        tmc_pack_panels((float *)(void *)(at + g * stride), w + g * n * k, n, k, k, 1, bias ? bias + g * n : NULL);
    return t;
}

static void add_quantization(build *b, const tmc_file_quantization *q) {
    tmc_file_tensor *last = (tmc_file_tensor *)b->tensors.data + b->tensors.count - 1;
    last->quantization = (uint32_t)b->quantization.count;
    push(&b->quantization, q, 1);
}

void build_quantization(build *b, float scale, int32_t zero_point) {
    add_quantization(b, &(tmc_file_quantization){.scale = scale, .zero_point = zero_point});
}

uint32_t build_i8_weights(build *b, const char *name, uint16_t op, const void *params, int32_t rank,
                          const int32_t *dims, const tmc_quantization *x, const tmc_quantization *y) {
    const bool depthwise = op == TMC_OP_DEPTHWISE_CONV;
    const size_t channels = (size_t)dims[depthwise ? rank - 1 : 0], elements = tmc_dims_product(dims, 0, rank);
    const uint32_t t = add_tensor(b, name, TMC_ROLE_CONSTANT, TMC_I8, rank, dims);
    tmc_tensor_desc desc = {.dtype = TMC_I8, .rank = rank};
    desc.packing = depthwise ? TMC_PACK_I8_DEPTHWISE : TMC_PACK_I8_PANELS;
    memcpy(desc.dims, dims, (size_t)rank * sizeof *dims);
    ((tmc_file_tensor *)b->tensors.data)[t].packing = desc.packing;
    add_quantization(
        b, &(tmc_file_quantization){.scale_first = (uint32_t)b->scales.count, .scale_count = (uint32_t)channels});
    float *scales = push(&b->scales, NULL, channels);
    int8_t *w = checked(malloc(elements));
    int32_t *bias = checked(malloc(channels * sizeof *bias));
    for (size_t i = 0; i < elements; i++) w[i] = (int8_t)((int)(i * 37 % 255) - 127);
    for (size_t i = 0; i < channels; i++) scales[i] = 0.01f + (float)i / 1000.0f, bias[i] = (int32_t)i * 100 - 300;

    tmc_error err;
    uint64_t bytes = 0;
    tmc_error_init(&err);
    if (tmc_packed_bytes(op, params, &desc, &bytes, &err) != TMC_OK) abort();
    void *at = add_data(b, t, (size_t)bytes);
    const tmc_i8_source source = {w, bias, scales, x->scale, y->scale, x->zero_point};
    const tmc_conv_params *p = params;
    tmc_status status;
    if (depthwise) {
        const size_t kernel[3] = {(size_t)p->kernel[0], (size_t)p->kernel[1], (size_t)p->kernel[2]};
        status = tmc_i8_pack_depthwise(at, channels, kernel, &source, &err);
    } else {
        const tmc_pack_shape shape = tmc_packed_shape(op, params, &desc);
        status = tmc_i8_pack(at, &shape, &source, &err);
    }
    if (status != TMC_OK) abort();
    free(w);
    free(bias);
    return t;
}

uint32_t build_winograd(build *b, const char *name, const int32_t dims[4], const float *w, const float *bias) {
    uint32_t t = build_panels(b, name, 4, dims, 1, w, bias);
    ((tmc_file_tensor *)b->tensors.data)[t].packing = TMC_PACK_F32_WINOGRAD_4X4;
    return t;
}

uint32_t build_node(build *b, const char *name, uint16_t op, const void *params, const uint32_t *inputs,
                    uint16_t input_count, const uint32_t *outputs, uint16_t output_count) {
    const tmc_op_schema *schema = tmc_op_schema_find(op);
    tmc_file_node n = {.name = intern(b, name),
                       .op = op,
                       .input_count = input_count,
                       .output_count = output_count,
                       .index_first = (uint32_t)b->index.count,
                       .param_first = (uint32_t)b->params.count,
                       .param_count = schema->param_words};
    push(&b->index, inputs, input_count);
    push(&b->index, outputs, output_count);
    push(&b->params, params, schema->param_words);
    push(&b->nodes, &n, 1);
    return (uint32_t)b->nodes.count - 1;
}

void build_output(build *b, uint32_t tensor) { push(&b->outputs, &tensor, 1); }

void build_metadata(build *b, const char *key, const char *value) {
    tmc_file_metadata m = {intern(b, key), intern(b, value)};
    push(&b->metadata, &m, 1);
}

void build_test(build *b, uint32_t seed, uint32_t output, const uint8_t digest[16]) {
    tmc_file_test t = {.seed = seed, .output = output};
    memcpy(t.digest, digest, sizeof t.digest);
    push(&b->tests, &t, 1);
}

void build_section(build *b, uint32_t id, uint32_t flags, const void *data, uint32_t size) {
    piece p = {{.id = id, .flags = flags, .size = size}, data};
    push(&b->extra, &p, 1);
}

/* -------------------------------------------------------------------------------------------------------- layout */

typedef struct {
    const char *text;
    size_t position; /* in build.strings */
} sorted_string;

static int compare_strings(const void *a, const void *b) {
    return strcmp(((const sorted_string *)a)->text, ((const sorted_string *)b)->text);
}

/* STRS into *blob; offsets[i] is where string i lies. */
static void lay_out_strings(const build *b, list *blob, uint32_t *offsets) {
    const size_t n = b->strings.count;
    sorted_string *sorted = checked(malloc(n * sizeof *sorted));
    for (size_t i = 0; i < n; i++) sorted[i] = (sorted_string){((char **)b->strings.data)[i], i};
    qsort(sorted, n, sizeof *sorted, compare_strings);
    uint32_t last = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(sorted[i - 1].text, sorted[i].text) != 0) {
            last = (uint32_t)blob->count;
            push(blob, sorted[i].text, strlen(sorted[i].text) + 1);
        }
        offsets[sorted[i].position] = last;
    }
    free(sorted);
}

static void put_records(list *pieces, uint32_t id, const list *l) {
    piece p = {{.id = id, .flags = TMC_SECTION_MANDATORY, .size = l->count * l->element}, l->data};
    if (l->element > 1) {
        p.section.count = (uint32_t)l->count;
        p.section.record_size = (uint32_t)l->element;
    }
    push(pieces, &p, 1);
}

static uint8_t *lay_out_file(const list *pieces, size_t *size) {
    piece *p = pieces->data;
    size_t end = sizeof(tmc_file_header) + pieces->count * sizeof(tmc_file_section);
    for (size_t i = 0; i < pieces->count; i++) {
        p[i].section.offset = tmc_round_up(end, TMC_FILE_ALIGN);
        end = p[i].section.offset + p[i].section.size;
    }
    uint8_t *bytes = build_block(end);
    memset(bytes, 0, end);
    tmc_file_header h = {.version_major = TMC_FILE_MAJOR,
                         .version_minor = TMC_FILE_MINOR,
                         .endian = TMC_FILE_ENDIAN,
                         .file_size = end,
                         .section_count = (uint32_t)pieces->count,
                         .header_size = sizeof h};
    memcpy(h.magic, TMC_FILE_MAGIC, sizeof h.magic);
    memcpy(bytes, &h, sizeof h);
    for (size_t i = 0; i < pieces->count; i++) {
        memcpy(bytes + sizeof h + i * sizeof p[i].section, &p[i].section, sizeof p[i].section);
        if (p[i].section.size) memcpy(bytes + p[i].section.offset, p[i].data, p[i].section.size);
    }
    build_seal(bytes, end);
    *size = end;
    return bytes;
}

/* Turns positions of strings into offsets, in the records' copy in the file. */
static void resolve_names(uint8_t *bytes, const uint32_t *offsets) {
    static const struct {
        uint32_t id;
        uint32_t names; /* leading words of a record that are names */
    } named[] = {{TMC_SECTION_GRPH, 1}, {TMC_SECTION_TENS, 1}, {TMC_SECTION_NODE, 1}, {TMC_SECTION_META, 2}};
    for (size_t k = 0; k < sizeof named / sizeof *named; k++) {
        const tmc_file_section *s = build_find_section(bytes, named[k].id);
        for (uint32_t i = 0; s && i < s->count; i++) {
            uint32_t *words = (uint32_t *)(void *)(bytes + s->offset + (size_t)i * s->record_size);
            for (uint32_t w = 0; w < named[k].names; w++) words[w] = offsets[words[w]];
        }
    }
}

uint8_t *build_bytes(const build *b, size_t *size) {
    uint32_t *offsets = checked(malloc(b->strings.count * sizeof *offsets));
    list strings = {.element = 1}, pieces = {.element = sizeof(piece)}, index = {.element = sizeof(uint32_t)};
    lay_out_strings(b, &strings, offsets);
    tmc_file_graph graph = b->graph;
    graph.input_first = (uint32_t)b->index.count;
    graph.input_count = (uint32_t)b->inputs.count;
    graph.output_count = (uint32_t)b->outputs.count;
    const list graphs = {.data = &graph, .count = 1, .element = sizeof graph};
    push(&index, b->index.data, b->index.count);
    push(&index, b->inputs.data, b->inputs.count);
    push(&index, b->outputs.data, b->outputs.count);

    put_records(&pieces, TMC_SECTION_STRS, &strings);
    put_records(&pieces, TMC_SECTION_GRPH, &graphs);
    put_records(&pieces, TMC_SECTION_TENS, &b->tensors);
    put_records(&pieces, TMC_SECTION_NODE, &b->nodes);
    put_records(&pieces, TMC_SECTION_INDX, &index);
    if (b->params.count) put_records(&pieces, TMC_SECTION_PARM, &b->params);
    if (b->quantization.count) put_records(&pieces, TMC_SECTION_QUAN, &b->quantization);
    if (b->scales.count) put_records(&pieces, TMC_SECTION_QSCL, &b->scales);
    if (b->metadata.count) put_records(&pieces, TMC_SECTION_META, &b->metadata);
    if (b->tests.count) put_records(&pieces, TMC_SECTION_TEST, &b->tests);
    if (b->weights.count) put_records(&pieces, TMC_SECTION_WGHT, &b->weights);
    push(&pieces, b->extra.data, b->extra.count);

    uint8_t *bytes = lay_out_file(&pieces, size);
    resolve_names(bytes, offsets);
    build_seal(bytes, *size);
    free(offsets);
    free(strings.data);
    free(pieces.data);
    free(index.data);
    return bytes;
}

uint8_t *build_block(size_t size) {
    void *p = NULL;
    return posix_memalign(&p, TMC_FILE_ALIGN, size ? size : 1) ? checked(NULL) : p;
}

void build_seal(uint8_t *bytes, size_t size) {
    if (size < sizeof(tmc_file_header)) return;
    uint8_t checksum[16];
    tmc_file_checksum(bytes, size, checksum);
    memcpy(bytes + offsetof(tmc_file_header, checksum), checksum, sizeof checksum);
}

tmc_file_section *build_find_section(uint8_t *bytes, uint32_t id) {
    const tmc_file_header *h = (const tmc_file_header *)(void *)bytes;
    tmc_file_section *table = (tmc_file_section *)(void *)(bytes + sizeof *h);
    for (uint32_t i = 0; i < h->section_count; i++)
        if (table[i].id == id) return &table[i];
    return NULL;
}
