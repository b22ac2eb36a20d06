/* winograd on vectors: include after kernels/vec/vec_<isa>.h with WINOGRAD_M (2 or 4) defined. The instance over
 * vec_ref.h is the specification: every addition, multiplication and fma below is one rounding, in this order. */
#include <stdbool.h>

#include "kernels/f32_unroll.h"
#include "kernels/f32_winograd_list.h"

#define ALPHA (WINOGRAD_M + 2)

#if VEC_WIDTH > 1
#define WINOGRAD_AXIS TMC_INLINE
#else
#define WINOGRAD_AXIS static /* portable C calls fmaf anyway: no copy for each use */
#endif

#if WINOGRAD_M == 2

/* Interpolation at 0, 1, -1 and infinity: pixels and products have only additions. */
#define G0 (-1.0f)
static const float points[][3] = {{0.5f, 0.5f, 0.5f}};

WINOGRAD_AXIS void input_axis(const vecf d[ALPHA], vecf v[ALPHA]) {
    v[0] = vec_sub(d[2], d[0]);
    v[1] = vec_add(d[1], d[2]);
    v[2] = vec_sub(d[2], d[1]);
    v[3] = vec_sub(d[3], d[1]);
}

WINOGRAD_AXIS void output_axis(const vecf m[ALPHA], bool last, vecf bias, vecf y[WINOGRAD_M]) {
    y[0] = vec_add(vec_add(m[0], m[1]), m[2]);
    y[1] = vec_add(vec_sub(m[1], m[2]), m[3]);
    if (last) y[0] = vec_add(y[0], bias), y[1] = vec_add(y[1], bias);
}

#else

/* Interpolation at 0, P, -P, Q, -Q and infinity. These points have less than half the rounding error of 1 and 2
 * (docs/decisions/0008-winograd.md), and all products of them below are exact in f32. */
#define P 0.6875f
#define Q 1.5f

/* Rows of G, rounded: (G0, 0, 0) of the point 0, (1, +-s, s^2) / divisor of the points s = P and Q. */
#define G0 0x1.e1709ap-1f
static const float points[][3] = {{-0x1.30bc4ep-1f, -0x1.a302eap-2f, -0x1.201202p-2f},
                                  {0x1.001002p-3f, 0x1.801802p-3f, 0x1.201202p-2f}};

WINOGRAD_AXIS void input_axis(const vecf d[ALPHA], vecf v[ALPHA]) {
    const vecf p = vec_set(P), q = vec_set(Q), pp = vec_set(-P * P), qq = vec_set(-Q * Q);
    const vecf sum = vec_set(-P * P - Q * Q), product = vec_set(P * P * Q * Q);
    const vecf even_q = vec_fma(d[2], qq, d[4]), odd_q = vec_fma(d[1], qq, d[3]);
    const vecf even_p = vec_fma(d[2], pp, d[4]), odd_p = vec_fma(d[1], pp, d[3]);
    v[0] = vec_fma(d[0], product, vec_fma(d[2], sum, d[4]));
    v[1] = vec_fma(odd_q, p, even_q);
    v[2] = vec_fma(odd_q, vec_set(-P), even_q);
    v[3] = vec_fma(odd_p, q, even_p);
    v[4] = vec_fma(odd_p, vec_set(-Q), even_p);
    v[5] = vec_fma(d[1], product, vec_fma(d[3], sum, d[5]));
}

WINOGRAD_AXIS void output_axis(const vecf m[ALPHA], bool last, vecf bias, vecf y[WINOGRAD_M]) {
    const vecf even_p = vec_add(m[1], m[2]), odd_p = vec_sub(m[1], m[2]);
    const vecf even_q = vec_add(m[3], m[4]), odd_q = vec_sub(m[3], m[4]);
    const vecf p = vec_set(P), pp = vec_set(P * P), ppp = vec_set(P * P * P);
    y[0] = vec_add(vec_add(m[0], even_p), even_q);
    if (last) y[0] = vec_add(y[0], bias);
    y[1] = vec_fma(odd_q, vec_set(Q), last ? vec_fma(odd_p, p, bias) : vec_mul(odd_p, p));
    y[2] = vec_fma(even_q, vec_set(Q * Q), last ? vec_fma(even_p, pp, bias) : vec_mul(even_p, pp));
    y[3] = vec_fma(odd_q, vec_set(Q * Q * Q), vec_fma(odd_p, ppp, last ? vec_add(m[5], bias) : m[5]));
}

#endif

