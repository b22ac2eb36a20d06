/* The picture: three axial slices with the outlines of the answer and of the reference. */
#ifndef BRAIN_OVERLAY_H
#define BRAIN_OVERLAY_H

#include "io/image.h"
#include "io/nifti.h"

/* `mask` and `reference` have one byte per voxel of `head` (0..1 intensities), non-zero where brain; `reference` may be
 * NULL. Slices side by side, front of the head up, twice the voxel size. Answer red, reference green, both yellow. */
tmc_status overlay_draw(const io_volume *head, const unsigned char *mask, const unsigned char *reference,
                        const int32_t *slices, int32_t slice_count, io_image *picture, tmc_error *err);

#endif
