/* Every kernel of tmc_f32_math_kernels at every level of this CPU against its portable twin (lib/levels.h): all lengths
 * 0 to 67, values with zeros, subnormals, infinities and NaN, tensors flush against guard pages on both sides. Equal
 * means the same bits, and a NaN in the same place. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/kernels.h"
#include "lib/guard.h"
#include "lib/levels.h"
#include "lib/op_runner.h"
#include "lib/random.h"

#define MAX_LENGTH 83
#define ROWS 19 /* more than the lanes of any vector, and no multiple of them */

static tmc_kernels reference, tested;
static random_state rng;

static void check_same(const char *kernel, size_t n, const float *got, const float *want, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (isnan(got[i]) && isnan(want[i])) continue;
        if (memcmp(got + i, want + i, sizeof *got))
            fail_msg("%s, n %zu: [%zu] is %a, portable C has %a", kernel, n, i, got[i], want[i]);
    }
}

/* `count` floats of random and special values behind or before a guard page. */
static guard_buffer random_buffer(size_t count, guard_side side) {
    guard_buffer b = guard_alloc(count * sizeof(float), side);
    random_fill_special(&rng, b.data, count);
    return b;
}

static guard_buffer copy_of(const guard_buffer *b, guard_side side) { return guard_copy(b->data, b->bytes, side); }

/* Runs `body` for every level but portable C, both guard sides, and all lengths. */
static void for_all(void (*body)(size_t n, guard_side side)) {
    tmc_isa levels[LEVELS_MAX];
    size_t count = level_list(levels);
    random_init(&rng, 7);
    for (size_t l = 0; l < count; l++) {
        level_kernels(level_twin(levels[l]), &reference);
        tmc_kernels_select(levels[l], &tested);
        for (size_t n = 0; n <= MAX_LENGTH; n++) {
            body(n, GUARD_END);
            body(n, GUARD_START);
        }
    }
}

static void unary_body(size_t n, guard_side side) {
    for (int k = 0; k < TMC_F32_UNARY_COUNT; k++) {
        guard_buffer x = random_buffer(n, side), y = guard_alloc(x.bytes, side), want = guard_alloc(x.bytes, side);
        reference.math.unary[k].run(n, x.data, want.data, 0.5f, 1.25f);
        tested.math.unary[k].run(n, x.data, y.data, 0.5f, 1.25f);
        check_same(tested.math.unary[k].name, n, y.data, want.data, n);
        tested.math.unary[k].run(n, x.data, x.data, 0.5f, 1.25f);
        check_same(tested.math.unary[k].name, n, x.data, want.data, n);
        guard_free(&x), guard_free(&y), guard_free(&want);
    }
}

/* Operands: a vector or a scalar per row; rows apart or shared. */
static void binary_body(size_t n, guard_side side) {
    for (int k = 0; k < TMC_F32_BINARY_COUNT; k++) {
        for (int form = 0; form < 4; form++) {
            int a_col = form & 1, b_col = form >> 1;
            size_t a_row = a_col ? n : 1, b_row = b_col ? 0 : 1, rows = k % 2 ? ROWS : 1;
            guard_buffer a = random_buffer(a_col ? rows * n : rows, side), b = random_buffer(b_col ? n : rows, side);
            guard_buffer y = guard_alloc(rows * n * 4, side), want = guard_alloc(rows * n * 4, side);
            tmc_f32_binary_args args = {rows,  n,     a.data,    b.data, a_row,   b_row,
                                        a_col, b_col, want.data, -1.5f,  INFINITY};
            reference.math.binary[k].run(&args);
            args.y = y.data;
            tested.math.binary[k].run(&args);
            check_same(tested.math.binary[k].name, n, y.data, want.data, rows * n);
            guard_free(&a), guard_free(&b), guard_free(&y), guard_free(&want);
        }
    }
}

/* The same with rows apart in y: `dense` has the result, and what lies between the rows keeps its bytes. */
static void check_rows_apart(size_t n, tmc_f32_scale_shift_args args, const float *dense, guard_side side) {
    args.y_row = n + 3;
    guard_buffer y = guard_alloc(((ROWS - 1) * args.y_row + n) * 4, side);
    float gap[3];
    memset(gap, 0xCD, sizeof gap);
    args.y = y.data;
    tested.math.scale_shift.run(&args);
    for (size_t r = 0; r < ROWS; r++) {
        check_same(tested.math.scale_shift.name, n, args.y + r * args.y_row, dense + r * n, n);
        if (r + 1 < ROWS) assert_memory_equal(args.y + r * args.y_row + n, gap, sizeof gap);
    }
    guard_free(&y);
}

