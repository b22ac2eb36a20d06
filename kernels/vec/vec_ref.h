/* Vectors of one float in portable C: with them a kernel source (*.inl) is its own specification, read with `vecf` as
 * float. See vec.md for the meaning of each operation. */
#ifndef TMC_KERNELS_VEC_REF_H
#define TMC_KERNELS_VEC_REF_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VEC_WIDTH 1
#define VEC_ISA ref
#include "kernels/vec/vec_symbol.h"

typedef float vecf;
typedef int32_t veci;
typedef int32_t vecm; /* a mask: all ones or all zeros */

static inline vecf vec_load(const float *p) { return *p; }
static inline void vec_store(float *p, vecf a) { *p = a; }
static inline vecf vec_set(float a) { return a; }
static inline vecf vec_zero(void) { return 0.0f; }

/* First n lanes, 0 <= n < VEC_WIDTH: with one lane that is never any. */
static inline vecm vec_head_mask(size_t n) { return n ? -1 : 0; }
static inline vecf vec_load_head(const float *p, size_t n) { return n ? *p : 0.0f; }
static inline void vec_store_head(float *p, vecf a, size_t n) {
    if (n) *p = a;
}

static inline vecf vec_add(vecf a, vecf b) { return a + b; }
static inline vecf vec_sub(vecf a, vecf b) { return a - b; }
static inline vecf vec_mul(vecf a, vecf b) { return a * b; }
static inline vecf vec_div(vecf a, vecf b) { return a / b; }
static inline vecf vec_sqrt(vecf a) { return sqrtf(a); }
static inline vecf vec_fma(vecf a, vecf b, vecf c) { return fmaf(a, b, c); }
static inline vecf vec_fnma(vecf a, vecf b, vecf c) { return fmaf(-a, b, c); } /* c - a b */
static inline float vec_fma_one(float a, float b, float c) { return fmaf(a, b, c); }

static inline vecf vec_min(vecf a, vecf b) { return a < b ? a : b; }
static inline vecf vec_max(vecf a, vecf b) { return a > b ? a : b; }

/* Exact, with the sign of a zero result kept. */
static inline vecf vec_floor(vecf a) { return floorf(a); }
static inline vecf vec_ceil(vecf a) { return ceilf(a); }
static inline vecf vec_rint(vecf a) { return rintf(a); }

static inline vecm vec_lt(vecf a, vecf b) { return a < b ? -1 : 0; }
static inline vecm vec_le(vecf a, vecf b) { return a <= b ? -1 : 0; }
static inline vecm vec_eq(vecf a, vecf b) { return a == b ? -1 : 0; }
static inline vecf vec_select(vecm mask, vecf yes, vecf no) { return mask ? yes : no; }
static inline vecf vec_select_sign(vecf a, vecf yes, vecf no) { return signbit(a) ? yes : no; }
static inline veci veci_keep(vecm mask, veci a) { return mask & a; }

static inline veci vec_bits(vecf a) {
    veci bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}
static inline vecf vec_from_bits(veci a) {
    vecf value;
    memcpy(&value, &a, sizeof value);
    return value;
}
/* Integer lanes wrap: in C that is defined for unsigned only. */
static inline veci veci_set(int32_t a) { return a; }
static inline veci veci_add(veci a, veci b) { return (veci)((uint32_t)a + (uint32_t)b); }
static inline veci veci_sub(veci a, veci b) { return (veci)((uint32_t)a - (uint32_t)b); }
static inline veci veci_and(veci a, veci b) { return a & b; }
static inline veci veci_or(veci a, veci b) { return a | b; }
static inline veci veci_xor(veci a, veci b) { return a ^ b; }
static inline veci veci_shl(veci a, int n) { return (veci)((uint32_t)a << n); }
static inline veci veci_sar(veci a, int n) { return a >> n; } /* arithmetic in gcc and clang */
static inline vecf vec_from_int(veci a) { return (vecf)a; }
static inline veci vec_to_int_even(vecf a) { return (veci)rintf(a); } /* |a| < 2^31, ties to even */

#endif
