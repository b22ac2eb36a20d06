/* add and mul of qs8_math.h on wide vectors: QM_WIDE elements, QM_PARTS vectors of floats. Define first
 * QM_SYMBOL(name), QM_NARROW(name), the kernel for rows shorter than a vector or NULL, and the operations of
 * x86/qs8_binary_vec.h or arm/qs8_math_vec.h. */
#include <string.h>

#include "base/checked.h"
#include "kernels/qs8_math_list.h"

/* Up to here no result leaves int32, so that the bounds can wait until there are bytes. */
#define MOST_MULTIPLIER 16384.0f

typedef struct {
    qm_center a, b;
    float a_multiplier, b_multiplier;
    qm_limits limits;
} factors;

/* Two rounded products and a rounded sum. */
TMC_INLINE qm_wide add_wide(const factors *f, const int8_t *a, const int8_t *b) {
    qm_floats x[QM_PARTS], y[QM_PARTS];
    qm_widen_less(x, a, f->a);
    qm_widen_less(y, b, f->b);
    TMC_UNROLL
    for (size_t i = 0; i < QM_PARTS; i++)
        x[i] =
            QM(add_ps)(QM(mul_ps)(x[i], QM(set1_ps)(f->a_multiplier)), QM(mul_ps)(y[i], QM(set1_ps)(f->b_multiplier)));
    return qm_narrow(x, &f->limits);
}

/* The product of two integers of 9 bits is exact in float. */
TMC_INLINE qm_wide mul_wide(const factors *f, const int8_t *a, const int8_t *b) {
    qm_floats x[QM_PARTS], y[QM_PARTS];
    qm_widen_less(x, a, f->a);
    qm_widen_less(y, b, f->b);
    TMC_UNROLL
    for (size_t i = 0; i < QM_PARTS; i++) x[i] = QM(mul_ps)(QM(mul_ps)(x[i], y[i]), QM(set1_ps)(f->a_multiplier));
    return qm_narrow(x, &f->limits);
}

/* The last vector of a row reaches back. It is made before the first one is stored: y may be an input. */
TMC_INLINE void binary(const tmc_qs8_binary_args *arguments, tmc_qs8_binary_fn portable, tmc_qs8_binary_fn narrow,
                       qm_wide (*wide)(const factors *, const int8_t *, const int8_t *)) {
    const tmc_qs8_binary_args g = *arguments;
    if (!(g.a_multiplier <= MOST_MULTIPLIER && g.b_multiplier <= MOST_MULTIPLIER &&
          g.b_multiplier >= -MOST_MULTIPLIER)) {
        portable(arguments);
        return;
    }
    if (narrow && g.cols < QM_WIDE) {
        narrow(arguments);
        return;
    }
    const factors f = {qm_center_of(g.a_zero), qm_center_of(g.b_zero), g.a_multiplier, g.b_multiplier,
                       qm_limits_of(g.lo, g.hi, g.zero_point)};
    int8_t a_part[QM_WIDE] = {0}, b_part[QM_WIDE] = {0}, out[QM_WIDE];
    for (size_t r = 0; r < g.rows; r++) {
        const int8_t *a = g.a + r * g.a_row, *b = g.b + r * g.b_row;
        int8_t *y = g.y + r * g.y_row;
        const size_t a_col = g.a_col != 0, b_col = g.b_col != 0;
        if (!a_col) memset(a_part, *a, sizeof a_part), a = a_part;
        if (!b_col) memset(b_part, *b, sizeof b_part), b = b_part;
        if (g.cols < QM_WIDE) {
            if (a_col) memcpy(a_part, a, g.cols);
            if (b_col) memcpy(b_part, b, g.cols);
            qm_wide_store(out, wide(&f, a_part, b_part));
            memcpy(y, out, g.cols);
            continue;
        }
        const size_t last = g.cols - QM_WIDE;
        const qm_wide end = wide(&f, a + a_col * last, b + b_col * last);
        for (size_t c = 0; c < last; c += QM_WIDE) qm_wide_store(y + c, wide(&f, a + a_col * c, b + b_col * c));
        qm_wide_store(y + last, end);
    }
}

void QM_SYMBOL(add)(const tmc_qs8_binary_args *args) { binary(args, tmc_qs8_add__ref, QM_NARROW(add), add_wide); }

void QM_SYMBOL(mul)(const tmc_qs8_binary_args *args) { binary(args, tmc_qs8_mul__ref, QM_NARROW(mul), mul_wide); }
