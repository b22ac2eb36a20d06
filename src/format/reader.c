#include "format/reader.h"

#include <stdbool.h>
#include <string.h>

#include "base/checked.h"
#include "format/sections.h"

enum { STRS, GRPH, TENS, NODE, INDX, PARM, QUAN, QSCL, META, WGHT, TEST, KNOWN_COUNT };

static const struct {
    uint32_t id, record_size; /* record_size 0: a blob */
    uint32_t count_max;
    bool required;
} known[KNOWN_COUNT] = {
    [STRS] = {TMC_SECTION_STRS, 0, 0, true},
    [GRPH] = {TMC_SECTION_GRPH, sizeof(tmc_file_graph), 1, true},
    [TENS] = {TMC_SECTION_TENS, sizeof(tmc_file_tensor), TMC_FILE_MAX_TENSORS, true},
    [NODE] = {TMC_SECTION_NODE, sizeof(tmc_file_node), TMC_FILE_MAX_NODES, true},
    [INDX] = {TMC_SECTION_INDX, sizeof(uint32_t), UINT32_MAX, true},
    [PARM] = {TMC_SECTION_PARM, sizeof(uint32_t), UINT32_MAX, false},
    [QUAN] = {TMC_SECTION_QUAN, sizeof(tmc_file_quantization), TMC_FILE_MAX_TENSORS, false},
    [QSCL] = {TMC_SECTION_QSCL, sizeof(float), UINT32_MAX, false},
    [META] = {TMC_SECTION_META, sizeof(tmc_file_metadata), TMC_FILE_MAX_METADATA, false},
    [WGHT] = {TMC_SECTION_WGHT, 0, 0, false},
    [TEST] = {TMC_SECTION_TEST, sizeof(tmc_file_test), TMC_FILE_MAX_TESTS, false},
};

typedef struct {
    tmc_checksum *sum;
    const uint8_t *bytes;
    uint64_t size;
    const tmc_file_header *header;
    const tmc_file_section *table;
    const tmc_file_section *found[KNOWN_COUNT]; /* NULL: not in the file */
    bool strict;
    tmc_error *err;
} reader;

typedef struct {
    char text[5];
} id_text;

/* Four letters of an id from the file, safe to print. */
static id_text text_of_id(uint32_t id) {
    id_text t = {{0}};
    for (int i = 0; i < 4; i++) {
        uint8_t c = (uint8_t)(id >> (8 * i));
        t.text[i] = (char)(c > 0x20 && c < 0x7f ? c : '?');
    }
    return t;
}

static int find_known(uint32_t id) {
    for (int i = 0; i < KNOWN_COUNT; i++)
        if (known[i].id == id) return i;
    return -1;
}

static uint64_t at_table(const reader *r, uint32_t i) {
    return sizeof(tmc_file_header) + (uint64_t)i * sizeof *r->table;
}

static bool all_zero(const uint8_t *bytes, uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to; i++)
        if (bytes[i]) return false;
    return true;
}

/* ------------------------------------------------------------------------------------------------------- header */

/* The first 16 bytes: what kind of file, and whether this library can read on. */
static tmc_status check_identity(const reader *r) {
    const tmc_file_header *h = r->header;
    tmc_error *err = r->err;
    if (r->size < 16)
        return tmc_fail_at(
            err, "HEAD", 0,
            tmc_fail(err, TMC_E_TRUNCATED, "%llu bytes are too few for a .tmc file", (unsigned long long)r->size));
    if (memcmp(h->magic, TMC_FILE_MAGIC, sizeof h->magic) != 0)
        return tmc_fail_at(
            err, "HEAD", 0,
            tmc_fail_field(err, TMC_E_FORMAT, "magic", "this is not a .tmc file: its first bytes differ"));
    const uint64_t at_endian = offsetof(tmc_file_header, endian);
    if (h->endian == __builtin_bswap32(TMC_FILE_ENDIAN))
        return tmc_fail_at(err, "HEAD", at_endian,
                           tmc_fail_field(err, TMC_E_FORMAT, "endian",
                                          "the file is big-endian; .tmc files are little-endian: write it again"));
    if (h->endian != TMC_FILE_ENDIAN)
        return tmc_fail_at(
            err, "HEAD", at_endian,
            tmc_fail_field(err, TMC_E_FORMAT, "endian", "endian tag 0x%x, expected 0x%x", h->endian, TMC_FILE_ENDIAN));
    if (h->version_major > TMC_FILE_MAJOR)
        return tmc_fail_at(err, "HEAD", offsetof(tmc_file_header, version_major),
                           tmc_fail_field(err, TMC_E_VERSION, "version_major",
                                          "file version %d.%d, this library reads up to %d.x: update the library",
                                          h->version_major, h->version_minor, TMC_FILE_MAJOR));
    if (h->version_major == 0)
        return tmc_fail_at(err, "HEAD", offsetof(tmc_file_header, version_major),
                           tmc_fail_field(err, TMC_E_FORMAT, "version_major", "there is no file version 0"));
    return TMC_OK;
}

