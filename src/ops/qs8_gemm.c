#include "ops/qs8_gemm.h"

#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "format/packing_i8.h"
#include "ops/gemm_rows.h"
#include "ops/qs8.h"

/* Rows of a block: enough for panels to be fetched, and widened, while the rows of one are computed; at most what
 * leaves the block's inputs in the L2 cache. */
#define MIN_BLOCK_ROWS 48
#define MAX_BLOCK_ROWS 512
/* Multiply-accumulates of a task: as long as those of floats where the dot product is four times as fast. */
#define TASK_MACS (8u << 20)
/* Rows that lie so far apart fall into one set of the first-level cache: half the speed, docs/decisions/0020-int8.md.
 */
#define BAD_STEP 4096
#define LINE 64
#define MOVE 16 /* bytes that copies of short runs move at once, and that they may read and write beyond */

/* How a product is computed; follows from its shape, the kernels and the number of threads. */
typedef struct layout {
    tmc_gemm_axis y, x; /* one line where rows follow each other anyway */
    size_t batch;
    size_t k, element;     /* of a column; bytes of an activation */
    bool direct;           /* the kernels read the input itself, else the band */
    bool gather;           /* rows are put together from the band */
    size_t taps_y, taps_x; /* as the kernels see them: taps that join are one */
    size_t kc;             /* bytes of such a tap */
    size_t lines, pixels;  /* of a block of outputs */
    size_t y_blocks, x_blocks, column_blocks, columns_step;
    size_t band_lines, band_pixels;         /* of inputs */
    size_t pixel_step, line_step, row_step; /* bytes from one to the next in the band, and of gathered rows */
    size_t band_bytes, rows_bytes, panel_bytes, slot_bytes;
} layout;

typedef struct job {
    const tmc_qs8_gemm *g;
    const tmc_qs8_gemm_kernels *kernels;
    layout l;
    char *slots;
} job;

/* What the band of a slot holds; 0: nothing. */
typedef struct slot_head {
    size_t block;
} slot_head;

static size_t tap_reach(const tmc_gemm_axis *a) {
    if (a->taps == 0) return 0;
    const size_t step = (size_t)(a->tap_step < 0 ? -a->tap_step : a->tap_step);
    return (size_t)(a->taps - 1) * step;
}

/* Inputs from the first to the last that `count` outputs read. */
static size_t inputs_of(const tmc_gemm_axis *a, size_t count) {
    return (count - 1) * (size_t)a->in_step + tap_reach(a) + 1;
}

/* The lowest input that output number `i` reads; padding if negative. */
static ptrdiff_t first_input(const tmc_gemm_axis *a, size_t i) {
    const ptrdiff_t first = a->in_first + (ptrdiff_t)i * a->in_step;
    return a->tap_step < 0 ? first - (ptrdiff_t)tap_reach(a) : first;
}

static bool has_padding(const tmc_gemm_axis *a) {
    const ptrdiff_t first = first_input(a, 0);
    return a->taps > 0 && (first < 0 || first + (ptrdiff_t)inputs_of(a, (size_t)a->count) > a->in);
}

static size_t pair_width(const tmc_qs8_gemm_kernels *kernels) { return kernels->gemm[3].fn ? 32 : 16; }

/* Columns that the next call takes: a panel, or two where one kernel for both is faster. */
static size_t call_width(const tmc_qs8_gemm_kernels *kernels, size_t columns, size_t column) {
    const size_t width = tmc_panel_width(columns, column);
    if (width < 16 || !kernels->gemm[3].fn || column + 16 >= columns) return width;
    return tmc_panel_width(columns, column + 16) == 16 ? 32 : 16;
}

static bool takes_gemv(const layout *l, const tmc_qs8_gemm_kernels *kernels) {
    return kernels->gemv.fn && l->batch * (size_t)l->y.count * (size_t)l->x.count == 1 && !l->gather &&
           l->taps_y * l->taps_x == 1;
}

