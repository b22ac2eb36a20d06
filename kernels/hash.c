#include "kernels/hash.h"

tmc_hash_blocks_fn tmc_hash_select(tmc_isa isa) {
#if defined(__x86_64__) || defined(__i386__)
    if (isa == TMC_ISA_AVX2 || isa == TMC_ISA_AVX512) return tmc_hash_blocks__avx2;
#endif
    (void)isa;
    return tmc_hash_blocks;
}
