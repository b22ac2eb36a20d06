/* What is known of a tensor before any data exist. */
#ifndef TMC_GRAPH_TENSOR_H
#define TMC_GRAPH_TENSOR_H

#include <stdbool.h>

#include "base/error.h"
#include "format/layout.h"

/* What the integers of a tensor mean: (q - zero_point) * scale; scale 0 and channels 0: no quantisation. Weights have
 * one scale for each output channel instead, zero point 0; their scales lie beside them (section QSCL of a file). */
typedef struct tmc_quantization {
    float scale;
    int32_t zero_point;
    uint32_t channels; /* weights: number of scales, and scale is 0 */
} tmc_quantization;

typedef struct tmc_tensor_desc {
    uint8_t dtype;   /* tmc_dtype */
    uint8_t packing; /* tmc_packing; only constants are ever packed */
    int32_t rank;
    int32_t dims[TMC_MAX_RANK]; /* unused entries 0 */
    int32_t pitch;              /* elements from one row of the last axis to the next; 0: dense, the last dim. The
                                 * planner alone sets another one, where a tensor is a range of channels of a wider
                                 * tensor and the operators that touch it take that (tmc_op_takes_pitch). */
    tmc_quantization quantization;
} tmc_tensor_desc;

static inline bool tmc_quantization_is_set(const tmc_quantization *q) { return q->scale != 0.0f || q->channels; }
bool tmc_quantization_equal(const tmc_quantization *a, const tmc_quantization *b);

/* Per tensor: an i8 tensor, scale a positive normal float, zero point -128..127. Per channel: zero point 0. None: all
 * zero. Errors: E_QUANT. */
tmc_status tmc_quantization_check(const tmc_quantization *q, uint8_t dtype, tmc_error *err);

/* Elements from one row of the last axis to the next; rank >= 1. */
static inline size_t tmc_tensor_pitch(const tmc_tensor_desc *desc) {
    return (size_t)(desc->pitch ? desc->pitch : desc->dims[desc->rank - 1]);
}

/* Bytes of one element; 0 for an unknown type (and for i4, which has no byte of its own). */
size_t tmc_dtype_size(uint32_t dtype);

/* Known type, rank 0..6, every dim >= 1, unused dims 0, dense bytes within TMC_FILE_MAX_TENSOR_BYTES.
 * Errors: E_DTYPE, E_SHAPE, E_LIMIT. */
tmc_status tmc_tensor_check(const tmc_tensor_desc *desc, tmc_error *err);

/* Of a checked tensor. */
size_t tmc_tensor_elements(const tmc_tensor_desc *desc);
size_t tmc_tensor_bytes(const tmc_tensor_desc *desc); /* dense, packing ignored */
bool tmc_tensor_same_shape(const tmc_tensor_desc *a, const tmc_tensor_desc *b);

/* Product of dims [from, to). */
size_t tmc_dims_product(const int32_t *dims, int32_t from, int32_t to);

/* NumPy broadcasting of two shapes into *out (rank, dims only). E_SHAPE if they do not fit. */
tmc_status tmc_tensor_broadcast(const tmc_tensor_desc *a, const tmc_tensor_desc *b, tmc_tensor_desc *out,
                                tmc_error *err);

/* "[1,224,224,3]" into out. */
void tmc_tensor_shape_text(const tmc_tensor_desc *desc, char *out, size_t size);

#endif
