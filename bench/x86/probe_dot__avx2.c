#define QS8_BITS 256
#define QS8_VNNI 0
#include "kernels/x86/qs8_vec.h"

#define PROBE_CHAINS 10
#define PROBE_DOT tmc_probe_dot__avx2
#include "bench/x86/probe_dot.inl"
