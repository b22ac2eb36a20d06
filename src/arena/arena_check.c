#include <stdarg.h>

#include "arena/arena.h"
#include "base/format.h"

static bool meet(const tmc_arena_item *a, const tmc_arena_item *b) {
    bool in_time = a->first <= b->last && b->first <= a->last;
    return in_time && a->bytes && b->bytes && a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

bool tmc_arena_check(const tmc_arena_item *items, uint32_t count, uint64_t total, uint32_t *a, uint32_t *b) {
    for (uint32_t i = 0; i < count; i++) {
        *a = *b = i;
        if (items[i].offset % TMC_ARENA_ALIGN || items[i].offset > total || items[i].bytes > total - items[i].offset)
            return false;
        for (*b = 0; *b < i; ++*b)
            if (meet(&items[i], &items[*b])) return false;
    }
    return true;
}

static void text(char *out, size_t size, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    tmc_format(out, size, fmt, args);
    va_end(args);
}

void tmc_arena_print(const tmc_arena_item *items, uint32_t count, tmc_arena_line_fn line, void *user) {
    char buffer[160];
    for (uint32_t i = 0; i < count; i++) {
        const tmc_arena_item *item = &items[i];
        text(buffer, sizeof buffer, "%u  steps %u..%u  bytes %llu  at %llu..%llu", i, item->first, item->last,
             (unsigned long long)item->bytes, (unsigned long long)item->offset,
             (unsigned long long)(item->offset + item->bytes));
        line(user, buffer);
    }
}
