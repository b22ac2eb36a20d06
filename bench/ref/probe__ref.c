#include "kernels/vec/vec_ref.h"
#define PROBE_CHAINS 12
#define PROBE_LEVEL TMC_ISA_REF
#include "bench/probe_loops.inl"
