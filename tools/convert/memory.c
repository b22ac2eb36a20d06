#include "convert/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

static void out_of_memory(uint64_t size) {
    fprintf(stderr, "tmcnn: out of memory (%llu bytes wanted)\n", (unsigned long long)size);
    exit(TMC_EXIT_NOMEM);
}

static size_t checked_product(size_t count, size_t size) {
    uint64_t bytes;
    if (!tmc_mul_u64(count, size, &bytes) || bytes > SIZE_MAX) {
        out_of_memory(UINT64_MAX);
        return 0;
    }
    return (size_t)bytes;
}

void *x_alloc(size_t size) {
    void *ptr = calloc(1, size ? size : 1);
    if (!ptr) out_of_memory(size);
    return ptr;
}

void *x_alloc_array(size_t count, size_t size) { return x_alloc(checked_product(count, size)); }

void *x_realloc(void *ptr, size_t size) {
    void *grown = realloc(ptr, size ? size : 1);
    if (!grown) out_of_memory(size);
    return grown;
}

void *x_grow(void *ptr, uint32_t *capacity, uint32_t count, size_t size) {
    if (count <= *capacity) return ptr;
    uint64_t wanted = (uint64_t)*capacity + *capacity / 2 + 8;
    if (wanted < count) wanted = count;
    if (wanted > UINT32_MAX) wanted = UINT32_MAX;
    *capacity = (uint32_t)wanted;
    return x_realloc(ptr, checked_product((size_t)wanted, size));
}

char *x_strdup(const char *text) { return x_memdup(text, strlen(text) + 1); }

void *x_memdup(const void *data, size_t size) {
    void *copy = x_alloc(size);
    if (size) memcpy(copy, data, size);
    return copy;
}
