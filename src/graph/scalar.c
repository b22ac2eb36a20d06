#include "graph/scalar.h"

#include <math.h>
#include <string.h>

#include "tmcnn/tmcnn.h"

static bool put_integer(float value, float lo, float hi, int bytes, uint8_t *out) {
    if (!(value >= lo && value < hi) || value != floorf(value))
        return false; /* hi itself is not held: a power of two */
    int64_t integer = (int64_t)value;
    memcpy(out, &integer, (size_t)bytes); /* little-endian: the low bytes are the narrower two's complement number */
    return true;
}

static bool put_half(float value, uint8_t *out) {
    uint32_t sign = signbit(value) ? 0x8000u : 0u, half;
    float magnitude = fabsf(value);
    if (isinf(value)) {
        half = 0x7c00u;
    } else if (magnitude < 0x1p-14f) { /* zero and subnormals count in units of 2^-24 */
        float units = magnitude * 0x1p24f;
        if (units != floorf(units)) return false;
        half = (uint32_t)units;
    } else {
        uint32_t bits;
        memcpy(&bits, &magnitude, sizeof bits);
        if (magnitude > 65504.0f || (bits & 0x1fffu)) return false;
        half = (bits >> 13) - ((127u - 15u) << 10);
    }
    uint16_t word = (uint16_t)(sign | half);
    memcpy(out, &word, sizeof word);
    return true;
}

int8_t tmc_quantized(float x, const tmc_quantization *q) {
    float t = rintf(x / q->scale);
    if (t != t) return (int8_t)q->zero_point;
    const float lo = (float)(-128 - q->zero_point), hi = (float)(127 - q->zero_point);
    t = t < lo ? lo : t;
    t = t > hi ? hi : t;
    return (int8_t)((int32_t)t + q->zero_point);
}

bool tmc_scalar_for_tensor(const tmc_tensor_desc *desc, float value, uint8_t out[TMC_MAX_ELEMENT]) {
    if (!tmc_quantization_is_set(&desc->quantization)) return tmc_scalar_from_float(desc->dtype, value, out);
    if (isnan(value)) return false;
    const int8_t q = tmc_quantized(value, &desc->quantization);
    memcpy(out, &q, sizeof q);
    return true;
}

bool tmc_scalar_from_float(uint32_t dtype, float value, uint8_t out[TMC_MAX_ELEMENT]) {
    if (isnan(value)) return false;
    switch (dtype) {
    case TMC_F32: memcpy(out, &value, sizeof value); return true;
    case TMC_F16: return put_half(value, out);
    case TMC_I8: return put_integer(value, -0x1p7f, 0x1p7f, 1, out);
    case TMC_U8: return put_integer(value, 0.0f, 0x1p8f, 1, out);
    case TMC_I32: return put_integer(value, -0x1p31f, 0x1p31f, 4, out);
    case TMC_I64: return put_integer(value, -0x1p63f, 0x1p63f, 8, out);
    case TMC_BOOL: return put_integer(value, 0.0f, 2.0f, 1, out);
    default: return false;
    }
}
