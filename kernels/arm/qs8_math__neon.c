#include "kernels/arm/qs8_math_vec.h"

#define QM_SYMBOL(name) tmc_qs8_##name##__neon
#include "kernels/qs8_math_vec.inl"
