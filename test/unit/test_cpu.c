/* CPU detection: plausible always, and right where the compiler can be asked the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

#include "cpu/cpu.h"

static void query_is_plausible(void **state) {
    (void)state;
    tmc_cpu cpu;
    memset(&cpu, 0xCD, sizeof cpu);
    tmc_cpu_query(&cpu);
    assert_true(cpu.isa_mask >> TMC_ISA_REF & 1u);
    assert_int_equal(cpu.isa_mask & 1u, 0); /* AUTO is no level */
    assert_int_equal(cpu.isa_mask >> (TMC_ISA_LAST + 1), 0);
    assert_in_range(tmc_cpu_cores(), 1, 65536);
    assert_in_range(cpu.l1_bytes, 1u << 10, 1u << 20);
    assert_in_range(cpu.l2_bytes, 16u << 10, 1u << 28);
    print_message("isa mask %x, features %x, %u cores, L1 %u, L2 %u\n", cpu.isa_mask, cpu.features, tmc_cpu_cores(),
                  cpu.l1_bytes, cpu.l2_bytes);
    const char *features = getenv("TMC_TEST_FEATURES"); /* of an emulated CPU */
    if (features) assert_int_equal(cpu.features, strtoul(features, NULL, 16));
    if (cpu.features & TMC_FEATURE_I8MM) assert_true(cpu.features & TMC_FEATURE_DOT);
}

/* Features belong to a level that is there; gcc 12 and clang 14 know the one by name. */
static void features_match_the_compiler(void **state) {
    (void)state;
    tmc_cpu cpu;
    tmc_cpu_query(&cpu);
#if defined(__x86_64__) || defined(__i386__)
    const uint32_t known = TMC_FEATURE_AVX512_VNNI | TMC_FEATURE_AVX_VNNI | TMC_FEATURE_AVX512_VBMI;
    const bool avx512 = cpu.isa_mask >> TMC_ISA_AVX512 & 1u;
    assert_int_equal(cpu.features & ~known, 0);
    assert_int_equal((cpu.features & TMC_FEATURE_AVX512_VNNI) != 0, avx512 && __builtin_cpu_supports("avx512vnni"));
    assert_int_equal((cpu.features & TMC_FEATURE_AVX512_VBMI) != 0, avx512 && __builtin_cpu_supports("avx512vbmi"));
    if (cpu.features & TMC_FEATURE_AVX_VNNI) assert_true(cpu.isa_mask >> TMC_ISA_AVX2 & 1u);
#elif defined(__aarch64__) && defined(__linux__)
    /* Linux lets programs read these registers: Arm ARM, ID_AA64ISAR0_EL1.DP and ID_AA64ISAR1_EL1.I8MM. */
    const unsigned long hwcap_cpuid = 1ul << 11;
    uint64_t isar0, isar1;
    if (!(getauxval(AT_HWCAP) & hwcap_cpuid)) skip();
    __asm__("mrs %0, ID_AA64ISAR0_EL1" : "=r"(isar0));
    __asm__("mrs %0, ID_AA64ISAR1_EL1" : "=r"(isar1));
    const bool dot = isar0 >> 44 & 15, i8mm = isar1 >> 52 & 15;
    assert_int_equal(cpu.features, (dot ? TMC_FEATURE_DOT : 0) | (dot && i8mm ? TMC_FEATURE_I8MM : 0));
#else
    assert_int_equal(cpu.features, 0);
#endif
}

static void levels_match_the_compiler(void **state) {
    (void)state;
    tmc_cpu cpu;
    tmc_cpu_query(&cpu);
#if defined(__x86_64__) || defined(__i386__)
    const int sse41 = __builtin_cpu_supports("sse4.1") != 0;
    const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"), neon = 0;
    const int avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
#elif defined(__aarch64__)
    const int sse41 = 0, avx2 = 0, avx512 = 0, neon = 1;
#else
    const int sse41 = 0, avx2 = 0, avx512 = 0, neon = 0;
#endif
    const struct {
        tmc_isa isa;
        int expected;
    } levels[] = {{TMC_ISA_REF, 1},     {TMC_ISA_SSE41, sse41},   {TMC_ISA_AVX2, avx2},
                  {TMC_ISA_NEON, neon}, {TMC_ISA_AVX512, avx512}, {(tmc_isa)(TMC_ISA_LAST + 1), 0}};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        assert_int_equal(cpu.isa_mask >> levels[i].isa & 1u, levels[i].expected);
        assert_int_equal(tmc_isa_available(levels[i].isa), levels[i].expected);
    }
    assert_int_equal(tmc_isa_available(TMC_ISA_AUTO), 1);
    assert_int_equal(tmc_isa_available((tmc_isa)99), 0);
}

