/* Divides one block into tables. The same code runs twice: without a base it measures, with one it places, so that the
 * bytes reported and the bytes used cannot differ. */
#ifndef TMC_BASE_CARVE_H
#define TMC_BASE_CARVE_H

#include "base/checked.h"

#define TMC_CARVE_ALIGN 16u /* of each table; strictest scalar type */

typedef struct tmc_carver {
    uint8_t *base; /* NULL: measure only */
    uint64_t used;
    bool overflow;
} tmc_carver;

/* The next table of count * size bytes, at a multiple of `align` (a power of two) from the base; NULL while measuring
 * and after an overflow. */
static inline void *tmc_carve_aligned(tmc_carver *carver, uint64_t count, uint64_t size, uint64_t align) {
    uint64_t bytes, offset, end;
    if (carver->overflow || !tmc_mul_u64(count, size, &bytes) || !tmc_align_u64(carver->used, align, &offset) ||
        !tmc_add_u64(offset, bytes, &end) || end > SIZE_MAX) {
        carver->overflow = true;
        return NULL;
    }
    carver->used = end;
    return carver->base ? carver->base + offset : NULL;
}

static inline void *tmc_carve(tmc_carver *carver, uint64_t count, uint64_t size) {
    return tmc_carve_aligned(carver, count, size, TMC_CARVE_ALIGN);
}

#endif
