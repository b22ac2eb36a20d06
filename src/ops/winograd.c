#include "ops/winograd.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "format/packing.h"
#include "kernels/prefetch.h"

#define MAX_POSITIONS (TMC_WINOGRAD_MAX_ALPHA * TMC_WINOGRAD_MAX_ALPHA)

/* Panels whose products are made together: a pixel's 64 channels are whole cache lines side by side, and a tile's rows
 * are loaded once for four panels. Only where all weights stay in the L2 cache from one block to the next: larger ones
 * come from memory, and are read as one stream. */
#define PART_PANELS 4

/* Tiles of a block: its positions and products take half of the L2 cache. Every block reads all weights, so where these
 * are many its size may grow to a quarter of theirs: positions from the L3 cache cost less than weights from memory.
 * docs/decisions/0008-winograd.md has the measurements. */
#define LEAST_TILES 24
#define MOST_TILES 48
#define MOST_BLOCK_BYTES (16 * 1024 * 1024)

/* Positions of one segment, for several threads. */
#define SEGMENT_BYTES (4 * 1024 * 1024)

/* Multiply-accumulates of a block that one task may do: 0.3 ms on a desktop core, 4 ms on the slowest phone core. */
#define WHOLE_MACS (16u << 20)

/* Where the blocks are small and many, a task is a block, whose positions stay in the L2 cache of the core that made
 * them. Else the work is cut into segments of some blocks: a first loop makes the positions of all tiles of a segment,
 * and a second one multiplies, a task being one block and one group of panels. So also a layer of few tiles has tasks
 * for all threads, and the positions take memory for one segment only. */
typedef struct job {
    const tmc_op_run *run;
    const tmc_conv_params *p;
    const tmc_f32_winograd_kernel *winograd;
    const tmc_f32_gemm_kernel *gemm;
    size_t in_h, in_w, out_h, out_w, channels, columns;
    size_t in_pitch, out_pitch;     /* floats from one pixel to the next */
    size_t tiles_y, tiles_x, tiles; /* of the output; `tiles` of the whole batch */
    size_t positions;               /* alpha * alpha */
    size_t threads;
    size_t mr;                    /* rows of gemm's tile */
    size_t part_panels;           /* multiplied together */
    size_t block, blocks, groups; /* tiles of a block, blocks that have positions at once, groups of panels */
    bool whole;                   /* a task is a block */
    bool weights_stay;            /* in the L2 cache, beside all that a block makes */
    size_t position_stride;       /* floats of a block's positions from one to the next */
    size_t zero_floats, product_floats, block_floats;
    size_t first, count; /* tiles of the current segment */
    const float *zeros;
    float *products; /* of each slot: [tile][position][column] of a task */
    float *v;        /* of each block of the segment, or of each slot: [position][tile][channel] */
} job;

bool tmc_winograd_used(const tmc_op_node *node) { return tmc_winograd_tile(node->inputs[1]->packing) != 0; }

static size_t round_to_line(size_t floats) { return tmc_round_up(floats, TMC_ALIGN / sizeof(float)); }

static size_t clamp(size_t value, size_t low, size_t high) { return value < low ? low : value > high ? high : value; }

/* Floats of the products of a tile with so many columns. */
static size_t product_stride(const job *j, size_t width) { return j->positions * width | 16; }

