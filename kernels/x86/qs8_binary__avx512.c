#define QS8_BITS 512
#include "kernels/x86/qs8_binary_vec.h"

#define QM_SYMBOL(name) tmc_qs8_##name##__avx512
#define QM_NARROW(name) tmc_qs8_##name##__avx2
#include "kernels/qs8_binary_vec.inl"
