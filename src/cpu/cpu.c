#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "cpu/cpu.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sched.h>
#endif
#if TMC_ASKS_CPUINFO
#include <cpuinfo.h>
#endif

#define DEFAULT_L1 (32u << 10)
#define DEFAULT_L2 (256u << 10)

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#if defined(__has_include)
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif
#endif

#define BIT(n) (1u << (n))

#if defined(CPU_FEATURE_ACTIVE)

/* What glibc 2.34 and later has asked the CPU at the start of the process. CPUID leaves a virtual machine: 13 us each
 * on one that runs in another, 0.3 ms for all that is asked below (docs/decisions/0015-cold-start.md).
 * CPU_FEATURE_ACTIVE itself shifts a signed 1 by 31 for AVX512VL. */
static bool is_active(unsigned index) {
    const uint32_t reg = __x86_get_cpuid_feature_leaf(index / 128)->active_array[index % 128 / 32];
    return reg >> index % 32 & 1;
}

static uint32_t query_isa(void) {
    uint32_t isa = 0;
    if (is_active(x86_cpu_SSE4_1)) isa |= BIT(TMC_ISA_SSE41);
    if (!is_active(x86_cpu_AVX2) || !is_active(x86_cpu_FMA)) return isa;
    isa |= BIT(TMC_ISA_AVX2);
    if (is_active(x86_cpu_AVX512F) && is_active(x86_cpu_AVX512DQ) && is_active(x86_cpu_AVX512BW) &&
        is_active(x86_cpu_AVX512VL))
        isa |= BIT(TMC_ISA_AVX512);
    return isa;
}

static uint32_t query_features(uint32_t isa) {
    uint32_t features = 0;
    if (isa >> TMC_ISA_AVX512 & 1 && is_active(x86_cpu_AVX512_VNNI)) features |= TMC_FEATURE_AVX512_VNNI;
    if (isa >> TMC_ISA_AVX512 & 1 && is_active(x86_cpu_AVX512_VBMI)) features |= TMC_FEATURE_AVX512_VBMI;
    if (isa >> TMC_ISA_AVX2 & 1 && is_active(x86_cpu_AVX_VNNI)) features |= TMC_FEATURE_AVX_VNNI;
    return features;
}

#define CACHES_FROM_SYSCONF 1

#else

/* The registers that the operating system saves, XCR0: bits 1 XMM, 2 YMM, 5 opmask, 6 ZMM0-15 above YMM, 7 ZMM16-31. */
#define XCR0_YMM (BIT(1) | BIT(2))
#define XCR0_ZMM (XCR0_YMM | BIT(5) | BIT(6) | BIT(7))

static uint32_t read_xcr0(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static bool has_all(uint32_t value, uint32_t bits) { return (value & bits) == bits; }

/* Intel SDM vol. 2, CPUID: leaf 1 ECX 12 FMA, 19 SSE4.1, 27 OSXSAVE, 28 AVX; leaf 7 EBX 5 AVX2, 16 AVX512F, 17
 * AVX512DQ, 30 AVX512BW, 31 AVX512VL. */
static uint32_t query_isa(void) {
    uint32_t a, b, c, d, isa = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return isa;
    if (c & BIT(19)) isa |= BIT(TMC_ISA_SSE41);
    if (!has_all(c, BIT(12) | BIT(27) | BIT(28))) return isa;
    const uint32_t saved = read_xcr0();
    if (!has_all(saved, XCR0_YMM) || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & BIT(5))) return isa;
    isa |= BIT(TMC_ISA_AVX2);
    if (has_all(saved, XCR0_ZMM) && has_all(b, BIT(16) | BIT(17) | BIT(30) | BIT(31))) isa |= BIT(TMC_ISA_AVX512);
    return isa;
}

