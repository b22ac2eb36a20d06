/* What the benchmark is run on. */
#ifndef TMC_BENCH_MACHINE_H
#define TMC_BENCH_MACHINE_H

#include <stdint.h>

typedef struct bench_machine {
    char cpu[80], system[80];
    uint32_t cores;              /* that this process may use */
    uint64_t l1_bytes, l2_bytes; /* of one core */
    uint64_t l3_bytes;           /* shared; 0: none, or not known */
} bench_machine;

void bench_machine_query(bench_machine *machine);

#endif
