/* Kernels of the element-wise, normalising and reducing operators in fp32. docs/kernels-math.md has the formulas, the
 * error bounds and the order of every sum.
 *
 * Common contract: dense data unless a stride is given; strides count elements; nothing outside the named elements is
 * read or written; y may equal x (or a, or b) exactly, otherwise nothing overlaps; n, rows and cols may be 0; any
 * alignment of 4. Round to nearest, no flush to zero. A NaN in an element gives a NaN in what depends on it. */
#ifndef TMC_KERNELS_F32_MATH_H
#define TMC_KERNELS_F32_MATH_H

#include <stddef.h>
#include <stdint.h>

#include "tmcnn/tmcnn.h"

/* y[i] = f(x[i]); alpha and beta as graph/op.h notes them. */
typedef void (*tmc_f32_unary_fn)(size_t n, const float *x, float *y, float alpha, float beta);

/* X(NAME, name): f32_unary_<name>, in the order of TMC_UNARY_LIST. */
#define TMC_F32_UNARY_KERNELS(X)                                                                                       \
    X(CLAMP, clamp)                                                                                                    \
    X(LEAKY_RELU, leaky_relu)                                                                                          \
    X(ELU, elu)                                                                                                        \
    X(SELU, selu)                                                                                                      \
    X(CELU, celu)                                                                                                      \
    X(SIGMOID, sigmoid)                                                                                                \
    X(HARD_SIGMOID, hard_sigmoid)                                                                                      \
    X(HARD_SWISH, hard_swish)                                                                                          \
    X(SILU, silu)                                                                                                      \
    X(TANH, tanh)                                                                                                      \
    X(SOFTPLUS, softplus)                                                                                              \
    X(SOFTSIGN, softsign)                                                                                              \
    X(GELU, gelu)                                                                                                      \
    X(GELU_TANH, gelu_tanh)                                                                                            \
    X(MISH, mish)                                                                                                      \
    X(ERF, erf)                                                                                                        \
    X(EXP, exp)                                                                                                        \
    X(LOG, log)                                                                                                        \
    X(SQRT, sqrt)                                                                                                      \
    X(ABS, abs)                                                                                                        \
    X(NEG, neg)                                                                                                        \
    X(RECIPROCAL, reciprocal)                                                                                          \
    X(FLOOR, floor)                                                                                                    \
    X(CEIL, ceil)                                                                                                      \
    X(ROUND, round)                                                                                                    \
    X(SIGN, sign)                                                                                                      \
    X(THRESHOLDED_RELU, thresholded_relu)

/* A level need not have every kind: those of networks that run on whole images and compute much for what they load and
 * store, */
#define TMC_F32_UNARY_GATES(X)                                                                                         \
    X(SIGMOID, sigmoid)                                                                                                \
    X(SILU, silu)                                                                                                      \
    X(TANH, tanh)                                                                                                      \
    X(GELU, gelu)
/* those that compute as much, */
#define TMC_F32_UNARY_CURVES(X)                                                                                        \
    X(ELU, elu)                                                                                                        \
    X(SELU, selu)                                                                                                      \
    X(CELU, celu)                                                                                                      \
    X(SOFTPLUS, softplus)                                                                                              \
    X(GELU_TANH, gelu_tanh)                                                                                            \
    X(MISH, mish)                                                                                                      \
    X(ERF, erf)                                                                                                        \
    X(EXP, exp)                                                                                                        \
    X(LOG, log)
/* and those that are slow without a fused multiply-add, which portable C then calls as a function. */
#define TMC_F32_UNARY_FUSED(X)                                                                                         \
    X(HARD_SIGMOID, hard_sigmoid)                                                                                      \
    X(HARD_SWISH, hard_swish)

/* y[r, c] = clamp(f(a[r * a_row + c * a_col], b[r * b_row + c * b_col])), y dense: row r starts at r * cols.
 * a_col and b_col are 0 (one value for the row) or 1. */
