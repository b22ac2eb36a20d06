/* The one place for arithmetic on sizes that come from outside. Each function returns false when the result does not
 * fit and leaves *out untouched. */
#ifndef TMC_BASE_CHECKED_H
#define TMC_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool tmc_add_u64(uint64_t a, uint64_t b, uint64_t *out) {
    if (b > UINT64_MAX - a) return false;
    *out = a + b;
    return true;
}

static inline bool tmc_mul_u64(uint64_t a, uint64_t b, uint64_t *out) {
    if (a && b > UINT64_MAX / a) return false;
    *out = a * b;
    return true;
}

/* Rounds up to a power of two `align`. */
static inline bool tmc_align_u64(uint64_t value, uint64_t align, uint64_t *out) {
    if (value > UINT64_MAX - (align - 1)) return false;
    *out = (value + align - 1) & ~(align - 1);
    return true;
}

/* True if [offset, offset + size) lies in [0, end): subtracts instead of adding, so nothing wraps. */
static inline bool tmc_in_bounds(uint64_t offset, uint64_t size, uint64_t end) {
    return offset <= end && size <= end - offset;
}

/* Rounds up; for sizes that were checked before. */
static inline size_t tmc_round_up(size_t value, size_t align) { return (value + align - 1) & ~(align - 1); }

static inline size_t tmc_div_up(size_t value, size_t by) { return (value + by - 1) / by; }

static inline size_t tmc_min_size(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t tmc_max_size(size_t a, size_t b) { return a > b ? a : b; }

#endif
