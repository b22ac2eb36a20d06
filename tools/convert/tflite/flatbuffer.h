/* A reader of FlatBuffers that trusts no byte: what it hands out lies inside the file, aligned, and a string ends.
 *
 * Nothing is copied and nothing recurses: the caller walks down from the root, and each step is checked when it is
 * taken. Tables may share bytes, so a small file can claim to be a huge one (a vector of a million offsets to one table
 * with a vector of its own). Every table, element and character therefore costs one unit of a budget in proportion to
 * the file's size: reading ends in linear time whatever the file says.
 *
 * Errors: E_FORMAT with the byte where it was found, E_LIMIT for the budget. */
#ifndef TMC_CONVERT_TFLITE_FLATBUFFER_H
#define TMC_CONVERT_TFLITE_FLATBUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct fb_reader {
    const uint8_t *bytes;
    size_t size;
    uint64_t budget;
    tmc_error *err;
} fb_reader;

/* at == 0: absent. Positions are those of bytes in the file. */
typedef struct fb_table {
    size_t at, vtable;
    uint32_t vtable_size, table_size;
} fb_table;

typedef struct fb_vector {
    size_t at; /* of the first element; 0: absent */
    uint32_t count;
} fb_vector;

/* E_FORMAT at a byte, for what only the caller can see to be wrong. */
tmc_status fb_malformed(const fb_reader *reader, size_t at, const char *field, const char *what);

/* `identifier`: the four characters at byte 4. */
tmc_status fb_open(fb_reader *reader, const void *bytes, size_t size, const char *identifier, fb_table *root,
                   tmc_error *err);

/* Fields of a table by slot, which is the field's id in the schema. An absent field gives the fallback. */
tmc_status fb_bool(const fb_reader *reader, const fb_table *table, uint32_t slot, bool fallback, bool *out);
tmc_status fb_i8(const fb_reader *reader, const fb_table *table, uint32_t slot, int8_t fallback, int8_t *out);
tmc_status fb_u8(const fb_reader *reader, const fb_table *table, uint32_t slot, uint8_t fallback, uint8_t *out);
tmc_status fb_i32(const fb_reader *reader, const fb_table *table, uint32_t slot, int32_t fallback, int32_t *out);
tmc_status fb_u32(const fb_reader *reader, const fb_table *table, uint32_t slot, uint32_t fallback, uint32_t *out);
tmc_status fb_u64(const fb_reader *reader, const fb_table *table, uint32_t slot, uint64_t fallback, uint64_t *out);
tmc_status fb_f32(const fb_reader *reader, const fb_table *table, uint32_t slot, float fallback, float *out);

/* What a field refers to; absent fields give at == 0. `field` names it in errors. */
tmc_status fb_sub_table(fb_reader *reader, const fb_table *table, uint32_t slot, const char *field, fb_table *out);
/* `element_size` 1, 4 or 8. The elements are paid for, except those of a vector of bytes. */
tmc_status fb_vector_field(fb_reader *reader, const fb_table *table, uint32_t slot, uint32_t element_size,
                           const char *field, fb_vector *out);
/* A string of UTF-8 without NUL; NULL if absent. It ends with a NUL in the file. */
tmc_status fb_string(fb_reader *reader, const fb_table *table, uint32_t slot, const char *field, const char **out);
/* Element `index` of a vector of tables. */
tmc_status fb_vector_table(fb_reader *reader, const fb_vector *vector, uint32_t index, const char *field,
                           fb_table *out);

/* Elements of vectors that fb_vector_field has checked. */
int32_t fb_vector_i32(const fb_reader *reader, const fb_vector *vector, uint32_t index);
int64_t fb_vector_i64(const fb_reader *reader, const fb_vector *vector, uint32_t index);
float fb_vector_f32(const fb_reader *reader, const fb_vector *vector, uint32_t index);

#endif
