#include "kernels/vec/vec_avx2.h"
#define PROBE_CHAINS 12
#define PROBE_LEVEL TMC_ISA_AVX2
#include "bench/probe_loops.inl"
