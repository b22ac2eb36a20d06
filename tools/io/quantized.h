/* Real numbers to and from quantised inputs and outputs, as the operators quantize and dequantize do it. */
#ifndef TMC_TOOLS_QUANTIZED_H
#define TMC_TOOLS_QUANTIZED_H

#include <stdbool.h>

#include "tmcnn/tmcnn.h"

bool io_is_quantized(const tmc_tensor_info *info);

/* The tensor with f32 elements. */
tmc_tensor_info io_real_info(const tmc_tensor_info *info);

/* info->bytes numbers of a quantised tensor. */
void io_quantize(const tmc_tensor_info *info, const float *real, int8_t *numbers);
void io_dequantize(const tmc_tensor_info *info, const int8_t *numbers, float *real);

#endif