/* How inputs are read: where from, how many taps and at which steps. */
static void choose_inputs(layout *l, const tmc_implicit_gemm *s) {
    const size_t channel_bytes = s->channels * l->element, in_step = (size_t)l->x.in_step;
    const bool one_tap = l->x.taps == 1, wide = l->element > 1;
    bool join = one_tap || l->x.tap_step == 1;
    l->direct = !wide && !has_padding(&l->y) && !has_padding(&l->x) && s->channels % 4 == 0 &&
                in_step * s->input_pitch % BAD_STEP != 0 && (one_tap || s->input_pitch == s->channels || !join);
    l->pixel_step = l->direct ? s->input_pitch : channel_bytes;
    if (!l->direct && in_step * l->pixel_step % BAD_STEP == 0) {
        l->pixel_step += LINE;
        join = one_tap;
    }
    l->taps_y = (size_t)l->y.taps;
    l->taps_x = join && l->x.taps > 0 ? 1 : (size_t)l->x.taps;
    l->kc = join && l->x.taps > 0 ? (size_t)l->x.taps * channel_bytes : channel_bytes;
    if (l->taps_y * l->taps_x == 1)
        l->kc = l->k * l->element; /* the last bytes meet weights that are zero */
    else
        l->gather = l->kc % 4 != 0 && l->taps_y * l->taps_x > 0;
}

static void choose_blocks(layout *l, const tmc_implicit_gemm *s, const tmc_kernels *kernels, uint32_t threads) {
    const size_t width = (size_t)l->x.count, height = (size_t)l->y.count;
    const size_t row_bytes = (size_t)l->y.in_step * (size_t)l->x.in_step * s->channels * l->element +
                             (l->gather ? l->k * l->element : 0) + s->columns;
    size_t most = kernels->caches.l2_bytes / 4 / (row_bytes ? row_bytes : 1);
    const size_t wanted = threads > 1 ? 4 * (size_t)threads : 1;
    if (threads > 1) most = tmc_min_size(most, l->batch * width * height / wanted);
    most = most < MIN_BLOCK_ROWS ? MIN_BLOCK_ROWS : most > MAX_BLOCK_ROWS ? MAX_BLOCK_ROWS : most;
    l->x_blocks = tmc_div_up(width, most);
    const size_t mr = kernels->qs8_gemm.gemm[s->columns > 16 && kernels->qs8_gemm.gemm[3].fn ? 3 : 0].mr;
    l->pixels = l->x_blocks > 1 ? tmc_round_up(tmc_div_up(width, l->x_blocks), mr) : width;
    l->x_blocks = tmc_div_up(width, l->pixels);
    const size_t lines = tmc_min_size(most / l->pixels ? most / l->pixels : 1, height);
    l->y_blocks = tmc_div_up(height, lines);
    l->lines = tmc_div_up(height, l->y_blocks);
    l->y_blocks = tmc_div_up(height, l->lines);

    const size_t unit = pair_width(&kernels->qs8_gemm), units = tmc_div_up(s->columns, unit);
    const uint64_t macs = (uint64_t)l->lines * l->pixels * l->k * s->columns;
    size_t parts = (size_t)(macs / TASK_MACS) + 1;
    const size_t blocks = l->batch * l->y_blocks * l->x_blocks * s->groups;
    if (parts * blocks < wanted) parts = tmc_div_up(wanted, blocks);
    parts = tmc_min_size(parts, units);
    l->columns_step = tmc_div_up(units, parts) * unit;
    l->column_blocks = tmc_div_up(s->columns, l->columns_step);
}

