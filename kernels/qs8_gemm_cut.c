#include "kernels/qs8_gemm_cut.h"

#include <string.h>

#define COPY_BYTES 1024

/* Full tiles, then `count` of a lower height, then one that reaches back, or none (0). */
typedef struct cut {
    size_t full, count, middle, last;
} cut;

static size_t height_at(uint32_t heights, uint32_t i) { return heights >> 8 * i & 255u; }

/* The lowest tile for `rows` rows. */
static size_t height_for(uint32_t heights, size_t rows) {
    uint32_t i = 3;
    while (i > 0 && height_at(heights, i) < rows) i--;
    return rows ? height_at(heights, i) : 0;
}

/* The cut of the fewest rows, with all full tiles or all but one: 14 rows are 7 and 7, not 12 and 4 where tiles are 12,
 * 7 and 4 high. Tiles are no higher than all rows, so that the last one can reach back. */
static cut choose_cut(size_t rows, uint32_t heights) {
    const size_t high = height_at(heights, 0);
    cut best = {rows / high, 0, 1, 0};
    size_t least = rows % high ? SIZE_MAX : rows;
    for (size_t full = rows / high, tries = 0; tries < 2 && least > rows; full--, tries++) {
        for (uint32_t i = 0; i < 4; i++) {
            const size_t left = rows - full * high, middle = height_at(heights, i);
            if (middle == 0 || middle > rows) continue;
            const size_t last = height_for(heights, left % middle), all = rows - left % middle + last;
            if (all >= least || last > rows) continue;
            least = all;
            best = (cut){full, left / middle, middle, last};
        }
        if (full == 0) break;
    }
    return best;
}

static void run_at(const tmc_qs8_gemm_args *args, tmc_qs8_tiles t, size_t row, tmc_qs8_tiles_fn run,
                   const char **next) {
    t.a += (ptrdiff_t)row * t.a_step;
    t.c += (ptrdiff_t)row * t.c_step;
    t.next = *next;
    run(args, &t);
    *next = t.next;
}

static void run_rows(const tmc_qs8_gemm_args *args, uint32_t heights, tmc_qs8_tiles t, size_t rows,
                     tmc_qs8_tiles_fn run, const char **next) {
    size_t least = height_at(heights, 0);
    for (uint32_t i = 1; i < 4; i++)
        if (height_at(heights, i)) least = height_at(heights, i);
    if (rows < least) { /* one row stands for all of a tile's */
        const ptrdiff_t a_step = t.a_step, c_step = t.c_step;
        t.count = 1;
        t.rows = least;
        t.a_step = t.c_step = 0;
        for (; rows > 0; rows--, t.a += a_step, t.c += c_step) run_at(args, t, 0, run, next);
        return;
    }
    const cut chosen = choose_cut(rows, heights);
    t.rows = height_at(heights, 0);
    t.count = chosen.full;
    if (t.count) run_at(args, t, 0, run, next);
    const size_t done = t.count * t.rows;
    t.rows = chosen.middle;
    t.count = chosen.count;
    if (t.count) run_at(args, t, done, run, next);
    t.rows = chosen.last;
    t.count = 1;
    if (t.rows) run_at(args, t, rows - t.rows, run, next);
}

void tmc_qs8_gemm_cut(const tmc_qs8_gemm_args *args, size_t nr, uint32_t heights, tmc_qs8_tiles_fn run) {
    const char *next = args->next ? args->next : args->panel;
    tmc_qs8_tiles t = {.a = args->a, .a_step = args->a_step, .c = args->c, .c_step = args->c_step};
    if (args->columns == nr) {
        run_rows(args, heights, t, args->rows, run, &next);
        return;
    }
    /* Panels with missing columns: some rows at a time by way of the stack. */
    int8_t copy[COPY_BYTES], *c = args->c;
    const size_t most = COPY_BYTES / nr;
    t.c = copy;
    t.c_step = (ptrdiff_t)nr;
    for (size_t left = args->rows; left > 0;) {
        const size_t rows = left < most ? left : most;
        run_rows(args, heights, t, rows, run, &next);
        for (size_t r = 0; r < rows; r++, c += args->c_step) memcpy(c, copy + r * nr, args->columns);
        t.a += (ptrdiff_t)rows * t.a_step;
        left -= rows;
    }
}
