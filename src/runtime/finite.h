/* NaN and infinity in a tensor. */
#ifndef TMC_RUNTIME_FINITE_H
#define TMC_RUNTIME_FINITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False if an element is NaN or infinite; types without such values are always finite. At memory speed. */
bool tmc_all_finite(const void *data, uint8_t dtype, size_t elements);

#endif
