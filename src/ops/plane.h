/* Copies two axes of a tensor: the inner loops of every operator that only moves elements. */
#ifndef TMC_OPS_PLANE_H
#define TMC_OPS_PLANE_H

#include <stddef.h>
#include <string.h>

/* One axis: elements and the bytes from one to the next. A source step of 0 repeats, a negative one goes backwards. */
typedef struct tmc_move_axis {
    size_t count;
    ptrdiff_t src, dst;
} tmc_move_axis;

/* dst[r * rows.dst + c * cols.dst] = src[r * rows.src + c * cols.src], elements of 1, 2, 4 or 8 bytes, aligned to their
 * size. The destination elements are distinct and do not overlap the source. */
void tmc_plane_copy(void *dst, const void *src, tmc_move_axis rows, tmc_move_axis cols, size_t element);

/* dst[2 i] = a[i], dst[2 i + 1] = b[i], i < count: elements as above. */
void tmc_plane_interleave(void *dst, const void *a, const void *b, size_t count, size_t element);

/* A dense run of any length. Single elements are the frequent case: moves of a constant size need no call. */
static inline void tmc_copy_run(void *dst, const void *src, size_t bytes) {
    switch (bytes) {
    case 1: memcpy(dst, src, 1); break;
    case 2: memcpy(dst, src, 2); break;
    case 4: memcpy(dst, src, 4); break;
    case 8: memcpy(dst, src, 8); break;
    default: memcpy(dst, src, bytes); break;
    }
}

#endif
