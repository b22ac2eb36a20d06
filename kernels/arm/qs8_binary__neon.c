#include "kernels/arm/qs8_math_vec.h"

#define QM_SYMBOL(name) tmc_qs8_##name##__neon
#define QM_NARROW(name) NULL
#include "kernels/qs8_binary_vec.inl"
