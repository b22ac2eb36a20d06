#include "kernels/vec/vec_sse41.h"
#define PROBE_CHAINS 12
#define PROBE_LEVEL TMC_ISA_SSE41
#include "bench/probe_loops.inl"