/* Channels [i, i + VEC_WIDTH). */
TMC_INLINE void input_block(const float *const *a, size_t i, float *v, size_t stride) {
    vecf t[ALPHA][ALPHA];
    for (size_t y = 0; y < ALPHA; y++, a += ALPHA) {
        vecf d[ALPHA];
        TMC_UNROLL
        for (size_t x = 0; x < ALPHA; x++) d[x] = vec_load(a[x] + i);
        input_axis(d, t[y]);
    }
    v += i;
    for (size_t x = 0; x < ALPHA; x++, v += stride) {
        vecf d[ALPHA], out[ALPHA];
        TMC_UNROLL
        for (size_t y = 0; y < ALPHA; y++) d[y] = t[y][x];
        input_axis(d, out);
        TMC_UNROLL
        for (size_t y = 0; y < ALPHA; y++) vec_store(v + y * ALPHA * stride, out[y]);
    }
}

/* One axis at the points +s and -s, of which `row` is the row of G. */
WINOGRAD_AXIS void weights_pair(vecf g0, vecf g1, vecf g2, const float row[3], vecf *plus, vecf *minus) {
    const vecf even = vec_fma(g2, vec_set(row[2]), vec_mul(g0, vec_set(row[0]))), odd = vec_mul(g1, vec_set(row[1]));
    *plus = vec_add(even, odd);
    *minus = vec_sub(even, odd);
}

/* The positions of one y. */
WINOGRAD_AXIS void weights_row(vecf t0, vecf t1, vecf t2, float *u, size_t stride) {
    vec_store(u, vec_mul(t0, vec_set(G0)));
    TMC_UNROLL
    for (size_t s = 0; s < WINOGRAD_M / 2; s++) {
        vecf plus, minus;
        weights_pair(t0, t1, t2, points[s], &plus, &minus);
        vec_store(u + (1 + 2 * s) * stride, plus);
        vec_store(u + (2 + 2 * s) * stride, minus);
    }
    vec_store(u + (ALPHA - 1) * stride, t2);
}

/* Taps `width` apart. A y after the other, with the taps loaded again: so nothing else needs a register. */
TMC_INLINE void weights_block(const float *g, size_t width, float *u, size_t stride) {
    const vecf g0 = vec_set(G0);
    weights_row(vec_mul(vec_load(g), g0), vec_mul(vec_load(g + width), g0), vec_mul(vec_load(g + 2 * width), g0), u,
                stride);
    TMC_UNROLL
    for (size_t s = 0; s < WINOGRAD_M / 2; s++) {
        vecf plus[3], minus[3];
        TMC_UNROLL
        for (size_t x = 0; x < 3; x++)
            weights_pair(vec_load(g + x * width), vec_load(g + (3 + x) * width), vec_load(g + (6 + x) * width),
                         points[s], &plus[x], &minus[x]);
        u += ALPHA * stride;
        weights_row(plus[0], plus[1], plus[2], u, stride);
        u += ALPHA * stride;
        weights_row(minus[0], minus[1], minus[2], u, stride);
    }
    weights_row(vec_load(g + 6 * width), vec_load(g + 7 * width), vec_load(g + 8 * width), u + ALPHA * stride, stride);
}

/* Columns [n, n + VEC_WIDTH). */
TMC_INLINE void output_block(const tmc_f32_winograd_output_args *args, size_t n) {
    vecf t[ALPHA][WINOGRAD_M];
    const size_t m_stride = args->m_stride, rows = args->rows, row_stride = args->row_stride;
    const float *m = args->m + n;
    for (size_t y = 0; y < ALPHA; y++) {
        vecf d[ALPHA];
        TMC_UNROLL
        for (size_t x = 0; x < ALPHA; x++, m += m_stride) d[x] = vec_load(m);
        output_axis(d, false, d[0], t[y]);
    }
    const vecf bias = vec_load(args->bias + n), lo = vec_set(args->lo), hi = vec_set(args->hi);
    float *column = args->c + n;
    for (size_t x = 0; x < args->pixels; x++, column += args->pixel_stride) {
        vecf d[ALPHA], out[WINOGRAD_M];
        TMC_UNROLL
        for (size_t y = 0; y < ALPHA; y++) d[y] = t[y][x];
        output_axis(d, true, bias, out);
        float *c = column;
        TMC_UNROLL
        for (size_t y = 0; y < WINOGRAD_M; y++, c += row_stride) {
            if (y >= rows) break;
            vec_store(c, vec_min(hi, vec_max(lo, out[y])));
        }
    }
}

/* The last block may overlap the one before it and makes the same numbers again: no masked copy of all the code. */
TMC_NOINLINE void input_blocks(const tmc_f32_winograd_input_args *args) {
    const size_t last = args->channels - VEC_WIDTH;
    for (size_t i = 0;; i = i + VEC_WIDTH < last ? i + VEC_WIDTH : last) {
        input_block(args->a, i, args->v, args->v_stride);
        if (i == last) break;
    }
}

