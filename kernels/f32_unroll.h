/* Full unrolling of loops over register tiles: gcc keeps a tile in registers only if its loops are gone before scalar
 * replacement, which -O2 does not do by itself. clang does. With vectors of one float a tile is in memory anyway: there
 * unrolling would be 16 times the code and nothing else. */
#ifndef TMC_KERNELS_F32_UNROLL_H
#define TMC_KERNELS_F32_UNROLL_H

#if defined(__GNUC__) && !defined(__clang__) && VEC_WIDTH > 1
#define TMC_UNROLL _Pragma("GCC unroll 16")
#else
#define TMC_UNROLL
#endif

#if defined(__GNUC__)
#define TMC_INLINE static inline __attribute__((always_inline))
/* One copy where -O2 would make one per caller. */
#define TMC_NOINLINE static __attribute__((noinline))
/* Into the second level cache: what comes next must not push out what is in use. */
#define TMC_PREFETCH(p) __builtin_prefetch((p), 0, 2)
#else
#define TMC_INLINE static inline
#define TMC_NOINLINE static
#define TMC_PREFETCH(p) ((void)(p))
#endif

#endif