static void choose_blocks(job *j, size_t l2_bytes) {
    const size_t panels = tmc_div_up(j->columns, 16);
    const size_t weight_bytes = tmc_panel_columns_up(j->columns) * j->channels * j->positions * sizeof(float);
    j->part_panels = weight_bytes > l2_bytes ? 1 : tmc_min_size(PART_PANELS, panels);

    const size_t tile_bytes = j->positions * (j->channels + 16 * j->part_panels) * sizeof(float);
    const size_t limit = weight_bytes / 4 > l2_bytes / 2 ? weight_bytes / 4 : l2_bytes / 2;
    size_t block = clamp(limit / tile_bytes, clamp(MOST_BLOCK_BYTES / tile_bytes, 1, LEAST_TILES), MOST_TILES);
    block = tmc_min_size(tmc_div_up(block, j->mr) * j->mr, j->tiles);
    j->block = tmc_div_up(j->tiles, tmc_div_up(j->tiles, block));

    /* Odd numbers of cache lines, so that the positions of a tile do not fall into one set of the L1 cache, nor the
     * products of a position. */
    j->position_stride = round_to_line(j->block * j->channels) | 16;
    j->block_floats = j->positions * j->position_stride;
    j->product_floats = j->block * product_stride(j, j->part_panels * 16);
    j->weights_stay = weight_bytes + (j->block_floats + j->product_floats) * sizeof(float) <= l2_bytes;

    const size_t all = tmc_div_up(j->tiles, j->block), wanted_tasks = j->threads > 1 ? 4 * j->threads : 1;
    const size_t affordable = SEGMENT_BYTES / sizeof(float) / j->block_floats;
    j->whole = all >= wanted_tasks && (uint64_t)j->block * j->positions * j->channels * j->columns <= WHOLE_MACS;
    j->blocks = j->whole || j->threads == 1 ? j->threads : clamp(affordable, j->threads, wanted_tasks);
    j->blocks = tmc_min_size(j->blocks, all);
    const size_t wanted = j->whole ? 1 : tmc_div_up(wanted_tasks, j->blocks);
    j->groups = clamp(wanted, tmc_div_up(panels, j->part_panels), panels);
}

static job job_of(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads) {
    const tmc_tensor_desc *x = node->inputs[0], *y = node->outputs[0];
    const size_t m = tmc_winograd_tile(node->inputs[1]->packing), alpha = tmc_winograd_alpha(m);
    job j = {.p = node->params,
             .winograd = &kernels->winograd.size[m == 4],
             .gemm = kernels->conv.gemm,
             .in_h = (size_t)x->dims[1],
             .in_w = (size_t)x->dims[2],
             .out_h = (size_t)y->dims[1],
             .out_w = (size_t)y->dims[2],
             .channels = (size_t)x->dims[3],
             .columns = (size_t)y->dims[3],
             .in_pitch = tmc_tensor_pitch(x),
             .out_pitch = tmc_tensor_pitch(y),
             .positions = alpha * alpha,
             .threads = threads};
    j.tiles_y = tmc_div_up(j.out_h, m);
    j.tiles_x = tmc_div_up(j.out_w, m);
    j.tiles = (size_t)x->dims[0] * j.tiles_y * j.tiles_x;
    j.mr = j.gemm[tmc_f32_gemm_index(tmc_panel_width(j.columns, 0))].mr;
    j.zero_floats = round_to_line(j.channels);
    choose_blocks(&j, kernels->caches.l2_bytes);
    return j;
}

tmc_status tmc_winograd_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                tmc_op_setup *setup, tmc_error *err) {
    const job j = job_of(node, kernels, threads);
    const uint64_t floats = j.zero_floats + (uint64_t)threads * j.product_floats + (uint64_t)j.blocks * j.block_floats;
    if (floats > (TMC_FILE_MAX_TENSOR_BYTES - TMC_ALIGN) / sizeof(float))
        return tmc_fail(err, TMC_E_LIMIT, "scratch of a Winograd convolution would be over %u bytes",
                        TMC_FILE_MAX_TENSOR_BYTES);
    setup->scratch_bytes = (size_t)floats * sizeof(float);
    setup->kernel = j.winograd->name;
    setup->isa = j.winograd->isa;
    return TMC_OK;
}

/* A tile of the output, by its number in the batch. */
typedef struct tile_place {
    size_t n, y, x; /* image, first pixel */
} tile_place;

