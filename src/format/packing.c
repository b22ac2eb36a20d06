#include "format/packing.h"

size_t tmc_panels_floats(size_t total_n, size_t k) {
    size_t columns = 0;
    while (columns < total_n) columns += tmc_panel_width(total_n, columns);
    return columns * (k + 1);
}

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
