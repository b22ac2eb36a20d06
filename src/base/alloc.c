#define _DEFAULT_SOURCE /* madvise */
#include "base/alloc.h"

#include <stdlib.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "base/checked.h"

/* First touches of 4 KiB pages took 8 of the 11 ms of reading a 14 MB model, against 2 ms with huge pages
 * (docs/decisions/0004-huge-pages.md). What fills less than half a huge page stays in small ones. */
#define HUGE_PAGE ((size_t)2 << 20)

static void *libc_alloc(void *user, size_t bytes, size_t align) {
    (void)user;
    if (bytes >= HUGE_PAGE / 2) align = HUGE_PAGE;
    if (bytes > SIZE_MAX - align) return NULL;
    void *ptr = aligned_alloc(align, tmc_round_up(bytes, align)); /* C11 wants a multiple of the alignment */
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (ptr && align == HUGE_PAGE) {
        size_t whole = (bytes + HUGE_PAGE / 2) & ~(HUGE_PAGE - 1);
        (void)madvise(ptr, whole, MADV_HUGEPAGE); /* a hint: may fail */
    }
#endif
    return ptr;
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
