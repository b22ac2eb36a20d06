#include "io/npy.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/tensor.h"
#include "io/file.h"

enum { MAX_HEADER = 65535 };
#define LIMIT ((uint64_t)TMC_FILE_MAX_TENSOR_BYTES * 2 + MAX_HEADER) /* doubles take twice the bytes */

static const struct {
    const char *descr;
    tmc_dtype dtype;
} types[] = {{"<f4", TMC_F32}, {"<i4", TMC_I32},  {"<i8", TMC_I64}, {"|u1", TMC_U8},
             {"|i1", TMC_I8},  {"|b1", TMC_BOOL}, {"<f2", TMC_F16}};

/* The value after 'key': in the header's Python dictionary, or NULL. */
static const char *dictionary_value(const char *header, const char *key) {
    const char *at = strstr(header, key);
    if (!at) return NULL;
    at = strchr(at + strlen(key), ':');
    if (!at) return NULL;
    for (at++; *at == ' ';) at++;
    return at;
}

static tmc_status parse_shape(const char *path, const char *at, npy_array *array, tmc_error *err) {
    array->rank = 0;
    if (!at || *at++ != '(') return tmc_fail(err, TMC_E_FORMAT, "%s: no shape in the header", path);
    while (*at != ')') {
        char *end;
        long long dim = strtoll(at, &end, 10);
        if (end == at) return tmc_fail(err, TMC_E_FORMAT, "%s: shape is not a tuple of numbers", path);
        if (array->rank == TMC_MAX_RANK) return tmc_fail(err, TMC_E_SHAPE, "%s: more than %d axes", path, TMC_MAX_RANK);
        if (dim < 1 || dim > INT32_MAX)
            return tmc_fail(err, TMC_E_SHAPE, "%s: axis %d has size %lld", path, array->rank, dim);
        array->dims[array->rank++] = (int32_t)dim;
        for (at = end; *at == ',' || *at == ' ';) at++;
    }
    return TMC_OK;
}

static tmc_status parse_type(const char *path, const char *at, npy_array *array, bool *is_double, tmc_error *err) {
    *is_double = at && strncmp(at, "'<f8'", 5) == 0;
    array->dtype = TMC_F32;
    if (*is_double) return TMC_OK;
    for (size_t i = 0; at && i < sizeof types / sizeof *types; i++) {
        size_t n = strlen(types[i].descr);
        if (*at == '\'' && strncmp(at + 1, types[i].descr, n) == 0 && at[n + 1] == '\'') {
            array->dtype = types[i].dtype;
            return TMC_OK;
        }
    }
    char name[16];
    snprintf(name, sizeof name, "%.15s", at ? at : "?");
    return tmc_fail(err, TMC_E_DTYPE, "%s: element type %s is not supported; save as float32, int32, int64 or uint8",
                    path, name);
}

static tmc_status parse_header(const char *path, const char *header, npy_array *array, bool *is_double,
                               tmc_error *err) {
    const char *order = dictionary_value(header, "'fortran_order'");
    if (!order || strncmp(order, "False", 5))
        return tmc_fail(err, TMC_E_FORMAT, "%s: Fortran order; save it with numpy.ascontiguousarray", path);
    TMC_TRY(parse_type(path, dictionary_value(header, "'descr'"), array, is_double, err));
    return parse_shape(path, dictionary_value(header, "'shape'"), array, err);
}

static tmc_status take_doubles(const char *path, const uint8_t *bytes, size_t count, float *out, tmc_error *err) {
    for (size_t i = 0; i < count; i++) {
        double value;
        memcpy(&value, bytes + 8 * i, 8);
        if (isfinite(value) && fabs(value) > (double)FLT_MAX)
            return tmc_fail(err, TMC_E_RANGE, "%s: element %zu does not fit a float", path, i);
        out[i] = (float)value;
    }
    return TMC_OK;
}

static tmc_status take_elements(const char *path, const uint8_t *bytes, npy_array *array, tmc_error *err) {
    for (size_t i = 0; array->dtype == TMC_BOOL && i < array->bytes; i++)
        if (bytes[i] > 1) return tmc_fail(err, TMC_E_FORMAT, "%s: element %zu is no truth value", path, i);
    memcpy(array->data, bytes, array->bytes);
    return TMC_OK;
}

