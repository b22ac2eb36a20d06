#include "cpu/topology.h"

#include "cpu/cpu.h"

#if TMC_ASKS_CPUINFO && defined(__linux__)
#include <cpuinfo.h>
#endif

/* Small cores are known by their design. A cluster of an unknown one counts as small below 3/4 of the highest
 * frequency: of two kinds of one chip the small one is built for less (Snapdragon 888: 1.80 GHz beside 2.42 and 2.84).
 */
uint64_t tmc_topology_big_cores(const tmc_core_cluster *clusters, uint32_t count) {
    uint64_t highest = 0, big = 0, all = 0;
    for (uint32_t i = 0; i < count; i++)
        if (clusters[i].frequency > highest) highest = clusters[i].frequency;
    for (uint32_t i = 0; i < count; i++) {
        const tmc_core_cluster *c = &clusters[i];
        all |= c->processors;
        if (!c->in_order && (!c->frequency || c->frequency >= highest / 4 * 3)) big |= c->processors;
    }
    return big == all ? 0 : big;
}

#if TMC_ASKS_CPUINFO && defined(__linux__)

static bool is_in_order(enum cpuinfo_uarch uarch) {
    return uarch == cpuinfo_uarch_cortex_a5 || uarch == cpuinfo_uarch_cortex_a7 || uarch == cpuinfo_uarch_cortex_a32 ||
           uarch == cpuinfo_uarch_cortex_a35 || uarch == cpuinfo_uarch_cortex_a53 ||
           uarch == cpuinfo_uarch_cortex_a55r0 || uarch == cpuinfo_uarch_cortex_a55;
}

static uint64_t big_cores(void) {
    tmc_core_cluster clusters[8];
    if (!tmc_cpuinfo_starts()) return 0;
    const uint32_t count = cpuinfo_get_clusters_count();
    if (count < 2 || count > 8) return 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct cpuinfo_cluster *c = cpuinfo_get_cluster(i);
        clusters[i] = (tmc_core_cluster){0, c->frequency, is_in_order(c->uarch)};
        for (uint32_t k = 0; k < c->processor_count; k++) {
            const int id = cpuinfo_get_processor(c->processor_start + k)->linux_id;
            if (id < 0 || id >= 64) return 0;
            clusters[i].processors |= 1ull << id;
        }
    }
    return tmc_topology_big_cores(clusters, count);
}

#else

static uint64_t big_cores(void) { return 0; }

#endif

void tmc_topology_query(tmc_topology *topology) { *topology = (tmc_topology){tmc_cpu_cores(), big_cores()}; }