static void channels_body(size_t n, guard_side side) {
    guard_buffer x = random_buffer(ROWS * n, side), y = guard_alloc(x.bytes, side), want = guard_alloc(x.bytes, side);
    guard_buffer s = random_buffer(n, side), t = random_buffer(n, side), m = random_buffer(n, side);
    tmc_f32_scale_shift_args affine = {ROWS, n, n, n, x.data, s.data, t.data, want.data, -1, 1.5f};
    reference.math.scale_shift.run(&affine);
    affine.y = y.data;
    tested.math.scale_shift.run(&affine);
    check_same(tested.math.scale_shift.name, n, y.data, want.data, ROWS * n);
    check_rows_apart(n, affine, want.data, side);
    reference.math.norm_columns.run(ROWS, n, x.data, m.data, s.data, t.data, want.data);
    tested.math.norm_columns.run(ROWS, n, x.data, m.data, s.data, t.data, y.data);
    check_same(tested.math.norm_columns.name, n, y.data, want.data, ROWS * n);
    for (int shifted = 0; shifted < 2; shifted++) {
        const float *shift = shifted ? t.data : NULL;
        reference.math.norm_row.run(n, x.data, 0.25f, 1.5f, s.data, shift, want.data);
        tested.math.norm_row.run(n, x.data, 0.25f, 1.5f, s.data, shift, y.data);
        check_same(tested.math.norm_row.name, n, y.data, want.data, n);
    }
    guard_free(&x), guard_free(&y), guard_free(&want), guard_free(&s), guard_free(&t), guard_free(&m);
}

/* Softmax of special values is NaN nearly everywhere: finite ones as well. */
static void softmax_body(size_t n, guard_side side) {
    for (int form = 0; form < 4; form++) {
        int log = form & 1;
        guard_buffer x = random_buffer(ROWS * n, side), y = guard_alloc(x.bytes, side),
                     want = guard_alloc(x.bytes, side);
        if (form & 2) random_fill(&rng, x.data, ROWS * n, -20, 20);
        reference.math.softmax_rows.run(ROWS, n, x.data, want.data, log);
        tested.math.softmax_rows.run(ROWS, n, x.data, y.data, log);
        check_same(tested.math.softmax_rows.name, n, y.data, want.data, ROWS * n);
        reference.math.softmax_columns.run(ROWS, n, n, x.data, want.data, log);
        tested.math.softmax_columns.run(ROWS, n, n, x.data, y.data, log);
        check_same(tested.math.softmax_columns.name, n, y.data, want.data, ROWS * n);
        tested.math.softmax_columns.run(ROWS, n, n, x.data, x.data, log);
        check_same(tested.math.softmax_columns.name, n, x.data, want.data, ROWS * n);
        guard_free(&x), guard_free(&y), guard_free(&want);
    }
}

/* A row longer than the block of the log-softmax's sum, against the reduction of the same name. */
static void long_log_softmax(void **state) {
    (void)state;
    enum { N = 1000 };
    const tmc_f32_math_kernels *k = &tested.math;
    float x[N], y[N], p[16], log_sum, m = -INFINITY;
    random_fill(&rng, x, N, -20, 20);
    for (int i = 0; i < N; i++) m = tmc_f32_max_nan(m, x[i]);
    for (int i = 0; i < 16; i++) p[i] = tmc_f32_reduce_identity(TMC_F32_REDUCE_SUM_EXP);
    k->reduce_row[TMC_F32_REDUCE_SUM_EXP].run(N, x, m, p);
    log_sum = tmc_f32_reduce_tree(TMC_F32_REDUCE_SUM_EXP, p);
    k->unary[TMC_F32_UNARY_LOG].run(1, &log_sum, &log_sum, 0, 0);
    k->softmax_rows.run(1, N, x, y, 1);
    for (int i = 0; i < N; i++) x[i] = (x[i] - m) - log_sum;
    check_same(k->softmax_rows.name, N, y, x, N);
}

static void reduce_body(size_t n, guard_side side) {
    for (int k = 0; k < TMC_F32_REDUCE_COUNT; k++) {
        guard_buffer x = random_buffer(ROWS * n, side), m = random_buffer(n, side);
        guard_buffer want = random_buffer(n, side), acc = copy_of(&want, side);
        if (n % 2) random_fill(&rng, x.data, ROWS * n, -3, 3);
        reference.math.reduce_columns[k].run(ROWS, n, n, x.data, m.data, want.data);
        tested.math.reduce_columns[k].run(ROWS, n, n, x.data, m.data, acc.data);
        check_same(tested.math.reduce_columns[k].name, n, acc.data, want.data, n);
        guard_free(&m), guard_free(&want), guard_free(&acc);

        guard_buffer p = random_buffer(16, side), q = copy_of(&p, side);
        reference.math.reduce_row[k].run(n, x.data, 0.75f, p.data);
        tested.math.reduce_row[k].run(n, x.data, 0.75f, q.data);
        check_same(tested.math.reduce_row[k].name, n, q.data, p.data, 16);
        guard_free(&x), guard_free(&p), guard_free(&q);
    }
}

