/* The kernels of qs8_math.h on blocks of 16 elements: QM_VECTORS vectors of int32. Define first QM_SYMBOL(name) and the
 * operations of x86/qs8_math_vec.h or arm/qs8_math_vec.h. What is less than a block goes through one on the stack: y
 * may be x, so that a block may not be done twice. */
#include <string.h>

#include "base/checked.h"
#include "kernels/qs8_math_list.h"

/* Less than a block, without a call. */
TMC_INLINE void copy_bytes(int8_t *to, const int8_t *from, size_t count) {
    for (; count >= 4; count -= 4, to += 4, from += 4) memcpy(to, from, 4);
    for (size_t n = 0; n < count; n++) to[n] = from[n];
}

void QM_SYMBOL(quantize)(size_t n, const float *x, int8_t *y, float scale, int32_t zero_point) {
    const qm_end end = qm_end_of((float)(-128 - zero_point), (float)(127 - zero_point), zero_point);
    const qm_floats divisor = QM(set1_ps)(scale);
    float in[QM_BLOCK] = {0};
    int8_t out[QM_BLOCK];
    for (; n;) {
        const size_t count = tmc_min_size(n, QM_BLOCK);
        const float *from = x;
        if (count < QM_BLOCK) {
            for (size_t i = 0; i < count; i++) in[i] = x[i];
            from = in;
        }
        qm_floats v[QM_VECTORS];
        TMC_UNROLL
        for (size_t i = 0; i < QM_VECTORS; i++) {
            const qm_floats t = QM(div_ps)(QM(loadu_ps)(from + i * QM_LANES), divisor);
            v[i] = qm_zero_nan(t);
        }
        qm_store(count < QM_BLOCK ? out : y, v, &end);
        if (count < QM_BLOCK) copy_bytes(y, out, count);
        n -= count, x += count, y += count;
    }
}

void QM_SYMBOL(dequantize)(size_t n, const int8_t *x, float *y, float scale, int32_t zero_point) {
    const qm_floats factor = QM(set1_ps)(scale);
    size_t i = 0;
    for (; i + QM_LANES <= n; i += QM_LANES) QM(storeu_ps)(y + i, QM(mul_ps)(qm_floats_of(x + i, zero_point), factor));
    for (; i < n; i++) y[i] = (float)(x[i] - zero_point) * scale;
}

/* ---------------------------------------------------------------------------------------------------------- pools */

/* One pixel, 16 channels at `a`. */
TMC_INLINE void average_block(const tmc_qs8_pool_args *g, const int8_t *a, int8_t *c, const qm_end *end) {
    qm_ints sums[QM_VECTORS];
    qm_floats v[QM_VECTORS];
    const int32_t start = -(int32_t)((uint32_t)(g->taps_y * g->taps_x) * (uint32_t)g->a_zero);
    TMC_UNROLL
    for (size_t i = 0; i < QM_VECTORS; i++) sums[i] = QM(set1_epi32)(start);
    for (size_t y = 0; y < g->taps_y; y++)
        for (size_t x = 0; x < g->taps_x; x++) {
            TMC_UNROLL
            for (size_t i = 0; i < QM_VECTORS; i++)
                sums[i] = QM(add_epi32)(sums[i], qm_ints_of(a + y * g->y_step + x * g->x_step + i * QM_LANES));
        }
    TMC_UNROLL
    for (size_t i = 0; i < QM_VECTORS; i++) v[i] = QM(mul_ps)(QM(cvtepi32_ps)(sums[i]), QM(set1_ps)(g->multiplier));
    qm_store(c, v, end);
}

/* The last block reaches back over channels that are done: once more the same values. */
void QM_SYMBOL(average_pool)(const tmc_qs8_pool_args *args) {
    const tmc_qs8_pool_args g = *args;
    if (g.channels < QM_BLOCK) {
        tmc_qs8_average_pool__ref(args);
        return;
    }
    const qm_end end = qm_end_of((float)(-128 - g.zero_point), (float)(127 - g.zero_point), g.zero_point);
    for (size_t p = 0; p < g.pixels; p++)
        for (size_t i = 0; i < g.channels; i += QM_BLOCK) {
            if (i + QM_BLOCK > g.channels) i = g.channels - QM_BLOCK;
            average_block(&g, g.a + p * g.a_step + i, g.c + p * g.c_step + i, &end);
        }
}

/* One pixel, QM_BLOCK channels or `count` wide vectors of them. */
TMC_INLINE void max_block(const tmc_qs8_pool_args *g, const int8_t *a, int8_t *c) {
    qm_bytes most = qm_bytes_lowest();
    for (size_t y = 0; y < g->taps_y; y++)
        for (size_t x = 0; x < g->taps_x; x++)
            most = qm_bytes_max(most, qm_bytes_load(a + y * g->y_step + x * g->x_step));
    qm_bytes_store(c, most);
}

TMC_INLINE void max_wide(const tmc_qs8_pool_args *g, const int8_t *a, int8_t *c, size_t count) {
    qm_wide most = qm_wide_load(a), most2 = qm_wide_load(a + (count - 1) * QM_WIDE);
    for (size_t y = 0; y < g->taps_y; y++)
        for (size_t x = 0; x < g->taps_x; x++) {
            const int8_t *tap = a + y * g->y_step + x * g->x_step;
            most = qm_wide_max(most, qm_wide_load(tap));
            if (count > 1) most2 = qm_wide_max(most2, qm_wide_load(tap + QM_WIDE));
        }
    qm_wide_store(c, most);
    if (count > 1) qm_wide_store(c + QM_WIDE, most2);
}

void QM_SYMBOL(max_pool)(const tmc_qs8_pool_args *args) {
    const tmc_qs8_pool_args g = *args;
    if (g.channels < QM_BLOCK) {
        tmc_qs8_max_pool__ref(args);
        return;
    }
    for (size_t p = 0; p < g.pixels; p++) {
        const int8_t *a = g.a + p * g.a_step;
        int8_t *c = g.c + p * g.c_step;
        size_t i = 0;
        for (; i + 2 * QM_WIDE <= g.channels; i += 2 * QM_WIDE) max_wide(&g, a + i, c + i, 2);
        if (QM_WIDE > QM_BLOCK && i + QM_WIDE <= g.channels) {
            max_wide(&g, a + i, c + i, 1);
            i += QM_WIDE;
        }
        for (; i < g.channels; i += QM_BLOCK) {
            if (i + QM_BLOCK > g.channels) i = g.channels - QM_BLOCK;
            max_block(&g, a + i, c + i);
        }
    }
}

/* ---------------------------------------------------------------------------------------------------------- table */

void QM_SYMBOL(table)(size_t n, const int8_t *x, int8_t *y, const int8_t table[256]) {
    for (; n >= QM_LOOKUP; n -= QM_LOOKUP, x += QM_LOOKUP, y += QM_LOOKUP) qm_lookup(y, x, table);
    for (size_t i = 0; i < n; i++) y[i] = table[x[i] + 128];
}
