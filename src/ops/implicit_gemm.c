#include "ops/implicit_gemm.h"

#include <math.h>

#include "base/checked.h"
#include "format/packing.h"

/* Pointers of one tile on the stack: 7 KiB on 64-bit machines. */
#define MAX_TILE_ROWS 14
#define MAX_TAPS 64

/* k per call: a tile's inputs (6 rows of 3 KiB) stay in the L1 cache while the panels pass by. */
#define K_BLOCK 768
/* Panels that pass by each tile: they stay in the L2 cache from tile to tile, also where that is 256 KiB. */
#define PANEL_BYTES (128 * 1024)
/* Multiply-accumulates of a task: 0.1 ms on a desktop core, 1 ms on the slowest phone core, far above the cost of
 * handing it out. */
#define TASK_MACS (4u << 20)
#define GEMV_TASK_MACS (256u << 10) /* smaller: weights come from memory */

/* A range of k: taps [ky, ky + ky_count) x [kx, kx + kx_count) x channels [c, c + c_count). More than one tap only with
 * all channels, more than one row of taps only with whole rows, so that k stays contiguous in the panels. */
typedef struct chunk {
    int32_t ky, ky_count, kx, kx_count;
    size_t c, c_count;
} chunk;

typedef struct blocking {
    size_t rows, row_blocks;       /* output pixels of a task */
    size_t columns, column_blocks; /* a multiple of 16 */
} blocking;

typedef struct job {
    const tmc_implicit_gemm *g;
    const tmc_f32_conv_kernels *kernels;
    blocking b;
    size_t k;   /* taps * channels */
    bool plain; /* row r of the input belongs to row r of the output */
} job;

tmc_gemm_axis tmc_gemm_axis_rows(int32_t rows) { return (tmc_gemm_axis){rows, rows, rows, 0, 1, 0, 1, 1, 1}; }

static bool axis_is_plain(const tmc_gemm_axis *a) {
    return a->taps == 1 && a->in == a->out && a->count == a->out && a->out_step == 1 && a->in_step == 1 &&
           a->in_first == 0 && a->out_first == 0;
}

static bool axis_has_padding(const tmc_gemm_axis *a) {
    if (a->taps == 0) return false;
    int64_t first = a->in_first, last = first + (int64_t)(a->count - 1) * a->in_step;
    int64_t reach = (int64_t)(a->taps - 1) * a->tap_step;
    int64_t low = reach < 0 ? first + reach : first, high = reach < 0 ? last : last + reach;
    return low < 0 || high >= a->in;
}

size_t tmc_implicit_gemm_zeros(const tmc_gemm_axis *y, const tmc_gemm_axis *x, size_t channels) {
    if (!axis_has_padding(y) && !axis_has_padding(x)) return 0;
    const uint64_t run = (uint64_t)x->taps * channels; /* taps that join are those of one chunk */
    return run < K_BLOCK ? (size_t)run : K_BLOCK;
}

static chunk next_chunk(const tmc_implicit_gemm *g, const chunk *last) {
    chunk n = {0, 1, 0, 1, 0, g->channels};
    const size_t row = (size_t)g->x.taps * g->channels;
    if (last) {
        n.ky = last->ky, n.kx = last->kx, n.c = last->c + last->c_count;
        if (n.c == g->channels) n.c = 0, n.kx += last->kx_count;
        if (n.kx == g->x.taps) n.kx = 0, n.ky += last->ky_count;
    }
    if (g->channels > K_BLOCK) {
        size_t parts = tmc_div_up(g->channels, K_BLOCK);
        n.c_count = tmc_min_size(tmc_div_up(g->channels, parts), g->channels - n.c);
    } else if (row > K_BLOCK || g->x.taps > MAX_TAPS) {
        size_t most = tmc_min_size(MAX_TAPS, K_BLOCK / g->channels);
        n.kx_count = (int32_t)tmc_min_size(most, (size_t)(g->x.taps - n.kx));
    } else if (row > 0) {
        size_t most = tmc_min_size(MAX_TAPS / (size_t)g->x.taps, K_BLOCK / row);
        n.kx_count = g->x.taps;
        n.ky_count = (int32_t)tmc_min_size(most, (size_t)(g->y.taps - n.ky));
    }
    return n;
}

/* The pointers of one tile for one chunk. */
typedef struct tile {
    const float *a[MAX_TAPS * MAX_TILE_ROWS];
    float *c[MAX_TILE_ROWS];
    size_t taps, kc;
} tile;