static tile_place place_of(const job *j, size_t tile) {
    const size_t m = j->winograd->m, row = tile / j->tiles_x;
    return (tile_place){row / j->tiles_y, row % j->tiles_y * m, tile % j->tiles_x * m};
}

/* The input pixels of a tile; zeros where they are padding or behind the last pixel that the output needs. */
static void fill_pixels(const job *j, size_t tile, const float **a) {
    const tile_place at = place_of(j, tile);
    const ptrdiff_t alpha = (ptrdiff_t)j->winograd->m + 2, pitch = (ptrdiff_t)j->in_pitch;
    const ptrdiff_t h = (ptrdiff_t)j->in_h, w = (ptrdiff_t)j->in_w;
    const ptrdiff_t y0 = (ptrdiff_t)at.y - j->p->pad_begin[1], x0 = (ptrdiff_t)at.x - j->p->pad_begin[2];
    const float *image = (const float *)j->run->inputs[0] + at.n * j->in_h * j->in_w * j->in_pitch;
    for (ptrdiff_t y = y0; y < y0 + alpha; y++) {
        const bool inside = y >= 0 && y < h;
        for (ptrdiff_t x = x0; x < x0 + alpha; x++)
            *a++ = inside && x >= 0 && x < w ? image + (y * w + x) * pitch : j->zeros;
    }
}

/* The positions of one tile, which is number `place` of the block at v. */
static void make_positions(const job *j, size_t tile, size_t place, float *v) {
    const float *a[MAX_POSITIONS];
    fill_pixels(j, tile, a);
    j->winograd->input(&(tmc_f32_winograd_input_args){
        .channels = j->channels, .a = a, .v = v + place * j->channels, .v_stride = j->position_stride});
}

static size_t input_tasks(const job *j) { return 4 * j->threads; }

static void input_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const size_t end = (index + 1) * j->count / input_tasks(j);
    for (size_t i = index * j->count / input_tasks(j); i < end; i++)
        make_positions(j, j->first + i, i % j->block, j->v + i / j->block * j->block_floats);
}

/* Input pixels that are needed soon: of tiles in one line a piece of each image line, else one piece of whole lines. */
typedef struct strip {
    const char *first;
    size_t lines, line_step, bytes; /* bytes from one line to the next, of the piece of each */
} strip;

static size_t inside(size_t at, size_t pad, size_t size) { return at < pad ? 0 : tmc_min_size(at - pad, size); }

/* What `tiles` tiles from `first` on read. */
static strip strip_of(const job *j, size_t first, size_t tiles) {
    if (first >= j->tiles) return (strip){0};
    const size_t last = tmc_min_size(first + tiles, j->tiles) - 1;
    const tile_place a = place_of(j, first), b = place_of(j, last);
    const size_t alpha = j->winograd->m + 2, pixel = j->in_pitch * sizeof(float), line = j->in_w * pixel;
    const size_t y0 = inside(a.y, j->p->pad_begin[1], j->in_h);
    const size_t y1 = a.n == b.n ? inside(b.y + alpha, j->p->pad_begin[1], j->in_h) : j->in_h;
    const char *image = (const char *)j->run->inputs[0] + (a.n * j->in_h + y0) * line;
    if (first / j->tiles_x != last / j->tiles_x) return (strip){image, 1, line, (y1 - y0) * line};
    const size_t x0 = inside(a.x, j->p->pad_begin[2], j->in_w);
    const size_t x1 = inside(b.x + alpha, j->p->pad_begin[2], j->in_w);
    return (strip){image + x0 * pixel, y1 - y0, line, (x1 - x0) * pixel};
}

/* The tiles of a block, for panels side by side. */
typedef struct part {
    const float *v;       /* the block's positions */
    size_t first, tiles;  /* in the batch */
    size_t column, end;   /* of the output */
    size_t width, stride; /* of all its panels, of their products from one tile to the next */
    strip soon;           /* read by the block that this thread transforms next */
} part;

