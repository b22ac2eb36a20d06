/* Convolutions and matrix products as one tiled matrix product over packed panels. Rows are output pixels, columns
 * output channels, k runs over the taps of the window and the channels behind each tap; the rows' inputs are read where
 * they lie, through one pointer per row and tap, so nothing is copied (no im2col).
 *
 *   conv             taps walk forward from the pixel's first input position
 *   conv_transpose   one product per phase: neighbours of the output lie a stride apart, taps walk backward
 *   fully_connected, matmul   one tap, the "pixels" are the matrix rows
 */
#ifndef TMC_OPS_IMPLICIT_GEMM_H
#define TMC_OPS_IMPLICIT_GEMM_H

#include "base/exec.h"
#include "kernels/kernels.h"

/* Along one axis, output number i lies at out_first + i * out_step and its tap t reads position
 * in_first + i * in_step + t * tap_step, which is padding where it is outside [0, in). */
typedef struct tmc_gemm_axis {
    int32_t in, out; /* dims of the tensors */
    int32_t count;   /* outputs to compute */
    int32_t out_first, out_step;
    int32_t in_first, in_step;
    int32_t taps, tap_step; /* taps may be 0 */
} tmc_gemm_axis;

typedef struct tmc_implicit_gemm {
    tmc_gemm_axis y, x;
    size_t batch, groups;
    size_t channels, columns;         /* input and output channels of one group */
    size_t input_pitch, output_pitch; /* floats from one pixel to the next: >= groups * channels, groups * columns */
    const float *input;               /* [batch, y.in, x.in, input_pitch] */
    float *output;                    /* [batch, y.out, x.out, output_pitch] */
    const float *panels;              /* of group 0: src/format/packing.h */
    size_t group_floats;              /* from one group's panels to the next */
    const float *zeros;               /* tmc_implicit_gemm_zeros floats; NULL where that is 0 */
    float lo, hi;
} tmc_implicit_gemm;

/* The axis of a matrix of `rows` rows, and the one of an axis that does not exist (rows 1). */
tmc_gemm_axis tmc_gemm_axis_rows(int32_t rows);

/* Floats that padding taps are read from: a run of zeros as long as the longest run of taps read at once. */
size_t tmc_implicit_gemm_zeros(const tmc_gemm_axis *y, const tmc_gemm_axis *x, size_t channels);

/* Computes every output of the product. Errors: E_CANCELLED, E_TIMEOUT. */
tmc_status tmc_implicit_gemm_run(const tmc_implicit_gemm *g, const tmc_kernels *kernels, tmc_exec *exec);

/* The kernel that does most of the work, for reports; looks at no pointer. */
void tmc_implicit_gemm_kernel(const tmc_implicit_gemm *g, const tmc_f32_conv_kernels *kernels, const char **name,
                              tmc_isa *isa);

#endif
