/* Hints to the caches. */
#ifndef TMC_KERNELS_PREFETCH_H
#define TMC_KERNELS_PREFETCH_H

#if defined(__GNUC__)
/* Into the second level cache: what comes next must not push out what is in use. */
#define TMC_PREFETCH(p) __builtin_prefetch((p), 0, 2)
#else
#define TMC_PREFETCH(p) ((void)(p))
#endif

#endif
