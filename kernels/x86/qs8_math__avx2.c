#define QS8_BITS 256
#include "kernels/x86/qs8_math_vec.h"

#define QM_SYMBOL(name) tmc_qs8_##name##__avx2
#include "kernels/qs8_math_vec.inl"