static tmc_status check_size(const reader *r) {
    const tmc_file_header *h = r->header;
    tmc_error *err = r->err;
    if (r->size < sizeof *h)
        return tmc_fail_at(err, "HEAD", r->size,
                           tmc_fail(err, TMC_E_TRUNCATED, "%llu bytes, the header alone has %zu",
                                    (unsigned long long)r->size, sizeof *h));
    const uint64_t at = offsetof(tmc_file_header, file_size);
    if (r->size < h->file_size)
        return tmc_fail_at(err, "HEAD", at,
                           tmc_fail_field(err, TMC_E_TRUNCATED, "file_size",
                                          "%llu bytes are there of %llu: copy the file again",
                                          (unsigned long long)r->size, (unsigned long long)h->file_size));
    if (r->size > h->file_size)
        return tmc_fail_at(err, "HEAD", at,
                           tmc_fail_field(err, TMC_E_FORMAT, "file_size", "%llu trailing bytes after the declared %llu",
                                          (unsigned long long)(r->size - h->file_size),
                                          (unsigned long long)h->file_size));
    if (h->header_size != sizeof *h)
        return tmc_fail_at(err, "HEAD", offsetof(tmc_file_header, header_size),
                           tmc_fail_field(err, TMC_E_FORMAT, "header_size", "header of %u bytes, expected %zu",
                                          h->header_size, sizeof *h));
    return TMC_OK;
}

static tmc_status check_header(const reader *r) {
    const tmc_file_header *h = r->header;
    tmc_error *err = r->err;
    TMC_TRY(check_identity(r));
    TMC_TRY(check_size(r));
    uint8_t checksum[16];
    tmc_checksum_finish(r->sum, checksum);
    if (memcmp(checksum, h->checksum, sizeof checksum) != 0)
        return tmc_fail_at(err, "HEAD", offsetof(tmc_file_header, checksum),
                           tmc_fail_field(err, TMC_E_INTEGRITY, "checksum",
                                          "the checksum does not match: the file is damaged, copy it again"));
    if (h->flags)
        return tmc_fail_at(err, "HEAD", offsetof(tmc_file_header, flags),
                           tmc_fail_field(err, TMC_E_FORMAT, "flags", "flags 0x%x, expected 0", h->flags));
    if (!all_zero(h->reserved, 0, sizeof h->reserved))
        return tmc_fail_at(err, "HEAD", offsetof(tmc_file_header, reserved),
                           tmc_fail_field(err, TMC_E_FORMAT, "reserved", "reserved bytes must be 0"));
    const uint64_t at = offsetof(tmc_file_header, section_count);
    if (h->section_count > TMC_FILE_MAX_SECTIONS)
        return tmc_fail_at(err, "HEAD", at,
                           tmc_fail_field(err, TMC_E_LIMIT, "section_count", "%u sections, limit %u", h->section_count,
                                          TMC_FILE_MAX_SECTIONS));
    if (!tmc_in_bounds(sizeof *h, (uint64_t)h->section_count * sizeof *r->table, r->size))
        return tmc_fail_at(err, "HEAD", at,
                           tmc_fail_field(err, TMC_E_TRUNCATED, "section_count",
                                          "the file ends before its table of %u sections", h->section_count));
    return TMC_OK;
}

/* ------------------------------------------------------------------------------------------------ section table */

