/* A parameter given as float, as one element of any type. */
#ifndef TMC_GRAPH_SCALAR_H
#define TMC_GRAPH_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

#define TMC_MAX_ELEMENT 8 /* bytes of the largest element type */

/* Writes the element's tmc_dtype_size bytes to `out`. False, with `out` untouched, if the type cannot hold `value`
 * exactly, and for NaN. */
bool tmc_scalar_from_float(uint32_t dtype, float value, uint8_t out[TMC_MAX_ELEMENT]);

#endif
