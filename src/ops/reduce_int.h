/* Reductions of i32 and i64: sum, mean, max, min, prod. */
#ifndef TMC_OPS_REDUCE_INT_H
#define TMC_OPS_REDUCE_INT_H

#include "base/exec.h"
#include "ops/reduce_axes.h"

/* Sums and products wrap at 64 bits and then at the width of the type; mean is the sum of 64 bits over the count,
 * truncated toward zero. Errors: E_CANCELLED, E_TIMEOUT. */
tmc_status tmc_reduce_int(const tmc_reduce_axes *axes, int32_t kind, uint8_t dtype, const void *x, void *y,
                          tmc_exec *exec);

#endif
