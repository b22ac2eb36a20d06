#include "base/exec.h"

#if defined(__SSE2__)
#include <xmmintrin.h>

/* MXCSR: all exceptions masked, round to nearest, FTZ and DAZ off, flags clear (Intel SDM vol. 1, 10.2.3). */
#define MXCSR_DEFAULT 0x1F80u

uint64_t tmc_fpenv_enter(void) {
    unsigned saved = _mm_getcsr();
    _mm_setcsr(MXCSR_DEFAULT);
    return saved;
}

void tmc_fpenv_restore(uint64_t saved) { _mm_setcsr((unsigned)saved); }

#elif defined(__aarch64__)

uint64_t tmc_fpenv_enter(void) {
    uint64_t saved;
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    /* FPCR 0: no traps, no flush to zero, round to nearest, default NaN off (Arm ARM, FPCR). */
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
    return saved;
}

void tmc_fpenv_restore(uint64_t saved) { __asm__ volatile("msr fpcr, %0" : : "r"(saved)); }

#else
#include <fenv.h>

uint64_t tmc_fpenv_enter(void) {
    int saved = fegetround();
    fesetround(FE_TONEAREST);
    return (uint64_t)(unsigned)saved;
}

void tmc_fpenv_restore(uint64_t saved) { fesetround((int)saved); }

#endif
