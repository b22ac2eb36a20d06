#include "lib/flatbuffer_build.h"

#include <stdlib.h>
#include <string.h>

/* Appends zeros after padding, so that byte `at` of them is at a multiple of `align`; returns where they start. */
static size_t append(fbw *b, size_t size, size_t at, size_t align) {
    size_t start = b->size;
    while ((start + at) % align) start++;
    if (start + size > b->capacity) {
        b->capacity = 2 * (start + size);
        b->bytes = realloc(b->bytes, b->capacity);
        if (!b->bytes) abort();
    }
    memset(b->bytes + b->size, 0, start + size - b->size);
    b->size = start + size;
    return start;
}

fbw fbw_new(const char *identifier) {
    fbw b = {0};
    append(&b, 8, 0, 4);
    memcpy(b.bytes + 4, identifier, 4);
    return b;
}

void fbw_free(fbw *b) { free(b->bytes); }

static void put_u16(fbw *b, size_t at, size_t value) {
    b->bytes[at] = (uint8_t)value;
    b->bytes[at + 1] = (uint8_t)(value >> 8);
}

static void put_u32(fbw *b, size_t at, size_t value) {
    put_u16(b, at, value);
    put_u16(b, at + 2, value >> 16);
}

size_t fbw_table(fbw *b, const char *fields) {
    const size_t slots = strlen(fields), vtable = append(b, 4 + 2 * slots, 0, 2), table = append(b, 4, 0, 8);
    put_u16(b, vtable, 4 + 2 * slots);
    put_u32(b, table, table - vtable);
    for (size_t i = 0; i < slots; i++) {
        if (fields[i] == '.') continue;
        const size_t width = (size_t)(fields[i] - '0');
        put_u16(b, vtable + 4 + 2 * i, append(b, width, 0, width) - table);
    }
    put_u16(b, vtable + 2, b->size - table);
    return table;
}

size_t fbw_field(const fbw *b, size_t table, uint32_t slot) {
    const size_t back = (size_t)b->bytes[table] | (size_t)b->bytes[table + 1] << 8 | (size_t)b->bytes[table + 2] << 16;
    const size_t entry = table - back + 4 + 2 * (size_t)slot;
    return table + (size_t)(b->bytes[entry] | b->bytes[entry + 1] << 8);
}

void fbw_set(fbw *b, size_t table, uint32_t slot, const void *value, size_t size) {
    memcpy(b->bytes + fbw_field(b, table, slot), value, size);
}

void fbw_set_u8(fbw *b, size_t table, uint32_t slot, uint8_t value) { fbw_set(b, table, slot, &value, 1); }

void fbw_set_u32(fbw *b, size_t table, uint32_t slot, uint32_t value) { put_u32(b, fbw_field(b, table, slot), value); }

void fbw_refer(fbw *b, size_t from, size_t to) { put_u32(b, from, to - from); }

void fbw_link(fbw *b, size_t table, uint32_t slot, size_t to) { fbw_refer(b, fbw_field(b, table, slot), to); }

void fbw_root(fbw *b, size_t table) { fbw_refer(b, 0, table); }

size_t fbw_vector(fbw *b, size_t element_size, uint32_t count, const void *data) {
    const size_t align = element_size < 4 ? 4 : element_size;
    const size_t at = append(b, 4 + element_size * count, 4, align);
    put_u32(b, at, count);
    if (data) memcpy(b->bytes + at + 4, data, element_size * count);
    return at;
}

size_t fbw_string(fbw *b, const char *text) {
    const size_t length = strlen(text), at = append(b, 4 + length + 1, 0, 4);
    put_u32(b, at, length);
    memcpy(b->bytes + at + 4, text, length);
    return at;
}
