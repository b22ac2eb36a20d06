#include "ops/winograd.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "format/packing.h"
#include "kernels/prefetch.h"

#define MAX_POSITIONS (TMC_WINOGRAD_MAX_ALPHA * TMC_WINOGRAD_MAX_ALPHA)

/* Panels whose products are made together where the weights are transformed once: a pixel's 64 channels are whole cache
 * lines side by side, and a tile's rows are loaded once for four panels. */
#define PART_PANELS 4

/* Tiles of a block, whose positions and products take half of the L2 cache. docs/decisions/0008-winograd.md has the
 * measurements behind all these numbers. */
#define LEAST_TILES 24
#define MOST_TILES 48
#define MOST_BLOCK_BYTES (16 * 1024 * 1024)

/* Transformed weights of a layer that are kept, as a multiple of the L2 cache: each block reads them all. They are also
 * no larger than the positions of all tiles would be. */
#define MOST_WEIGHTS 5

/* Positions of a segment: those of 64 tiles of 512 channels. */
#define SEGMENT_BYTES (5 * 1024 * 1024)

/* Multiply-accumulates of a block that one task may do: 0.6 ms on a desktop core, 8 ms on the slowest phone core. */
#define WHOLE_MACS (32u << 20)

/* The file has the taps of the weights. Where a layer has many tiles and small weights (`whole`), all weights are
 * transformed first, and a task is a block of tiles, whose positions stay in the L2 cache of the core that made them.
 * Else the positions of a segment, mostly all tiles, are made first, and a task is a panel of columns: it transforms
 * weights of some channels, which stay in the L2 cache, multiplies all tiles of the segment with them, and goes on with
 * the next channels. So weights that come from memory come as taps, once, and take little scratch. */
typedef struct job {
    const tmc_op_run *run;
    const tmc_conv_params *p;
    const tmc_f32_winograd_kernel *winograd;
    const tmc_f32_gemm_kernel *gemm;
    size_t in_h, in_w, out_h, out_w, channels, columns, panels;
    size_t in_pitch, out_pitch;     /* floats from one pixel to the next */
    size_t tiles_y, tiles_x, tiles; /* of the output; `tiles` of the whole batch */
    size_t positions;               /* alpha * alpha */
    size_t threads;
    size_t mr;                 /* rows of gemm's tile */
    bool whole;                /* a task is a block of tiles, else a panel of a segment */
    bool weights_stay;         /* whole: in the L2 cache, beside all that a block makes */
    size_t part_panels;        /* multiplied together */
    size_t block;              /* tiles of a block or segment */
    size_t cuts;               /* of a segment's tiles among tasks: more than one where there are few panels */
    size_t chunk;              /* channels whose weights are transformed together */
    size_t v_stride, u_stride; /* floats from one position to the next */
    size_t zero_floats, product_floats, v_floats, u_floats; /* of one buffer */
    size_t v_buffers, u_buffers;
    size_t first, count; /* tiles of the current segment */
    const float *zeros;
    float *products; /* of each slot: [tile][position][column] of a task */
    float *v;        /* of each slot or of the segment: [position][tile][channel] */
    float *u;        /* of each panel or slot: [position][channel][column] */
} job;

bool tmc_winograd_used(const tmc_op_node *node) { return tmc_winograd_tile(node->inputs[1]->packing) != 0; }

static size_t round_to_line(size_t floats) { return tmc_round_up(floats, TMC_ALIGN / sizeof(float)); }

static size_t clamp(size_t value, size_t low, size_t high) { return value < low ? low : value > high ? high : value; }

/* Floats of the products of a tile with so many columns. */
static size_t product_stride(const job *j, size_t width) { return j->positions * width | 16; }

/* Strides are odd numbers of cache lines, so that the positions of a tile or weight do not fall into one set of the L1
 * cache, nor the products of a position. */
static size_t position_stride(size_t floats) { return round_to_line(floats) | 16; }