static void choose_scratch(layout *l) {
    if (!l->direct && l->taps_y * l->taps_x > 0) {
        l->band_lines = inputs_of(&l->y, l->lines);
        l->band_pixels = inputs_of(&l->x, l->pixels);
        l->line_step = tmc_round_up(l->band_pixels * l->pixel_step, 4);
        l->band_bytes = tmc_round_up(l->band_lines * l->line_step + MOVE, LINE);
    }
    if (l->gather) {
        l->row_step = tmc_round_up((l->taps_y * l->taps_x - 1) * l->kc + tmc_round_up(l->kc, MOVE), 4);
        if (l->row_step % BAD_STEP == 0) l->row_step += LINE;
        l->rows_bytes = tmc_round_up(l->lines * l->pixels * l->row_step, LINE);
    }
    if (l->element > 1) l->panel_bytes = tmc_round_up(16 * (TMC_I8_COLUMN_HEADER + l->k * l->element), LINE);
    l->slot_bytes = tmc_round_up(sizeof(slot_head), LINE) + l->band_bytes + l->rows_bytes + l->panel_bytes;
}

static layout layout_of(const tmc_implicit_gemm *s, const tmc_kernels *kernels, uint32_t threads) {
    layout l = {.y = s->y, .x = s->x, .batch = s->batch, .element = tmc_qs8_gemm_is_wide(&kernels->qs8_gemm) ? 2 : 1};
    if (tmc_gemm_is_plain(s)) {
        l.x = tmc_gemm_axis_rows((int32_t)(s->batch * (size_t)s->y.count * (size_t)s->x.count));
        l.y = tmc_gemm_axis_rows(1);
        l.batch = 1;
    }
    l.k = tmc_i8_k((size_t)s->y.taps * (size_t)s->x.taps * s->channels);
    choose_inputs(&l, s);
    choose_blocks(&l, s, kernels, threads);
    choose_scratch(&l);
    return l;
}

static void fill_zero(const job *j, char *to, size_t bytes) {
    const int32_t zero = j->g->input_zero;
    if (j->l.element == 1) {
        memset(to, zero, bytes);
        return;
    }
    for (size_t i = 0; i < bytes; i += 2) memcpy(to + i, &(int16_t){(int16_t)zero}, 2);
}

static void copy_inputs(const job *j, char *to, const int8_t *from, size_t count) {
    if (j->l.element == 1)
        memcpy(to, from, count);
    else
        j->kernels->widen((int16_t *)(void *)to, from, count);
}

/* A part of the outputs: some pixels of some lines of one image, for one group. */
typedef struct block {
    size_t group, n, y, x;
    size_t lines, pixels;
} block;

static void fill_band_line(const job *j, const block *b, ptrdiff_t iy, char *to) {
    const layout *l = &j->l;
    const tmc_implicit_gemm *s = j->g->shape;
    const size_t pixels = inputs_of(&l->x, b->pixels);
    const ptrdiff_t ix = first_input(&l->x, b->x), in = l->x.in;
    ptrdiff_t begin = ix < 0 ? -ix : 0, end = in - ix < (ptrdiff_t)pixels ? in - ix : (ptrdiff_t)pixels;
    if (iy < 0 || iy >= l->y.in || begin >= end) begin = end = 0;
    fill_zero(j, to, (size_t)begin * l->pixel_step);
    fill_zero(j, to + (size_t)end * l->pixel_step, (pixels - (size_t)end) * l->pixel_step);
    if (begin == end) return;
    const size_t pixel = (b->n * (size_t)l->y.in + (size_t)iy) * (size_t)l->x.in + (size_t)(ix + begin);
    const int8_t *from = j->g->input + pixel * s->input_pitch + b->group * s->channels;
    to += (size_t)begin * l->pixel_step;
    if (s->input_pitch == s->channels && l->pixel_step == s->channels * l->element) {
        copy_inputs(j, to, from, (size_t)(end - begin) * s->channels);
        return;
    }
    for (ptrdiff_t i = begin; i < end; i++, to += l->pixel_step, from += s->input_pitch)
        copy_inputs(j, to, from, s->channels);
}

