#include "base/alloc.h"

#include <stdlib.h>

#include "base/checked.h"

static void *libc_alloc(void *user, size_t bytes, size_t align) {
    (void)user;
    if (bytes > SIZE_MAX - align) return NULL;
    return aligned_alloc(align, tmc_round_up(bytes, align)); /* C11 wants a multiple of the alignment */
}

static void libc_free(void *user, void *ptr, size_t bytes) {
    (void)user;
    (void)bytes;
    free(ptr);
}

const tmc_allocator tmc_allocator_libc = {NULL, libc_alloc, libc_free};

void *tmc_alloc(const tmc_allocator *allocator, size_t bytes) {
    void *ptr = allocator->alloc(allocator->user, bytes, TMC_ALIGN);
    if (ptr && (uintptr_t)ptr % TMC_ALIGN) {
        allocator->free(allocator->user, ptr, bytes);
        return NULL;
    }
    return ptr;
}

void tmc_free(const tmc_allocator *allocator, void *ptr, size_t bytes) {
    if (ptr) allocator->free(allocator->user, ptr, bytes);
}
