#include "ops/implicit_gemm.h"

#include <math.h>

#include "base/checked.h"
#include "format/packing.h"
#include "ops/gemm_rows.h"
#include "ops/tiles.h"

/* Rows that all panels pass by are TMC_TASK_MIN_ROWS to this many: enough for weights to be fetched ahead while the
 * tiles of one panel run, which is what small images need (7x7, 512 channels, 3x3: 75 % of the FMA peak without, 91 %
 * with); more where inputs and outputs stay in an eighth of the L2 cache, since each call costs some 100 cycles. */
#define MAX_BLOCK_ROWS 256
/* Multiply-accumulates of a task: 0.1 ms on a desktop core, 1 ms on the slowest phone core, far above the cost of
 * handing it out. */
#define TASK_MACS (4u << 20)
#define GEMV_TASK_MACS (256u << 10) /* smaller: weights come from memory */

typedef struct blocking {
    size_t block;                             /* rows that every panel passes by before the next ones, at most */
    size_t unit, units;                       /* rows that belong together: a tile, or a line cut into strips */
    size_t panels, row_blocks, column_blocks; /* panels of a group; tasks */
    bool rows_first;                          /* neighbouring tasks share rows, else columns */
} blocking;

typedef struct job {
    const tmc_implicit_gemm *g;
    const tmc_f32_conv_kernels *kernels;
    tmc_caches caches;
    blocking b;
    size_t k;            /* taps * channels */
    size_t gemv_columns; /* of a task of one row */
} job;

tmc_gemm_axis tmc_gemm_axis_rows(int32_t rows) { return (tmc_gemm_axis){rows, rows, rows, 0, 1, 0, 1, 1, 1}; }

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
    return run < TMC_GEMM_MAX_CHUNK ? (size_t)run : TMC_GEMM_MAX_CHUNK;
}

/* A part of the columns of one group. */
typedef struct column_range {
    size_t group, begin, end;
} column_range;

/* Columns that the next call takes: a panel, or two where one kernel for both is faster. */
static size_t call_width(const job *j, size_t column, size_t end) {
    const size_t width = tmc_panel_width(j->g->columns, column);
    if (width == 4 || column + width >= end) return width;
    const size_t both = width + tmc_panel_width(j->g->columns, column + width);
    if (both != 24 && both != 12) return width;
    return j->kernels->gemm[tmc_f32_gemm_index(both)].mr ? both : width;
}

/* What to fetch while the panels before `column` are in use. Behind the last chunk of a task's last panel that is the
 * next panel too, though it belongs to the next task: most likely the same core runs it. */
static const float *next_weights(const job *j, const column_range *n, size_t column, size_t k_done, size_t k_count) {
    const tmc_implicit_gemm *g = j->g;
    if (column >= n->end) {
        k_done += k_count;
        if (k_done < j->k)
            column = n->begin;
        else
            k_done = 0;
    }
    if (column >= g->columns) return NULL;
    return g->panels + n->group * g->group_floats + tmc_panel_offset(column, j->k) +
           (1 + k_done) * tmc_panel_width(g->columns, column);
}

/* One range of k for some rows: every panel passes by each run of rows. */
static void run_chunk(const job *j, const column_range *n, const tmc_gemm_chunk *k, size_t k_done, size_t k_count,
                      size_t first, size_t rows) {
    const tmc_implicit_gemm *g = j->g;
    const float *panels = g->panels + n->group * g->group_floats;
    const bool last = k_done + k_count == j->k;
    const size_t mr = j->kernels->gemm[tmc_f32_gemm_index(call_width(j, n->begin, n->end))].mr;
    tmc_gemm_rows places;
    tmc_f32_gemm_args args = {.lo = last ? g->lo : -INFINITY, .hi = last ? g->hi : INFINITY};
    tmc_gemm_walk walk = tmc_gemm_walk_start(g, n->group, k, first, mr);
    for (size_t left = rows; left > 0; left -= args.rows) {
        tmc_gemm_walk_next(&walk, left, &places, &args);
        if (j->k == 0) args.taps = 0;
        for (size_t column = n->begin, width; column < n->end; column += width) {
            const size_t panel_width = tmc_panel_width(g->columns, column);
            width = call_width(j, column, n->end);
            const tmc_f32_gemm_kernel *kernel = &j->kernels->gemm[tmc_f32_gemm_index(width)];
            const float *panel = panels + tmc_panel_offset(column, j->k);
            args.columns = tmc_min_size(width, g->columns - column);
            args.w = panel + (1 + k_done) * panel_width;
            args.bias = k_done ? NULL : panel;
            args.bias2 = panel + panel_width * (j->k + 1);
            args.w2 = args.bias2 + (1 + k_done) * (width - panel_width);
            args.c_offset = column;
            args.next_step = width * sizeof(float) / tmc_div_up(args.rows, kernel->mr);
            args.next = next_weights(j, n, column + width, k_done, k_count);
            kernel->fn(&args);
        }
    }
}

