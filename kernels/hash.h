/* The loop of the file checksum: integers, so every level has the same bits. */
#ifndef TMC_KERNELS_HASH_H
#define TMC_KERNELS_HASH_H

#include "format/checksum.h"
#include "tmcnn/tmcnn.h"

/* The fastest on a CPU that has level `isa`. */
tmc_hash_blocks_fn tmc_hash_select(tmc_isa isa);

#if defined(__x86_64__) || defined(__i386__)
void tmc_hash_blocks__avx2(uint64_t acc[8], const uint8_t *blocks, size_t count, const uint8_t *secret);
#endif

#endif
