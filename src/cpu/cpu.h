/* What this CPU can do. x86 answers by CPUID, which the C library may have asked already; elsewhere cpuinfo is asked
 * where it is built in and starts. Never a condition for starting: unknown values have safe defaults. */
#ifndef TMC_CPU_CPU_H
#define TMC_CPU_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "base/features.h"
#include "tmcnn/tmcnn.h"

/* cpuinfo reads /proc and /sys for what x86 says itself: 0.1 to 0.3 ms. */
#if defined(__x86_64__) || defined(__i386__)
#define TMC_ASKS_CPUINFO 0
#else
#define TMC_ASKS_CPUINFO TMC_CPUINFO
#endif

#define TMC_ISA_LAST TMC_ISA_SSE41 /* the highest value of tmc_isa */

typedef struct tmc_cpu {
    uint32_t isa_mask;           /* bit tmc_isa: level available; bit TMC_ISA_REF always set */
    uint32_t features;           /* base/features.h; the system saves their registers too */
    uint32_t l1_bytes, l2_bytes; /* data caches of one core; defaults 32 KiB and 256 KiB */
} tmc_cpu;

/* No state kept. */
void tmc_cpu_query(tmc_cpu *cpu);

/* Cores that the process may use, >= 1; two hyper-threads are one. */
uint32_t tmc_cpu_cores(void);

/* The best available level if `max` is TMC_ISA_AUTO, else `max`; TMC_ISA_AUTO if that is not available. */
tmc_isa tmc_cpu_choose_isa(const tmc_cpu *cpu, tmc_isa max);

/* Is cpuinfo built in, and does it start? Its getters end the process where not. */
bool tmc_cpuinfo_starts(void);

#endif