static void fill_plain(const tmc_implicit_gemm *g, size_t group, const chunk *k, size_t first, size_t rows, tile *t) {
    const size_t in_stride = g->groups * g->channels, out_stride = g->groups * g->columns;
    for (size_t r = 0; r < rows; r++) {
        t->a[r] = g->input + (first + r) * in_stride + group * g->channels + k->c;
        t->c[r] = g->output + (first + r) * out_stride + group * g->columns;
    }
    t->taps = 1;
    t->kc = k->c_count;
}

/* Output pixel of a tile's first row. */
typedef struct cursor {
    size_t n, y, x;
} cursor;

static cursor cursor_at(const tmc_implicit_gemm *g, size_t row) {
    const size_t x_count = (size_t)g->x.count, y_count = (size_t)g->y.count;
    return (cursor){row / x_count / y_count, row / x_count % y_count, row % x_count};
}

static void advance(const tmc_implicit_gemm *g, cursor *at, size_t rows) {
    for (at->x += rows; at->x >= (size_t)g->x.count; at->x -= (size_t)g->x.count) {
        if (++at->y == (size_t)g->y.count) at->y = 0, at->n++;
    }
}

/* Input position of a pixel's first tap of the chunk, which may be padding. */
static int32_t first_tap_y(const tmc_implicit_gemm *g, const chunk *k, size_t y) {
    return g->y.in_first + (int32_t)y * g->y.in_step + k->ky * g->y.tap_step;
}

static int32_t first_tap_x(const tmc_implicit_gemm *g, const chunk *k, size_t x) {
    return g->x.in_first + (int32_t)x * g->x.in_step + k->kx * g->x.tap_step;
}

static bool taps_inside(const tmc_gemm_axis *axis, int32_t first, int32_t count) {
    const int32_t last = first + (count - 1) * axis->tap_step;
    return first >= 0 && first < axis->in && last >= 0 && last < axis->in;
}

static float *output_at(const tmc_implicit_gemm *g, size_t group, const cursor *at) {
    const size_t oy = (size_t)g->y.out_first + at->y * (size_t)g->y.out_step;
    const size_t ox = (size_t)g->x.out_first + at->x * (size_t)g->x.out_step;
    return g->output + ((at->n * (size_t)g->y.out + oy) * (size_t)g->x.out + ox) * g->groups * g->columns +
           group * g->columns;
}

static const float *image_at(const tmc_implicit_gemm *g, size_t group, const chunk *k, size_t n) {
    return g->input + n * (size_t)g->y.in * (size_t)g->x.in * g->groups * g->channels + group * g->channels + k->c;
}

/* Taps side by side in a row of the input are one run of memory: one pointer then stands for all of them, in the same
 * order of k. */
static bool taps_join(const tmc_implicit_gemm *g, const chunk *k) {
    return k->kx_count > 1 && g->x.tap_step == 1 && g->groups == 1;
}

static void set_taps(const chunk *k, bool join, tile *t) {
    t->taps = (size_t)k->ky_count * (size_t)(join ? 1 : k->kx_count);
    t->kc = k->c_count * (size_t)(join ? k->kx_count : 1);
}

/* All pixels in one row of the output and no tap in the padding: most tiles of most layers. False if it is not so. */
static bool fill_inside(const tmc_implicit_gemm *g, size_t group, const chunk *k, const cursor *at, size_t rows,
                        tile *t) {
    const int32_t iy = first_tap_y(g, k, at->y), ix = first_tap_x(g, k, at->x);
    if (at->x + rows > (size_t)g->x.count || !taps_inside(&g->y, iy, k->ky_count) ||
        !taps_inside(&g->x, ix, k->kx_count) ||
        !taps_inside(&g->x, ix + (int32_t)(rows - 1) * g->x.in_step, k->kx_count))
        return false;
    const ptrdiff_t in_stride = (ptrdiff_t)(g->groups * g->channels), line_stride = g->x.in * in_stride;
    const ptrdiff_t pixel_step = g->x.in_step * in_stride, tap_step = g->x.tap_step * in_stride;
    const size_t out_step = (size_t)g->x.out_step * g->groups * g->columns;
    const bool join = taps_join(g, k);
    const int32_t kx_count = join ? 1 : k->kx_count;
    const float *line = image_at(g, group, k, at->n) + iy * line_stride + ix * in_stride;
    const float **a = t->a;
    for (int32_t ky = 0; ky < k->ky_count; ky++, line += g->y.tap_step * line_stride) {
        const float *tap = line;
        for (int32_t kx = 0; kx < kx_count; kx++, tap += tap_step, a += MAX_TILE_ROWS)
            for (size_t r = 0; r < rows; r++) a[r] = tap + (ptrdiff_t)r * pixel_step;
    }
    float *c = output_at(g, group, at);
    for (size_t r = 0; r < rows; r++) t->c[r] = c + r * out_step;
    set_taps(k, join, t);
    return true;
}