static void fill_band(const job *j, const block *b, char *band) {
    const layout *l = &j->l;
    const size_t lines = inputs_of(&l->y, b->lines);
    const ptrdiff_t iy = first_input(&l->y, b->y);
    for (size_t i = 0; i < lines; i++) fill_band_line(j, b, iy + (ptrdiff_t)i, band + i * l->line_step);
    memset(band + lines * l->line_step, 0, MOVE);
}

/* Bytes from the first input of an axis to that of tap 0, and from tap to tap. */
static size_t tap_start(const tmc_gemm_axis *a, size_t step) { return a->tap_step < 0 ? tap_reach(a) * step : 0; }

/* Tap by tap and move by move, each for all pixels of a line: what a move writes beyond its tap is written again by the
 * next ones, or lies behind the row. */
static void gather_line(const layout *l, const char *from, size_t pixels, char *rows) {
    const size_t from_step = (size_t)l->x.in_step * l->pixel_step, row_step = l->row_step;
    for (size_t y = 0; y < l->taps_y; y++, from += l->y.tap_step * (ptrdiff_t)l->line_step) {
        const char *tap = from;
        for (size_t x = 0; x < l->taps_x; x++, rows += l->kc, tap += l->x.tap_step * (ptrdiff_t)l->pixel_step)
            for (size_t i = 0; i < l->kc; i += MOVE) {
                const char *in = tap + i;
                char *to = rows + i;
                for (size_t p = pixels; p > 0; p--, in += from_step, to += row_step) memcpy(to, in, MOVE);
            }
    }
}

static void gather(const job *j, const block *b, const char *band, char *rows) {
    const layout *l = &j->l;
    const char *line = band + tap_start(&l->y, l->line_step) + tap_start(&l->x, l->pixel_step);
    for (size_t y = 0; y < b->lines; y++, line += (size_t)l->y.in_step * l->line_step, rows += b->pixels * l->row_step)
        gather_line(l, line, b->pixels, rows);
}

/* Sets what is the same for all calls of a block, with `a` at its first row; returns the bytes to the next line. */
static size_t set_inputs(const job *j, const block *b, char *slot, tmc_qs8_gemm_args *args) {
    const layout *l = &j->l;
    const tmc_implicit_gemm *s = j->g->shape;
    char *band = slot + tmc_round_up(sizeof(slot_head), LINE), *rows = band + l->band_bytes;
    if (l->gather) {
        *args = (tmc_qs8_gemm_args){.taps_y = 1, .taps_x = 1, .kc = l->k * l->element, .a = rows};
        args->a_step = (ptrdiff_t)l->row_step;
        return b->pixels * l->row_step;
    }
    *args = (tmc_qs8_gemm_args){.taps_y = l->taps_y, .taps_x = l->taps_x, .kc = l->kc};
    const size_t line_step = l->direct ? (size_t)l->x.in * s->input_pitch : l->line_step;
    args->a = band + tap_start(&l->y, line_step) + tap_start(&l->x, l->pixel_step);
    if (l->direct) {
        const ptrdiff_t iy = l->y.in_first + (ptrdiff_t)b->y * l->y.in_step;
        const ptrdiff_t ix = l->x.in_first + (ptrdiff_t)b->x * l->x.in_step;
        args->a = j->g->input + b->n * (size_t)l->y.in * line_step + b->group * s->channels +
                  iy * (ptrdiff_t)line_step + ix * (ptrdiff_t)s->input_pitch;
    }
    if (l->taps_y * l->taps_x == 0) args->a = j->g->input;
    args->a_step = (ptrdiff_t)((size_t)l->x.in_step * l->pixel_step);
    args->y_step = l->y.tap_step * (ptrdiff_t)line_step;
    args->x_step = l->x.tap_step * (ptrdiff_t)l->pixel_step;
    return (size_t)l->y.in_step * line_step;
}

