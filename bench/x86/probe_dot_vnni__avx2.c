#define QS8_BITS 256
#define QS8_VNNI 1
#include "kernels/x86/qs8_vec.h"

#define PROBE_CHAINS 12
#define PROBE_DOT tmc_probe_dot_vnni__avx2
#include "bench/x86/probe_dot.inl"
