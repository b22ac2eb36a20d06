/* Memory through the caller's allocator. */
#ifndef TMC_BASE_ALLOC_H
#define TMC_BASE_ALLOC_H

#include "tmcnn/tmcnn.h"

#define TMC_ALIGN 64u /* of every block and of every tensor in an arena: one cache line, one AVX-512 register */

/* malloc and free of the C library. */
extern const tmc_allocator tmc_allocator_libc;

/* A block aligned to TMC_ALIGN, not cleared, or NULL. A misaligned block from a faulty allocator is given back and
 * counts as a failure. bytes > 0. */
void *tmc_alloc(const tmc_allocator *allocator, size_t bytes);
void tmc_free(const tmc_allocator *allocator, void *ptr, size_t bytes);

#endif
