/* Tensor data in a file beside the model. Only regular files below the model's own folder are opened. */
#ifndef TMC_CONVERT_ONNX_EXTERNAL_DATA_H
#define TMC_CONVERT_ONNX_EXTERNAL_DATA_H

#include "base/error.h"
#include "onnx/onnx.pb-c.h"

/* Reads the `bytes` bytes of a tensor whose data_location is EXTERNAL; *data is the caller's (free).
 * Errors: E_AUTH (absolute, "..", drive, symbolic or hard link, no folder), E_RANGE (offset or length outside the
 * file), E_FORMAT (keys, numbers, length that is not the tensor's), E_IO. */
tmc_status onnx_external_read(const Onnx__TensorProto *tensor, const char *base_folder, size_t bytes, void **data,
                              tmc_error *err);

#endif
