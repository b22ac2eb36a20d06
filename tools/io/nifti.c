#include "io/nifti.h"

#include <stdlib.h>
#include <string.h>

void io_volume_free(io_volume *volume) {
    free(volume->voxels);
    volume->voxels = NULL;
}

#if TMC_WITH_NIFTI
#include <math.h>
#include <stdbool.h>

#include <nifti1_io.h>

#include "io/file.h"
#include "io/gzip.h"

/* nifticlib turns axes and bytes here. Its reader is not used: it takes a file that ends early as one whose other
 * voxels are 0, and prints to stderr. */
#define FILE_LIMIT ((uint64_t)2 << 30)
#define MAX_VOXELS ((size_t)1 << 28)
#define MAX_OFFSET (1 << 30)

enum { HEADER_SIZE = 348, HEADER_SIZE_2 = 540, FIRST_OFFSET = 352 };

typedef struct {
    nifti_1_header header; /* in this computer's byte order */
    bool swapped;
    int size[3];
    size_t voxels, voxel_size, offset;
} nifti_source;

static size_t size_of(int datatype) {
    switch (datatype) {
    case DT_UINT8:
    case DT_INT8: return 1;
    case DT_INT16:
    case DT_UINT16: return 2;
    case DT_INT32:
    case DT_FLOAT32: return 4;
    default: return 0;
    }
}

static float voxel(int datatype, const uint8_t *at) {
    int16_t i16;
    uint16_t u16;
    int32_t i32;
    float f32;
    switch (datatype) {
    case DT_UINT8: return at[0];
    case DT_INT8: return (int8_t)at[0];
    case DT_INT16: memcpy(&i16, at, 2); return i16;
    case DT_UINT16: memcpy(&u16, at, 2); return u16;
    case DT_INT32: memcpy(&i32, at, 4); return (float)i32;
    default: memcpy(&f32, at, 4); return f32;
    }
}

static tmc_status check_kind(nifti_source *s, tmc_error *err) {
    int32_t size = s->header.sizeof_hdr, other = size;
    nifti_swap_4bytes(1, &other);
    if (size == HEADER_SIZE_2 || other == HEADER_SIZE_2) return tmc_fail(err, TMC_E_UNSUPPORTED, "NIfTI-2, expected 1");
    if (size != HEADER_SIZE && other != HEADER_SIZE) return tmc_fail(err, TMC_E_FORMAT, "no NIfTI header");
    s->swapped = size != HEADER_SIZE;
    if (s->swapped) swap_nifti_header(&s->header, 1);
    if (memcmp(s->header.magic, "ni1", 4) == 0)
        return tmc_fail(err, TMC_E_UNSUPPORTED, "the voxels are in another file; save header and voxels as one .nii");
    if (memcmp(s->header.magic, "n+1", 4)) return tmc_fail(err, TMC_E_FORMAT, "no NIfTI header");
    return TMC_OK;
}

static tmc_status check_dims(nifti_source *s, tmc_error *err) {
    const short *dim = s->header.dim;
    if (dim[0] < 1 || dim[0] > 7) return tmc_fail(err, TMC_E_FORMAT, "%d axes, expected 1 to 7", dim[0]);
    for (int i = 0; i < 3; i++) s->size[i] = 1;
    for (int i = 1; i <= dim[0]; i++) {
        if (dim[i] < 1) return tmc_fail(err, TMC_E_FORMAT, "axis %d has size %d", i, dim[i]);
        if (i > 3 && dim[i] > 1)
            return tmc_fail(err, TMC_E_FORMAT, "axis %d has size %d, expected a single volume", i, dim[i]);
        if (i <= 3) s->size[i - 1] = dim[i];
    }
    s->voxels = (size_t)s->size[0] * (size_t)s->size[1];
    if (s->voxels > MAX_VOXELS / (size_t)s->size[2])
        return tmc_fail(err, TMC_E_LIMIT, "%d x %d x %d voxels, the limit is %zu in all", s->size[0], s->size[1],
                        s->size[2], MAX_VOXELS);
    s->voxels *= (size_t)s->size[2];
    for (int i = 1; i <= 3 && i <= dim[0]; i++)
        if (!isfinite(s->header.pixdim[i]) || s->header.pixdim[i] == 0.0f)
            return tmc_fail(err, TMC_E_RANGE, "no voxel size for axis %d", i);
    return TMC_OK;
}