typedef struct tmc_f32_binary_args {
    size_t rows, cols;
    const float *a, *b;
    size_t a_row, b_row;
    int a_col, b_col;
    float *y;
    float lo, hi;
} tmc_f32_binary_args;
typedef void (*tmc_f32_binary_fn)(const tmc_f32_binary_args *args);

#define TMC_F32_BINARY_KERNELS(X)                                                                                      \
    X(ADD, add)                                                                                                        \
    X(SUB, sub)                                                                                                        \
    X(MUL, mul)                                                                                                        \
    X(DIV, div)                                                                                                        \
    X(MIN, min)                                                                                                        \
    X(MAX, max)                                                                                                        \
    X(PRELU, prelu)

/* Same contract, portable C at every level: rare, and long. */
#define TMC_F32_BINARY_REF_KERNELS(X)                                                                                  \
    X(POW, pow)                                                                                                        \
    X(MOD, mod)

/* y[r * y_row + c] = clamp(fma(x[r * x_row + c], scale[c], shift[c])), c < channels. */
typedef struct tmc_f32_scale_shift_args {
    size_t rows, channels;
    size_t x_row, y_row; /* >= channels; what lies between the rows stays */
    const float *x, *scale, *shift;
    float *y;
    float lo, hi;
} tmc_f32_scale_shift_args;
typedef void (*tmc_f32_scale_shift_fn)(const tmc_f32_scale_shift_args *args);

/* rows: softmax of each of `rows` rows of n elements. columns: n rows of `cols` elements, `stride` apart in x and y;
 * softmax down each column. `log`: log-softmax. */
typedef void (*tmc_f32_softmax_rows_fn)(size_t rows, size_t n, const float *x, float *y, int log);
typedef void (*tmc_f32_softmax_columns_fn)(size_t n, size_t cols, size_t stride, const float *x, float *y, int log);

/* A reduction carries its state: start it with the kind's identity, call the kernel for each piece in ascending order.
 * row: 16 partial results, partial[j] takes x[j], x[j + 16], ...; tmc_f32_reduce_tree ends it.
 * columns: acc[c] takes x[0 * stride + c], x[1 * stride + c], ... in one chain; acc is the result.
 * m: what is subtracted from x (SUM_EXP, SUM_SQUARE_DIFF), a value for the row, one per column; else ignored. */
typedef void (*tmc_f32_reduce_row_fn)(size_t n, const float *x, float m, float partial[16]);
typedef void (*tmc_f32_reduce_columns_fn)(size_t rows, size_t cols, size_t stride, const float *x, const float *m,
                                          float *acc);

/* X(NAME, name, identity, combine): the step from acc and x is in kernels/f32_reduce.inl; combine is that of the tree.
 */
#define TMC_F32_REDUCE_KERNELS(X)                                                                                      \
    X(SUM, sum, 0.0f, add)                                                                                             \
    X(SUM_ABS, sum_abs, 0.0f, add)                                                                                     \
    X(SUM_SQUARE, sum_square, 0.0f, add)                                                                               \
    X(SUM_SQUARE_DIFF, sum_square_diff, 0.0f, add)                                                                     \
    X(SUM_EXP, sum_exp, 0.0f, add)                                                                                     \
    X(MAX, max, -TMC_F32_INFINITY, max)                                                                                \
    X(MIN, min, TMC_F32_INFINITY, min)                                                                                 \
    X(PROD, prod, 1.0f, mul)
/* Those with a fused multiply-add, as above. */
#define TMC_F32_REDUCE_FUSED(X)                                                                                        \
    X(SUM_SQUARE, sum_square, 0.0f, add)                                                                               \
    X(SUM_SQUARE_DIFF, sum_square_diff, 0.0f, add)                                                                     \
    X(SUM_EXP, sum_exp, 0.0f, add)
#define TMC_F32_INFINITY __builtin_inff()

/* y[r, c] = fma(x[r, c] - mean[c], scale[c], shift[c]). */
typedef void (*tmc_f32_norm_columns_fn)(size_t rows, size_t channels, const float *x, const float *mean,
                                        const float *scale, const float *shift, float *y);
