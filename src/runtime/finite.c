#include "runtime/finite.h"

#include <string.h>

#include "tmcnn/tmcnn.h"

/* Bytes between looks at the verdict. */
enum { BLOCK = 16384 };

/* NaN and infinity have all bits of the exponent set, nothing else has. Adding the exponent's lowest bit to the masked
 * exponent then carries into the sign's place, there only, and never into the next element: so a 64-bit word tests its
 * two f32 or four f16 at once, whatever the compiler makes of the loop. */
static uint64_t carries(const uint8_t *bytes, size_t size, uint64_t exponent, uint64_t lowest) {
    uint64_t sums = 0, word;
    for (; size >= 8; bytes += 8, size -= 8) {
        memcpy(&word, bytes, 8);
        sums |= (word & exponent) + lowest;
    }
    word = 0;
    memcpy(&word, bytes, size);
    sums |= (word & exponent) + lowest;
    return sums;
}

bool tmc_all_finite(const void *data, uint8_t dtype, size_t elements) {
    const uint64_t exponent = dtype == TMC_F32 ? 0x7f8000007f800000u : 0x7c007c007c007c00u;
    const uint64_t lowest = dtype == TMC_F32 ? 0x0080000000800000u : 0x0400040004000400u;
    const uint64_t signs = dtype == TMC_F32 ? 0x8000000080000000u : 0x8000800080008000u;
    if (dtype != TMC_F32 && dtype != TMC_F16) return true;
    const size_t bytes = elements * (dtype == TMC_F32 ? 4 : 2);
    for (size_t i = 0; i < bytes; i += BLOCK)
        if (carries((const uint8_t *)data + i, bytes - i < BLOCK ? bytes - i : BLOCK, exponent, lowest) & signs)
            return false;
    return true;
}
