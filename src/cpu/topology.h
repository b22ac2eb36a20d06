/* How many processors a process may use, and which are of the fast kind where there are several kinds. */
#ifndef TMC_CPU_TOPOLOGY_H
#define TMC_CPU_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

typedef struct tmc_topology {
    uint32_t cores;     /* that the process may use, >= 1 */
    uint64_t big_cores; /* bit n: the system's processor n is of a fast kind; 0: all are alike, or unknown */
} tmc_topology;

/* Processors of one kind. */
typedef struct tmc_core_cluster {
    uint64_t processors; /* bit n: processor n */
    uint64_t frequency;  /* highest, in Hz; 0: unknown */
    bool in_order;       /* known as a small core */
} tmc_core_cluster;

void tmc_topology_query(tmc_topology *topology);

/* The fast ones; 0 if all are alike. Pure. */
uint64_t tmc_topology_big_cores(const tmc_core_cluster *clusters, uint32_t count);

#endif