/* y[i] = fma((x[i] - mean) * rstd, scale[i], shift[i]); shift NULL: zeros. */
typedef void (*tmc_f32_norm_row_fn)(size_t n, const float *x, float mean, float rstd, const float *scale,
                                    const float *shift, float *y);

/* y[r, c] = x[r, c] / pow(fma(alpha / size, s, bias), beta), s the chain of fma over x[r, k]^2 for k ascending from
 * c - floor((size - 1) / 2) to c + ceil((size - 1) / 2), as far as inside. y must not overlap x. */
typedef void (*tmc_f32_lrn_fn)(size_t rows, size_t channels, const float *x, float *y, size_t size, float alpha,
                               float beta, float bias);

enum {
#define X(NAME, name) TMC_F32_UNARY_##NAME,
    TMC_F32_UNARY_KERNELS(X) TMC_F32_UNARY_COUNT,
#undef X
#define X(NAME, name) TMC_F32_BINARY_##NAME,
    TMC_F32_BINARY_FIRST = -1, /* restarts the count */
    TMC_F32_BINARY_KERNELS(X) TMC_F32_BINARY_REF_KERNELS(X) TMC_F32_BINARY_COUNT,
#undef X
#define X(NAME, name, identity, combine) TMC_F32_REDUCE_##NAME,
    TMC_F32_REDUCE_FIRST = -1,
    TMC_F32_REDUCE_KERNELS(X) TMC_F32_REDUCE_COUNT
#undef X
};

/* A kernel, its symbol without "tmc_" and the level at the end, and that level, for which it was compiled. */
#define TMC_F32_MATH_ENTRY(type)                                                                                       \
    typedef struct tmc_##type##_kernel {                                                                               \
        tmc_##type##_fn run;                                                                                           \
        const char *name;                                                                                              \
        tmc_isa isa;                                                                                                   \
    } tmc_##type##_kernel;
TMC_F32_MATH_ENTRY(f32_unary)
TMC_F32_MATH_ENTRY(f32_binary)
TMC_F32_MATH_ENTRY(f32_scale_shift)
TMC_F32_MATH_ENTRY(f32_softmax_rows)
TMC_F32_MATH_ENTRY(f32_softmax_columns)
TMC_F32_MATH_ENTRY(f32_reduce_row)
TMC_F32_MATH_ENTRY(f32_reduce_columns)
TMC_F32_MATH_ENTRY(f32_norm_columns)
TMC_F32_MATH_ENTRY(f32_norm_row)
TMC_F32_MATH_ENTRY(f32_lrn)
#undef TMC_F32_MATH_ENTRY

typedef struct tmc_f32_math_kernels {
    tmc_f32_unary_kernel unary[TMC_F32_UNARY_COUNT];
    tmc_f32_binary_kernel binary[TMC_F32_BINARY_COUNT];
    tmc_f32_scale_shift_kernel scale_shift;
    tmc_f32_softmax_rows_kernel softmax_rows;
    tmc_f32_softmax_columns_kernel softmax_columns;
    tmc_f32_reduce_row_kernel reduce_row[TMC_F32_REDUCE_COUNT];
    tmc_f32_reduce_columns_kernel reduce_columns[TMC_F32_REDUCE_COUNT];
    tmc_f32_norm_columns_kernel norm_columns;
    tmc_f32_norm_row_kernel norm_row;
    tmc_f32_lrn_kernel lrn;
} tmc_f32_math_kernels;

void tmc_f32_math_select(tmc_isa isa, tmc_f32_math_kernels *kernels);

/* The value a reduction starts with. */
float tmc_f32_reduce_identity(int kind);
/* partial[j] = combine(partial[j], partial[j + h]) for j < h, h = 8, 4, 2, 1; partial[0] is the result. */
float tmc_f32_reduce_tree(int kind, float partial[16]);
/* The larger of two; NaN if either is; b of two zeros. The smaller likewise. */
float tmc_f32_max_nan(float a, float b);
float tmc_f32_min_nan(float a, float b);

/* x^y as C's pow (so 0^0 = 1, a negative x needs an integer y), error under 0.51 ulp. */
float tmc_f32_pow(float x, float y);

#endif
