/* The families of kernels/f32_math.h and blend, from the table of the level: an entry that the level has not is the
 * portable one, as the name says. */
#include <math.h>
#include <stdio.h>

#include "bench/kernels.h"

enum { VALUES = 2048, ROWS = 32, CHANNELS = 64 }; /* VALUES = ROWS * CHANNELS: with the result half of a small L1 */

typedef struct {
    const tmc_kernels *kernels;
    bench_operands *o;
    int which; /* of the kernels that share a type */
    tmc_f32_blend_args blend;
} math_call;

static void call_unary(void *context) {
    math_call *c = context;
    c->kernels->math.unary[c->which].run(VALUES, c->o->x, c->o->y, 0.5f, 1.0f);
}

static void call_binary(void *context) {
    math_call *c = context;
    const tmc_f32_binary_args args = {1, VALUES, c->o->x, c->o->z, VALUES, VALUES, 1, 1, c->o->y, -INFINITY, INFINITY};
    c->kernels->math.binary[c->which].run(&args);
}

static void call_reduce_row(void *context) {
    math_call *c = context;
    c->kernels->math.reduce_row[c->which].run(VALUES, c->o->x, 0.5f, c->o->y);
}

static void call_reduce_columns(void *context) {
    math_call *c = context;
    c->kernels->math.reduce_columns[c->which].run(ROWS, CHANNELS, CHANNELS, c->o->x, c->o->z, c->o->y);
}

static void call_scale_shift(void *context) {
    math_call *c = context;
    bench_operands *o = c->o;
    const tmc_f32_scale_shift_args args = {.rows = ROWS,
                                           .channels = CHANNELS,
                                           .x_row = CHANNELS,
                                           .y_row = CHANNELS,
                                           .x = o->x,
                                           .scale = o->z,
                                           .shift = o->z,
                                           .y = o->y,
                                           .lo = -INFINITY,
                                           .hi = INFINITY};
    c->kernels->math.scale_shift.run(&args);
}

static void call_softmax_rows(void *context) {
    math_call *c = context;
    c->kernels->math.softmax_rows.run(1, VALUES, c->o->x, c->o->y, c->which);
}

static void call_softmax_columns(void *context) {
    math_call *c = context;
    c->kernels->math.softmax_columns.run(ROWS, CHANNELS, CHANNELS, c->o->x, c->o->y, c->which);
}

static void call_norm_columns(void *context) {
    math_call *c = context;
    bench_operands *o = c->o;
    c->kernels->math.norm_columns.run(ROWS, CHANNELS, o->x, o->z, o->z, o->z, o->y);
}

static void call_norm_row(void *context) {
    math_call *c = context;
    c->kernels->math.norm_row.run(VALUES, c->o->x, 0.5f, 2.0f, c->o->z, c->o->z, c->o->y);
}

static void call_lrn(void *context) {
    math_call *c = context;
    c->kernels->math.lrn.run(ROWS, CHANNELS, c->o->x, c->o->y, 5, 1e-4f, 0.75f, 1.0f);
}

static void call_blend(void *context) {
    math_call *c = context;
    c->kernels->blend.fn(&c->blend);
}

/* `read` and `written` count floats. */
static void report(bench_run *run, math_call *call, const char *name, tmc_isa isa, bench_fn fn, const char *size,
                   size_t read, size_t written) {
    bench_kernel item = {.name = name, .isa = isa, .fn = fn, .context = call};
    item.read = read * sizeof(float);
    item.written = written * sizeof(float);
    snprintf(item.size, sizeof item.size, "%s", size);
    bench_kernel_report(run, &item);
}

static void report_reductions(bench_run *run, math_call *call, const char *rows) {
    const tmc_f32_math_kernels *math = &call->kernels->math;
    for (call->which = 0; call->which < TMC_F32_REDUCE_COUNT; call->which++) {
        report(run, call, math->reduce_row[call->which].name, math->reduce_row[call->which].isa, call_reduce_row,
               "2048", VALUES, 16);
        report(run, call, math->reduce_columns[call->which].name, math->reduce_columns[call->which].isa,
               call_reduce_columns, rows, VALUES, CHANNELS);
    }
}

static void report_blend(bench_run *run, math_call *call) {
    bench_operands *o = call->o;
    for (size_t taps = 2; taps <= 4; taps += 2) {
        char size[40];
        call->blend = (tmc_f32_blend_args){ROWS, CHANNELS, CHANNELS, CHANNELS, taps, o->index, o->z, o->x, o->y};
        for (size_t i = 0; i < ROWS; i++) /* twice as many rows out as in */
            for (size_t t = 0; t < taps; t++) o->index[i * taps + t] = (int32_t)(i / 2 + t);
        snprintf(size, sizeof size, "%d x %d, %zu taps", ROWS, CHANNELS, taps);
        report(run, call, call->kernels->blend.name, call->kernels->blend.isa, call_blend, size,
               (ROWS / 2 + taps - 1) * CHANNELS, VALUES);
    }
}

void bench_math_kernels(bench_run *run, const tmc_kernels *table, bench_operands *operands) {
    const tmc_f32_math_kernels *math = &table->math;
    math_call call = {.kernels = table, .o = operands};
    char rows[24];
    snprintf(rows, sizeof rows, "%d x %d", ROWS, CHANNELS);
    for (call.which = 0; call.which < TMC_F32_UNARY_COUNT; call.which++)
        report(run, &call, math->unary[call.which].name, math->unary[call.which].isa, call_unary, "2048", VALUES,
               VALUES);
    for (call.which = 0; call.which < TMC_F32_BINARY_COUNT; call.which++)
        report(run, &call, math->binary[call.which].name, math->binary[call.which].isa, call_binary, "2048", 2 * VALUES,
               VALUES);
    report_reductions(run, &call, rows);
    report(run, &call, math->scale_shift.name, math->scale_shift.isa, call_scale_shift, rows, VALUES + CHANNELS,
           VALUES);
    for (call.which = 0; call.which < 2; call.which++) {
        report(run, &call, math->softmax_rows.name, math->softmax_rows.isa, call_softmax_rows,
               call.which ? "2048, log" : "2048", VALUES, VALUES);
        report(run, &call, math->softmax_columns.name, math->softmax_columns.isa, call_softmax_columns,
               call.which ? "32 x 64, log" : rows, VALUES, VALUES);
    }
    report(run, &call, math->norm_columns.name, math->norm_columns.isa, call_norm_columns, rows, VALUES + CHANNELS,
           VALUES);
    report(run, &call, math->norm_row.name, math->norm_row.isa, call_norm_row, "2048", 2 * VALUES, VALUES);
    report(run, &call, math->lrn.name, math->lrn.isa, call_lrn, rows, VALUES, VALUES);
    report_blend(run, &call);
}
