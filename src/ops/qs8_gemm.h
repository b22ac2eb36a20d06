/* Convolutions and matrix products on int8 as a tiled product over packed panels (src/format/packing_i8.h): what
 * implicit_gemm.h is for floats, of the same geometry.
 *
 * The kernels want rows and taps at even steps. An input without padding has them. Else the lines of the input that a
 * block of output lines needs are copied once with their padding, and widened for levels that multiply int16; every tap
 * then is a step in that band. Only where a tap's bytes are no multiple of four (first layers) each row of inputs is
 * put together by itself. */
#ifndef TMC_OPS_QS8_GEMM_H
#define TMC_OPS_QS8_GEMM_H

#include "ops/implicit_gemm.h"
#include "ops/op.h"

typedef struct tmc_qs8_gemm {
    const tmc_implicit_gemm *shape; /* axes, batch, groups, channels, columns and pitches; nothing else of it */
    const int8_t *input;
    int8_t *output;
    const char *panels; /* of group 0 */
    size_t group_bytes; /* from one group's panels to the next */
    float lo, hi;       /* integers: bounds of the output less its zero point */
    int32_t input_zero, output_zero;
    void *scratch; /* tmc_qs8_gemm_scratch bytes, TMC_ALIGN-aligned */
} tmc_qs8_gemm;

/* For all threads together, also where fewer than `threads` will run. */
uint64_t tmc_qs8_gemm_scratch(const tmc_implicit_gemm *shape, const tmc_kernels *kernels, uint32_t threads);

/* Computes every output of the product. Errors: E_CANCELLED, E_TIMEOUT. */
tmc_status tmc_qs8_gemm_run(const tmc_qs8_gemm *g, const tmc_kernels *kernels, tmc_exec *exec);

/* For operators with such a product: checks and prepares; fills all of *g but panels from the run. */
tmc_status tmc_qs8_gemm_prepare(const tmc_op_node *node, const tmc_implicit_gemm *shape, const tmc_kernels *kernels,
                                uint32_t threads, tmc_op_setup *setup, tmc_error *err);
tmc_qs8_gemm tmc_qs8_gemm_of(const tmc_op_run *run, const tmc_implicit_gemm *shape, const tmc_act_params *act);

#endif
