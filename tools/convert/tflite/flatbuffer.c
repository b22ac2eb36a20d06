#include "convert/tflite/flatbuffer.h"

#include <string.h>

#include "base/checked.h"
#include "convert/text.h"

/* Writers share strings and vectors that are equal, so a good file may cost more than its bytes, but not much more. */
#define BUDGET_PER_BYTE 16u
#define BUDGET_LEAST 65536u

tmc_status fb_malformed(const fb_reader *reader, size_t at, const char *field, const char *what) {
    tmc_status status = tmc_fail_field(reader->err, TMC_E_FORMAT, field, "damaged FlatBuffer: %s", what);
    tmc_error_at_byte(reader->err, "TFLite", at);
    return status;
}

static tmc_status pay(fb_reader *reader, uint64_t units, size_t at, const char *field) {
    if (units <= reader->budget) {
        reader->budget -= units;
        return TMC_OK;
    }
    tmc_status status =
        tmc_fail_field(reader->err, TMC_E_LIMIT, field,
                       "the parts of the file overlap: together they are many times its %zu bytes", reader->size);
    tmc_error_at_byte(reader->err, "TFLite", at);
    return status;
}

/* ------------------------------------------------------------------------------------------------------- numbers */

static uint16_t read_u16(const fb_reader *reader, size_t at) {
    return (uint16_t)(reader->bytes[at] | reader->bytes[at + 1] << 8);
}

static uint32_t read_u32(const fb_reader *reader, size_t at) {
    return (uint32_t)read_u16(reader, at) | (uint32_t)read_u16(reader, at + 2) << 16;
}

static uint64_t read_u64(const fb_reader *reader, size_t at) {
    return read_u32(reader, at) | (uint64_t)read_u32(reader, at + 4) << 32;
}

/* -------------------------------------------------------------------------------------------------------- tables */

static tmc_status open_table(fb_reader *reader, size_t at, const char *field, fb_table *out) {
    TMC_TRY(pay(reader, 1, at, field));
    if (at % 4 || !tmc_in_bounds(at, 4, reader->size))
        return fb_malformed(reader, at, field, "a table lies outside the file or is misaligned");
    const int64_t vtable = (int64_t)at - (int32_t)read_u32(reader, at);
    if (vtable < 4 || vtable % 2 || !tmc_in_bounds((uint64_t)vtable, 4, reader->size))
        return fb_malformed(reader, at, field, "a table's vtable lies outside the file or is misaligned");
    const fb_table table = {at, (size_t)vtable, read_u16(reader, (size_t)vtable), read_u16(reader, (size_t)vtable + 2)};
    if (table.vtable_size < 4 || table.vtable_size % 2 || !tmc_in_bounds(table.vtable, table.vtable_size, reader->size))
        return fb_malformed(reader, table.vtable, field, "a vtable's size is wrong");
    if (table.table_size < 4 || !tmc_in_bounds(at, table.table_size, reader->size))
        return fb_malformed(reader, table.vtable, field, "a table is larger than the file");
    *out = table;
    return TMC_OK;
}

tmc_status fb_open(fb_reader *reader, const void *bytes, size_t size, const char *identifier, fb_table *root,
                   tmc_error *err) {
    *reader = (fb_reader){bytes, size, BUDGET_PER_BYTE * (uint64_t)size + BUDGET_LEAST, err};
    if (size < 8) return fb_malformed(reader, 0, "root", "shorter than its header");
    if (memcmp(reader->bytes + 4, identifier, 4) != 0)
        return fb_malformed(reader, 4, "identifier", "the file identifier is another one");
    return open_table(reader, read_u32(reader, 0), "root", root);
}

/* *at: position of a field of `width` bytes, 0 if the table has none. */
static tmc_status find_field(const fb_reader *reader, const fb_table *table, uint32_t slot, uint32_t width,
                             size_t *at) {
    const uint32_t entry = 4 + 2 * slot;
    *at = 0;
    if (entry + 2 > table->vtable_size) return TMC_OK;
    const uint32_t offset = read_u16(reader, table->vtable + entry);
    if (offset == 0) return TMC_OK;
    if (offset < 4 || !tmc_in_bounds(offset, width, table->table_size))
        return fb_malformed(reader, table->vtable + entry, "field", "a field lies outside its table");
    if ((table->at + offset) % width) return fb_malformed(reader, table->at + offset, "field", "a field is misaligned");
    *at = table->at + offset;
    return TMC_OK;
}

tmc_status fb_u8(const fb_reader *reader, const fb_table *table, uint32_t slot, uint8_t fallback, uint8_t *out) {
    size_t at;
    TMC_TRY(find_field(reader, table, slot, 1, &at));
    *out = at ? reader->bytes[at] : fallback;
    return TMC_OK;
}

tmc_status fb_i8(const fb_reader *reader, const fb_table *table, uint32_t slot, int8_t fallback, int8_t *out) {
    uint8_t value;
    TMC_TRY(fb_u8(reader, table, slot, (uint8_t)fallback, &value));
    *out = (int8_t)value;
    return TMC_OK;
}

tmc_status fb_bool(const fb_reader *reader, const fb_table *table, uint32_t slot, bool fallback, bool *out) {
    uint8_t value;
    TMC_TRY(fb_u8(reader, table, slot, fallback, &value));
    *out = value != 0;
    return TMC_OK;
}

