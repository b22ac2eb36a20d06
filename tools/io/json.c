#include "io/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(json_writer *json, const char *text, size_t n) {
    if (json->failed) return;
    if (json->length + n + 1 > json->capacity) {
        size_t capacity = (json->capacity + n + 1) * 2;
        char *grown = realloc(json->text, capacity);
        if (!grown) {
            json->failed = 1;
            return;
        }
        json->text = grown;
        json->capacity = capacity;
    }
    memcpy(json->text + json->length, text, n);
    json->length += n;
    json->text[json->length] = 0;
}

static void put_text(json_writer *json, const char *text) { put(json, text, strlen(text)); }

static void put_quoted(json_writer *json, const char *text) {
    put(json, "\"", 1);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        char escape[8];
        if (c == '"' || c == '\\') {
            snprintf(escape, sizeof escape, "\\%c", c);
        } else if (c < 0x20) {
            snprintf(escape, sizeof escape, "\\u%04x", c);
        } else {
            escape[0] = (char)c;
            escape[1] = 0;
        }
        put_text(json, escape);
    }
    put(json, "\"", 1);
}

static void begin_value(json_writer *json, const char *key) {
    if (!json->first) put(json, ",", 1);
    if (json->depth) {
        put(json, "\n", 1);
        for (int i = 0; i < json->depth; i++) put(json, "  ", 2);
    }
    if (key) {
        put_quoted(json, key);
        put(json, ": ", 2);
    }
    json->first = 0;
}

static void open_value(json_writer *json, const char *key, const char *bracket) {
    begin_value(json, key);
    put_text(json, bracket);
    json->depth++;
    json->first = 1;
}

static void close_value(json_writer *json, const char *bracket) {
    json->depth--;
    if (!json->first) {
        put(json, "\n", 1);
        for (int i = 0; i < json->depth; i++) put(json, "  ", 2);
    }
    put_text(json, bracket);
    json->first = 0;
}

void json_start(json_writer *json) {
    memset(json, 0, sizeof *json);
    json->first = 1;
}

void json_open_object(json_writer *json, const char *key) { open_value(json, key, "{"); }

void json_open_array(json_writer *json, const char *key) { open_value(json, key, "["); }

void json_close_object(json_writer *json) { close_value(json, "}"); }

void json_close_array(json_writer *json) { close_value(json, "]"); }

void json_string(json_writer *json, const char *key, const char *value) {
    begin_value(json, key);
    put_quoted(json, value);
}

void json_integer(json_writer *json, const char *key, int64_t value) {
    char text[32];
    begin_value(json, key);
    snprintf(text, sizeof text, "%lld", (long long)value);
    put_text(json, text);
}

void json_number(json_writer *json, const char *key, double value) {
    char text[40];
    if (!isfinite(value)) {
        json_string(json, key, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    begin_value(json, key);
    snprintf(text, sizeof text, "%.9g", value);
    put_text(json, text);
}

char *json_finish(json_writer *json) {
    put(json, "\n", 1);
    char *text = json->text;
    if (json->failed) {
        free(text);
        text = NULL;
    }
    json_start(json);
    return text;
}
