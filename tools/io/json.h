/* Writes JSON into memory, with indentation and escapes; commas come by themselves. A failed allocation is remembered
 * and reported by json_finish. */
#ifndef TMC_IO_JSON_H
#define TMC_IO_JSON_H

#include <stddef.h>
#include <stdint.h>

typedef struct json_writer {
    char *text;
    size_t length, capacity;
    int depth, first, failed;
} json_writer;

void json_start(json_writer *json);
/* `key` is NULL inside arrays and for the outermost value. */
void json_open_object(json_writer *json, const char *key);
void json_open_array(json_writer *json, const char *key);
void json_close_object(json_writer *json);
void json_close_array(json_writer *json);
void json_string(json_writer *json, const char *key, const char *value);
void json_integer(json_writer *json, const char *key, int64_t value);
/* Shortest text that reads back as the same float; NaN and infinities become strings. */
void json_number(json_writer *json, const char *key, double value);
/* The text (malloc'd, newline at its end), or NULL if memory ran out. Resets the writer. */
char *json_finish(json_writer *json);

#endif
