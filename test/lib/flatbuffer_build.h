/* Writes FlatBuffers for tests: whatever is referred to is appended behind what refers to it, so that every offset can
 * be found again and be broken. */
#ifndef TMC_TEST_FLATBUFFER_BUILD_H
#define TMC_TEST_FLATBUFFER_BUILD_H

#include <stddef.h>
#include <stdint.h>

typedef struct fbw {
    uint8_t *bytes; /* malloc'd */
    size_t size, capacity;
} fbw;

/* Header with the identifier; the root comes with fbw_root. */
fbw fbw_new(const char *identifier);
void fbw_free(fbw *b);

/* A table whose fields are zero: one character per slot, '1', '4' or '8' bytes, '.' for none. Returns its position. */
size_t fbw_table(fbw *b, const char *fields);
/* Position of a field. */
size_t fbw_field(const fbw *b, size_t table, uint32_t slot);
void fbw_set(fbw *b, size_t table, uint32_t slot, const void *value, size_t size);
void fbw_set_u8(fbw *b, size_t table, uint32_t slot, uint8_t value);
void fbw_set_u32(fbw *b, size_t table, uint32_t slot, uint32_t value);
/* Writes the offset at `from` so that it points to `to`, or the field's. */
void fbw_refer(fbw *b, size_t from, size_t to);
void fbw_link(fbw *b, size_t table, uint32_t slot, size_t to);
void fbw_root(fbw *b, size_t table);

/* Returns the position of the count; elements follow. `data` NULL: zeros. */
size_t fbw_vector(fbw *b, size_t element_size, uint32_t count, const void *data);
size_t fbw_string(fbw *b, const char *text);

#endif