static int8_t *output_at(const job *j, const block *b) {
    const layout *l = &j->l;
    const tmc_implicit_gemm *s = j->g->shape;
    const size_t y = (size_t)l->y.out_first + b->y * (size_t)l->y.out_step;
    const size_t x = (size_t)l->x.out_first + b->x * (size_t)l->x.out_step;
    return j->g->output + ((b->n * (size_t)l->y.out + y) * (size_t)l->x.out + x) * s->output_pitch +
           b->group * s->columns;
}

/* One panel, or two, passes by all lines of the block, while the next one is asked for. */
static void run_panel(const job *j, const block *b, const tmc_qs8_gemm_kernel *kernel, tmc_qs8_gemm_args *args,
                      size_t line_step, size_t next_bytes) {
    const layout *l = &j->l;
    const size_t tiles = tmc_div_up(args->rows, kernel->mr), groups = tiles * (l->k * l->element / 4) + 1;
    const char *a = args->a, *next = args->next;
    const size_t share = next ? next_bytes / b->lines + 1 : 0;
    int8_t *c = args->c;
    args->next_step = share / groups + (share > 0);
    for (size_t y = 0; y < b->lines; y++) {
        kernel->fn(args);
        args->a = (const char *)args->a + line_step;
        args->c += (size_t)l->y.out_step * (size_t)l->x.out * j->g->shape->output_pitch;
        if (next) args->next += share;
    }
    args->a = a;
    args->c = c;
}

static void run_columns(const job *j, const block *b, size_t begin, size_t end, char *slot) {
    const layout *l = &j->l;
    const tmc_qs8_gemm *g = j->g;
    const size_t columns = g->shape->columns;
    const char *panels = g->panels + b->group * g->group_bytes;
    char *wide = slot + l->slot_bytes - l->panel_bytes;
    tmc_qs8_gemm_args args;
    const size_t line_step = set_inputs(j, b, slot, &args);
    int8_t *output = output_at(j, b);
    args.rows = b->pixels;
    args.c_step = (ptrdiff_t)((size_t)l->x.out_step * g->shape->output_pitch);
    args.lo = g->lo, args.hi = g->hi;
    args.zero_point = g->output_zero;
    for (size_t column = begin, width; column < end; column += width) {
        width = call_width(j->kernels, columns, column);
        const tmc_qs8_gemm_kernel *kernel = &j->kernels->gemm[tmc_qs8_gemm_index(width)];
        const char *panel = panels + tmc_i8_panel_offset(column, l->k);
        args.columns = tmc_min_size(width, columns - column);
        args.c = output + column;
        args.panel = panel;
        args.panel2 = panel + tmc_i8_panel_offset(16, l->k);
        args.next = column + width < columns ? panel + tmc_i8_panel_offset(width, l->k) : NULL;
        if (width == 16 && takes_gemv(l, j->kernels)) {
            kernel = &j->kernels->gemv;
        } else if (l->element > 1) {
            j->kernels->widen_panel(wide, panel, width, l->k);
            args.panel = wide;
        }
        run_panel(j, b, kernel, &args, line_step, tmc_i8_panel_offset(width, l->k));
    }
}

static void gemm_task(void *context, size_t index, size_t slot_index) {
    const job *j = context;
    const layout *l = &j->l;
    char *slot = j->slots + slot_index * l->slot_bytes;
    const size_t part = index % l->column_blocks, number = index / l->column_blocks;
    const size_t lines = number / l->x_blocks, images = lines / l->y_blocks;
    block b = {.group = images / l->batch, .n = images % l->batch};
    b.y = lines % l->y_blocks * l->lines;
    b.x = number % l->x_blocks * l->pixels;
    b.lines = tmc_min_size(l->lines, (size_t)l->y.count - b.y);
    b.pixels = tmc_min_size(l->pixels, (size_t)l->x.count - b.x);
    slot_head *head = (slot_head *)(void *)slot;
    if (l->band_bytes && head->block != number + 1) {
        char *band = slot + tmc_round_up(sizeof(slot_head), LINE);
        fill_band(j, &b, band);
        if (l->gather) gather(j, &b, band, band + l->band_bytes);
        head->block = number + 1;
    }
    const size_t begin = part * l->columns_step;
    run_columns(j, &b, begin, tmc_min_size(begin + l->columns_step, j->g->shape->columns), slot);
}