static void choice_respects_the_cap(void **state) {
    (void)state;
    const uint32_t ref = 1u << TMC_ISA_REF, avx2 = 1u << TMC_ISA_AVX2, neon = 1u << TMC_ISA_NEON;
    const uint32_t sse41 = 1u << TMC_ISA_SSE41, avx512 = 1u << TMC_ISA_AVX512, x86 = ref | sse41 | avx2 | avx512;
    const struct {
        uint32_t mask;
        tmc_isa max, expected;
    } cases[] = {
        {ref, TMC_ISA_AUTO, TMC_ISA_REF},
        {ref | avx2, TMC_ISA_AUTO, TMC_ISA_AVX2},
        {ref | neon, TMC_ISA_AUTO, TMC_ISA_NEON},
        {ref | avx2, TMC_ISA_REF, TMC_ISA_REF},
        {ref | avx2, TMC_ISA_AVX2, TMC_ISA_AVX2},
        {ref, TMC_ISA_AVX2, TMC_ISA_AUTO},
        {ref | avx2, TMC_ISA_NEON, TMC_ISA_AUTO},
        {ref | neon, TMC_ISA_NEON, TMC_ISA_NEON},
        {ref | avx2, (tmc_isa)77, TMC_ISA_AUTO},
        {x86, TMC_ISA_AUTO, TMC_ISA_AVX512},
        {x86 & ~avx512, TMC_ISA_AUTO, TMC_ISA_AVX2},
        {ref | sse41, TMC_ISA_AUTO, TMC_ISA_SSE41},
        {x86, TMC_ISA_AVX2, TMC_ISA_AVX2},
        {x86, TMC_ISA_SSE41, TMC_ISA_SSE41},
        {x86, TMC_ISA_REF, TMC_ISA_REF},
        {x86 & ~avx512, TMC_ISA_AVX512, TMC_ISA_AUTO},
        {ref, TMC_ISA_SSE41, TMC_ISA_AUTO},
        {x86, (tmc_isa)(TMC_ISA_LAST + 1), TMC_ISA_AUTO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tmc_cpu cpu = {cases[i].mask, 0, 1, 1};
        assert_int_equal(tmc_cpu_choose_isa(&cpu, cases[i].max), cases[i].expected);
    }
}

static void names_round_trip(void **state) {
    (void)state;
    for (int i = TMC_ISA_AUTO; i <= (int)TMC_ISA_LAST; i++) {
        tmc_isa isa = (tmc_isa)99;
        assert_int_equal(tmc_isa_from_name(tmc_isa_name((tmc_isa)i), &isa), TMC_OK);
        assert_int_equal(isa, i);
    }
    assert_string_equal(tmc_isa_name(TMC_ISA_AVX2), "avx2");
    assert_string_equal(tmc_isa_name(TMC_ISA_AVX512), "avx512");
    assert_string_equal(tmc_isa_name(TMC_ISA_SSE41), "sse41");
    assert_string_equal(tmc_isa_name((tmc_isa)(TMC_ISA_LAST + 1)), "?");
    assert_string_equal(tmc_isa_name((tmc_isa)-1), "?");
    tmc_isa isa = TMC_ISA_NEON;
    assert_int_equal(tmc_isa_from_name("AVX2", &isa), TMC_E_ARG);
    assert_int_equal(tmc_isa_from_name("", &isa), TMC_E_ARG);
    assert_int_equal(tmc_isa_from_name("?", &isa), TMC_E_ARG);
    assert_int_equal(tmc_isa_from_name(NULL, &isa), TMC_E_ARG);
    assert_int_equal(tmc_isa_from_name("ref", NULL), TMC_E_ARG);
    assert_int_equal(isa, TMC_ISA_NEON);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_is_plausible),
        cmocka_unit_test(levels_match_the_compiler),
        cmocka_unit_test(features_match_the_compiler),
        cmocka_unit_test(choice_respects_the_cap),
        cmocka_unit_test(names_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