static void choose_whole(job *j, size_t l2_bytes, uint64_t weight_bytes) {
    j->part_panels = weight_bytes > l2_bytes ? 1 : tmc_min_size(PART_PANELS, j->panels);
    const uint64_t tile_bytes = (uint64_t)j->positions * (j->channels + 16 * j->part_panels) * sizeof(float);
    const size_t least = clamp((size_t)(MOST_BLOCK_BYTES / tile_bytes), 1, LEAST_TILES);
    size_t block = clamp((size_t)(l2_bytes / 2 / tile_bytes), least, MOST_TILES);
    block = tmc_min_size(tmc_div_up(block, j->mr) * j->mr, j->tiles);
    j->block = tmc_div_up(j->tiles, tmc_div_up(j->tiles, block));
    j->chunk = j->channels;
    j->v_buffers = j->threads;
    j->u_buffers = j->panels;
    const size_t wanted_tasks = j->threads > 1 ? 4 * j->threads : 1;
    j->whole = j->columns <= j->tiles && weight_bytes <= MOST_WEIGHTS * (uint64_t)l2_bytes &&
               tmc_div_up(j->tiles, j->block) >= wanted_tasks &&
               (uint64_t)j->block * j->positions * j->channels * j->columns <= WHOLE_MACS;
}

/* The transformed weights of a task take two thirds of the L2 cache, its products too: they are used in turns. */
static void choose_panels(job *j, size_t l2_bytes) {
    const size_t most_rows = tmc_max_size(l2_bytes / 3 * 2 / (j->positions * 16 * sizeof(float)), 1);
    j->part_panels = 1;
    j->chunk = tmc_div_up(j->channels, tmc_div_up(j->channels, most_rows));
    j->cuts = tmc_div_up(j->threads, j->panels);
    const size_t affordable = SEGMENT_BYTES / sizeof(float) / (j->positions * j->channels);
    const size_t most = clamp(tmc_min_size(most_rows * j->cuts, affordable), 1, j->tiles);
    j->block = tmc_div_up(j->tiles, tmc_div_up(j->tiles, most));
    j->v_buffers = 1;
    j->u_buffers = j->threads;
}

static void choose_blocks(job *j, size_t l2_bytes) {
    const uint64_t weight_bytes =
        (uint64_t)tmc_panel_columns_up(j->columns) * j->channels * j->positions * sizeof(float);
    j->cuts = 1;
    choose_whole(j, l2_bytes, weight_bytes);
    if (!j->whole) choose_panels(j, l2_bytes);
    j->v_stride = position_stride(j->block * j->channels);
    j->v_floats = j->positions * j->v_stride;
    j->u_stride = position_stride(j->chunk * 16);
    j->u_floats = j->positions * j->u_stride;
    j->product_floats = tmc_div_up(j->block, j->cuts) * product_stride(j, j->part_panels * 16);
    j->weights_stay = weight_bytes + (j->v_floats + j->product_floats) * sizeof(float) <= l2_bytes;
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
    j.panels = tmc_div_up(j.columns, 16);
    choose_blocks(&j, kernels->caches.l2_bytes);
    return j;
}

tmc_status tmc_winograd_prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads,
                                tmc_op_setup *setup, tmc_error *err) {
    const job j = job_of(node, kernels, threads);
    const uint64_t floats = j.zero_floats + (uint64_t)threads * j.product_floats + (uint64_t)j.v_buffers * j.v_floats +
                            (uint64_t)j.u_buffers * j.u_floats;
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
        .channels = j->channels, .a = a, .v = v + place * j->channels, .v_stride = j->v_stride});
}

static size_t input_tasks(const job *j) { return 4 * j->threads; }

static void input_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const size_t end = (index + 1) * j->count / input_tasks(j);
    for (size_t i = index * j->count / input_tasks(j); i < end; i++) make_positions(j, j->first + i, i, j->v);
}

/* The panel of 16 columns, or one of 8 or 4, that starts at `column`: its bias, then [channel][tap][column]. */
static const float *panel_at(const job *j, size_t column) {
    return (const float *)j->run->inputs[1] + tmc_panel_offset(column, 9 * j->channels);
}

static size_t panel_end(const job *j, size_t panel) { return tmc_min_size((panel + 1) * 16, j->columns); }