static const float *panel_at(const job *j, size_t column) {
    return (const float *)j->run->inputs[1] + tmc_panel_offset(column, j->positions * j->channels);
}

static float *output_at(const job *j, size_t n, size_t y, size_t x) {
    return (float *)j->run->outputs[0] + ((n * j->out_h + y) * j->out_w + x) * j->out_pitch;
}

/* One of the pieces of t->soon, as many as there are products of a position and a panel; and its bytes. */
static const char *piece_of(const job *j, const part *t, size_t position, size_t column, size_t *bytes) {
    const size_t panels = tmc_div_up(t->end - t->column, 16);
    const size_t piece = t->column / 16 * j->positions + position * panels + (column - t->column) / 16;
    const size_t pieces = tmc_div_up(j->columns, 16) * j->positions / t->soon.lines, line = piece / pieces;
    if (line >= t->soon.lines) return NULL;
    *bytes = t->soon.bytes / pieces;
    return t->soon.first + line * t->soon.line_step + piece % pieces * *bytes;
}

/* Runs gemm on the next `rows` tiles, which asks for `bytes` from `next` on meanwhile. */
static void multiply_rows(const tmc_f32_gemm_kernel *gemm, tmc_f32_gemm_args *args, size_t rows, const void *next,
                          size_t bytes) {
    if (rows == 0) return;
    args->rows = rows;
    args->next = next;
    args->next_step = tmc_div_up(bytes, tmc_div_up(rows, gemm->mr) * args->kc);
    gemm->fn(args);
    args->c_offset += rows * (size_t)args->c_step;
}

/* products[tile][position][column] of one position. While a panel is used the caches are asked for what comes from
 * memory: the weights that follow it, unless the first block has left all in the L2 cache, and the pixels of the next
 * block. */
static void multiply(const job *j, const part *t, size_t position, float *products) {
    static const float zeros[16] = {0};
    const float *row;
    tmc_f32_gemm_args args = {.taps = 1,
                              .kc = j->channels,
                              .a = &row,
                              .a_stride = 1,
                              .a_step = (ptrdiff_t)j->channels,
                              .c = &products,
                              .c_step = (ptrdiff_t)t->stride,
                              .bias = zeros,
                              .lo = -INFINITY,
                              .hi = INFINITY};
    products += position * t->width;
    for (size_t column = t->column, width; column < t->end; column += width) {
        width = tmc_panel_width(j->columns, column);
        const tmc_f32_gemm_kernel *gemm = &j->gemm[tmc_f32_gemm_index(width)];
        args.columns = tmc_min_size(width, j->columns - column);
        args.c_offset = column - t->column;
        args.w = panel_at(j, column) + (1 + position * j->channels) * width;
        row = t->v + position * j->position_stride;
        size_t bytes = 0, asking = 0;
        const char *pixels = t->soon.lines ? piece_of(j, t, position, column, &bytes) : NULL;
        if (pixels) asking = j->weights_stay && t->first > 0 ? t->tiles : t->tiles / gemm->mr / 2 * gemm->mr;
        multiply_rows(gemm, &args, asking, pixels, bytes);
        row += asking * j->channels;
        const size_t floats = j->channels * width;
        multiply_rows(gemm, &args, t->tiles - asking, args.w + floats, floats * sizeof(float));
    }
}

/* Asks for the outputs of some tiles, so that they are in the L2 cache when all positions are multiplied: writing them
 * without waits for memory at every line. */
static void ask_for_outputs(const job *j, const part *t, size_t position) {
    const size_t m = j->winograd->m, end = (position + 1) * t->tiles / j->positions;
    for (size_t i = position * t->tiles / j->positions; i < end; i++) {
        const tile_place at = place_of(j, t->first + i);
        const size_t y_end = tmc_min_size(at.y + m, j->out_h), x_end = tmc_min_size(at.x + m, j->out_w);
        for (size_t y = at.y; y < y_end; y++)
            for (size_t x = at.x; x < x_end; x++) {
                const float *c = output_at(j, at.n, y, x);
                for (size_t column = t->column; column < t->end; column += 16) TMC_PREFETCH(c + column);
            }
    }
}

