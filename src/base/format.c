#include "base/format.h"

#include <string.h>

typedef struct {
    char *out;
    size_t size, length;
} writer;

static void put(writer *w, char c) {
    if (w->length + 1 < w->size) w->out[w->length++] = c;
}

static void put_text(writer *w, const char *s) {
    if (!s) s = "(null)";
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        put(w, c < 0x20 || c == 0x7f ? '?' : (char)c);
    }
}

static void put_number(writer *w, unsigned long long value, unsigned base) {
    char digits[24];
    int n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (n) put(w, digits[--n]);
}

static void put_signed(writer *w, long long value) {
    if (value < 0) put(w, '-');
    put_number(w, value < 0 ? 0ull - (unsigned long long)value : (unsigned long long)value, 10);
}

/* Cuts an incomplete UTF-8 sequence off the end of a full buffer. */
static void trim_utf8(writer *w) {
    size_t i = w->length, back = 0;
    while (i > 0 && back < 4 && ((unsigned char)w->out[i - 1] & 0xC0) == 0x80) i--, back++;
    if (i == 0) return;
    unsigned char lead = (unsigned char)w->out[i - 1];
    size_t need = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (need != back) w->length = i - (lead >= 0xC0 ? 1 : 0);
}

void tmc_format(char *out, size_t size, const char *fmt, va_list args) {
    writer w = {out, size, 0};
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            put(&w, *fmt);
            continue;
        }
        int wide = 0, is_size = 0;
        fmt++;
        for (; *fmt == 'l' || *fmt == 'z'; fmt++) *fmt == 'l' ? wide++ : is_size++;
        switch (*fmt) {
        case 's': put_text(&w, va_arg(args, const char *)); break;
        case 'c': put(&w, (char)va_arg(args, int)); break;
        case 'd':
            put_signed(&w, wide == 2   ? va_arg(args, long long)
                           : wide == 1 ? va_arg(args, long)
                           : is_size   ? (long long)va_arg(args, ptrdiff_t)
                                       : va_arg(args, int));
            break;
        case 'u':
        case 'x':
            put_number(&w,
                       wide == 2   ? va_arg(args, unsigned long long)
                       : wide == 1 ? va_arg(args, unsigned long)
                       : is_size   ? va_arg(args, size_t)
                                   : va_arg(args, unsigned),
                       *fmt == 'x' ? 16 : 10);
            break;
        case '%': put(&w, '%'); break;
        default:
            put(&w, '%');
            fmt--;
            break;
        }
    }
    if (size) {
        if (w.length + 1 == size) trim_utf8(&w);
        out[w.length] = 0;
    }
}

const char *tmc_text_at(const char *texts, uint32_t index, const char *otherwise) {
    for (; *texts; texts += strlen(texts) + 1)
        if (index-- == 0) return texts;
    return otherwise;
}