/* A section starts at the first multiple of 64 after `end`, where the one before it ended; zeros fill the gap. */
static tmc_status check_place(const reader *r, uint32_t i, uint64_t end) {
    const tmc_file_section *s = &r->table[i];
    tmc_error *err = r->err;
    const uint64_t offset = s->offset, at = at_table(r, i) + offsetof(tmc_file_section, offset);
    const id_text name = text_of_id(s->id);
    if (!tmc_in_bounds(offset, s->size, r->size))
        return tmc_fail_at(err, name.text, at,
                           tmc_fail_field(err, TMC_E_RANGE, "offset", "%llu bytes at %llu pass the file's end at %llu",
                                          (unsigned long long)s->size, (unsigned long long)offset,
                                          (unsigned long long)r->size));
    if (offset % TMC_FILE_ALIGN)
        return tmc_fail_at(err, name.text, at,
                           tmc_fail_field(err, TMC_E_FORMAT, "offset", "offset %llu is not a multiple of %u",
                                          (unsigned long long)offset, TMC_FILE_ALIGN));
    if (offset < end)
        return tmc_fail_at(
            err, name.text, at,
            tmc_fail_field(err, TMC_E_FORMAT, "offset", "offset %llu lies inside the %s that ends at %llu",
                           (unsigned long long)offset, i ? "section before it" : "header or section table",
                           (unsigned long long)end));
    if (offset - end >= TMC_FILE_ALIGN)
        return tmc_fail_at(
            err, name.text, at,
            tmc_fail_field(err, TMC_E_FORMAT, "offset", "a gap of %llu bytes before offset %llu, expected less than %u",
                           (unsigned long long)(offset - end), (unsigned long long)offset, TMC_FILE_ALIGN));
    if (!all_zero(r->bytes, end, offset))
        return tmc_fail_at(err, name.text, end,
                           tmc_fail_field(err, TMC_E_FORMAT, "padding", "padding before the section must be 0"));
    return TMC_OK;
}

static tmc_status check_records_size(const reader *r, uint32_t i, int k) {
    const tmc_file_section *s = &r->table[i];
    tmc_error *err = r->err;
    const id_text name = text_of_id(s->id);
    const uint64_t at_count = at_table(r, i) + offsetof(tmc_file_section, count);
    if (s->record_size != known[k].record_size)
        return tmc_fail_at(err, name.text, at_table(r, i) + offsetof(tmc_file_section, record_size),
                           tmc_fail_field(err, TMC_E_FORMAT, "record_size", "records of %u bytes, expected %u",
                                          s->record_size, known[k].record_size));
    if (s->count > known[k].count_max)
        return tmc_fail_at(
            err, name.text, at_count,
            tmc_fail_field(err, TMC_E_LIMIT, "count", "%u records, limit %u", s->count, known[k].count_max));
    const uint64_t needed = (uint64_t)s->count * s->record_size;
    if (needed > r->size)
        return tmc_fail_at(err, name.text, at_count,
                           tmc_fail_field(err, TMC_E_LIMIT, "count", "%u records do not fit a file of %llu bytes",
                                          s->count, (unsigned long long)r->size));
    if (s->record_size && s->size != needed)
        return tmc_fail_at(err, name.text, at_table(r, i) + offsetof(tmc_file_section, size),
                           tmc_fail_field(err, TMC_E_FORMAT, "size", "%llu bytes, expected %llu for %u records",
                                          (unsigned long long)s->size, (unsigned long long)needed, s->count));
    return TMC_OK;
}

static tmc_status check_unknown(const reader *r, uint32_t i) {
    const tmc_file_section *s = &r->table[i];
    const id_text name = text_of_id(s->id);
    if (s->flags & TMC_SECTION_MANDATORY)
        return tmc_fail_at(r->err, name.text, at_table(r, i),
                           tmc_fail_field(r->err, TMC_E_VERSION, "id",
                                          "section %s of a file of version %d.%d needs a newer library than for %d.%d",
                                          name.text, r->header->version_major, r->header->version_minor, TMC_FILE_MAJOR,
                                          TMC_FILE_MINOR));
    if (r->strict)
        return tmc_fail_at(
            r->err, name.text, at_table(r, i),
            tmc_fail_field(r->err, TMC_E_FORMAT, "id", "unknown optional section %s, refused as strict", name.text));
    return TMC_OK;
}

