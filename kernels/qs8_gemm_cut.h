/* How a call of qs8_gemm is cut into tiles: what the vector kernels (qs8_gemm_vec.inl) have in common. */
#ifndef TMC_KERNELS_QS8_GEMM_CUT_H
#define TMC_KERNELS_QS8_GEMM_CUT_H

#include "kernels/qs8_gemm.h"

/* Tiles of one height, each below the last. */
typedef struct tmc_qs8_tiles {
    size_t count, rows; /* tiles, rows of each */
    const char *a;      /* of the first row */
    ptrdiff_t a_step;
    int8_t *c;
    ptrdiff_t c_step;
    const char *next; /* what to ask the caches for with the next group of k; moved on by every group */
} tmc_qs8_tiles;

typedef void (*tmc_qs8_tiles_fn)(const tmc_qs8_gemm_args *args, tmc_qs8_tiles *tiles);

/* The heights of tiles that a kernel has code for, the highest first, zeros behind the lowest. */
#define TMC_QS8_HEIGHTS(a, b, c, d) ((a) | (b) << 8 | (c) << 16 | (d) << 24)

/* Runs the call by whole tiles: the last ones reach back over rows that are done already and write the same bytes
 * again. `run` computes whole panels of nr columns. */
void tmc_qs8_gemm_cut(const tmc_qs8_gemm_args *args, size_t nr, uint32_t heights, tmc_qs8_tiles_fn run);

#if defined(__aarch64__) /* the tiles of the dot product, which i8mm uses for few rows */
void tmc_qs8_gemm_6x16_dot_tiles(const tmc_qs8_gemm_args *args, tmc_qs8_tiles *tiles);
void tmc_qs8_gemm_8x8_dot_tiles(const tmc_qs8_gemm_args *args, tmc_qs8_tiles *tiles);
void tmc_qs8_gemm_8x4_dot_tiles(const tmc_qs8_gemm_args *args, tmc_qs8_tiles *tiles);
#endif

#endif
