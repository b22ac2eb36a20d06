/* Included before every line of portable C, with this each fused multiply-add multiplies and adds: the specification of
 * the level SSE4.1. Only kernels/ref and the tables are compiled so, for the tests (mk/test.mk). */
#ifndef TMC_TEST_MULADD_H
#define TMC_TEST_MULADD_H

#include <math.h>

static inline float muladd(float a, float b, float c) { return a * b + c; }

#define fmaf muladd
#define tmc_kernels_select tmc_muladd_select

#endif
