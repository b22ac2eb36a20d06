/* Weights of 3x3 convolutions in Winograd's domain: docs/winograd.md. */
#ifndef TMC_CONVERT_WINOGRAD_H
#define TMC_CONVERT_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>

/* u [outputs,alpha,alpha,channels] = G w G^T of w [outputs,3,3,channels], for tiles of 2 or 4 pixels along a side
 * (alpha = tile + 2); computed in double precision and rounded once. False where a number is not finite. */
bool winograd_weights(size_t tile, size_t outputs, size_t channels, const float *w, float *u);

#endif