TMC_NOINLINE void weights_blocks(const tmc_f32_winograd_weights_args *args) {
    const size_t width = args->width;
    const float *g = args->g;
    float *u = args->u;
    for (size_t i = args->channels; i > 0; i--, g += 8 * width)
        for (size_t n = 0; n < width; n += VEC_WIDTH, g += VEC_WIDTH, u += VEC_WIDTH)
            weights_block(g, width, u, args->u_stride);
}

TMC_NOINLINE void output_blocks(const tmc_f32_winograd_output_args *args) {
    const size_t last = args->columns - VEC_WIDTH;
    for (size_t n = 0;; n = n + VEC_WIDTH < last ? n + VEC_WIDTH : last) {
        output_block(args, n);
        if (n == last) break;
    }
}

#if VEC_WIDTH > 1

/* `count` floats of each row. */
TMC_NOINLINE void copy_rows(float *to, size_t to_stride, const float *from, size_t from_stride, size_t rows,
                            size_t count) {
    for (; rows--; to += to_stride, from += from_stride)
        for (size_t i = 0; i < count; i++) to[i] = from[i];
}

/* Less than one vector goes through the stack: no layer worth this algorithm has so few channels. */
TMC_NOINLINE void input_head(const tmc_f32_winograd_input_args *args) {
    float pixels[ALPHA * ALPHA][VEC_WIDTH] = {{0}}, positions[ALPHA * ALPHA][VEC_WIDTH];
    const float *a[ALPHA * ALPHA];
    for (size_t i = 0; i < ALPHA * ALPHA; i++) {
        copy_rows(pixels[i], 0, args->a[i], 0, 1, args->channels);
        a[i] = pixels[i];
    }
    input_blocks(&(tmc_f32_winograd_input_args){VEC_WIDTH, a, positions[0], VEC_WIDTH});
    copy_rows(args->v, args->v_stride, positions[0], VEC_WIDTH, ALPHA * ALPHA, args->channels);
}

#if VEC_WIDTH > 4
TMC_NOINLINE void weights_head(const tmc_f32_winograd_weights_args *args) {
    const size_t width = args->width;
    float taps[9][VEC_WIDTH] = {{0}}, positions[ALPHA * ALPHA][VEC_WIDTH];
    for (size_t i = 0; i < args->channels; i++) {
        copy_rows(taps[0], VEC_WIDTH, args->g + i * 9 * width, width, 9, width);
        weights_blocks(&(tmc_f32_winograd_weights_args){1, VEC_WIDTH, taps[0], positions[0], VEC_WIDTH});
        copy_rows(args->u + i * width, args->u_stride, positions[0], VEC_WIDTH, ALPHA * ALPHA, width);
    }
}
#endif

TMC_NOINLINE void output_head(const tmc_f32_winograd_output_args *args) {
    float products[ALPHA * ALPHA][VEC_WIDTH] = {{0}}, bias[VEC_WIDTH] = {0}, tile[WINOGRAD_M][WINOGRAD_M][VEC_WIDTH];
    tmc_f32_winograd_output_args whole = *args;
    copy_rows(products[0], VEC_WIDTH, args->m, args->m_stride, ALPHA * ALPHA, args->columns);
    copy_rows(bias, 0, args->bias, 0, 1, args->columns);
    whole.columns = whole.m_stride = whole.pixel_stride = VEC_WIDTH;
    whole.row_stride = WINOGRAD_M * VEC_WIDTH;
    whole.m = products[0], whole.bias = bias, whole.c = tile[0][0];
    output_blocks(&whole);
    for (size_t y = 0; y < args->rows; y++)
        copy_rows(args->c + y * args->row_stride, args->pixel_stride, tile[y][0], VEC_WIDTH, args->pixels,
                  args->columns);
}

#else
#define input_head input_blocks
#define output_head output_blocks
#endif

#if WINOGRAD_M == 2
#define WINOGRAD_NAME(part) VEC_SYMBOL(f32_winograd_2x2_##part)
#else
#define WINOGRAD_NAME(part) VEC_SYMBOL(f32_winograd_4x4_##part)
#endif

void WINOGRAD_NAME(input)(const tmc_f32_winograd_input_args *args) {
    if (args->channels < VEC_WIDTH)
        input_head(args);
    else
        input_blocks(args);
}

void WINOGRAD_NAME(weights)(const tmc_f32_winograd_weights_args *args) {
#if VEC_WIDTH > 4
    if (args->width < VEC_WIDTH) {
        weights_head(args);
        return;
    }
#endif
    weights_blocks(args);
}

void WINOGRAD_NAME(output)(const tmc_f32_winograd_output_args *args) {
    if (args->columns < VEC_WIDTH)
        output_head(args);
    else
        output_blocks(args);
}
