#include "convert/onnx/tensor_proto.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "convert/memory.h"
#include "convert/onnx/external_data.h"

#define DATA_TYPE(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name

static const struct {
    int32_t data_type;
    tmc_dtype dtype;
    const char *name;
} element_types[] = {
    {DATA_TYPE(FLOAT), TMC_F32, "float"},     {DATA_TYPE(UINT8), TMC_U8, "uint8"},
    {DATA_TYPE(INT8), TMC_I8, "int8"},        {DATA_TYPE(INT32), TMC_I32, "int32"},
    {DATA_TYPE(INT64), TMC_I64, "int64"},     {DATA_TYPE(BOOL), TMC_BOOL, "bool"},
    {DATA_TYPE(UINT16), 0, "uint16"},         {DATA_TYPE(INT16), 0, "int16"},
    {DATA_TYPE(STRING), 0, "string"},         {DATA_TYPE(FLOAT16), 0, "float16"},
    {DATA_TYPE(DOUBLE), 0, "double"},         {DATA_TYPE(UINT32), 0, "uint32"},
    {DATA_TYPE(UINT64), 0, "uint64"},         {DATA_TYPE(COMPLEX64), 0, "complex64"},
    {DATA_TYPE(COMPLEX128), 0, "complex128"}, {DATA_TYPE(BFLOAT16), 0, "bfloat16"},
};

tmc_dtype onnx_dtype(int32_t data_type) {
    for (size_t i = 0; i < sizeof element_types / sizeof *element_types; i++)
        if (element_types[i].data_type == data_type) return element_types[i].dtype;
    return 0;
}

const char *onnx_dtype_name(int32_t data_type) {
    for (size_t i = 0; i < sizeof element_types / sizeof *element_types; i++)
        if (element_types[i].data_type == data_type) return element_types[i].name;
    return "an unknown type";
}

tmc_status onnx_dense_shape(int32_t data_type, const int64_t *dims, size_t rank, onnx_dense *out, tmc_error *err) {
    memset(out, 0, sizeof *out);
    tmc_dtype dtype = onnx_dtype(data_type);
    for (size_t i = 0; i < rank; i++)
        if (dims[i] < 0)
            return tmc_fail_field(err, TMC_E_FORMAT, "dims", "dimension %lld is negative", (long long)dims[i]);
    if (!dtype)
        return tmc_fail_field(err, TMC_E_UNSUPPORTED, "data_type", "element type %s is not supported",
                              onnx_dtype_name(data_type));
    if (rank > TMC_MAX_RANK)
        return tmc_fail_field(err, TMC_E_UNSUPPORTED, "dims", "rank %zu is over %d", rank, TMC_MAX_RANK);

    uint64_t bytes = tmc_dtype_size(dtype);
    for (size_t i = 0; i < rank; i++)
        if (!tmc_mul_u64(bytes, (uint64_t)dims[i], &bytes) || bytes > TMC_FILE_MAX_TENSOR_BYTES || dims[i] > INT32_MAX)
            return tmc_fail_field(err, TMC_E_LIMIT, "dims", "a tensor is over %u bytes", TMC_FILE_MAX_TENSOR_BYTES);
    out->desc.dtype = (uint8_t)dtype;
    out->desc.rank = (int32_t)rank;
    for (size_t i = 0; i < rank; i++) out->desc.dims[i] = (int32_t)dims[i];
    out->bytes = (size_t)bytes;
    return TMC_OK;
}

static tmc_status check_sources(const Onnx__TensorProto *t, tmc_error *err) {
    bool external = t->has_data_location && t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    size_t typed = (t->n_float_data > 0) + (t->n_int32_data > 0) + (t->n_int64_data > 0) + (t->n_string_data > 0) +
                   (t->n_double_data > 0) + (t->n_uint64_data > 0);
    if (typed + (t->has_raw_data && (typed || t->raw_data.len > 0)) + external > 1)
        return tmc_fail_field(err, TMC_E_FORMAT, "raw_data", "a tensor has more than one kind of data");
    if (!external && t->n_external_data)
        return tmc_fail_field(err, TMC_E_FORMAT, "external_data", "external data, but data_location is not EXTERNAL");
    if (t->has_data_location && !external && t->data_location != ONNX__TENSOR_PROTO__DATA_LOCATION__DEFAULT)
        return tmc_fail_field(err, TMC_E_FORMAT, "data_location", "unknown value");
    if (t->segment) return tmc_fail_field(err, TMC_E_UNSUPPORTED, "segment", "segmented tensors are not supported");
    return TMC_OK;
}