/* Some channels of the weights of 16 columns, or of the last ones, in panels as in the file. */
static void make_weights(const job *j, size_t panel, size_t channel, size_t channels, float *u) {
    for (size_t column = panel * 16, width; column < panel_end(j, panel); column += width) {
        width = tmc_panel_width(j->columns, column);
        j->winograd->weights(&(tmc_f32_winograd_weights_args){.channels = channels,
                                                              .width = width,
                                                              .g = panel_at(j, column) + (1 + 9 * channel) * width,
                                                              .u = u + column % 16 * channels,
                                                              .u_stride = j->u_stride});
    }
}

static void weights_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    make_weights(j, index, 0, j->channels, j->u + index * j->u_floats);
}

/* What is needed soon: pieces of lines. */
typedef struct strip {
    const char *first;
    size_t lines, line_step, bytes; /* bytes from one line to the next, of the piece of each */
} strip;

static size_t inside(size_t at, size_t pad, size_t size) { return at < pad ? 0 : tmc_min_size(at - pad, size); }

/* The pixels that `tiles` tiles from `first` on read: of tiles in one line a piece of each image line, else one piece
 * of whole lines. */
static strip pixels_of(const job *j, size_t first, size_t tiles) {
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

/* The taps of the channels from `channel` on of a panel, or of the next panel's first ones. */
static strip taps_of(const job *j, size_t panel, size_t channel) {
    if (channel >= j->channels) channel = 0, panel++;
    if (panel >= j->panels) return (strip){0};
    const size_t width = tmc_panel_width(j->columns, panel * 16);
    const size_t bytes = 9 * width * sizeof(float) * tmc_min_size(j->chunk, j->channels - channel);
    return (strip){(const char *)(panel_at(j, panel * 16) + (1 + 9 * channel) * width), 1, bytes, bytes};
}

/* Piece number `piece` of `pieces` of a strip, or NULL. */
static const char *piece_of(const strip *s, size_t piece, size_t pieces, size_t *bytes) {
    *bytes = 0;
    if (s->lines == 0) return NULL;
    const size_t line_pieces = tmc_max_size(pieces / s->lines, 1), line = piece / line_pieces;
    if (line >= s->lines) return NULL;
    *bytes = s->bytes / line_pieces;
    return s->first + line * s->line_step + piece % line_pieces * *bytes;
}

/* A product of some tiles, columns and channels. */
typedef struct part {
    const float *v;           /* the first tile's positions */
    const float *u;           /* weights of the first column */
    size_t first, tiles;      /* in the batch */
    size_t column, end;       /* of the output */
    size_t channel, channels; /* of the input */
    size_t width, stride;     /* of all its panels, of their products from one tile to the next */
    strip soon;               /* what this thread reads next from memory */
    size_t asked, pieces;     /* how many pieces of `soon` were asked for, and are in all */
    bool all_rows;            /* ask while all rows are multiplied, not only while half of them are */
} part;

static float *output_at(const job *j, size_t n, size_t y, size_t x) {
    return (float *)j->run->outputs[0] + ((n * j->out_h + y) * j->out_w + x) * j->out_pitch;
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

/* products[tile][position][column] of one position, or what more channels add to them. While a panel is used the caches
 * are asked for what comes from further away: the weights that follow it, and a piece of what is needed soon. */
static void multiply(const job *j, part *t, size_t position, float *products) {
    static const float zeros[16] = {0};
    const float *row;
    tmc_f32_gemm_args args = {.taps = 1,
                              .kc = t->channels,
                              .a = &row,
                              .a_stride = 1,
                              .a_step = (ptrdiff_t)j->channels,
                              .c = &products,
                              .c_step = (ptrdiff_t)t->stride,
                              .bias = t->channel ? NULL : zeros,
                              .lo = -INFINITY,
                              .hi = INFINITY};
    products += position * t->width;
    for (size_t column = t->column, width; column < t->end; column += width) {
        width = tmc_panel_width(j->columns, column);
        const tmc_f32_gemm_kernel *gemm = &j->gemm[tmc_f32_gemm_index(width)];
        args.columns = tmc_min_size(width, j->columns - column);
        args.c_offset = column - t->column;
        args.w = t->u + (column - t->column) / 16 * j->u_floats + position * j->u_stride + column % 16 * t->channels;
        row = t->v + position * j->v_stride + t->channel;
        size_t bytes, asking = 0;
        const char *soon = piece_of(&t->soon, t->asked++, t->pieces, &bytes);
        if (soon) asking = t->all_rows ? t->tiles : t->tiles / gemm->mr / 2 * gemm->mr;
        multiply_rows(gemm, &args, asking, soon, bytes);
        row += asking * j->channels;
        multiply_rows(gemm, &args, t->tiles - asking, args.w + j->u_stride, t->channels * width * sizeof(float));
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

/* A block of tiles, whose positions are at v, with some panels of weights. */
static void multiply_block(const job *j, const float *v, size_t first, size_t tiles, size_t panel, float *products) {
    part t = {.v = v,
              .u = j->u + panel * j->u_floats,
              .first = first,
              .tiles = tiles,
              .column = panel * 16,
              .end = panel_end(j, panel + j->part_panels - 1),
              .channels = j->channels,
              .soon = pixels_of(j, first + tiles, tiles),
              .asked = panel * j->positions,
              .pieces = j->panels * j->positions,
              .all_rows = j->weights_stay};
    t.width = tmc_panel_columns_up(t.end - t.column);
    t.stride = product_stride(j, t.width);
    for (size_t p = 0; p < j->positions; p++) {
        multiply(j, &t, p, products);
        ask_for_outputs(j, &t, p);
    }
    write_tiles(j, &t, products);
}

static void block_task(void *context, size_t index, size_t slot) {
    const job *j = context;
    const size_t first = index * j->block, tiles = tmc_min_size(j->block, j->tiles - first);
    float *v = j->v + slot * j->v_floats, *products = j->products + slot * j->product_floats;
    for (size_t i = 0; i < tiles; i++) make_positions(j, first + i, i, v);
    for (size_t panel = 0; panel < j->panels; panel += j->part_panels)
        multiply_block(j, v, first, tiles, panel, products);
}

/* One panel of columns for a segment, or a part of its tiles. */
static void panel_task(void *context, size_t index, size_t slot) {
    const job *j = context;
    const size_t panel = index / j->cuts, cut = index % j->cuts;
    const size_t begin = cut * j->count / j->cuts, end = (cut + 1) * j->count / j->cuts;
    float *u = j->u + slot * j->u_floats, *products = j->products + slot * j->product_floats;
    part t = {.v = j->v + begin * j->channels,
              .u = u,
              .first = j->first + begin,
              .tiles = end - begin,
              .column = panel * 16,
              .end = panel_end(j, panel),
              .pieces = j->positions,
              .all_rows = true};
    if (t.tiles == 0) return;
    t.width = tmc_panel_columns_up(t.end - t.column);
    t.stride = product_stride(j, t.width);
    for (; t.channel < j->channels; t.channel += t.channels) {
        t.channels = tmc_min_size(j->chunk, j->channels - t.channel);
        make_weights(j, panel, t.channel, t.channels, u);
        t.soon = taps_of(j, panel, t.channel + t.channels);
        t.asked = 0;
        for (size_t p = 0; p < j->positions; p++) {
            multiply(j, &t, p, products);
            if (t.channel == 0) ask_for_outputs(j, &t, p);
        }
    }
    write_tiles(j, &t, products);
}

tmc_status tmc_winograd_run(const tmc_op_run *run) {
    job j = job_of(run->node, run->kernels, run->exec->threads);
    float *zeros = run->scratch;
    memset(zeros, 0, j.channels * sizeof *zeros);
    j.run = run;
    j.zeros = zeros;
    j.products = zeros + j.zero_floats;
    j.v = j.products + j.threads * j.product_floats;
    j.u = j.v + j.v_buffers * j.v_floats;
    if (j.whole) {
        TMC_TRY(tmc_exec_loop(run->exec, j.panels, weights_task, &j));
        return tmc_exec_loop(run->exec, tmc_div_up(j.tiles, j.block), block_task, &j);
    }
    for (; j.first < j.tiles; j.first += j.count) {
        j.count = tmc_min_size(j.block, j.tiles - j.first);
        TMC_TRY(tmc_exec_loop(run->exec, input_tasks(&j), input_task, &j));
        TMC_TRY(tmc_exec_loop(run->exec, j.panels * j.cuts, panel_task, &j));
    }
    return TMC_OK;
}
