/* dwconv_row on vectors. A step is two tiles of neighbouring pixels and one vector of channels, or one tile and two
 * vectors: the sums of one are too few to hide an FMA's latency as far as a processor looks ahead. With tiles of four
 * pixels the sums, two inputs and five weights fit into 16 registers; with 32 there is room for seven, and the images
 * of most networks are 7 * 2^n wide. Within a row of the window each input vector is loaded once and serves every pixel
 * whose window holds it: for pixel p the input columns come in ascending order, so its taps do too. Define ROW_PIXELS,
 * ROW_KW and ROW_NAME first. */
#include "format/packing.h"
#include "kernels/f32_conv_list.h"
#include "kernels/f32_unroll.h"

#if defined(ROW_SMALL) /* in-order processors without FMA gain little from more, and it is twice the code */
#define TILES 1
#define VECTORS 1
#elif ROW_KW == 3 && VEC_WIDTH <= 8
#define TILES 1
#define VECTORS 2
#else
#define TILES 2
#define VECTORS 1
#endif

/* One row of a tile's windows: column k of channel i is at x + k * pitch + i. */
typedef struct tile_row {
    const float *x;
    size_t pitch;
} tile_row;

typedef struct tile {
    tile_row rows[TMC_F32_DWCONV_ROW_MAX_H];
    size_t first;       /* pixel */
    size_t left, right; /* columns that lie before and behind the input row */
    float *c;
} tile;

/* At pixel 0 of output row r; its place among the columns is for move_tile. */
TMC_INLINE void make_tile(const tmc_f32_dwconv_row_args *args, size_t r, tile *t) {
    t->first = 0;
    t->c = args->c[r];
    for (size_t y = 0; y < args->kernel_h; y++) {
        const float *row = args->rows[r][y];
        t->rows[y].pitch = row ? args->a_pitch : 0;
        t->rows[y].x = row ? row - args->pad * args->a_pitch : args->zeros;
    }
}

/* To pixel p, or back to the last whole tile, which gives the values of some pixels once more. */
TMC_INLINE void move_tile(const tmc_f32_dwconv_row_args *args, size_t p, size_t stride, tile *t) {
    if (p + ROW_PIXELS > args->pixels) p = args->pixels - ROW_PIXELS;
    const size_t begin = p * stride, end = begin + (ROW_PIXELS - 1) * stride + ROW_KW; /* counted from the padding */
    const ptrdiff_t pixels = (ptrdiff_t)p - (ptrdiff_t)t->first;
    t->first = p;
    t->left = begin < args->pad ? args->pad - begin : 0;
    t->right = end > args->columns + args->pad ? end - args->columns - args->pad : 0;
    t->c += pixels * (ptrdiff_t)args->c_pitch;
    for (size_t y = 0; y < args->kernel_h; y++) t->rows[y].x += pixels * (ptrdiff_t)(stride * t->rows[y].pitch);
}

/* The vectors of channels that start at channel i; w: their bias, then the weights. */
TMC_INLINE void row_step(const tmc_f32_dwconv_row_args *args, const tile *tiles, const float *w, size_t i,
                         size_t stride) {
    const size_t columns = (ROW_PIXELS - 1) * stride + ROW_KW;
    const float *zeros = args->zeros + i;
    vecf acc[TILES][VECTORS][ROW_PIXELS];
    TMC_UNROLL
    for (size_t t = 0; t < TILES; t++) {
        TMC_UNROLL
        for (size_t v = 0; v < VECTORS; v++) {
            TMC_UNROLL
            for (size_t p = 0; p < ROW_PIXELS; p++) acc[t][v][p] = vec_load(w + v * VEC_WIDTH);
        }
    }
    for (size_t y = 0; y < args->kernel_h; y++) {
        const float *x[TILES];
        vecf wv[VECTORS][ROW_KW];
        TMC_UNROLL
        for (size_t t = 0; t < TILES; t++) x[t] = tiles[t].rows[y].x + i;
        TMC_UNROLL
        for (size_t k = 0; k < ROW_KW; k++) {
            w += TMC_DEPTHWISE_WIDTH;
            TMC_UNROLL
            for (size_t v = 0; v < VECTORS; v++) wv[v][k] = vec_load(w + v * VEC_WIDTH);
        }
        TMC_UNROLL
        for (size_t column = 0; column < columns; column++) {
            TMC_UNROLL
            for (size_t t = 0; t < TILES; t++) {
                const bool outside = (column < ROW_KW / 2 && column < tiles[t].left) ||
                                     (columns - column <= ROW_KW / 2 && columns - column <= tiles[t].right);
                const float *at = outside ? zeros : x[t];
                x[t] += tiles[t].rows[y].pitch;
                TMC_UNROLL
                for (size_t v = 0; v < VECTORS; v++) {
                    const vecf xv = vec_load(at + v * VEC_WIDTH);
                    TMC_UNROLL
                    for (size_t p = 0; p < ROW_PIXELS; p++)
                        if (column >= p * stride && column - p * stride < ROW_KW)
                            acc[t][v][p] = vec_fma(xv, wv[v][column - p * stride], acc[t][v][p]);
                }
            }
        }
    }
    const vecf lo = vec_set(args->lo), hi = vec_set(args->hi);
    TMC_UNROLL
    for (size_t t = 0; t < TILES; t++) {
        TMC_UNROLL
        for (size_t p = 0; p < ROW_PIXELS; p++) {
            TMC_UNROLL
            for (size_t v = 0; v < VECTORS; v++)
                vec_store(tiles[t].c + i + p * args->c_pitch + v * VEC_WIDTH, vec_min(hi, vec_max(lo, acc[t][v][p])));
        }
    }
}

TMC_INLINE void row_steps(const tmc_f32_dwconv_row_args *args, const tile *tiles, size_t stride) {
    const float *w = args->w + args->begin * (1 + args->kernel_h * ROW_KW);
    for (size_t n = args->begin; n < args->end; n += TMC_DEPTHWISE_WIDTH) {
        const size_t channel = tmc_depthwise_channel(args->channels, n);
        for (size_t v = 0; v < TMC_DEPTHWISE_WIDTH; v += VECTORS * VEC_WIDTH)
            row_step(args, tiles, w + v, channel + v, stride);
        w += TMC_DEPTHWISE_WIDTH * (1 + args->kernel_h * ROW_KW);
    }
}

/* Two rows go side by side; in a single one each second tile goes beside the first. */
TMC_INLINE void row_tiles(const tmc_f32_dwconv_row_args *args, size_t stride) {
    tile tiles[TILES];
    const size_t rows = args->c_rows < TILES ? 1 : TILES, step = TILES / rows * ROW_PIXELS;
    for (size_t r = 0; r < args->c_rows; r += rows) {
        for (size_t t = 0; t < TILES; t++) make_tile(args, rows == 1 ? r : t, &tiles[t]);
        for (size_t p = 0; p < args->pixels; p += step) {
            for (size_t t = 0; t < TILES; t++) move_tile(args, rows == 1 ? p + t * ROW_PIXELS : p, stride, &tiles[t]);
            row_steps(args, tiles, stride);
        }
    }
}

/* The copy tells the compiler that no store changes the arguments. */
void ROW_NAME(const tmc_f32_dwconv_row_args *arguments) {
    const tmc_f32_dwconv_row_args args = *arguments;
    if (args.stride == 1)
        row_tiles(&args, 1);
    else
        row_tiles(&args, 2);
}
