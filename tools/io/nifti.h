/* NIfTI-1 volumes in one file (.nii, .nii.gz; recognised by content). */
#ifndef TMC_IO_NIFTI_H
#define TMC_IO_NIFTI_H

#include "base/error.h"

/* Axes RAS: x grows to the patient's right, y to the front, z to the top. */
typedef struct io_volume {
    int32_t nx, ny, nz; /* x fastest */
    float dx, dy, dz;   /* mm */
    float *voxels;      /* malloc'd, scl_slope and scl_inter applied */
} io_volume;

/* The first three axes of a file with one volume, turned to RAS where the header says how they lie. The header and the
 * length of the data are checked before anything is made of them; on failure nothing is held.
 * Errors: E_IO, E_FORMAT, E_TRUNCATED, E_INTEGRITY (gzip), E_LIMIT (over 2^28 voxels), E_DTYPE, E_RANGE (voxel size),
 * E_NOMEM, E_UNSUPPORTED (header and voxels in two files, NIfTI-2, built without NIfTI). */
tmc_status io_nifti_read(const char *path, io_volume *volume, tmc_error *err);
void io_volume_free(io_volume *volume);

#endif