static bool row_joins(const tmc_implicit_gemm *g, const chunk *k, cursor at, size_t rows) {
    bool join = taps_join(g, k);
    for (size_t r = 0; join && r < rows; r++, advance(g, &at, 1))
        join = taps_inside(&g->x, first_tap_x(g, k, at.x), k->kx_count);
    return join;
}

static void fill_any(const tmc_implicit_gemm *g, size_t group, const chunk *k, cursor at, size_t rows, tile *t) {
    const size_t in_stride = g->groups * g->channels, line_stride = (size_t)g->x.in * in_stride;
    const bool join = row_joins(g, k, at, rows);
    const int32_t kx_count = join ? 1 : k->kx_count;
    for (size_t r = 0; r < rows; r++, advance(g, &at, 1)) {
        const float **a = t->a + r, *image = image_at(g, group, k, at.n);
        int32_t iy = first_tap_y(g, k, at.y);
        for (int32_t ky = 0; ky < k->ky_count; ky++, iy += g->y.tap_step) {
            const bool inside = iy >= 0 && iy < g->y.in;
            const float *line = image + (inside ? (size_t)iy * line_stride : 0);
            int32_t ix = first_tap_x(g, k, at.x);
            for (int32_t kx = 0; kx < kx_count; kx++, ix += g->x.tap_step, a += MAX_TILE_ROWS)
                *a = inside && ix >= 0 && ix < g->x.in ? line + (size_t)ix * in_stride : g->zeros;
        }
        t->c[r] = output_at(g, group, &at);
    }
    set_taps(k, join, t);
}

/* Moves `at` to the next tile. */
static void fill_window(const tmc_implicit_gemm *g, size_t group, const chunk *k, cursor *at, size_t rows, tile *t) {
    if (!fill_inside(g, group, k, at, rows, t)) fill_any(g, group, k, *at, rows, t);
    advance(g, at, rows);
}

/* Columns [n, end) of `rows` output pixels from `first`, whose panels have kernels of one tile height. */
static void run_columns(const job *j, size_t group, size_t n, size_t end, size_t first, size_t rows, size_t mr) {
    const tmc_implicit_gemm *g = j->g;
    const float *panels = g->panels + group * g->group_floats;
    /* Tiles of equal height, so that the last one is not a sliver. */
    const size_t tiles = tmc_div_up(rows, mr);
    chunk k = next_chunk(g, NULL);
    for (size_t k_done = 0;;) {
        const size_t k_count = j->k ? (size_t)k.ky_count * (size_t)k.kx_count * k.c_count : 0;
        const bool last = k_done + k_count == j->k;
        tile t;
        tmc_f32_gemm_args args = {.a = t.a, .a_stride = MAX_TILE_ROWS, .c = t.c};
        args.lo = last ? g->lo : -INFINITY;
        args.hi = last ? g->hi : INFINITY;
        cursor at = cursor_at(g, first);
        for (size_t i = 0, row = first; i < tiles; i++, row += args.rows) {
            args.rows = rows / tiles + (i < rows % tiles);
            if (j->plain)
                fill_plain(g, group, &k, row, args.rows, &t);
            else
                fill_window(g, group, &k, &at, args.rows, &t);
            args.taps = j->k ? t.taps : 0;
            args.kc = t.kc;
            for (size_t column = n, width; column < end; column += width) {
                width = tmc_panel_width(g->columns, column);
                const float *panel = panels + tmc_panel_offset(column, j->k);
                args.columns = tmc_min_size(width, g->columns - column);
                args.w = panel + (1 + k_done) * width;
                args.bias = k_done ? NULL : panel;
                args.c_offset = column;
                j->kernels->gemm[tmc_f32_gemm_index(width)].fn(&args);
            }
        }
        if (last) break;
        k_done += k_count;
        k = next_chunk(g, &k);
    }
}

static size_t tile_rows(const job *j, size_t column) {
    return j->kernels->gemm[tmc_f32_gemm_index(tmc_panel_width(j->g->columns, column))].mr;
}

static size_t row_count(const tmc_implicit_gemm *g) { return g->batch * (size_t)g->y.count * (size_t)g->x.count; }

