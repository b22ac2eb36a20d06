/* The file checksum, at every level and however the bytes arrive, against xxHash's own XXH3-128. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "cpu/cpu.h"
#include "format/layout.h"
#include "kernels/hash.h"
#include "lib/guard.h"

enum { LEAST = sizeof(tmc_file_header), MOST = 5 * TMC_HASH_BLOCK + 3 };

static void expected(const uint8_t *bytes, size_t size, uint8_t checksum[16]) {
    static uint8_t copy[MOST];
    memcpy(copy, bytes, size);
    memset(copy + offsetof(tmc_file_header, checksum), 0, 16);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(copy, size));
    memcpy(checksum, canonical.digest, 16);
}

/* Every size, so every number of stripes of the last block, and pieces of every residue. */
static void check(tmc_hash_blocks_fn hash) {
    for (size_t size = LEAST; size <= MOST; size++) {
        guard_buffer g = guard_alloc(size, GUARD_END);
        uint8_t *bytes = g.data, want[16], got[16];
        tmc_checksum sum;
        for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(i * 2654435761u >> 11 ^ size);
        expected(bytes, size, want);
        tmc_checksum_start(&sum, hash, bytes, size);
        for (size_t at = 0, step = size % 97 * 31 + 1; at < size; at += step) tmc_checksum_advance(&sum, at);
        tmc_checksum_finish(&sum, got);
        assert_memory_equal(got, want, 16);
        tmc_checksum_start(&sum, hash, bytes, size);
        tmc_checksum_finish(&sum, got);
        assert_memory_equal(got, want, 16);
        guard_free(&g);
    }
}

static void portable(void **state) {
    (void)state;
    check(tmc_hash_blocks);
}

static void levels(void **state) {
    (void)state;
    for (int isa = TMC_ISA_REF; isa <= TMC_ISA_LAST; isa++)
        if (tmc_isa_available((tmc_isa)isa)) check(tmc_hash_select((tmc_isa)isa));
}

#if defined(__x86_64__)
/* Upper halves of vector registers in use, as the CPU tells it with XGETBV(1). */
static bool uppers_in_use(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(1));
    return low & 4;
}

/* They would slow down all SSE code of the thread after a model was opened. */
static void uppers_are_cleared(void **state) {
    (void)state;
    uint32_t a, b, c, d;
    if (!tmc_isa_available(TMC_ISA_AVX2) || !__get_cpuid_count(13, 1, &a, &b, &c, &d) || !(a & 4)) skip();
    __asm__ volatile("vzeroupper" ::: "xmm0");
    if (uppers_in_use()) skip(); /* this CPU does not tell */
    uint64_t acc[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static uint8_t block[TMC_HASH_BLOCK], secret[192];
    tmc_hash_select(TMC_ISA_AVX2)(acc, block, 1, secret);
    assert_false(uppers_in_use());
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(portable),
        cmocka_unit_test(levels),
#if defined(__x86_64__)
        cmocka_unit_test(uppers_are_cleared),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
