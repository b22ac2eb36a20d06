/* qs8_gemm on vectors: include after kernels/x86/qs8_vec.h with QS8_MR, QS8_NR and QS8_NAME defined. QS8_NR 32 is two
 * panels of 16. QS8_HEIGHTS: tmc_qs8_gemm_cut. */
#include "kernels/qs8_gemm_cut.h"

#define QS8_NV (QS8_NR / VEC_WIDTH)           /* vectors of a row */
#define QS8_WIDTH (QS8_NR > 16 ? 16 : QS8_NR) /* of a panel */
#define QS8_NV1 (QS8_WIDTH / VEC_WIDTH)
#define QS8_PER (QS8_NV > 4 ? 1 : 4 / QS8_NV) /* rows that are packed together */

/* Vector v of a row: of the first panel or the second. */
TMC_INLINE qvec load_column(const char *p, const char *p2, size_t v) {
    return v < QS8_NV1 ? q_load(p + v * sizeof(qvec)) : q_load(p2 + (v - QS8_NV1) * sizeof(qvec));
}

/* Steps of A for addresses of the form base + step * 1, 2 or 4: the compiler would keep one register for each row, and
 * spill them. */
typedef struct row_steps {
    ptrdiff_t one, three, five, six;
} row_steps;

TMC_INLINE row_steps row_steps_of(ptrdiff_t step) {
    row_steps s = {step, 3 * step, 5 * step, 6 * step};
    __asm__("" : "+r"(s.one), "+r"(s.three), "+r"(s.five), "+r"(s.six));
    return s;
}

/* Row r, where base[i] is row 6 * i. */
TMC_INLINE const char *row_at(const char *const base[3], size_t r, const row_steps *s) {
    const char *b = base[r / 6];
    switch (r % 6) {
    case 0: return b;
    case 1: return b + s->one;
    case 2: return b + 2 * s->one;
    case 3: return b + s->three;
    case 4: return b + 4 * s->one;
    default: return b + s->five;
    }
}

TMC_INLINE void run_height(const tmc_qs8_gemm_args *args, tmc_qs8_tiles *t, size_t height) {
    /* Copies: a store of int8 may change anything that has an address. */
    const char *const panel = args->panel, *const panel2 = QS8_NR > 16 ? args->panel2 : args->panel;
    const size_t kc = args->kc, next_step = args->next_step, taps_y = args->taps_y, taps_x = args->taps_x;
    const ptrdiff_t y_step = args->y_step, x_step = args->x_step, c_step = t->c_step;
    const row_steps steps = row_steps_of(t->a_step);
    q_limits limits = q_limits_of(args);
    const char *a_tile = t->a, *next = t->next;
    int8_t *c = t->c;
    for (size_t i = t->count; i > 0; i--) {
        qvec acc[QS8_MR][QS8_NV];
        QS8_UNROLL
        for (size_t v = 0; v < QS8_NV; v++) {
            const qvec bias = load_column(panel + QS8_VNNI * 4 * QS8_WIDTH, panel2 + QS8_VNNI * 4 * QS8_WIDTH, v);
            QS8_UNROLL
            for (size_t r = 0; r < height; r++) acc[r][v] = bias;
        }
        const char *w = panel + 12 * QS8_WIDTH, *w2 = panel2 + 12 * QS8_WIDTH;
        const char *a_y = a_tile;
        for (size_t y = taps_y; y > 0; y--, a_y += y_step) {
            const char *a_x = a_y;
            for (size_t x = taps_x; x > 0; x--, a_x += x_step) {
                const char *a[3] = {a_x, a_x + steps.six, a_x + 2 * steps.six};
                for (size_t k = kc; k > 0; k -= 4, w += 4 * QS8_WIDTH, w2 += 4 * QS8_WIDTH) {
                    TMC_PREFETCH(next);
                    next += next_step;
                    qvec wv[QS8_NV];
                    QS8_UNROLL
                    for (size_t v = 0; v < QS8_NV; v++) wv[v] = load_column(w, w2, v);
                    QS8_UNROLL
                    for (size_t r = 0; r < height; r++) {
                        const qvec in = q_broadcast(row_at(a, r, &steps));
                        QS8_UNROLL
                        for (size_t v = 0; v < QS8_NV; v++) acc[r][v] = q_dot(acc[r][v], in, wv[v]);
                    }
                    a[0] += 4, a[1] += 4, a[2] += 4;
                }
            }
        }

        if (QS8_MR * QS8_NV >= 24) limits = q_limits_of(args); /* no registers are left to keep them in */
        QS8_UNROLL
        for (size_t v = 0; v < QS8_NV; v++) {
            const qvecf m = q_floats(load_column(panel + 8 * QS8_WIDTH, panel2 + 8 * QS8_WIDTH, v));
            QS8_UNROLL
            for (size_t r = 0; r < height; r++) acc[r][v] = q_requantize(acc[r][v], m, limits.hi);
        }
        QS8_UNROLL
        for (size_t r = 0; r < height; r += QS8_PER) {
            qvec four[4];
            QS8_UNROLL
            for (size_t v = 0; v < 4; v++) {
                const size_t row = r + v / QS8_NV;
                four[v] = acc[row < height ? row : height - 1][v % QS8_NV];
            }
            q_store_rows(c + (ptrdiff_t)r * c_step, c_step, q_pack(four, &limits), QS8_PER,
                         height - r < QS8_PER ? height - r : QS8_PER);
        }
        a_tile += (ptrdiff_t)height * steps.one;
        c += (ptrdiff_t)height * c_step;
    }
    t->next = next;
}

#define QS8_HEIGHT(i) (QS8_HEIGHTS >> 8 * i & 255)

static void run_tiles(const tmc_qs8_gemm_args *args, tmc_qs8_tiles *t) {
#if QS8_HEIGHT(1)
    if (t->rows == QS8_HEIGHT(1))
        run_height(args, t, QS8_HEIGHT(1));
    else
#endif
#if QS8_HEIGHT(2)
        if (t->rows == QS8_HEIGHT(2))
        run_height(args, t, QS8_HEIGHT(2));
    else
#endif
#if QS8_HEIGHT(3)
        if (t->rows == QS8_HEIGHT(3))
        run_height(args, t, QS8_HEIGHT(3));
    else
#endif
        run_height(args, t, QS8_MR);
}

void QS8_NAME(const tmc_qs8_gemm_args *args) { tmc_qs8_gemm_cut(args, QS8_NR, QS8_HEIGHTS, run_tiles); }
