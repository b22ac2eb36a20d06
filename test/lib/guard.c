#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "lib/guard.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

guard_buffer guard_alloc(size_t bytes, guard_side side) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t body = (bytes + page - 1) / page * page;
    guard_buffer buffer = {NULL, bytes, NULL, body + 2 * page};
    buffer.mapping = mmap(NULL, buffer.mapping_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (buffer.mapping == MAP_FAILED ||
        (body && mprotect((uint8_t *)buffer.mapping + page, body, PROT_READ | PROT_WRITE))) {
        fprintf(stderr, "guard_alloc: no memory for %zu bytes\n", bytes);
        exit(2);
    }
    uint8_t *first = (uint8_t *)buffer.mapping + page;
    if (body) memset(first, 0xCD, body);
    buffer.data = side == GUARD_START ? first : first + (body - bytes);
    return buffer;
}

guard_buffer guard_copy(const void *data, size_t bytes, guard_side side) {
    guard_buffer buffer = guard_alloc(bytes, side);
    if (bytes) memcpy(buffer.data, data, bytes);
    return buffer;
}

void guard_free(guard_buffer *buffer) {
    if (buffer->mapping) munmap(buffer->mapping, buffer->mapping_bytes);
    memset(buffer, 0, sizeof *buffer);
}