tmc_status fb_u32(const fb_reader *reader, const fb_table *table, uint32_t slot, uint32_t fallback, uint32_t *out) {
    size_t at;
    TMC_TRY(find_field(reader, table, slot, 4, &at));
    *out = at ? read_u32(reader, at) : fallback;
    return TMC_OK;
}

tmc_status fb_i32(const fb_reader *reader, const fb_table *table, uint32_t slot, int32_t fallback, int32_t *out) {
    uint32_t value;
    TMC_TRY(fb_u32(reader, table, slot, (uint32_t)fallback, &value));
    *out = (int32_t)value;
    return TMC_OK;
}

tmc_status fb_u64(const fb_reader *reader, const fb_table *table, uint32_t slot, uint64_t fallback, uint64_t *out) {
    size_t at;
    TMC_TRY(find_field(reader, table, slot, 8, &at));
    *out = at ? read_u64(reader, at) : fallback;
    return TMC_OK;
}

tmc_status fb_f32(const fb_reader *reader, const fb_table *table, uint32_t slot, float fallback, float *out) {
    uint32_t bits;
    memcpy(&bits, &fallback, sizeof bits);
    TMC_TRY(fb_u32(reader, table, slot, bits, &bits));
    memcpy(out, &bits, sizeof *out);
    return TMC_OK;
}

/* ------------------------------------------------------------------------------------------------------- offsets */

/* Where the offset at `at` points to. */
static tmc_status follow(const fb_reader *reader, size_t at, const char *field, size_t *out) {
    const uint32_t offset = read_u32(reader, at);
    *out = 0;
    if (offset == 0 || offset > reader->size - at)
        return fb_malformed(reader, at, field, "an offset points outside the file");
    *out = at + offset;
    return TMC_OK;
}

static tmc_status follow_field(const fb_reader *reader, const fb_table *table, uint32_t slot, const char *field,
                               size_t *out) {
    size_t at;
    *out = 0;
    TMC_TRY(find_field(reader, table, slot, 4, &at));
    return at ? follow(reader, at, field, out) : TMC_OK;
}

tmc_status fb_sub_table(fb_reader *reader, const fb_table *table, uint32_t slot, const char *field, fb_table *out) {
    size_t at;
    *out = (fb_table){0};
    TMC_TRY(follow_field(reader, table, slot, field, &at));
    return at ? open_table(reader, at, field, out) : TMC_OK;
}

tmc_status fb_vector_field(fb_reader *reader, const fb_table *table, uint32_t slot, uint32_t element_size,
                           const char *field, fb_vector *out) {
    size_t at;
    *out = (fb_vector){0};
    TMC_TRY(follow_field(reader, table, slot, field, &at));
    if (!at) return TMC_OK;
    if (at % 4 || !tmc_in_bounds(at, 4, reader->size))
        return fb_malformed(reader, at, field, "a vector lies outside the file or is misaligned");
    const fb_vector vector = {at + 4, read_u32(reader, at)};
    if (!tmc_in_bounds(vector.at, (uint64_t)vector.count * element_size, reader->size))
        return fb_malformed(reader, at, field, "a vector is longer than the file");
    if (vector.count && vector.at % element_size)
        return fb_malformed(reader, at, field, "a vector's elements are misaligned");
    TMC_TRY(pay(reader, element_size == 1 ? 1 : vector.count, at, field));
    *out = vector;
    return TMC_OK;
}

tmc_status fb_string(fb_reader *reader, const fb_table *table, uint32_t slot, const char *field, const char **out) {
    fb_vector vector;
    *out = NULL;
    TMC_TRY(fb_vector_field(reader, table, slot, 1, field, &vector));
    if (!vector.at) return TMC_OK;
    TMC_TRY(pay(reader, vector.count, vector.at, field));
    const uint8_t *text = reader->bytes + vector.at;
    if (!tmc_in_bounds(vector.at, (uint64_t)vector.count + 1, reader->size) || text[vector.count] != 0)
        return fb_malformed(reader, vector.at, field, "a string does not end with a NUL");
    for (size_t i = 0, length; i < vector.count; i += length) {
        length = text[i] ? text_utf8_length(text + i, vector.count - i) : 0;
        if (!length) return fb_malformed(reader, vector.at + i, field, "a string has a NUL inside or is not UTF-8");
    }
    *out = (const char *)text;
    return TMC_OK;
}

tmc_status fb_vector_table(fb_reader *reader, const fb_vector *vector, uint32_t index, const char *field,
                           fb_table *out) {
    size_t at;
    TMC_TRY(follow(reader, vector->at + 4 * (size_t)index, field, &at));
    return open_table(reader, at, field, out);
}

int32_t fb_vector_i32(const fb_reader *reader, const fb_vector *vector, uint32_t index) {
    return (int32_t)read_u32(reader, vector->at + 4 * (size_t)index);
}

int64_t fb_vector_i64(const fb_reader *reader, const fb_vector *vector, uint32_t index) {
    return (int64_t)read_u64(reader, vector->at + 8 * (size_t)index);
}

float fb_vector_f32(const fb_reader *reader, const fb_vector *vector, uint32_t index) {
    const uint32_t bits = read_u32(reader, vector->at + 4 * (size_t)index);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
