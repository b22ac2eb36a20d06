/* Buffers that lie flush against pages without access: a kernel that touches one byte before or behind its tensor stops
 * with SIGSEGV instead of passing by luck. */
#ifndef TMC_TEST_GUARD_H
#define TMC_TEST_GUARD_H

#include <stddef.h>

typedef enum guard_side {
    GUARD_END,  /* the byte behind the data is not accessible */
    GUARD_START /* the byte before the data is not accessible */
} guard_side;

typedef struct guard_buffer {
    void *data;
    size_t bytes;
    void *mapping;
    size_t mapping_bytes;
} guard_buffer;

/* `bytes` bytes filled with 0xCD; GUARD_END aligns no better than `bytes` does, GUARD_START to a page.
 * Ends the program with a message if the system has no memory left. */
guard_buffer guard_alloc(size_t bytes, guard_side side);
/* As guard_alloc, with a copy of `bytes` bytes. */
guard_buffer guard_copy(const void *data, size_t bytes, guard_side side);
void guard_free(guard_buffer *buffer);

#endif
