/* QuantizationParameters of a tensor. */
#ifndef TMC_CONVERT_TFLITE_QUANTIZATION_H
#define TMC_CONVERT_TFLITE_QUANTIZATION_H

#include "convert/tflite/model.h"

/* Reads `table`, which may be absent, into tensor->quantization; type and shape are set. Other forms than one scale or
 * one per channel (blocks, several axes) become tensor->refusal. Errors: E_FORMAT, E_QUANT. */
tmc_status tflite_quantization_read(fb_reader *reader, const fb_table *table, tflite_tensor *tensor);

#endif
