#include "format/selftest.h"

#include "tmcnn/tmcnn.h"

/* "lowbias32" of the hash prospector: a bijection with avalanche bias 0.17, so neighbouring indices look unrelated. */
static uint32_t mix(uint32_t h) {
    h = (h ^ h >> 16) * 0x7FEB352Du;
    h = (h ^ h >> 15) * 0x846CA68Bu;
    return h ^ h >> 16;
}

void tmc_selftest_fill_quantized(uint32_t seed, int8_t *data, size_t elements) {
    const uint32_t base = seed * 0x9E3779B9u;
    for (size_t i = 0; i < elements; i++) ((uint8_t *)data)[i] = (uint8_t)(mix(base + (uint32_t)i) >> 24);
}

void tmc_selftest_fill(uint32_t seed, uint32_t dtype, void *data, size_t elements) {
    const uint32_t base = seed * 0x9E3779B9u;
    for (size_t i = 0; i < elements; i++) {
        const uint32_t h = mix(base + (uint32_t)i);
        const uint32_t bit = h >> 31;
        switch (dtype) {
        case TMC_F32: ((float *)data)[i] = (float)((int32_t)(h >> 8) - (1 << 23)) * 0x1p-23f; break;
        case TMC_F16: ((uint16_t *)data)[i] = bit ? 0x3C00 : 0; break;
        case TMC_I32: ((int32_t *)data)[i] = (int32_t)bit; break;
        case TMC_I64: ((int64_t *)data)[i] = (int64_t)bit; break;
        case TMC_I8:
        case TMC_U8:
        case TMC_BOOL: ((uint8_t *)data)[i] = (uint8_t)bit; break;
        default: return;
        }
    }
}
