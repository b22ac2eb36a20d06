/* Full unrolling of loops over register tiles: gcc keeps a tile in registers only if its loops are gone before scalar
 * replacement, which -O2 does not do by itself. clang does. */
#ifndef TMC_KERNELS_F32_UNROLL_H
#define TMC_KERNELS_F32_UNROLL_H

#if defined(__GNUC__) && !defined(__clang__)
#define TMC_UNROLL _Pragma("GCC unroll 16")
#else
#define TMC_UNROLL
#endif

#if defined(__GNUC__)
#define TMC_INLINE static inline __attribute__((always_inline))
#else
#define TMC_INLINE static inline
#endif

#endif