static void gemm_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const size_t first = index % j->b.row_blocks * j->b.rows;
    const size_t rest = index / j->b.row_blocks;
    const size_t rows = tmc_min_size(j->b.rows, row_count(j->g) - first);
    const size_t n = rest % j->b.column_blocks * j->b.columns;
    const size_t n_end = tmc_min_size(n + j->b.columns, j->g->columns);
    for (size_t begin = n, end; begin < n_end; begin = end) {
        const size_t mr = tile_rows(j, begin);
        for (end = begin; end < n_end && tile_rows(j, end) == mr;) end += tmc_panel_width(j->g->columns, end);
        run_columns(j, rest / j->b.column_blocks, begin, tmc_min_size(end, n_end), first, rows, mr);
    }
}

/* Groups of four full panels, then what is left. */
static void gemv_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const tmc_implicit_gemm *g = j->g;
    const tmc_f32_gemv_kernel *gemv = &j->kernels->gemv;
    size_t n = index * j->b.columns;
    const size_t end = tmc_min_size(n + j->b.columns, g->columns);
    tmc_f32_gemv_args args = {.k = j->k, .panel_stride = 16 * (j->k + 1), .a = g->input, .lo = g->lo, .hi = g->hi};
    while (end - n >= 16) {
        args.panels = tmc_min_size((end - n) / 16, gemv->panels);
        args.w = g->panels + tmc_panel_offset(n, j->k);
        args.c = g->output + n;
        gemv->fn(&args);
        n += args.panels * 16;
    }
    if (n < end) run_columns(j, 0, n, end, 0, 1, tile_rows(j, n));
}

static blocking choose_blocking(const job *j, uint32_t threads) {
    const tmc_implicit_gemm *g = j->g;
    const size_t rows = row_count(g), mr = tile_rows(j, 0), k = j->k ? j->k : 1;
    const size_t panels = tmc_div_up(g->columns, 16);
    const size_t k_block = tmc_min_size(k, K_BLOCK);
    size_t group = PANEL_BYTES / (k_block * 16 * sizeof(float));
    group = tmc_min_size(group ? group : 1, panels);
    group = tmc_div_up(panels, tmc_div_up(panels, group));
    size_t block = TASK_MACS / (group * 16 * k);
    block = tmc_min_size(block > mr ? block : mr, rows);
    /* Dynamic tasks balance unequal cores only if there are some to hand out. */
    const size_t wanted = threads > 1 ? 4 * (size_t)threads : 1;
    while (g->groups * tmc_div_up(rows, block) * tmc_div_up(panels, group) < wanted) {
        if (block > 4 * mr)
            block = tmc_div_up(block, 2);
        else if (group > 1)
            group = tmc_div_up(group, 2);
        else
            break;
    }
    block = tmc_div_up(tmc_div_up(rows, tmc_div_up(rows, block)), mr) * mr;
    return (blocking){block, tmc_div_up(rows, block), group * 16, tmc_div_up(panels, group)};
}

static bool is_plain(const tmc_implicit_gemm *g) { return axis_is_plain(&g->y) && axis_is_plain(&g->x); }

static bool is_gemv(const tmc_implicit_gemm *g) {
    return row_count(g) == 1 && is_plain(g) && g->groups == 1 && g->columns >= 16;
}

tmc_status tmc_implicit_gemm_run(const tmc_implicit_gemm *g, const tmc_f32_conv_kernels *kernels, tmc_exec *exec) {
    if (row_count(g) == 0) return TMC_OK; /* a phase that no output has */
    job j = {g, kernels, {0, 0, 0, 0}, (size_t)g->y.taps * (size_t)g->x.taps * g->channels, is_plain(g)};
    if (is_gemv(g)) {
        const size_t step = 16 * kernels->gemv.panels;
        j.b.columns = tmc_div_up(GEMV_TASK_MACS, j.k * step) * step;
        return tmc_exec_loop(exec, tmc_div_up(g->columns, j.b.columns), gemv_task, &j);
    }
    j.b = choose_blocking(&j, exec->threads);
    return tmc_exec_loop(exec, g->groups * j.b.row_blocks * j.b.column_blocks, gemm_task, &j);
}

void tmc_implicit_gemm_kernel(const tmc_implicit_gemm *g, const tmc_f32_conv_kernels *kernels, const char **name,
                              tmc_isa *isa) {
    if (is_gemv(g)) {
        *name = kernels->gemv.name, *isa = kernels->gemv.isa;
    } else {
        const tmc_f32_gemm_kernel *kernel = &kernels->gemm[tmc_f32_gemm_index(tmc_panel_width(g->columns, 0))];
        *name = kernel->name, *isa = kernel->isa;
    }
}
