#include "format/packing.h"

size_t tmc_panels_floats(size_t total_n, size_t k) { return tmc_panel_columns_up(total_n) * (k + 1); }

static void pack_panel(float *dst, size_t width, const float *w, size_t columns, size_t k, size_t n_stride,
                       size_t k_stride, const float *bias) {
    for (size_t n = 0; n < width; n++) dst[n] = bias && n < columns ? bias[n] : 0.0f;
    for (size_t i = 0; i < k; i++) {
        dst += width;
        for (size_t n = 0; n < width; n++) dst[n] = n < columns ? w[n * n_stride + i * k_stride] : 0.0f;
    }
}

void tmc_pack_panels(float *dst, const float *w, size_t n, size_t k, size_t n_stride, size_t k_stride,
                     const float *bias) {
    for (size_t start = 0; start < n;) {
        size_t width = tmc_panel_width(n, start);
        size_t columns = n - start < width ? n - start : width;
        pack_panel(dst + tmc_panel_offset(start, k), width, w + start * n_stride, columns, k, n_stride, k_stride,
                   bias ? bias + start : NULL);
        start += width;
    }
}

tmc_phase tmc_phase_of(size_t kernel, size_t stride, size_t dilation, size_t residue) {
    dilation %= stride; /* keeps the products below within 32 bits for the strides that inference lets pass */
    size_t a = stride, b = dilation;
    while (b) {
        size_t rest = a % b;
        a = b;
        b = rest;
    }
    tmc_phase phase = {0, stride / a, 0}; /* residues repeat after stride / gcd(stride, dilation) taps */
    while (phase.first < phase.step && phase.first < kernel && phase.first * dilation % stride != residue)
        phase.first++;
    if (phase.first < phase.step && phase.first < kernel) phase.count = (kernel - phase.first - 1) / phase.step + 1;
    return phase;
}

static size_t kernel_taps(const tmc_pack_shape *s) { return s->kernel[0] * s->kernel[1] * s->kernel[2]; }

/* Every tap of the kernel belongs to exactly one phase. */
static uint64_t group_floats(const tmc_pack_shape *s) {
    uint64_t rows = (uint64_t)s->channels * kernel_taps(s) + (uint64_t)s->stride[0] * s->stride[1] * s->stride[2];
    return tmc_panel_columns_up(s->columns) * rows;
}

uint64_t tmc_pack_group_floats(const tmc_pack_shape *s) { return (group_floats(s) + 15) & ~(uint64_t)15; }

uint64_t tmc_pack_floats(const tmc_pack_shape *s) {
    return tmc_pack_group_floats(s) * (s->groups - 1) + group_floats(s);
}

/* One row of a panel: weights of one k for the columns that exist, zeros for the others. */
static float *pack_row(float *dst, size_t width, size_t columns, const float *w, size_t n_stride) {
    for (size_t n = 0; n < width; n++) dst[n] = n < columns ? w[n * n_stride] : 0.0f;
    return dst + width;
}

/* The rows of one phase; `w` is the first column's kernel. */
static void pack_phase(float *dst, const tmc_pack_shape *s, const tmc_phase axis[3], size_t width, size_t columns,
                       const float *w) {
    const size_t n_stride = kernel_taps(s) * s->channels;
    for (size_t z = 0; z < axis[0].count; z++)
        for (size_t y = 0; y < axis[1].count; y++)
            for (size_t x = 0; x < axis[2].count; x++) {
                const size_t tap =
                    ((axis[0].first + z * axis[0].step) * s->kernel[1] + axis[1].first + y * axis[1].step) *
                        s->kernel[2] +
                    axis[2].first + x * axis[2].step;
                for (size_t c = 0; c < s->channels; c++)
                    dst = pack_row(dst, width, columns, w + tap * s->channels + c, n_stride);
            }
}

void tmc_pack_weights_part(float *dst, const tmc_pack_shape *s, size_t group, size_t column, const float *w,
                           const float *bias) {
    const size_t width = tmc_panel_width(s->columns, column);
    const size_t columns = s->columns - column < width ? s->columns - column : width;
    const size_t first = group * s->columns + column;
    w += first * kernel_taps(s) * s->channels;
    dst += group * (size_t)tmc_pack_group_floats(s);
    tmc_phase axis[3];
    for (size_t rz = 0; rz < s->stride[0]; rz++) {
        axis[0] = tmc_phase_of(s->kernel[0], s->stride[0], s->dilation[0], rz);
        for (size_t ry = 0; ry < s->stride[1]; ry++) {
            axis[1] = tmc_phase_of(s->kernel[1], s->stride[1], s->dilation[1], ry);
            for (size_t rx = 0; rx < s->stride[2]; rx++) {
                axis[2] = tmc_phase_of(s->kernel[2], s->stride[2], s->dilation[2], rx);
                const size_t k = axis[0].count * axis[1].count * axis[2].count * s->channels;
                float *panel = dst + tmc_panel_offset(column, k);
                for (size_t n = 0; n < width; n++) panel[n] = bias && n < columns ? bias[first + n] : 0.0f;
                pack_phase(panel + width, s, axis, width, columns, w);
                dst += tmc_panels_floats(s->columns, k);
            }
        }
    }
}

void tmc_pack_weights(float *dst, const tmc_pack_shape *s, const float *w, const float *bias) {
    const size_t stride = (size_t)tmc_pack_group_floats(s), used = (size_t)group_floats(s);
    for (size_t group = 0; group < s->groups; group++) {
        for (size_t column = 0; column < s->columns; column += tmc_panel_width(s->columns, column))
            tmc_pack_weights_part(dst, s, group, column, w, bias);
        if (group + 1 < s->groups)
            for (size_t i = used; i < stride; i++) dst[group * stride + i] = 0.0f;
    }
}

void tmc_pack_depthwise(float *dst, const float *w, size_t channels, size_t taps, const float *bias) {
    const size_t width = TMC_DEPTHWISE_WIDTH, real = channels < width ? channels : width;
    for (size_t n = 0; n < channels; n += width, dst += width * (1 + taps)) {
        const size_t channel = tmc_depthwise_channel(channels, n);
        pack_panel(dst, width, w + channel, real, taps, 1, channels, bias ? bias + channel : NULL);
    }
}
