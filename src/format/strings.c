#include <stdbool.h>
#include <string.h>

#include "format/sections.h"

/* Length of the well-formed UTF-8 sequence at s (Unicode 15, table 3-7: no overlong forms, no surrogates, at most
 * U+10FFFF), 0 if there is none. s is NUL-terminated: a short sequence meets the NUL, which is no continuation byte. */
static size_t utf8_length(const uint8_t *s) {
    uint8_t lead = s[0], low = 0x80, high = 0xBF;
    size_t length;
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        length = 3;
        if (lead == 0xE0) low = 0xA0;
        if (lead == 0xED) high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
        if (lead == 0xF0) low = 0x90;
        if (lead == 0xF4) high = 0x8F;
    } else {
        return 0;
    }
    if (s[1] < low || s[1] > high) return 0;
    for (size_t i = 2; i < length; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    return length;
}

static tmc_status check_utf8(const uint8_t *s, uint64_t place, tmc_error *err) {
    for (size_t i = 0, step; s[i]; i += step) {
        step = utf8_length(s + i);
        if (!step)
            return tmc_fail_at(err, "STRS", place + i,
                               tmc_fail_field(err, TMC_E_FORMAT, "string", "byte 0x%x is not valid UTF-8 here", s[i]));
    }
    return TMC_OK;
}

tmc_status tmc_file_check_strings(const tmc_file_view *view, tmc_error *err) {
    const char *s = view->strings;
    const uint64_t size = view->strings_size, base = (uint64_t)((const uint8_t *)s - view->bytes);
    if (size > UINT32_MAX)
        return tmc_fail_at(err, "STRS", base,
                           tmc_fail_field(err, TMC_E_LIMIT, "size", "%llu bytes of strings, offsets have 32 bits",
                                          (unsigned long long)size));
    if (size == 0 || s[0] != 0 || s[size - 1] != 0)
        return tmc_fail_at(err, "STRS", base,
                           tmc_fail_field(err, TMC_E_FORMAT, "string", "the strings must start and end with a NUL"));
    const char *previous = s; /* the empty string at offset 0 */
    for (uint64_t at = 1, length; at < size; at += length + 1) {
        length = strlen(s + at); /* ends inside: the last byte is NUL */
        if (length > TMC_FILE_MAX_STRING)
            return tmc_fail_at(err, "STRS", base + at,
                               tmc_fail_field(err, TMC_E_LIMIT, "string", "a string has %llu bytes, limit %u",
                                              (unsigned long long)length, TMC_FILE_MAX_STRING));
        TMC_TRY(check_utf8((const uint8_t *)s + at, base + at, err));
        /* Sorted and each once: two references are equal exactly where their offsets are. */
        if (strcmp(previous, s + at) >= 0)
            return tmc_fail_at(err, "STRS", base + at,
                               tmc_fail_field(err, TMC_E_FORMAT, "string",
                                              "a string is not greater than the one before it; strings are sorted by "
                                              "bytes, each once"));
        previous = s + at;
    }
    return TMC_OK;
}
