#include "graph/tensor.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/checked.h"
#include "base/format.h"

size_t tmc_dtype_size(uint32_t dtype) {
    switch (dtype) {
    case TMC_F32:
    case TMC_I32: return 4;
    case TMC_F16: return 2;
    case TMC_I8:
    case TMC_U8:
    case TMC_BOOL: return 1;
    case TMC_I64: return 8;
    default: return 0;
    }
}

const char *tmc_dtype_name(tmc_dtype dtype) {
    switch (dtype) {
    case TMC_F32: return "f32";
    case TMC_F16: return "f16";
    case TMC_I8: return "i8";
    case TMC_U8: return "u8";
    case TMC_I32: return "i32";
    case TMC_I64: return "i64";
    case TMC_BOOL: return "bool";
    case TMC_I4: return "i4";
    }
    return "?";
}

tmc_status tmc_tensor_check(const tmc_tensor_desc *desc, tmc_error *err) {
    uint64_t bytes = tmc_dtype_size(desc->dtype);
    if (!bytes) return tmc_fail_field(err, TMC_E_DTYPE, "dtype", "unknown element type %d", desc->dtype);
    if (desc->rank < 0 || desc->rank > TMC_MAX_RANK)
        return tmc_fail_field(err, TMC_E_SHAPE, "rank", "rank %d, expected 0 to %d", desc->rank, TMC_MAX_RANK);
    for (int32_t i = 0; i < TMC_MAX_RANK; i++) {
        if (i >= desc->rank) {
            if (desc->dims[i]) return tmc_fail_field(err, TMC_E_SHAPE, "dims", "unused dim %d is not 0", i);
            continue;
        }
        if (desc->dims[i] < 1)
            return tmc_fail_field(err, TMC_E_SHAPE, "dims", "dim %d is %d, expected at least 1", i, desc->dims[i]);
        /* Each factor is checked before the next multiplies: a product never wraps. */
        if (!tmc_mul_u64(bytes, (uint64_t)desc->dims[i], &bytes) || bytes > TMC_FILE_MAX_TENSOR_BYTES)
            return tmc_fail_field(err, TMC_E_LIMIT, "dims", "tensor is larger than %u bytes",
                                  TMC_FILE_MAX_TENSOR_BYTES);
    }
    return TMC_OK;
}

size_t tmc_dims_product(const int32_t *dims, int32_t from, int32_t to) {
    size_t n = 1;
    for (int32_t i = from; i < to; i++) n *= (size_t)dims[i];
    return n;
}

size_t tmc_tensor_elements(const tmc_tensor_desc *desc) { return tmc_dims_product(desc->dims, 0, desc->rank); }

size_t tmc_tensor_bytes(const tmc_tensor_desc *desc) { return tmc_tensor_elements(desc) * tmc_dtype_size(desc->dtype); }

bool tmc_tensor_same_shape(const tmc_tensor_desc *a, const tmc_tensor_desc *b) {
    return a->rank == b->rank && memcmp(a->dims, b->dims, sizeof a->dims) == 0;
}

tmc_status tmc_tensor_broadcast(const tmc_tensor_desc *a, const tmc_tensor_desc *b, tmc_tensor_desc *out,
                                tmc_error *err) {
    int32_t rank = a->rank > b->rank ? a->rank : b->rank;
    memset(out->dims, 0, sizeof out->dims);
    out->rank = rank;
    for (int32_t i = 0; i < rank; i++) {
        int32_t ia = i - (rank - a->rank), ib = i - (rank - b->rank);
        int32_t da = ia < 0 ? 1 : a->dims[ia], db = ib < 0 ? 1 : b->dims[ib];
        if (da != db && da != 1 && db != 1) {
            char sa[96], sb[96];
            tmc_tensor_shape_text(a, sa, sizeof sa);
            tmc_tensor_shape_text(b, sb, sizeof sb);
            return tmc_fail(err, TMC_E_SHAPE, "shapes %s and %s do not broadcast", sa, sb);
        }
        out->dims[i] = da == 1 ? db : da;
    }
    return TMC_OK;
}

static void text(char *out, size_t size, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    tmc_format(out, size, fmt, args);
    va_end(args);
}

void tmc_tensor_shape_text(const tmc_tensor_desc *desc, char *out, size_t size) {
    size_t n = 0;
    text(out, size, "[");
    for (int32_t i = 0; i < desc->rank && i < TMC_MAX_RANK; i++) {
        n = strlen(out);
        text(out + n, size - n, i ? ",%d" : "%d", desc->dims[i]);
    }
    n = strlen(out);
    text(out + n, size - n, "]");
}

bool tmc_quantization_equal(const tmc_quantization *a, const tmc_quantization *b) {
    return a->scale == b->scale && a->zero_point == b->zero_point && a->channels == b->channels;
}

tmc_status tmc_quantization_check(const tmc_quantization *q, uint8_t dtype, tmc_error *err) {
    if (!tmc_quantization_is_set(q)) {
        if (q->zero_point == 0) return TMC_OK;
        return tmc_fail_field(err, TMC_E_QUANT, "scale", "0, expected a positive normal number");
    }
    if (dtype != TMC_I8)
        return tmc_fail_field(err, TMC_E_QUANT, "quantization", "of a tensor of %s, only i8 is quantised",
                              tmc_dtype_name((tmc_dtype)dtype));
    if (q->channels) {
        if (q->scale == 0.0f && q->zero_point == 0) return TMC_OK;
        return tmc_fail_field(err, TMC_E_QUANT, "zero_point",
                              "scale %s, zero point %d beside scales of channels, expected 0 and 0",
                              q->scale == 0.0f ? "0" : "other than 0", q->zero_point);
    }
    if (!isnormal(q->scale) || q->scale < 0)
        return tmc_fail_field(err, TMC_E_QUANT, "scale", "expected a positive normal number");
    if (q->zero_point < -128 || q->zero_point > 127)
        return tmc_fail_field(err, TMC_E_QUANT, "zero_point", "%d, expected -128 to 127", q->zero_point);
    return TMC_OK;
}
