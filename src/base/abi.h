/* Structs that cross the ABI and may grow: the first member of each is `size_t struct_size`, the caller's sizeof. */
#ifndef TMC_BASE_ABI_H
#define TMC_BASE_ABI_H

#include "base/error.h"

/* Every such struct held at least its size and one more word in its first version; less means that the caller did not
 * call the defaults function. More than the upper bound means the same: no struct of this library comes near it. */
#define TMC_STRUCT_MIN (2 * sizeof(size_t))
#define TMC_STRUCT_MAX 4096u

/* Lays a caller's options over the defaults that `to` (of `size` bytes) already holds: an older, shorter struct sets
 * only the fields it has; a newer, longer one must have zeros in what this library does not know. `from` NULL keeps
 * the defaults. Errors: E_ARG (size impossible), E_VERSION (unknown field in use). */
tmc_status tmc_options_read(void *to, size_t size, const void *from, tmc_error *err);

/* Copies `from` (of `size` bytes) to a caller's struct as far as that reaches; its struct_size stays. E_ARG if `to` is
 * NULL or its size impossible. */
tmc_status tmc_struct_write(void *to, const void *from, size_t size);

#endif