static void unary(void **state) {
    (void)state;
    for_all(unary_body);
}
static void binary(void **state) {
    (void)state;
    for_all(binary_body);
}
static void channels(void **state) {
    (void)state;
    for_all(channels_body);
}
static void softmax(void **state) {
    (void)state;
    for_all(softmax_body);
}
static void reduce(void **state) {
    (void)state;
    for_all(reduce_body);
}

/* Every 16381st bit pattern: what random values may miss in a branch by range. */
enum { SWEEP_BLOCK = 4096, SWEEP_BLOCKS = 64 };

static void sweep_inputs(uint32_t block, float *x) {
    for (uint32_t i = 0; i < SWEEP_BLOCK; i++) {
        uint32_t bits = (block * SWEEP_BLOCK + i) * 16381u;
        memcpy(&x[i], &bits, sizeof bits);
    }
}

static void unary_sweep(void **state) {
    (void)state;
    static float x[SWEEP_BLOCK], y[SWEEP_BLOCK], want[SWEEP_BLOCK];
    tmc_isa levels[LEVELS_MAX];
    size_t count = level_list(levels);
    for (size_t l = 1; l < count; l++) {
        level_kernels(level_twin(levels[l]), &reference);
        tmc_kernels_select(levels[l], &tested);
        for (uint32_t block = 0; block < SWEEP_BLOCKS; block++) {
            sweep_inputs(block, x);
            for (int k = 0; k < TMC_F32_UNARY_COUNT; k++) {
                reference.math.unary[k].run(SWEEP_BLOCK, x, want, 0.5f, 1.25f);
                tested.math.unary[k].run(SWEEP_BLOCK, x, y, 0.5f, 1.25f);
                check_same(tested.math.unary[k].name, SWEEP_BLOCK, y, want, SWEEP_BLOCK);
            }
        }
    }
}

static uint64_t hash(uint64_t h, const float *y, size_t n) { /* FNV-1a over words; one pattern for every NaN */
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = 0x7fc00000;
        if (!isnan(y[i])) memcpy(&bits, &y[i], sizeof bits);
        h = (h ^ bits) * UINT64_C(0x100000001b3);
    }
    return h;
}

/* The bits of all unary kernels and of pow are these on every architecture and with every compiler. A change of a
 * formula changes them, and with them the answers of every model that is in use: never by accident. */
static void same_on_every_architecture(void **state) {
    (void)state;
    static float x[SWEEP_BLOCK], y[SWEEP_BLOCK];
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    tmc_kernels_select(TMC_ISA_REF, &reference);
    for (uint32_t block = 0; block < SWEEP_BLOCKS; block++) {
        sweep_inputs(block, x);
        for (int k = 0; k < TMC_F32_UNARY_COUNT; k++) {
            reference.math.unary[k].run(SWEEP_BLOCK, x, y, 0.5f, 1.25f);
            h = hash(h, y, SWEEP_BLOCK);
        }
        for (uint32_t i = 0; i < SWEEP_BLOCK; i++) y[i] = tmc_f32_pow(fabsf(x[i]), (float)(i % 64) * 0.25f - 8);
        h = hash(h, y, SWEEP_BLOCK);
    }
    if (h != UINT64_C(0x307b9d2ad24673d6)) fail_msg("the bits changed: %016llx", (unsigned long long)h);
}

/* The orders of docs/kernels-math.md, written out once more. */
static void sum_order(void **state) {
    (void)state;
    enum { N = 53 };
    float x[N], partial[16] = {0}, expected[16] = {0};
    random_init(&rng, 5);
    random_fill(&rng, x, N, -1, 1);
    for (int i = 0; i < N; i++) expected[i % 16] += x[i];
    for (int h = 8; h; h /= 2)
        for (int j = 0; j < h; j++) expected[j] = expected[j] + expected[j + h];
    tmc_kernels_select(TMC_ISA_REF, &reference);
    reference.math.reduce_row[TMC_F32_REDUCE_SUM].run(N, x, 0, partial);
    assert_true(tmc_f32_reduce_tree(TMC_F32_REDUCE_SUM, partial) == expected[0]);

    float chain = 0, acc = 0;
    for (int i = 0; i < N; i++) chain += x[i];
    reference.math.reduce_columns[TMC_F32_REDUCE_SUM].run(N, 1, 1, x, NULL, &acc);
    assert_true(acc == chain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unary),       cmocka_unit_test(binary),           cmocka_unit_test(channels),
        cmocka_unit_test(softmax),     cmocka_unit_test(long_log_softmax), cmocka_unit_test(reduce),
        cmocka_unit_test(unary_sweep), cmocka_unit_test(sum_order),        cmocka_unit_test(same_on_every_architecture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