static bool is_empty(const tmc_implicit_gemm *s) { return s->batch * (size_t)s->y.count * (size_t)s->x.count == 0; }

/* A session may get fewer threads than planned, which then have larger blocks. */
uint64_t tmc_qs8_gemm_scratch(const tmc_implicit_gemm *shape, const tmc_kernels *kernels, uint32_t threads) {
    uint64_t most = 0;
    for (uint32_t n = 1; n <= threads && !is_empty(shape); n++) {
        const uint64_t bytes = (uint64_t)layout_of(shape, kernels, n).slot_bytes * n;
        if (bytes > most) most = bytes;
    }
    return most;
}

tmc_status tmc_qs8_gemm_run(const tmc_qs8_gemm *g, const tmc_kernels *kernels, tmc_exec *exec) {
    if (is_empty(g->shape)) return TMC_OK; /* a phase that no output has */
    job j = {g, &kernels->qs8_gemm, layout_of(g->shape, kernels, exec->threads), g->scratch};
    const layout *l = &j.l;
    for (uint32_t i = 0; i < exec->threads; i++) *(slot_head *)(void *)(j.slots + i * l->slot_bytes) = (slot_head){0};
    return tmc_exec_loop(exec, g->shape->groups * l->batch * l->y_blocks * l->x_blocks * l->column_blocks, gemm_task,
                         &j);
}

tmc_status tmc_qs8_gemm_prepare(const tmc_op_node *node, const tmc_implicit_gemm *shape, const tmc_kernels *kernels,
                                uint32_t threads, tmc_op_setup *setup, tmc_error *err) {
    if (node->inputs[1]->packing != TMC_PACK_I8_PANELS)
        return tmc_fail_field(err, TMC_E_UNSUPPORTED, "packing", "i8 weights must be packed, as the converter does");
    const uint64_t bytes = tmc_qs8_gemm_scratch(shape, kernels, threads);
    if (bytes > TMC_FILE_MAX_TENSOR_BYTES)
        return tmc_fail(err, TMC_E_LIMIT, "the scratch would be over %u bytes", TMC_FILE_MAX_TENSOR_BYTES);
    if (bytes > setup->scratch_bytes) setup->scratch_bytes = (size_t)bytes;
    const size_t width = call_width(&kernels->qs8_gemm, shape->columns, 0);
    const tmc_qs8_gemm_kernel *kernel = &kernels->qs8_gemm.gemm[tmc_qs8_gemm_index(width)];
    if (!is_empty(shape)) {
        const layout l = layout_of(shape, kernels, threads);
        if (width == 16 && takes_gemv(&l, &kernels->qs8_gemm)) kernel = &kernels->qs8_gemm.gemv;
    }
    setup->kernel = kernel->name;
    setup->isa = kernel->isa;
    return TMC_OK;
}

tmc_qs8_gemm tmc_qs8_gemm_of(const tmc_op_run *run, const tmc_implicit_gemm *shape, const tmc_act_params *act) {
    const tmc_quantization *q = &run->node->outputs[0]->quantization;
    const tmc_qs8_bounds bounds = tmc_qs8_bounds_of(act, q);
    const tmc_qs8_gemm g = {.shape = shape,
                            .input = run->inputs[0],
                            .output = run->outputs[0],
                            .panels = run->inputs[1],
                            .lo = bounds.lo,
                            .hi = bounds.hi,
                            .input_zero = run->node->inputs[0]->quantization.zero_point,
                            .output_zero = q->zero_point,
                            .scratch = run->scratch};
    return g;
}