static tmc_status check_data(nifti_source *s, tmc_error *err) {
    float offset = s->header.vox_offset;
    s->voxel_size = size_of(s->header.datatype);
    if (!s->voxel_size)
        return tmc_fail(err, TMC_E_DTYPE, "voxel type %d is not supported: save as 8, 16 or 32-bit numbers",
                        s->header.datatype);
    if (s->header.bitpix != (short)(8 * s->voxel_size))
        return tmc_fail(err, TMC_E_FORMAT, "%d bits a voxel, the type has %zu", s->header.bitpix, 8 * s->voxel_size);
    if (!(offset >= FIRST_OFFSET && offset <= MAX_OFFSET) || offset != floorf(offset)) /* false for NaN */
        return tmc_fail(err, TMC_E_FORMAT, "the voxels begin at no byte from %d on", FIRST_OFFSET);
    s->offset = (size_t)offset;
    return TMC_OK;
}

static tmc_status read_header(const uint8_t *file, size_t size, nifti_source *s, tmc_error *err) {
    if (gzip_recognise(file, size)) {
        TMC_TRY(gzip_inflate(file, size, (uint8_t *)&s->header, HEADER_SIZE, false, err));
    } else {
        if (size < HEADER_SIZE) return tmc_fail(err, TMC_E_TRUNCATED, "%zu bytes, a header has %d", size, HEADER_SIZE);
        memcpy(&s->header, file, HEADER_SIZE);
    }
    TMC_TRY(check_kind(s, err));
    TMC_TRY(check_dims(s, err));
    return check_data(s, err);
}

/* Which file axis runs along each RAS axis, and whether it runs against it. */
typedef struct {
    int axis[3];
    bool flip[3];
} orientation;

static mat44 matrix_of(const nifti_1_header *h) {
    if (h->sform_code <= 0)
        return nifti_quatern_to_mat44(h->quatern_b, h->quatern_c, h->quatern_d, h->qoffset_x, h->qoffset_y,
                                      h->qoffset_z, h->pixdim[1], h->pixdim[2], h->pixdim[3],
                                      h->pixdim[0] < 0.0f ? -1.0f : 1.0f);
    mat44 m;
    memset(&m, 0, sizeof m);
    memcpy(m.m[0], h->srow_x, sizeof h->srow_x);
    memcpy(m.m[1], h->srow_y, sizeof h->srow_y);
    memcpy(m.m[2], h->srow_z, sizeof h->srow_z);
    m.m[3][3] = 1.0f;
    return m;
}

static orientation orientation_of(const nifti_1_header *h) {
    orientation o = {{0, 1, 2}, {false, false, false}};
    int code[3] = {0, 0, 0};
    if (h->sform_code <= 0 && h->qform_code <= 0) return o;
    nifti_mat44_to_orientation(matrix_of(h), &code[0], &code[1], &code[2]);
    for (int i = 0; i < 3; i++)
        if (code[i] < NIFTI_L2R || code[i] > NIFTI_S2I) return o; /* the header does not say: as stored */
    for (int i = 0; i < 3; i++) {                                 /* codes come in pairs: L2R R2L, P2A A2P, I2S S2I */
        int ras = (code[i] - 1) / 2;
        o.axis[ras] = i;
        o.flip[ras] = (code[i] - 1) % 2;
    }
    return o;
}

