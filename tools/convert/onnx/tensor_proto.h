/* TensorProto to dense data. */
#ifndef TMC_CONVERT_ONNX_TENSOR_PROTO_H
#define TMC_CONVERT_ONNX_TENSOR_PROTO_H

#include "graph/tensor.h"
#include "onnx/onnx.pb-c.h"

/* Dense values; a dimension of 0 means no elements, and then data is NULL. */
typedef struct onnx_dense {
    tmc_tensor_desc desc;
    void *data; /* owned: onnx_dense_clear */
    size_t bytes;
} onnx_dense;

/* ONNX's element type as ours, 0 where there is none; and its name for messages. */
tmc_dtype onnx_dtype(int32_t data_type);
const char *onnx_dtype_name(int32_t data_type);

/* Rank, dims (0 allowed) and byte count. Errors: E_FORMAT (negative), E_UNSUPPORTED (rank), E_LIMIT. */
tmc_status onnx_dense_shape(int32_t data_type, const int64_t *dims, size_t rank, onnx_dense *out, tmc_error *err);

/* Errors: E_FORMAT (no or two kinds of data, wrong count, value outside its type), E_UNSUPPORTED (element type,
 * segments), and those of onnx_dense_shape and onnx_external_read. */
tmc_status onnx_dense_read(const Onnx__TensorProto *tensor, const char *base_folder, onnx_dense *out, tmc_error *err);
void onnx_dense_clear(onnx_dense *dense);

#endif