static tmc_status take_data(const char *path, const uint8_t *bytes, size_t size, bool is_double, npy_array *array,
                            tmc_error *err) {
    tmc_tensor_desc desc = {.dtype = (uint8_t)array->dtype, .rank = array->rank};
    memcpy(desc.dims, array->dims, sizeof desc.dims);
    TMC_TRY(tmc_tensor_check(&desc, err));
    size_t count = tmc_tensor_elements(&desc);
    size_t stored = count * (is_double ? 8 : tmc_dtype_size(desc.dtype));
    if (size != stored)
        return tmc_fail(err, size < stored ? TMC_E_TRUNCATED : TMC_E_FORMAT, "%s: %zu bytes of data, expected %zu",
                        path, size, stored);
    array->bytes = tmc_tensor_bytes(&desc);
    array->data = malloc(array->bytes);
    if (!array->data) return tmc_fail(err, TMC_E_NOMEM, "no memory for %zu bytes", array->bytes);
    tmc_status status =
        is_double ? take_doubles(path, bytes, count, array->data, err) : take_elements(path, bytes, array, err);
    if (status) npy_free(array);
    return status;
}

/* Where the header's text lies: versions 1 to 3 differ in the width of its length and in its character set. */
static tmc_status find_header(const char *path, const uint8_t *file, size_t size, size_t *start, size_t *length,
                              tmc_error *err) {
    static const char magic[] = "\x93NUMPY";
    const size_t magic_size = sizeof magic - 1;
    if (memcmp(file, magic, size < magic_size ? size : magic_size))
        return tmc_fail(err, TMC_E_FORMAT, "%s is not a .npy file", path);
    if (size < magic_size + 2) return tmc_fail(err, TMC_E_TRUNCATED, "%s ends within its first bytes", path);
    if (file[6] < 1 || file[6] > 3)
        return tmc_fail(err, TMC_E_VERSION, "%s: .npy version %d, supported are 1 to 3", path, file[6]);
    *start = file[6] == 1 ? 10 : 12;
    if (size < *start) return tmc_fail(err, TMC_E_TRUNCATED, "%s ends within its first bytes", path);
    *length = file[8] | (size_t)file[9] << 8;
    if (file[6] > 1) *length |= (size_t)file[10] << 16 | (size_t)file[11] << 24;
    if (*length > MAX_HEADER)
        return tmc_fail(err, TMC_E_LIMIT, "%s: a header of %zu bytes, the limit is %d", path, *length, MAX_HEADER);
    if (*length > size - *start) return tmc_fail(err, TMC_E_TRUNCATED, "%s: the header is longer than the file", path);
    return TMC_OK;
}

static tmc_status parse_file(const char *path, const uint8_t *file, size_t size, npy_array *array, tmc_error *err) {
    size_t start = 0, length = 0;
    TMC_TRY(find_header(path, file, size, &start, &length, err));
    char *header = malloc(length + 1);
    if (!header) return tmc_fail(err, TMC_E_NOMEM, "no memory for a header");
    memcpy(header, file + start, length);
    header[length] = 0;
    bool is_double = false;
    tmc_status status = parse_header(path, header, array, &is_double, err);
    free(header);
    if (status) return status;
    return take_data(path, file + start + length, size - start - length, is_double, array, err);
}

tmc_status npy_read(const char *path, npy_array *array, tmc_error *err) {
    uint8_t *file;
    size_t size;
    memset(array, 0, sizeof *array);
    TMC_TRY(io_read_file(path, LIMIT, &file, &size, err));
    tmc_status status = parse_file(path, file, size, array, err);
    free(file);
    return status;
}

static const char *descr_of(tmc_dtype dtype) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].dtype == dtype) return types[i].descr;
    return NULL;
}

tmc_status npy_write(const char *path, const npy_array *array, tmc_error *err) {
    char shape[128] = "";
    size_t at = 0;
    const char *descr = descr_of(array->dtype);
    if (!descr) return tmc_fail(err, TMC_E_DTYPE, "%s has no .npy type", tmc_dtype_name(array->dtype));
    for (int32_t i = 0; i < array->rank; i++)
        at += (size_t)snprintf(shape + at, sizeof shape - at, "%d,", array->dims[i]);
    uint8_t *file = malloc(256 + array->bytes);
    if (!file) return tmc_fail(err, TMC_E_NOMEM, "no memory for %zu bytes", array->bytes);
    memcpy(file, "\x93NUMPY\x01\x00", 8);
    int n = snprintf((char *)file + 10, 240, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape);
    size_t length = ((size_t)n + 10 + 1 + 63) / 64 * 64 - 10; /* header padded so that the data are aligned to 64 */
    memset(file + 10 + n, ' ', length - (size_t)n);
    file[10 + length - 1] = '\n';
    file[8] = (uint8_t)length;
    file[9] = (uint8_t)(length >> 8);
    memcpy(file + 10 + length, array->data, array->bytes);
    tmc_status status = io_write_file(path, file, 10 + length + array->bytes, err);
    free(file);
    return status;
}

void npy_free(npy_array *array) {
    free(array->data);
    array->data = NULL;
}
