/* A parameter given as float, as one element of any type. */
#ifndef TMC_GRAPH_SCALAR_H
#define TMC_GRAPH_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

#include "graph/tensor.h"

#define TMC_MAX_ELEMENT 8 /* bytes of the largest element type */

/* Writes the element's tmc_dtype_size bytes to `out`. False, with `out` untouched, if the type cannot hold `value`
 * exactly, and for NaN. */
bool tmc_scalar_from_float(uint32_t dtype, float value, uint8_t out[TMC_MAX_ELEMENT]);

/* The same for an element of this tensor: a quantised one takes any number but NaN, rounded and limited as quantize
 * does it. */
bool tmc_scalar_for_tensor(const tmc_tensor_desc *desc, float value, uint8_t out[TMC_MAX_ELEMENT]);

/* The integer of a number in a quantised tensor: clamp(rint(x / scale) + zero point); NaN gives the zero point. The
 * clamp comes before the conversion to int32, so nothing overflows. */
int8_t tmc_quantized(float x, const tmc_quantization *q);

#endif