/* Leaf 7 ECX 1 AVX512_VBMI, 11 AVX512_VNNI; its sub-leaf 1 EAX 4 AVX-VNNI. */
static uint32_t query_features(uint32_t isa) {
    uint32_t a, b, c, d, features = 0;
    if (!(isa >> TMC_ISA_AVX2 & 1) || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    if (isa >> TMC_ISA_AVX512 & 1 && c & BIT(11)) features |= TMC_FEATURE_AVX512_VNNI;
    if (isa >> TMC_ISA_AVX512 & 1 && c & BIT(1)) features |= TMC_FEATURE_AVX512_VBMI;
    if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && a & BIT(4)) features |= TMC_FEATURE_AVX_VNNI;
    return features;
}

/* Leaf 4 of Intel and leaf 0x8000001D of AMD have the same form: EAX 4:0 type (1 data, 3 unified), 7:5 level;
 * EBX 31:22 ways - 1, 21:12 partitions - 1, 11:0 line - 1; ECX sets - 1. */
static void query_caches(tmc_cpu *cpu) {
    static const uint32_t leaves[2] = {4u, 0x8000001Du};
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t sub = 0; sub < 16; sub++) {
            uint32_t a, b, c, d;
            if (!__get_cpuid_count(leaves[i], sub, &a, &b, &c, &d) || (a & 31u) == 0) break;
            const uint32_t type = a & 31u, level = a >> 5 & 7u;
            const uint64_t bytes = ((b >> 22) + 1ull) * ((b >> 12 & 1023u) + 1ull) * ((b & 4095u) + 1ull) * (c + 1ull);
            if (bytes > UINT32_MAX || (type != 1 && type != 3)) continue;
            if (level == 1) cpu->l1_bytes = (uint32_t)bytes;
            if (level == 2) cpu->l2_bytes = (uint32_t)bytes;
        }
    }
}

#define CACHES_FROM_SYSCONF 0

#endif

/* Leaf 11, sub-leaf 0: EBX 15:0 hyper-threads of a core. Leaf 7, EDX 15: some cores have fewer. */
static uint32_t threads_of_a_core(void) {
    uint32_t a, b, c, d, threads;
    if (!__get_cpuid_count(11, 0, &a, &threads, &c, &d)) return 1;
    __cpuid_count(7, 0, a, b, c, d);
    return (threads & 0xffffu) && !(d & BIT(15)) ? threads & 0xffffu : 1;
}

#else

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>

static uint32_t query_isa(void) {
    const unsigned long hwcap_asimd = 1ul << 1; /* Linux arch/arm64/include/uapi/asm/hwcap.h */
    return getauxval(AT_HWCAP) & hwcap_asimd ? 1u << TMC_ISA_NEON : 0;
}

static uint32_t query_features(uint32_t isa) {
    const unsigned long hwcap_asimddp = 1ul << 20, hwcap2_i8mm = 1ul << 13; /* likewise */
    if (!(isa >> TMC_ISA_NEON & 1) || !(getauxval(AT_HWCAP) & hwcap_asimddp)) return 0;
    return TMC_FEATURE_DOT | (getauxval(AT_HWCAP2) & hwcap2_i8mm ? TMC_FEATURE_I8MM : 0u);
}
#elif defined(__aarch64__)
static uint32_t query_isa(void) { return 1u << TMC_ISA_NEON; } /* part of every other AArch64 platform's ABI */

/* What the build is for. */
static uint32_t query_features(uint32_t isa) {
    (void)isa;
#if defined(__ARM_FEATURE_DOTPROD) && defined(__ARM_FEATURE_MATMUL_INT8)
    return TMC_FEATURE_DOT | TMC_FEATURE_I8MM;
#elif defined(__ARM_FEATURE_DOTPROD)
    return TMC_FEATURE_DOT;
#else
    return 0;
#endif
}
#else
static uint32_t query_isa(void) { return 0; }

static uint32_t query_features(uint32_t isa) {
    (void)isa;
    return 0;
}
#endif

#define CACHES_FROM_SYSCONF 1

static uint32_t threads_of_a_core(void) { return 1; }

#endif

