/* Between the source model's axes (N,C,H,W for ONNX) and the library's (N,H,W,C): users of the command line see the
 * source model's, whatever the converter did inside. */
#ifndef TMC_TOOLS_BOUNDARY_H
#define TMC_TOOLS_BOUNDARY_H

#include "tmcnn/tmcnn.h"

/* `source` and `inner` have `rank` entries. PLAIN copies. */
void boundary_dims_from_source(tmc_layout layout, int32_t rank, const int32_t *source, int32_t *inner);
void boundary_dims_to_source(tmc_layout layout, int32_t rank, const int32_t *inner, int32_t *source);

/* Moves the data of a tensor; `info` describes the library's side. Buffers of info->bytes that do not overlap. */
void boundary_data_from_source(const tmc_tensor_info *info, const void *source, void *inner);
void boundary_data_to_source(const tmc_tensor_info *info, const void *inner, void *source);

/* How a picture lies in a boundary tensor. A source model that has its channels last itself says so in its metadata
 * (source.layout = NHWC, written by the TFLite importer); its axes are then PLAIN, but a picture is channels-last. */
tmc_layout boundary_picture_layout(const tmc_model *model, const tmc_tensor_info *info);

#endif
