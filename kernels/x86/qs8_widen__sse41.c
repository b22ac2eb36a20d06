#define QS8_BITS 128
#define QS8_VNNI 0
#include "kernels/x86/qs8_vec.h"

#define QS8_ISA(name) name##__sse41
#include "kernels/x86/qs8_widen.inl"
