#include "lib/counting_alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64, TAIL = 64, TAIL_BYTE = 0xA5 };

/* In front of each block, in one alignment unit. */
typedef struct {
    size_t bytes;
} head;

static void *count_alloc(void *user, size_t bytes, size_t align) {
    counting_alloc *c = user;
    pthread_mutex_lock(&c->lock);
    c->calls++;
    bool fail = c->fail_at && (c->fail_on ? c->calls >= c->fail_at : c->calls == c->fail_at);
    char *block =
        fail || align > ALIGN ? NULL : aligned_alloc(ALIGN, (ALIGN + bytes + TAIL + ALIGN - 1) / ALIGN * ALIGN);
    if (block) {
        ((head *)block)->bytes = bytes;
        memset(block + ALIGN, 0xCD, bytes);
        memset(block + ALIGN + bytes, TAIL_BYTE, TAIL);
        c->live_bytes += bytes;
        c->live_blocks++;
        if (c->live_bytes > c->peak_bytes) c->peak_bytes = c->live_bytes;
    }
    pthread_mutex_unlock(&c->lock);
    return block ? block + ALIGN + c->misalign : NULL;
}

static void count_free(void *user, void *ptr, size_t bytes) {
    counting_alloc *c = user;
    char *data = (char *)ptr - c->misalign, *block = data - ALIGN;
    pthread_mutex_lock(&c->lock);
    if (((head *)block)->bytes != bytes) {
        fprintf(stderr, "free of %zu bytes, the block has %zu\n", bytes, ((head *)block)->bytes);
        abort();
    }
    for (size_t i = 0; i < TAIL; i++) {
        if ((unsigned char)data[bytes + i] == TAIL_BYTE) continue;
        fprintf(stderr, "byte %zu behind a block of %zu bytes was overwritten\n", i, bytes);
        abort();
    }
    c->live_bytes -= bytes;
    c->live_blocks--;
    pthread_mutex_unlock(&c->lock);
    free(block);
}

void counting_alloc_init(counting_alloc *c) {
    memset(c, 0, sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    c->allocator = (tmc_allocator){c, count_alloc, count_free};
}
