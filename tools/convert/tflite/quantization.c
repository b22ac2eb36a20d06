#include "convert/tflite/quantization.h"

#include <math.h>

#include "convert/memory.h"

/* The smallest and largest stored value; false where the type is never quantised. */
static bool stored_range(int32_t type, int64_t *lo, int64_t *hi) {
    switch (type) {
    case TFLITE_INT8: *lo = -128, *hi = 127; return true;
    case TFLITE_UINT8: *lo = 0, *hi = 255; return true;
    case TFLITE_INT16: *lo = -32768, *hi = 32767; return true;
    case TFLITE_INT4: *lo = -8, *hi = 7; return true;
    case TFLITE_UINT4: *lo = 0, *hi = 15; return true;
    case TFLITE_INT2: *lo = -2, *hi = 1; return true;
    case TFLITE_INT32:
    case TFLITE_INT64: *lo = *hi = 0; return true; /* biases: symmetric */
    default: return false;
    }
}

/* A bias' scale is a product of two and may be so small that it rounds to a subnormal or to 0; no other may. */
static bool scale_is_valid(int32_t type, float scale) {
    if (type == TFLITE_INT32 || type == TFLITE_INT64) return isfinite(scale) && scale >= 0;
    return isnormal(scale) && scale > 0;
}

static tmc_status check_counts(const fb_reader *reader, const tflite_tensor *tensor, uint32_t scales, uint32_t zeros,
                               int32_t dimension) {
    if (zeros && zeros != scales)
        return tmc_fail_field(reader->err, TMC_E_QUANT, "zero_point", "%u zero points for %u scales", zeros, scales);
    if (scales == 1) return TMC_OK;
    if (dimension < 0 || dimension >= tensor->rank)
        return tmc_fail_field(reader->err, TMC_E_QUANT, "quantized_dimension", "axis %d of a tensor of rank %d",
                              dimension, tensor->rank);
    if (scales != (uint32_t)tensor->dims[dimension])
        return tmc_fail_field(reader->err, TMC_E_QUANT, "scale", "%u scales for the %d channels of axis %d", scales,
                              tensor->dims[dimension], dimension);
    return TMC_OK;
}

static tmc_status check_values(const fb_reader *reader, const tflite_tensor *tensor, int64_t lo, int64_t hi) {
    const tflite_quantization *q = &tensor->quantization;
    for (uint32_t i = 0; i < q->count; i++) {
        if (!scale_is_valid(tensor->type, q->scale[i]))
            return tmc_fail_field(reader->err, TMC_E_QUANT, "scale",
                                  "scale %u is zero, negative, subnormal, infinite or NaN", i);
        if (q->zero_point[i] < lo || q->zero_point[i] > hi)
            return tmc_fail_field(reader->err, TMC_E_QUANT, "zero_point", "zero point %lld is outside %s",
                                  (long long)q->zero_point[i], tflite_type_name(tensor->type));
    }
    return TMC_OK;
}

tmc_status tflite_quantization_read(fb_reader *reader, const fb_table *table, tflite_tensor *tensor) {
    fb_vector scales, zeros;
    uint8_t details;
    int32_t dimension;
    int64_t lo, hi;
    if (!table->at) return TMC_OK;
    TMC_TRY(fb_vector_field(reader, table, QUANTIZATION_SCALE, 4, "scale", &scales));
    TMC_TRY(fb_vector_field(reader, table, QUANTIZATION_ZERO_POINT, 8, "zero_point", &zeros));
    TMC_TRY(fb_u8(reader, table, QUANTIZATION_DETAILS_TYPE, TFLITE_QUANTIZATION_NONE, &details));
    TMC_TRY(fb_i32(reader, table, QUANTIZATION_DIMENSION, 0, &dimension));
    if (!stored_range(tensor->type, &lo, &hi)) return TMC_OK;
    if (details != TFLITE_QUANTIZATION_NONE) {
        tensor->refusal = "only one scale, or one per channel, is supported";
        return TMC_OK;
    }
    if (!scales.count) return TMC_OK;
    TMC_TRY(check_counts(reader, tensor, scales.count, zeros.count, dimension));
    tflite_quantization *q = &tensor->quantization;
    *q = (tflite_quantization){scales.count, x_alloc_array(scales.count, sizeof *q->scale),
                               x_alloc_array(scales.count, sizeof *q->zero_point), scales.count == 1 ? 0 : dimension};
    for (uint32_t i = 0; i < scales.count; i++) {
        q->scale[i] = fb_vector_f32(reader, &scales, i);
        if (zeros.count) q->zero_point[i] = fb_vector_i64(reader, &zeros, i);
    }
    return check_values(reader, tensor, lo, hi);
}