static tmc_status check_section(reader *r, uint32_t i, uint64_t *end) {
    const tmc_file_section *s = &r->table[i];
    const id_text name = text_of_id(s->id);
    if (s->flags & ~TMC_SECTION_MANDATORY)
        return tmc_fail_at(
            r->err, name.text, at_table(r, i) + offsetof(tmc_file_section, flags),
            tmc_fail_field(r->err, TMC_E_FORMAT, "flags", "section flags 0x%x, only bit 0 is defined", s->flags));
    for (uint32_t j = 0; j < i; j++)
        if (r->table[j].id == s->id)
            return tmc_fail_at(r->err, name.text, at_table(r, i),
                               tmc_fail_field(r->err, TMC_E_FORMAT, "id", "section %s is there twice", name.text));
    /* Counts come first: a wild count is named as such, whatever the place of the section. */
    int k = find_known(s->id);
    if (k >= 0) {
        TMC_TRY(check_records_size(r, i, k));
        r->found[k] = s;
    }
    TMC_TRY(check_place(r, i, *end));
    *end = s->offset + s->size;
    return k >= 0 ? TMC_OK : check_unknown(r, i);
}

static tmc_status check_table(reader *r) {
    uint64_t end = at_table(r, r->header->section_count);
    for (uint32_t i = 0; i < r->header->section_count; i++) TMC_TRY(check_section(r, i, &end));
    if (end != r->size)
        return tmc_fail_at(r->err, "HEAD", end,
                           tmc_fail_field(r->err, TMC_E_FORMAT, "file_size",
                                          "%llu bytes after the last section, which ends at %llu",
                                          (unsigned long long)(r->size - end), (unsigned long long)end));
    for (int k = 0; k < KNOWN_COUNT; k++) {
        const id_text name = text_of_id(known[k].id);
        if (known[k].required && !r->found[k])
            return tmc_fail_at(r->err, name.text, sizeof(tmc_file_header),
                               tmc_fail_field(r->err, TMC_E_FORMAT, "id", "section %s is missing", name.text));
    }
    if (r->found[GRPH]->count != 1)
        return tmc_fail_at(
            r->err, "GRPH", at_table(r, (uint32_t)(r->found[GRPH] - r->table)),
            tmc_fail_field(r->err, TMC_E_FORMAT, "count", "%u graphs, expected 1", r->found[GRPH]->count));
    return TMC_OK;
}

static const void *section_data(const reader *r, int k, uint32_t *count, uint64_t *size) {
    const tmc_file_section *s = r->found[k];
    if (count) *count = s ? s->count : 0;
    if (size) *size = s ? s->size : 0;
    return s ? r->bytes + s->offset : NULL;
}

static tmc_file_view view_of(const reader *r) {
    tmc_file_view v = {.bytes = r->bytes, .size = r->size, .header = r->header};
    v.strings = section_data(r, STRS, NULL, &v.strings_size);
    v.graph = section_data(r, GRPH, NULL, NULL);
    v.tensors = section_data(r, TENS, &v.tensor_count, NULL);
    v.nodes = section_data(r, NODE, &v.node_count, NULL);
    v.index = section_data(r, INDX, &v.index_count, NULL);
    v.params = section_data(r, PARM, &v.param_count, NULL);
    v.quantization = section_data(r, QUAN, &v.quantization_count, NULL);
    v.scales = section_data(r, QSCL, &v.scale_count, NULL);
    v.metadata = section_data(r, META, &v.metadata_count, NULL);
    v.weights = section_data(r, WGHT, NULL, &v.weights_size);
    v.tests = section_data(r, TEST, &v.test_count, NULL);
    return v;
}

tmc_status tmc_file_read(tmc_checksum *sum, int strict, tmc_file_view *view, tmc_error *err) {
    reader r = {.sum = sum,
                .bytes = sum->bytes,
                .size = sum->size,
                .header = (const tmc_file_header *)sum->bytes,
                .strict = strict != 0,
                .err = err};
    TMC_TRY(check_header(&r));
    r.table = (const tmc_file_section *)(r.bytes + sizeof *r.header);
    TMC_TRY(check_table(&r));
    const tmc_file_view v = view_of(&r);
    TMC_TRY(tmc_file_check_strings(&v, err));
    TMC_TRY(tmc_file_check_records(&v, err));
    *view = v;
    return TMC_OK;
}
