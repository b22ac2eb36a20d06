#define QS8_BITS 512
#define QS8_VNNI 1
#include "kernels/x86/qs8_vec.h"

#define PROBE_CHAINS 16
#define PROBE_DOT tmc_probe_dot_vnni__avx512
#include "bench/x86/probe_dot.inl"