static void write_tiles(const job *j, const part *t, const float *products) {
    const size_t m = j->winograd->m, pixel = j->out_pitch, row = j->out_w * pixel;
    tmc_f32_winograd_output_args args = {
        .m_stride = t->width, .row_stride = row, .pixel_stride = pixel, .lo = j->p->act.lo, .hi = j->p->act.hi};
    for (size_t i = 0; i < t->tiles; i++, products += t->stride) {
        const tile_place at = place_of(j, t->first + i);
        float *c = output_at(j, at.n, at.y, at.x);
        args.rows = tmc_min_size(m, j->out_h - at.y);
        args.pixels = tmc_min_size(m, j->out_w - at.x);
        for (size_t column = t->column, width; column < t->end; column += width) {
            width = tmc_panel_width(j->columns, column);
            args.columns = tmc_min_size(width, j->columns - column);
            args.m = products + (column - t->column);
            args.bias = panel_at(j, column);
            args.c = c + column;
            j->winograd->output(&args);
        }
    }
}

/* One group of panels of the `tiles` tiles from `first`, whose positions are at v. */
static void run_group(const job *j, const float *v, size_t first, size_t tiles, size_t group, size_t slot) {
    const size_t panels = tmc_div_up(j->columns, 16);
    part t = {.v = v,
              .first = first,
              .tiles = tiles,
              .column = group * panels / j->groups * 16,
              .end = tmc_min_size((group + 1) * panels / j->groups * 16, j->columns)};
    t.width = tmc_panel_columns_up(t.end - t.column);
    t.stride = product_stride(j, t.width);
    t.soon = strip_of(j, first + (j->whole ? tiles : j->count), tiles);
    float *products = j->products + slot * j->product_floats;
    for (size_t p = 0; p < j->positions; p++) {
        multiply(j, &t, p, products);
        ask_for_outputs(j, &t, p);
    }
    write_tiles(j, &t, products);
}

static void product_task(void *context, size_t index, size_t slot) {
    const job *j = context;
    const size_t block = index / j->groups, first = block * j->block;
    run_group(j, j->v + block * j->block_floats, j->first + first, tmc_min_size(j->block, j->count - first),
              index % j->groups, slot);
}

static void block_task(void *context, size_t index, size_t slot) {
    const job *j = context;
    const size_t first = index * j->block, tiles = tmc_min_size(j->block, j->tiles - first);
    float *v = j->v + slot * j->block_floats;
    for (size_t i = 0; i < tiles; i++) make_positions(j, first + i, i, v);
    for (size_t group = 0; group < j->groups; group++) run_group(j, v, first, tiles, group, slot);
}

tmc_status tmc_winograd_run(const tmc_op_run *run) {
    job j = job_of(run->node, run->kernels, run->exec->threads);
    float *zeros = run->scratch;
    memset(zeros, 0, j.channels * sizeof *zeros);
    j.run = run;
    j.zeros = zeros;
    j.products = zeros + j.zero_floats;
    j.v = j.products + j.threads * j.product_floats;
    if (j.whole) return tmc_exec_loop(run->exec, tmc_div_up(j.tiles, j.block), block_task, &j);
    for (; j.first < j.tiles; j.first += j.count) {
        j.count = tmc_min_size(j.blocks * j.block, j.tiles - j.first);
        TMC_TRY(tmc_exec_loop(run->exec, input_tasks(&j), input_task, &j));
        TMC_TRY(tmc_exec_loop(run->exec, tmc_div_up(j.count, j.block) * j.groups, product_task, &j));
    }
    return TMC_OK;
}