#if CACHES_FROM_SYSCONF
static void query_caches(tmc_cpu *cpu) {
#if defined(_SC_LEVEL1_DCACHE_SIZE) && defined(_SC_LEVEL2_CACHE_SIZE)
    const long l1 = sysconf(_SC_LEVEL1_DCACHE_SIZE), l2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
    if (l1 > 0 && l1 <= INT32_MAX) cpu->l1_bytes = (uint32_t)l1;
    if (l2 > 0 && l2 <= INT32_MAX) cpu->l2_bytes = (uint32_t)l2;
#else
    (void)cpu;
#endif
}
#endif

bool tmc_cpuinfo_starts(void) {
#if TMC_ASKS_CPUINFO && defined(__linux__) /* where a sandbox hides these, cpuinfo would fail, and say so on stderr */
    return access("/proc/cpuinfo", R_OK) == 0 && access("/sys/devices/system/cpu/possible", R_OK) == 0 &&
           cpuinfo_initialize();
#elif TMC_ASKS_CPUINFO
    return cpuinfo_initialize();
#else
    return false;
#endif
}

void tmc_cpu_query(tmc_cpu *cpu) {
    *cpu = (tmc_cpu){1u << TMC_ISA_REF | query_isa(), 0, DEFAULT_L1, DEFAULT_L2};
    cpu->features = query_features(cpu->isa_mask);
    query_caches(cpu);
#if TMC_ASKS_CPUINFO
    if (!tmc_cpuinfo_starts()) return;
    if (cpuinfo_get_l1d_caches_count() > 0 && cpuinfo_get_l1d_cache(0)->size > 0)
        cpu->l1_bytes = cpuinfo_get_l1d_cache(0)->size;
    if (cpuinfo_get_l2_caches_count() > 0 && cpuinfo_get_l2_cache(0)->size > 0)
        cpu->l2_bytes = cpuinfo_get_l2_cache(0)->size;
#endif
}

/* A container or a scheduler often allows fewer processors than there are. */
uint32_t tmc_cpu_cores(void) {
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t usable = online > 0 && online <= INT32_MAX ? (uint32_t)online : 1;
    const uint32_t threads = threads_of_a_core(), cores = (usable + threads - 1) / threads;
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) usable = (uint32_t)CPU_COUNT(&set);
#endif
    return cores < usable ? cores : usable;
}

tmc_isa tmc_cpu_choose_isa(const tmc_cpu *cpu, tmc_isa max) {
    static const uint8_t best_first[] = {TMC_ISA_AVX512, TMC_ISA_AVX2, TMC_ISA_SSE41, TMC_ISA_NEON};
    if (max != TMC_ISA_AUTO) return (uint32_t)max <= TMC_ISA_LAST && cpu->isa_mask >> max & 1u ? max : TMC_ISA_AUTO;
    for (size_t i = 0; i < sizeof best_first; i++) {
        if (cpu->isa_mask >> best_first[i] & 1u) return (tmc_isa)best_first[i];
    }
    return TMC_ISA_REF;
}

static const char *const isa_names[] = {"auto", "ref", "avx2", "neon", "avx512", "sse41"}; /* in the order of tmc_isa */

#define ISA_COUNT (sizeof isa_names / sizeof *isa_names)

const char *tmc_isa_name(tmc_isa isa) { return (size_t)isa < ISA_COUNT ? isa_names[isa] : "?"; }

tmc_status tmc_isa_from_name(const char *name, tmc_isa *isa) {
    if (!name || !isa) return TMC_E_ARG;
    for (size_t i = 0; i < ISA_COUNT; i++) {
        if (strcmp(name, isa_names[i]) != 0) continue;
        *isa = (tmc_isa)i;
        return TMC_OK;
    }
    return TMC_E_ARG;
}

int tmc_isa_available(tmc_isa isa) {
    if (isa == TMC_ISA_AUTO) return 1;
    if ((size_t)isa >= ISA_COUNT) return 0;
    return (int)((query_isa() | 1u << TMC_ISA_REF) >> isa & 1u);
}
