#include "io/nifti.h"

#include <stdlib.h>
#include <string.h>

void io_volume_free(io_volume *volume) {
    free(volume->voxels);
    volume->voxels = NULL;
}

#if TMC_WITH_NIFTI
#include <math.h>

#include <nifti1_io.h>

#define MAX_VOXELS ((size_t)1 << 28)

static float voxel(const nifti_image *image, size_t i) {
    switch (image->datatype) {
    case DT_UINT8: return ((const uint8_t *)image->data)[i];
    case DT_INT8: return ((const int8_t *)image->data)[i];
    case DT_INT16: return ((const int16_t *)image->data)[i];
    case DT_UINT16: return ((const uint16_t *)image->data)[i];
    case DT_INT32: return (float)((const int32_t *)image->data)[i];
    default: return ((const float *)image->data)[i];
    }
}

static int known_type(int datatype) {
    return datatype == DT_UINT8 || datatype == DT_INT8 || datatype == DT_INT16 || datatype == DT_UINT16 ||
           datatype == DT_INT32 || datatype == DT_FLOAT32;
}

static tmc_status check_header(const char *path, const nifti_image *image, tmc_error *err) {
    if (image->nx < 1 || image->ny < 1 || image->nz < 1 || image->nt > 1)
        return tmc_fail(err, TMC_E_FORMAT, "%s: expected one volume, has %d x %d x %d x %d", path, image->nx, image->ny,
                        image->nz, image->nt);
    if ((size_t)image->nx > MAX_VOXELS / (size_t)image->ny / (size_t)image->nz)
        return tmc_fail(err, TMC_E_LIMIT, "%s: more than %zu voxels", path, MAX_VOXELS);
    if (image->nvox != (size_t)image->nx * (size_t)image->ny * (size_t)image->nz)
        return tmc_fail(err, TMC_E_FORMAT, "%s: more than four axes, expected one volume", path);
    if (!known_type(image->datatype))
        return tmc_fail(err, TMC_E_DTYPE, "%s: voxel type %s is not supported", path,
                        nifti_datatype_string(image->datatype));
    return TMC_OK;
}

/* Which file axis runs along each RAS axis, and whether it runs against it. */
typedef struct {
    int axis[3], flip[3];
} orientation;

static orientation orientation_of(const nifti_image *image) {
    orientation o = {{0, 1, 2}, {0, 0, 0}};
    int code[3] = {0, 0, 0};
    if (image->sform_code > 0) {
        nifti_mat44_to_orientation(image->sto_xyz, &code[0], &code[1], &code[2]);
    } else if (image->qform_code > 0) {
        nifti_mat44_to_orientation(image->qto_xyz, &code[0], &code[1], &code[2]);
    }
    for (int i = 0; i < 3; i++)
        if (code[i] < NIFTI_L2R || code[i] > NIFTI_S2I) return o; /* the header does not say: as stored */
    for (int i = 0; i < 3; i++) {                                 /* codes come in pairs: L2R R2L, P2A A2P, I2S S2I */
        int ras = (code[i] - 1) / 2;
        o.axis[ras] = i;
        o.flip[ras] = (code[i] - 1) % 2;
    }
    return o;
}

static void copy_voxels(const nifti_image *image, const orientation *o, io_volume *volume) {
    const int size[3] = {image->nx, image->ny, image->nz};
    const size_t stride[3] = {1, (size_t)image->nx, (size_t)image->nx * (size_t)image->ny};
    /* A slope of 0 means "no scaling" in the NIfTI-1 header; NaN is found in real files and cannot mean anything else.
     */
    int scaled = isfinite(image->scl_slope) && image->scl_slope != 0.0f && isfinite(image->scl_inter);
    float slope = scaled ? image->scl_slope : 1.0f, shift = scaled ? image->scl_inter : 0.0f;
    float *out = volume->voxels;
    int at[3];
    for (at[2] = 0; at[2] < volume->nz; at[2]++)
        for (at[1] = 0; at[1] < volume->ny; at[1]++)
            for (at[0] = 0; at[0] < volume->nx; at[0]++) {
                size_t from = 0;
                for (int i = 0; i < 3; i++)
                    from += stride[o->axis[i]] * (size_t)(o->flip[i] ? size[o->axis[i]] - 1 - at[i] : at[i]);
                *out++ = voxel(image, from) * slope + shift;
            }
}

static tmc_status take(const char *path, nifti_image *image, io_volume *volume, tmc_error *err) {
    TMC_TRY(check_header(path, image, err));
    if (nifti_image_load(image)) return tmc_fail(err, TMC_E_TRUNCATED, "%s: the voxels cannot be read", path);
    orientation o = orientation_of(image);
    const int size[3] = {image->nx, image->ny, image->nz};
    const float spacing[3] = {image->dx, image->dy, image->dz};
    size_t count = (size_t)image->nx * (size_t)image->ny * (size_t)image->nz;
    volume->voxels = malloc(count * sizeof(float));
    if (!volume->voxels) return tmc_fail(err, TMC_E_NOMEM, "no memory for %zu voxels", count);
    volume->nx = size[o.axis[0]];
    volume->ny = size[o.axis[1]];
    volume->nz = size[o.axis[2]];
    volume->dx = fabsf(spacing[o.axis[0]]);
    volume->dy = fabsf(spacing[o.axis[1]]);
    volume->dz = fabsf(spacing[o.axis[2]]);
    copy_voxels(image, &o, volume);
    return TMC_OK;
}

tmc_status io_nifti_read(const char *path, io_volume *volume, tmc_error *err) {
    memset(volume, 0, sizeof *volume);
    nifti_set_debug_level(0); /* it prints to stderr otherwise */
    nifti_image *image = nifti_image_read(path, 0);
    if (!image) return tmc_fail(err, TMC_E_FORMAT, "%s cannot be read as NIfTI", path);
    tmc_status status = take(path, image, volume, err);
    nifti_image_free(image);
    return status;
}
#else
tmc_status io_nifti_read(const char *path, io_volume *volume, tmc_error *err) {
    memset(volume, 0, sizeof *volume);
    return tmc_fail(err, TMC_E_UNSUPPORTED, "%s: built without NIfTI: install libniftiio-dev and build again", path);
}
#endif
