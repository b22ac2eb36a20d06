#include "io/quantized.h"

#include <math.h>

bool io_is_quantized(const tmc_tensor_info *info) { return info->dtype == TMC_I8 && info->scale != 0.0f; }

tmc_tensor_info io_real_info(const tmc_tensor_info *info) {
    tmc_tensor_info real = *info;
    real.dtype = TMC_F32;
    real.bytes *= sizeof(float);
    real.scale = 0.0f;
    real.zero_point = 0;
    return real;
}

void io_quantize(const tmc_tensor_info *info, const float *real, int8_t *numbers) {
    for (size_t i = 0; i < info->bytes; i++) {
        const float q =
            isnan(real[i]) ? (float)info->zero_point : rintf(real[i] / info->scale) + (float)info->zero_point;
        numbers[i] = (int8_t)fminf(fmaxf(q, -128.0f), 127.0f);
    }
}

void io_dequantize(const tmc_tensor_info *info, const int8_t *numbers, float *real) {
    for (size_t i = 0; i < info->bytes; i++) real[i] = (float)(numbers[i] - info->zero_point) * info->scale;
}
