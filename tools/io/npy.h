/* NumPy's .npy files, versions 1 to 3, C order, little-endian (or byte-sized) elements. */
#ifndef TMC_IO_NPY_H
#define TMC_IO_NPY_H

#include "base/error.h"

typedef struct npy_array {
    tmc_dtype dtype; /* f64 files are converted to f32 on reading */
    int32_t rank;
    int32_t dims[TMC_MAX_RANK];
    void *data; /* malloc'd */
    size_t bytes;
} npy_array;

/* On failure nothing is held. Errors: E_IO, E_FORMAT, E_VERSION, E_TRUNCATED, E_DTYPE, E_SHAPE (rank over 6, a dim of
 * 0), E_RANGE (a double that no float holds), E_LIMIT, E_NOMEM. */
tmc_status npy_read(const char *path, npy_array *array, tmc_error *err);
tmc_status npy_write(const char *path, const npy_array *array, tmc_error *err);
void npy_free(npy_array *array);

#endif
