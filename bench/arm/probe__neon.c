#include "kernels/vec/vec_neon.h"
#define PROBE_CHAINS 24
#define PROBE_LEVEL TMC_ISA_NEON
#include "bench/probe_loops.inl"
