/* The rows of an implicit matrix product as the kernels take them: blocks of output pixels with the places of their
 * inputs and outputs, for one range of k. */
#ifndef TMC_OPS_GEMM_ROWS_H
#define TMC_OPS_GEMM_ROWS_H

#include "ops/implicit_gemm.h"

/* Pointers of one call on the stack: 4 KiB and 1 KiB on 64-bit machines. */
#define TMC_GEMM_MAX_POINTERS 512
#define TMC_GEMM_MAX_ROWS 128
#define TMC_GEMM_MAX_TAPS 64
#define TMC_GEMM_BORDER_FLOATS 512

/* A range of k: taps [ky, ky + ky_count) x [kx, kx + kx_count) x channels [c, c + c_count). More than one tap only with
 * all channels, more than one row of taps only with whole rows, so that k stays contiguous in the panels. */
typedef struct tmc_gemm_chunk {
    int32_t ky, ky_count, kx, kx_count;
    size_t c, c_count;
} tmc_gemm_chunk;

/* k of a chunk at most, and how many zeros stand for padding. A tile costs some 20 cycles beside its multiplications, 6
 * k: ResNet-50's convolutions take 78.3 ms with at most 384 k, 76.8 with 512, 75.8 with 768, 75.5 with 1152, and 3x3
 * windows of 512 channels another 4 % less with 1536, although such a panel fills three L1 caches. */
#define TMC_GEMM_MAX_CHUNK 1536

/* The chunk after `last`, the first one for NULL; a product with no k has one chunk too. */
tmc_gemm_chunk tmc_gemm_chunk_next(const tmc_implicit_gemm *g, const tmc_gemm_chunk *last);

/* Walks the output pixels of one group for one chunk. */
typedef struct tmc_gemm_walk {
    const tmc_implicit_gemm *g;
    tmc_gemm_chunk k;
    size_t group, mr;
    size_t n, y, x; /* image and output pixel that come next */
    bool plain;
    size_t inside_begin, inside_end; /* x of a line whose taps lie all within the input's lines */
} tmc_gemm_walk;

typedef struct tmc_gemm_rows {
    const float *a[TMC_GEMM_MAX_POINTERS];
    float *c[TMC_GEMM_MAX_ROWS];
    float border[TMC_GEMM_BORDER_FLOATS]; /* copies of lines where they reach into the padding */
} tmc_gemm_rows;

/* Row r of the input belongs to row r of the output. */
bool tmc_gemm_is_plain(const tmc_implicit_gemm *g);

/* Most pixels of a line are named by the first one and a step. */
bool tmc_gemm_has_strips(const tmc_implicit_gemm *g);

/* From row `first` of the product on; mr: height of the kernel's tiles. */
tmc_gemm_walk tmc_gemm_walk_start(const tmc_implicit_gemm *g, size_t group, const tmc_gemm_chunk *k, size_t first,
                                  size_t mr);

/* Sets rows, taps, kc, a and c of *args for the next rows, at most `left` >= 1; `rows` holds what they point to. */
void tmc_gemm_walk_next(tmc_gemm_walk *walk, size_t left, tmc_gemm_rows *rows, tmc_f32_gemm_args *args);

#endif