static void run_rows(const job *j, const column_range *n, size_t first, size_t rows) {
    tmc_gemm_chunk k = tmc_gemm_chunk_next(j->g, NULL);
    for (size_t done = 0;;) {
        const size_t count = j->k ? (size_t)k.ky_count * (size_t)k.kx_count * k.c_count : 0;
        run_chunk(j, n, &k, done, count, first, rows);
        done += count;
        if (done == j->k) break;
        k = tmc_gemm_chunk_next(j->g, &k);
    }
}

static size_t row_count(const tmc_implicit_gemm *g) { return g->batch * (size_t)g->y.count * (size_t)g->x.count; }

static void gemm_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const blocking *b = &j->b;
    const size_t strips = b->column_blocks * j->g->groups;
    const size_t row_block = b->rows_first ? index / strips : index % b->row_blocks;
    const size_t strip = b->rows_first ? index % strips : index / b->row_blocks, part = strip % b->column_blocks;
    const column_range n = {strip / b->column_blocks, part * b->panels / b->column_blocks * 16,
                            tmc_min_size((part + 1) * b->panels / b->column_blocks * 16, j->g->columns)};
    const size_t first = row_block * b->units / b->row_blocks * b->unit;
    const size_t end = tmc_min_size((row_block + 1) * b->units / b->row_blocks * b->unit, row_count(j->g));
    const size_t step = tmc_round_up(tmc_div_up(end - first, tmc_div_up(end - first, b->block)), b->unit);
    for (size_t row = first; row < end; row += step) run_rows(j, &n, row, tmc_min_size(step, end - row));
}

/* Groups of four full panels, then what is left. */
static void gemv_task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const tmc_implicit_gemm *g = j->g;
    const tmc_f32_gemv_kernel *gemv = &j->kernels->gemv;
    column_range n = {0, index * j->gemv_columns, 0};
    n.end = tmc_min_size(n.begin + j->gemv_columns, g->columns);
    tmc_f32_gemv_args args = {.k = j->k, .panel_stride = 16 * (j->k + 1), .a = g->input, .lo = g->lo, .hi = g->hi};
    while (n.end - n.begin >= 16) {
        args.panels = tmc_min_size((n.end - n.begin) / 16, gemv->panels);
        args.w = g->panels + tmc_panel_offset(n.begin, j->k);
        args.c = g->output + n.begin;
        gemv->fn(&args);
        n.begin += args.panels * 16;
    }
    if (n.begin < n.end) run_rows(j, &n, 0, 1);
}

/* Rows of a block: whole tiles, or whole lines where these are cut into strips. */
static size_t choose_block(const job *j) {
    const tmc_implicit_gemm *g = j->g;
    const size_t rows = row_count(g), width = (size_t)g->x.count;
    if (!tmc_gemm_is_plain(g) && tmc_gemm_has_strips(g))
        return width <= TMC_TASK_MIN_ROWS ? TMC_TASK_MIN_ROWS / width * width : width;
    size_t most = TMC_TASK_MIN_ROWS;
    if (tmc_gemm_is_plain(g)) {
        const size_t row_bytes = (tmc_min_size(j->k, TMC_GEMM_MAX_CHUNK) + g->columns) * sizeof(float);
        most = tmc_min_size(j->caches.l2_bytes / 8 / row_bytes, MAX_BLOCK_ROWS);
        if (most < TMC_TASK_MIN_ROWS) most = TMC_TASK_MIN_ROWS;
    }
    const size_t mr = j->kernels->gemm[tmc_f32_gemm_index(call_width(j, 0, g->columns))].mr;
    return tmc_div_up(tmc_div_up(rows, tmc_div_up(rows, most)), mr) * mr;
}

