/* What the quantised operators share. */
#ifndef TMC_CONVERT_ONNX_QUANTIZE_H
#define TMC_CONVERT_ONNX_QUANTIZE_H

#include "convert/onnx/lower.h"

typedef struct onnx_scale {
    uint32_t count; /* 1, or one for each channel */
    const float *scales;
    const void *zeros; /* as many integers, or NULL */
    uint8_t zero_type;
} onnx_scale;

/* Scales and zero points from constant inputs, checked; the data stay the graph's. E_QUANT, E_GRAPH. */
tmc_status onnx_read_scale(onnx_lower *lw, size_t scale, size_t zero, onnx_scale *out);
/* The quantisation of a computed tensor. */
tmc_status onnx_one_quantization(onnx_lower *lw, const onnx_scale *s, bool is_unsigned, tmc_quantization *out);
/* Input `index`, whose integers have the scale and zero point of two other inputs, as f32. */
tmc_status onnx_dequantized(onnx_lower *lw, size_t index, size_t scale, size_t zero, int64_t axis, ir_id *out);
#endif