static void copy_voxels(const nifti_source *s, const uint8_t *data, const orientation *o, io_volume *volume) {
    const size_t stride[3] = {1, (size_t)s->size[0], (size_t)s->size[0] * (size_t)s->size[1]};
    float slope = s->header.scl_slope, shift = s->header.scl_inter, *out = volume->voxels;
    /* A slope of 0 means "no scaling" in the NIfTI-1 header; NaN is found in real files and cannot mean anything else.
     */
    if (!isfinite(slope) || slope == 0.0f || !isfinite(shift)) {
        slope = 1.0f;
        shift = 0.0f;
    }
    int at[3];
    for (at[2] = 0; at[2] < volume->nz; at[2]++)
        for (at[1] = 0; at[1] < volume->ny; at[1]++)
            for (at[0] = 0; at[0] < volume->nx; at[0]++) {
                size_t from = 0;
                for (int i = 0; i < 3; i++)
                    from += stride[o->axis[i]] * (size_t)(o->flip[i] ? s->size[o->axis[i]] - 1 - at[i] : at[i]);
                *out++ = voxel(s->header.datatype, data + from * s->voxel_size) * slope + shift;
            }
}

static tmc_status fill(const nifti_source *s, const uint8_t *data, io_volume *volume, tmc_error *err) {
    orientation o = orientation_of(&s->header);
    float spacing[3];
    for (int i = 0; i < 3; i++) spacing[i] = i < s->header.dim[0] ? fabsf(s->header.pixdim[1 + i]) : 1.0f;
    volume->voxels = malloc(s->voxels * sizeof(float));
    if (!volume->voxels) return tmc_fail(err, TMC_E_NOMEM, "no memory for %zu voxels", s->voxels);
    volume->nx = s->size[o.axis[0]];
    volume->ny = s->size[o.axis[1]];
    volume->nz = s->size[o.axis[2]];
    volume->dx = spacing[o.axis[0]];
    volume->dy = spacing[o.axis[1]];
    volume->dz = spacing[o.axis[2]];
    copy_voxels(s, data, &o, volume);
    return TMC_OK;
}

/* `content` has all bytes, unpacked; the voxels' bytes are swapped in place. */
static tmc_status take(const nifti_source *s, uint8_t *content, io_volume *volume, tmc_error *err) {
    uint8_t *data = content + s->offset;
    if (s->swapped && s->voxel_size > 1) nifti_swap_Nbytes(s->voxels, (int)s->voxel_size, data);
    return fill(s, data, volume, err);
}

static tmc_status take_packed(const uint8_t *file, size_t size, const nifti_source *s, size_t want, io_volume *volume,
                              tmc_error *err) {
    uint8_t *content = gzip_can_hold(size, want) ? malloc(want) : NULL;
    if (!content)
        return gzip_can_hold(size, want) ? tmc_fail(err, TMC_E_NOMEM, "no memory for %zu bytes", want)
                                         : tmc_fail(err, TMC_E_TRUNCATED, "%zu bytes cannot hold the voxels", size);
    tmc_status status = gzip_inflate(file, size, content, want, true, err);
    if (!status) status = take(s, content, volume, err);
    free(content);
    return status;
}

static tmc_status parse(uint8_t *file, size_t size, io_volume *volume, tmc_error *err) {
    nifti_source s;
    memset(&s, 0, sizeof s);
    TMC_TRY(read_header(file, size, &s, err));
    size_t want = s.offset + s.voxels * s.voxel_size;
    if (gzip_recognise(file, size)) return take_packed(file, size, &s, want, volume, err);
    if (size != want)
        return tmc_fail(err, size < want ? TMC_E_TRUNCATED : TMC_E_FORMAT, "%zu bytes, the header says %zu", size,
                        want);
    return take(&s, file, volume, err);
}

tmc_status io_nifti_read(const char *path, io_volume *volume, tmc_error *err) {
    uint8_t *file;
    size_t size;
    memset(volume, 0, sizeof *volume);
    TMC_TRY(io_read_file(path, FILE_LIMIT, &file, &size, err));
    tmc_status status = parse(file, size, volume, err);
    free(file);
    if (status) {
        char reason[sizeof err->message];
        memcpy(reason, err->message, sizeof reason);
        tmc_fail(err, status, "%s: %s", path, reason);
    }
    return status;
}
#else
tmc_status io_nifti_read(const char *path, io_volume *volume, tmc_error *err) {
    memset(volume, 0, sizeof *volume);
    return tmc_fail(err, TMC_E_UNSUPPORTED, "%s: built without NIfTI: install libniftiio-dev and build again", path);
}
#endif
