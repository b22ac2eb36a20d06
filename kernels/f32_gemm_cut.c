#include "kernels/f32_gemm_cut.h"

#include <math.h>
#include <string.h>

#define COPY_FLOATS 1024 /* 4 KiB of stack */

/* What tmc_gemm_cut was given: a struct of constants with addresses would be data to relocate. */
typedef struct gemm_body {
    size_t mr, least, nr, nr2;
    tmc_gemm_tiles_fn named, stepped;
} gemm_body;

/* A tile lower than any body: its last row stands in for the missing ones, which computes and stores the same again.
 * Rows are named for one tap after the other, so that few pointers suffice. */
static void run_short(const tmc_f32_gemm_args *args, const gemm_body *body, tmc_gemm_tiles *t) {
    const float *a[TMC_GEMM_MAX_MR];
    float *c[TMC_GEMM_MAX_MR];
    const size_t height = body->least;
    tmc_f32_gemm_args one = *args;
    one.a = a;
    one.a_step = 0;
    one.taps = args->taps > 0;
    tmc_gemm_tiles part = {1, height, 0, c, t->c_offset, 0, t->next};
    size_t tap = 0;
    do {
        const float *const *rows = args->a + tap * args->a_stride;
        for (size_t r = 0; r < height; r++) {
            const size_t row = r < t->rows ? r : t->rows - 1;
            c[r] = t->c_step ? t->c[0] + (ptrdiff_t)row * t->c_step : t->c[row];
            if (!one.taps) continue;
            a[r] = args->a_step ? rows[0] + (ptrdiff_t)(t->first + row) * args->a_step : rows[t->first + row];
        }
        const bool end = tap + 1 >= args->taps;
        one.lo = end ? args->lo : -INFINITY;
        one.hi = end ? args->hi : INFINITY;
        body->named(&one, &part);
        one.bias = NULL;
        one.w += args->kc * body->nr;
        if (body->nr2) one.w2 += args->kc * body->nr2;
    } while (++tap < args->taps);
    t->next = part.next;
}

/* Runs the tiles and moves on behind them. */
static void run_whole(const tmc_f32_gemm_args *args, const gemm_body *body, tmc_gemm_tiles *t) {
    if (t->rows < body->least)
        run_short(args, body, t);
    else
        (args->a_step ? body->stepped : body->named)(args, t);
    t->first += t->count * t->rows;
}

/* `columns` floats, in moves that each read the bytes of one store. */
static void copy_columns(size_t columns, const float *from, float *to) {
    size_t n = 0;
    for (; n + 4 <= columns; n += 4) memcpy(to + n, from + n, 4 * sizeof(float));
    if (columns & 2) memcpy(to + n, from + n, 2 * sizeof(float)), n += 2;
    if (columns & 1) to[n] = from[n];
}

static float *row_of_c(const tmc_f32_gemm_args *args, size_t row) {
    return (args->c_step ? args->c[0] + (ptrdiff_t)row * args->c_step : args->c[row]) + args->c_offset;
}

/* Panels with missing columns: some tiles at a time by way of the stack, since masked moves of every register would be
 * much code. */
static void run_partial(const tmc_f32_gemm_args *args, const gemm_body *body, tmc_gemm_tiles *t) {
    /* A row is whole cache lines: what crosses one is not forwarded from a store to a load. */
    _Alignas(64) float copy[COPY_FLOATS];
    float *rows[COPY_FLOATS / 16];
    const size_t pitch = (body->nr + body->nr2 + 15) / 16 * 16, most = COPY_FLOATS / pitch / t->rows;
    tmc_gemm_tiles some = {0, t->rows, t->first, rows, 0, args->c_step ? (ptrdiff_t)pitch : 0, t->next};
    for (size_t left = t->count; left > 0; left -= some.count) {
        some.count = left < most ? left : most;
        const size_t first = some.first, count = some.count * t->rows;
        for (size_t r = 0; r < count; r++) {
            rows[r] = copy + r * pitch;
            if (args->bias) continue;
            memset(rows[r], 0, pitch * sizeof(float));
            copy_columns(args->columns, row_of_c(args, first + r), rows[r]);
        }
        run_whole(args, body, &some);
        for (size_t r = 0; r < count; r++) copy_columns(args->columns, rows[r], row_of_c(args, first + r));
    }
    t->first = some.first;
    t->next = some.next;
}

static void run_some(const tmc_f32_gemm_args *args, const gemm_body *body, tmc_gemm_tiles *t) {
    if (t->count == 0 || t->rows == 0) return;
    if (args->columns < body->nr + body->nr2) {
        run_partial(args, body, t);
        return;
    }
    float *c = args->c[0] + (ptrdiff_t)t->first * args->c_step;
    t->c = args->c_step ? &c : args->c + t->first;
    run_whole(args, body, t);
}

/* Tiles of equal height, so that the last one is not a sliver; but full ones first where a lower one takes the same
 * time. */
void tmc_gemm_cut(const tmc_f32_gemm_args *args, size_t mr, size_t least, size_t nr, size_t nr2,
                  tmc_gemm_tiles_fn named, tmc_gemm_tiles_fn stepped) {
    const gemm_body body = {mr, least, nr, nr2, named, stepped};
    const size_t tiles = (args->rows + mr - 1) / mr;
    tmc_gemm_tiles t = {0, 0, 0, NULL, args->c_offset, args->c_step, args->next};
    if (!t.next) t.next = (const char *)args->w;
    const bool equal = least < mr;
    t.rows = equal ? (args->rows + tiles - 1) / tiles : mr;
    t.count = equal ? args->rows - tiles * (t.rows - 1) : args->rows / mr;
    run_some(args, &body, &t);
    t.rows = equal ? t.rows - 1 : args->rows - t.first;
    t.count = equal ? tiles - t.count : 1;
    run_some(args, &body, &t);
}
