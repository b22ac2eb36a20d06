#include "ops/binary_plain.h"

#include <string.h>

/* Elements are widened in runs of this many, so that each type has one load and one store instead of one loop for each
 * operator. */
#define RUN 128

static bool compare_f32(int32_t kind, float a, float b) {
    switch (kind) {
    case TMC_BINARY_EQUAL: return a == b;
    case TMC_BINARY_LESS: return a < b;
    case TMC_BINARY_GREATER: return a > b;
    case TMC_BINARY_LESS_EQUAL: return a <= b;
    default: return a >= b;
    }
}

/* b is not 0. The one quotient that does not fit, of the least value and -1, wraps like the other operators. */
static int64_t divide(int64_t a, int64_t b) { return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b; }

static int64_t modulo(int64_t a, int64_t b) {
    if (b == -1) return 0;
    int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

static int64_t apply(int32_t kind, int64_t a, int64_t b, int32_t *zero_divisor) {
    switch (kind) {
    case TMC_BINARY_ADD: return (int64_t)((uint64_t)a + (uint64_t)b);
    case TMC_BINARY_SUB: return (int64_t)((uint64_t)a - (uint64_t)b);
    case TMC_BINARY_MUL: return (int64_t)((uint64_t)a * (uint64_t)b);
    case TMC_BINARY_MIN: return a < b ? a : b;
    case TMC_BINARY_MAX: return a > b ? a : b;
    case TMC_BINARY_EQUAL: return a == b;
    case TMC_BINARY_LESS: return a < b;
    case TMC_BINARY_GREATER: return a > b;
    case TMC_BINARY_LESS_EQUAL: return a <= b;
    case TMC_BINARY_GREATER_EQUAL: return a >= b;
    case TMC_BINARY_AND: return a && b;
    case TMC_BINARY_OR: return a || b;
    case TMC_BINARY_XOR: return !a != !b;
    default: break;
    }
    if (b == 0) {
        __atomic_store_n(zero_divisor, 1, __ATOMIC_RELAXED);
        return 0;
    }
    return kind == TMC_BINARY_DIV ? divide(a, b) : modulo(a, b);
}

/* v[i] = element first + i * col; bool is any non-zero byte. */
static void load(uint8_t dtype, const void *data, size_t first, int col, size_t n, int64_t *v) {
    for (size_t i = 0; i < n; i++) {
        size_t at = first + (col ? i : 0);
        switch (dtype) {
        case TMC_I32: v[i] = ((const int32_t *)data)[at]; break;
        case TMC_I64: v[i] = ((const int64_t *)data)[at]; break;
        default: v[i] = ((const uint8_t *)data)[at] != 0; break;
        }
    }
}

static void store(uint8_t dtype, const int64_t *v, size_t n, void *data, size_t first) {
    switch (dtype) {
    case TMC_I32:
        for (size_t i = 0; i < n; i++) ((int32_t *)data)[first + i] = (int32_t)(uint32_t)v[i];
        break;
    case TMC_I64: memcpy((int64_t *)data + first, v, n * sizeof *v); break;
    default:
        for (size_t i = 0; i < n; i++) ((uint8_t *)data)[first + i] = v[i] != 0;
        break;
    }
}

static bool gives_bool(int32_t kind) { return kind >= TMC_BINARY_EQUAL && kind <= TMC_BINARY_XOR; }

static void integer_row(tmc_binary_plain *j, size_t a, int a_col, size_t b, int b_col, size_t out, size_t cols) {
    int64_t av[RUN], bv[RUN];
    uint8_t to = gives_bool(j->kind) ? TMC_BOOL : j->dtype;
    for (size_t c = 0; c < cols; c += RUN) {
        size_t n = cols - c < RUN ? cols - c : RUN;
        load(j->dtype, j->a, a + (a_col ? c : 0), a_col, n, av);
        load(j->dtype, j->b, b + (b_col ? c : 0), b_col, n, bv);
        for (size_t i = 0; i < n; i++) av[i] = apply(j->kind, av[i], bv[i], &j->zero_divisor);
        store(to, av, n, j->y, out + c);
    }
}

static void f32_row(const tmc_binary_plain *j, const float *a, int a_col, const float *b, int b_col, uint8_t *y,
                    size_t cols) {
    for (size_t c = 0; c < cols; c++) y[c] = compare_f32(j->kind, a[a_col ? c : 0], b[b_col ? c : 0]);
}

void tmc_binary_plain_block(void *context, const tmc_broadcast_block *g) {
    tmc_binary_plain *j = context;
    for (size_t r = 0; r < g->rows; r++) {
        size_t a = g->in[0] + r * g->row[0], b = g->in[1] + r * g->row[1], out = g->out + r * g->out_row;
        if (j->dtype == TMC_F32) {
            f32_row(j, (const float *)j->a + a, g->col[0], (const float *)j->b + b, g->col[1], (uint8_t *)j->y + out,
                    g->cols);
        } else {
            integer_row(j, a, g->col[0], b, g->col[1], out, g->cols);
        }
    }
}