static tmc_status wrong_count(size_t have, size_t want, const char *field, tmc_error *err) {
    return tmc_fail_field(err, TMC_E_FORMAT, field, "%zu values or bytes of data, the shape needs %zu", have, want);
}

/* Values that ONNX stores as int32 whatever their type. */
static tmc_status narrow_ints(const Onnx__TensorProto *t, onnx_dense *out, tmc_error *err) {
    int32_t lo = out->desc.dtype == TMC_I8 ? INT8_MIN : 0;
    int32_t hi = out->desc.dtype == TMC_I8 ? INT8_MAX : out->desc.dtype == TMC_U8 ? UINT8_MAX : 1;
    for (size_t i = 0; i < t->n_int32_data; i++) {
        int32_t v = t->int32_data[i];
        if (v < lo || v > hi)
            return tmc_fail_field(err, TMC_E_FORMAT, "int32_data", "value %d does not fit the element type", v);
        ((uint8_t *)out->data)[i] = (uint8_t)v;
    }
    return TMC_OK;
}

/* Counts the values before it allocates: a few bytes of file cannot ask for gigabytes. */
static tmc_status read_typed(const Onnx__TensorProto *t, onnx_dense *out, tmc_error *err) {
    size_t want = out->bytes / tmc_dtype_size(out->desc.dtype), have;
    const void *source;
    const char *field;
    switch (out->desc.dtype) {
    case TMC_F32: have = t->n_float_data, source = t->float_data, field = "float_data"; break;
    case TMC_I64: have = t->n_int64_data, source = t->int64_data, field = "int64_data"; break;
    default: have = t->n_int32_data, source = t->int32_data, field = "int32_data"; break;
    }
    if (have != want) return wrong_count(have, want, field, err);
    out->data = x_alloc(out->bytes);
    if (tmc_dtype_size(out->desc.dtype) == 1) return narrow_ints(t, out, err);
    if (out->bytes) memcpy(out->data, source, out->bytes);
    return TMC_OK;
}

static tmc_status check_bools(const onnx_dense *dense, tmc_error *err) {
    if (dense->desc.dtype != TMC_BOOL) return TMC_OK;
    for (size_t i = 0; i < dense->bytes; i++)
        if (((const uint8_t *)dense->data)[i] > 1)
            return tmc_fail_field(err, TMC_E_FORMAT, "raw_data", "a bool is neither 0 nor 1");
    return TMC_OK;
}

static tmc_status read_data(const Onnx__TensorProto *t, const char *base_folder, onnx_dense *out, tmc_error *err) {
    if (t->has_data_location && t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) {
        TMC_TRY(onnx_external_read(t, base_folder, out->bytes, &out->data, err));
        return check_bools(out, err);
    }
    bool raw = t->has_raw_data && t->raw_data.len > 0;
    if (raw && t->raw_data.len != out->bytes) return wrong_count(t->raw_data.len, out->bytes, "raw_data", err);
    if (!raw) return read_typed(t, out, err);
    out->data = x_memdup(t->raw_data.data, out->bytes);
    return check_bools(out, err);
}

tmc_status onnx_dense_read(const Onnx__TensorProto *tensor, const char *base_folder, onnx_dense *out, tmc_error *err) {
    memset(out, 0, sizeof *out);
    if (!tensor->has_data_type || tensor->data_type == DATA_TYPE(UNDEFINED))
        return tmc_fail_field(err, TMC_E_FORMAT, "data_type", "a tensor has no element type");
    TMC_TRY(onnx_dense_shape(tensor->data_type, tensor->dims, tensor->n_dims, out, err));
    TMC_TRY(check_sources(tensor, err));
    tmc_status status = read_data(tensor, base_folder, out, err);
    if (status != TMC_OK || out->bytes == 0) {
        free(out->data);
        out->data = NULL;
    }
    return status;
}

void onnx_dense_clear(onnx_dense *dense) {
    free(dense->data);
    memset(dense, 0, sizeof *dense);
}