/* Several threads divide rows first: each has the rows in its cache that it computed in the node before, and a
 * neighbour's cache costs three times as much as its own. Columns where a thread would have too few rows for the
 * weights to be fetched ahead. Tasks are a multiple of the threads, and as equal as tiles allow. */
static blocking choose_blocking(const job *j, uint32_t threads) {
    const tmc_implicit_gemm *g = j->g;
    const size_t rows = row_count(g), k = j->k ? j->k : 1, panels = tmc_div_up(g->columns, 16);
    blocking b = {.block = choose_block(j), .panels = panels, .rows_first = threads > 1};
    b.unit = !tmc_gemm_is_plain(g) && tmc_gemm_has_strips(g)
                 ? (size_t)g->x.count
                 : j->kernels->gemm[tmc_f32_gemm_index(call_width(j, 0, g->columns))].mr;
    b.units = tmc_div_up(rows, b.unit);
    const uint64_t block_macs = (uint64_t)b.block * k * 16 * panels;
    const size_t all = tmc_div_up(rows, b.block);
    size_t tasks = (size_t)(block_macs * all * g->groups / TASK_MACS) + 1;
    if (threads > 1) {
        const size_t least = 4 * (size_t)threads;
        tasks = tmc_round_up(tasks < least ? least : tasks, threads);
        b.row_blocks = tmc_min_size(tasks, rows < TMC_TASK_MIN_ROWS ? 1 : rows / TMC_TASK_MIN_ROWS);
        if (b.row_blocks > threads) b.row_blocks -= b.row_blocks % threads;
        b.column_blocks = tmc_min_size(tmc_div_up(tasks, b.row_blocks * g->groups), panels);
        if (b.row_blocks * b.column_blocks * g->groups < least)
            b.row_blocks = tmc_div_up(least, b.column_blocks * g->groups);
    } else {
        b.column_blocks = tmc_min_size((size_t)(block_macs / TASK_MACS) + 1, panels);
        b.row_blocks = tmc_min_size(tmc_div_up(tasks, b.column_blocks * g->groups), all);
    }
    b.row_blocks = tmc_min_size(b.row_blocks, b.units);
    return b;
}

/* Several threads have equal parts: what one of them reads from memory takes twice as long. */
static size_t choose_gemv_columns(const job *j, uint32_t threads) {
    const size_t step = 16 * j->kernels->gemv.panels;
    size_t columns = tmc_div_up(GEMV_TASK_MACS, j->k * step) * step;
    if (threads > 1) {
        const size_t tasks = tmc_round_up(tmc_div_up(j->g->columns, columns), threads);
        columns = tmc_round_up(tmc_div_up(j->g->columns, tasks), 16);
        if (columns > step) columns = tmc_round_up(columns, step);
    }
    return columns;
}

static bool is_gemv(const tmc_implicit_gemm *g) {
    return row_count(g) == 1 && tmc_gemm_is_plain(g) && g->groups == 1 && g->columns >= 16;
}

tmc_status tmc_implicit_gemm_run(const tmc_implicit_gemm *g, const tmc_kernels *kernels, tmc_exec *exec) {
    if (row_count(g) == 0) return TMC_OK; /* a phase that no output has */
    job j = {.g = g,
             .kernels = &kernels->conv,
             .caches = kernels->caches,
             .k = (size_t)g->y.taps * (size_t)g->x.taps * g->channels};
    if (is_gemv(g)) {
        j.gemv_columns = choose_gemv_columns(&j, exec->threads);
        return tmc_exec_loop(exec, tmc_div_up(g->columns, j.gemv_columns), gemv_task, &j);
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
