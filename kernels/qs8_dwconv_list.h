/* Declarations of all kernels of the family qs8_dwconv; for the kernels themselves, the table and the kernel tests
 * only.
 */
#ifndef TMC_KERNELS_QS8_DWCONV_LIST_H
#define TMC_KERNELS_QS8_DWCONV_LIST_H

#include "kernels/qs8_dwconv.h"

#define TMC_QS8_DWCONV_X(kernel, isa, ISA, feature) void tmc_qs8_##kernel##__##isa(const tmc_qs8_dwconv_args *args);
#include "kernels/qs8_dwconv.inc"
#undef TMC_QS8_DWCONV_X

#endif
