#include "kernels/vec/vec_avx512.h"
#define PROBE_CHAINS 24
#define PROBE_LEVEL TMC_ISA_AVX512
#include "bench/probe_loops.inl"
