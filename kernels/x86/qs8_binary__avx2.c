#define QS8_BITS 256
#include "kernels/x86/qs8_binary_vec.h"

#define QM_SYMBOL(name) tmc_qs8_##name##__avx2
#define QM_NARROW(name) NULL
#include "kernels/qs8_binary_vec.inl"
