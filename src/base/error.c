#include "base/error.h"

#include <stdarg.h>
#include <string.h>

#include "base/format.h"

void tmc_error_init(tmc_error *err) {
    memset(err, 0, sizeof *err);
    err->struct_size = sizeof *err;
    err->node = err->tensor = -1;
    err->byte_offset = UINT64_MAX;
}

tmc_status tmc_fail(tmc_error *err, tmc_status status, const char *fmt, ...) {
    va_list args;
    tmc_error_init(err);
    err->status = status;
    va_start(args, fmt);
    tmc_format(err->message, sizeof err->message, fmt, args);
    va_end(args);
    return status;
}

static void set_text(char *out, size_t size, const char *text) {
    size_t n = strlen(text);
    if (n >= size) n = size - 1;
    memcpy(out, text, n);
    out[n] = 0;
}

tmc_status tmc_fail_field(tmc_error *err, tmc_status status, const char *field, const char *fmt, ...) {
    va_list args;
    tmc_error_init(err);
    err->status = status;
    set_text(err->field, sizeof err->field, field);
    va_start(args, fmt);
    tmc_format(err->message, sizeof err->message, fmt, args);
    va_end(args);
    return status;
}

void tmc_error_at_node(tmc_error *err, int32_t node) {
    if (err->node < 0) err->node = node;
}

void tmc_error_at_tensor(tmc_error *err, int32_t tensor) {
    if (err->tensor < 0) err->tensor = tensor;
}

void tmc_error_at_byte(tmc_error *err, const char *section, uint64_t offset) {
    if (err->section[0]) return;
    set_text(err->section, sizeof err->section, section);
    err->byte_offset = offset;
}

tmc_status tmc_error_export(const tmc_error *from, tmc_error *to) {
    if (to && from->status != TMC_OK) {
        size_t size = to->struct_size;
        /* A caller that forgot tmc_error_init gets nothing rather than a write over its stack. */
        if (size >= offsetof(tmc_error, message) && size <= 4096) {
            size_t n = size < sizeof *from ? size : sizeof *from;
            memcpy(to, from, n);
            to->struct_size = size;
            if (n < sizeof *from && n > offsetof(tmc_error, message)) ((char *)to)[n - 1] = 0;
        }
    }
    return from->status;
}
