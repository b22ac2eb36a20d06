#include "io/exif.h"

#include <stdbool.h>
#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY_SIZE = 12 };

/* TIFF: offsets count from its first byte, the byte order is its own. */
typedef struct {
    const uint8_t *bytes;
    size_t size;
    bool little;
} tiff;

static uint32_t number(const tiff *t, size_t at, size_t width) {
    uint32_t value = 0;
    for (size_t i = 0; i < width; i++) value = value << 8 | t->bytes[at + (t->little ? width - 1 - i : i)];
    return value;
}

int exif_orientation(const uint8_t *block, size_t size) {
    if (size < 14 || memcmp(block, "Exif\0\0", 6)) return 1;
    tiff t = {block + 6, size - 6, block[6] == 'I'};
    size_t directory = number(&t, 4, 4);
    if (directory > t.size - 2) return 1;
    uint32_t count = number(&t, directory, 2);
    for (size_t i = 0; i < count; i++) {
        size_t at = directory + 2 + i * ENTRY_SIZE;
        if (at > t.size || t.size - at < ENTRY_SIZE) return 1;
        if (number(&t, at, 2) != TAG_ORIENTATION || number(&t, at + 2, 2) != TYPE_SHORT) continue;
        uint32_t value = number(&t, at + 8, 2);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}
