/* How a call of gemm is cut into tiles: what the vector kernels (f32_gemm_vec.inl) have in common. */
#ifndef TMC_KERNELS_F32_GEMM_CUT_H
#define TMC_KERNELS_F32_GEMM_CUT_H

#include "kernels/f32_conv.h"

#define TMC_GEMM_MAX_MR 8

/* Tiles of one height, each below the last. */
typedef struct tmc_gemm_tiles {
    size_t count, rows; /* tiles, rows of each */
    size_t first;       /* their first row in the call */
    float *const *c;    /* C from that row on, as in tmc_f32_gemm_args */
    size_t c_offset;
    ptrdiff_t c_step;
    const char *next; /* what to ask the caches for at the next k; moved on by every k */
} tmc_gemm_tiles;

typedef void (*tmc_gemm_tiles_fn)(const tmc_f32_gemm_args *args, tmc_gemm_tiles *tiles);

/* Runs the call by a kernel's tiles of every height from `least` to `mr`, for rows named one by one and for rows by
 * steps. Both functions compute whole panels: nr columns and, of kernels of two panels, nr2 more. */
void tmc_gemm_cut(const tmc_f32_gemm_args *args, size_t mr, size_t least, size_t nr, size_t nr2,
                  tmc_gemm_tiles_fn named, tmc_gemm_tiles_fn stepped);

#endif
