#include <math.h>

#include "kernels/f32_math_ref.h"

void tmc_f32_lrn__ref(size_t rows, size_t channels, const float *x, float *y, size_t size, float alpha, float beta,
                      float bias) {
    const float factor = alpha / (float)size;
    const size_t before = (size - 1) / 2, after = size - 1 - before;
    for (size_t r = 0; r < rows; r++, x += channels, y += channels) {
        for (size_t c = 0; c < channels; c++) {
            size_t begin = c < before ? 0 : c - before;
            size_t end = after < channels - c ? c + after + 1 : channels;
            float sum = 0.0f;
            for (size_t k = begin; k < end; k++) sum = fmaf(x[k], x[k], sum);
            y[c] = x[c] / tmc_f32_pow(fmaf(factor, sum, bias), beta);
        }
    }
}
