/* Head volumes and network slices: the preprocessing of models/brain2d.md. */
#ifndef BRAIN_SLICES_H
#define BRAIN_SLICES_H

#include "io/nifti.h"

enum { SLICE_SIDE = 128 }; /* pixels of the network's square input */
#define SLICE_SPACING 2.0f /* mm per pixel */

/* Scales the voxels so that the 99.5th percentile of the positive ones becomes 1, clipped to 0..1. */
tmc_status slices_normalise(io_volume *head, tmc_error *err);

/* Axial slice z as SLICE_SIDE x SLICE_SIDE pixels about the slice's middle, row 0 at the back of the head. */
void slices_extract(const io_volume *head, int32_t z, float *pixels);

/* The network's probabilities back on the voxels of slice z: 1 where brain, else 0. `mask` has nx * ny entries. */
void slices_insert(const io_volume *head, const float *probability, unsigned char *mask);

#endif
