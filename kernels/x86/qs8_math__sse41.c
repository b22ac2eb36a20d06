#define QS8_BITS 128
#include "kernels/x86/qs8_math_vec.h"

#define QM_SYMBOL(name) tmc_qs8_##name##__sse41
#include "kernels/qs8_math_vec.inl"
