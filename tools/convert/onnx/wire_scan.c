#include "convert/onnx/wire_scan.h"

#include <stdbool.h>
#include <string.h>

#include "convert/text.h"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

typedef struct scan_level {
    const ProtobufCMessageDescriptor *type; /* NULL never: unknown fields are skipped, not entered */
    size_t end;
    uint64_t seen; /* singular fields with a length, by number */
} scan_level;

typedef struct scanner {
    const uint8_t *bytes;
    size_t pos;
    uint32_t depth, messages;
    scan_level levels[ONNX_WIRE_MAX_DEPTH];
    tmc_error *err;
} scanner;

static tmc_status malformed(scanner *s, const char *what) {
    tmc_status status = tmc_fail(s->err, TMC_E_FORMAT, "not an ONNX file, or damaged: %s", what);
    tmc_error_at_byte(s->err, "ONNX", s->pos);
    return status;
}

static tmc_status read_varint(scanner *s, size_t end, uint64_t *value) {
    uint64_t v = 0;
    for (unsigned i = 0; i < 10; i++) {
        if (s->pos >= end) return malformed(s, "a number is cut off");
        uint8_t byte = s->bytes[s->pos++];
        if (i == 9 && byte > 1) return malformed(s, "a number is longer than 64 bits");
        v |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *value = v;
            return TMC_OK;
        }
    }
    return malformed(s, "a number is longer than 10 bytes");
}

static tmc_status check_string(scanner *s, size_t size) {
    const uint8_t *p = s->bytes + s->pos;
    for (size_t i = 0, n; i < size; i += n) {
        if (p[i] == 0) return malformed(s, "a string contains a NUL byte");
        n = text_utf8_length(p + i, size - i);
        if (n == 0) return malformed(s, "a string is not UTF-8");
    }
    return TMC_OK;
}

static tmc_status check_once(scanner *s, scan_level *level, const ProtobufCFieldDescriptor *field) {
    if (field->label == PROTOBUF_C_LABEL_REPEATED || field->id >= 64) return TMC_OK;
    if (level->seen >> field->id & 1) return malformed(s, "a field that may occur once occurs twice");
    level->seen |= (uint64_t)1 << field->id;
    return TMC_OK;
}

static tmc_status enter_message(scanner *s, const ProtobufCMessageDescriptor *type, size_t end) {
    if (s->depth == ONNX_WIRE_MAX_DEPTH)
        return tmc_fail(s->err, TMC_E_LIMIT, "messages are nested more than %d deep", ONNX_WIRE_MAX_DEPTH);
    if (++s->messages > ONNX_WIRE_MAX_MESSAGES)
        return tmc_fail(s->err, TMC_E_LIMIT, "more than %u messages in one model", ONNX_WIRE_MAX_MESSAGES);
    s->levels[s->depth++] = (scan_level){type, end, 0};
    return TMC_OK;
}

static tmc_status scan_bytes(scanner *s, scan_level *level, const ProtobufCFieldDescriptor *field) {
    uint64_t size;
    TMC_TRY(read_varint(s, level->end, &size));
    if (size > level->end - s->pos) return malformed(s, "a length reaches past the end of what contains it");
    if (field) {
        bool packed = field->type != PROTOBUF_C_TYPE_MESSAGE && field->type != PROTOBUF_C_TYPE_STRING &&
                      field->type != PROTOBUF_C_TYPE_BYTES;
        if (!packed) TMC_TRY(check_once(s, level, field));
        if (field->type == PROTOBUF_C_TYPE_MESSAGE) return enter_message(s, field->descriptor, s->pos + (size_t)size);
        /* Documentation may hold any old encoding: it is never read. */
        if (field->type == PROTOBUF_C_TYPE_STRING && strcmp(field->name, "doc_string") != 0)
            TMC_TRY(check_string(s, (size_t)size));
    }
    s->pos += (size_t)size;
    return TMC_OK;
}

static tmc_status skip_fixed(scanner *s, size_t end, size_t size) {
    if (end - s->pos < size) return malformed(s, "a number is cut off");
    s->pos += size;
    return TMC_OK;
}

static tmc_status scan_field(scanner *s) {
    scan_level *level = &s->levels[s->depth - 1];
    uint64_t tag, ignored;
    TMC_TRY(read_varint(s, level->end, &tag));
    if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff) return malformed(s, "a field number is out of range");
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(level->type, (unsigned)(tag >> 3));
    switch (tag & 7) {
    case WIRE_VARINT: return read_varint(s, level->end, &ignored);
    case WIRE_FIXED64: return skip_fixed(s, level->end, 8);
    case WIRE_FIXED32: return skip_fixed(s, level->end, 4);
    case WIRE_BYTES: return scan_bytes(s, level, field);
    default: return malformed(s, "a field has a wire type that ONNX does not use");
    }
}

tmc_status onnx_wire_scan(const ProtobufCMessageDescriptor *root, const uint8_t *bytes, size_t size, tmc_error *err) {
    scanner s = {.bytes = bytes, .err = err};
    TMC_TRY(enter_message(&s, root, size));
    while (s.depth) {
        if (s.pos == s.levels[s.depth - 1].end)
            s.depth--;
        else
            TMC_TRY(scan_field(&s));
    }
    return TMC_OK;
}
