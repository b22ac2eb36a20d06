/* What is a constant once shapes are known: Constant, Shape, Size, ConstantOfShape, Range, EyeLike. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "convert/memory.h"
#include "convert/onnx/context.h"
#include "convert/onnx/tensor_proto.h"

#define ATTRIBUTE(type) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##type
#define MAX_GENERATED (1u << 24) /* elements a few bytes of model may make us write */

static void set_constant(onnx_lower *lw, const tmc_tensor_desc *desc, const void *data, uint64_t derived) {
    for (int32_t i = 0; i < desc->rank; i++)
        if (desc->dims[i] == 0) {
            onnx_set_empty_output(lw, 0, desc);
            return;
        }
    ir_id id = ir_add_constant(lw->graph, lw->name, desc, data);
    onnx_mark_derived(lw, id, derived);
    onnx_set_output(lw, 0, id);
}

static void set_list(onnx_lower *lw, tmc_dtype dtype, size_t count, const void *data, uint64_t derived) {
    tmc_tensor_desc desc = {.dtype = (uint8_t)dtype, .rank = 1, .dims = {(int32_t)count}};
    set_constant(lw, &desc, data, derived);
}

static void set_scalar(onnx_lower *lw, tmc_dtype dtype, const void *data, uint64_t derived) {
    tmc_tensor_desc desc = {.dtype = (uint8_t)dtype};
    set_constant(lw, &desc, data, derived);
}

/* ----------------------------------------------------------------------------------------------------- constant */

static tmc_status constant_tensor(onnx_lower *lw, const Onnx__AttributeProto *a) {
    onnx_dense dense;
    if (!a->t) return tmc_fail_field(lw->err, TMC_E_FORMAT, "value", "the tensor is missing");
    TMC_TRY(onnx_dense_read(a->t, lw->ctx->base_folder, &dense, lw->err));
    set_constant(lw, &dense.desc, dense.data, 0);
    onnx_dense_clear(&dense);
    return TMC_OK;
}

tmc_status onnx_lower_constant(onnx_lower *lw) {
    TMC_TRY(onnx_expect_inputs(lw, 0, 0));
    if (lw->node->n_attribute != 1)
        return tmc_fail(lw->err, TMC_E_FORMAT, "%zu attributes, expected one value", lw->node->n_attribute);
    static const struct {
        const char *name;
        Onnx__AttributeProto__AttributeType type;
    } forms[] = {{"value", ATTRIBUTE(TENSOR)},
                 {"value_float", ATTRIBUTE(FLOAT)},
                 {"value_floats", ATTRIBUTE(FLOATS)},
                 {"value_int", ATTRIBUTE(INT)},
                 {"value_ints", ATTRIBUTE(INTS)}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const Onnx__AttributeProto *a;
        TMC_TRY(onnx_attr(lw, forms[i].name, forms[i].type, &a));
        if (!a) continue;
        switch (forms[i].type) {
        case ATTRIBUTE(TENSOR): return constant_tensor(lw, a);
        case ATTRIBUTE(FLOAT): set_scalar(lw, TMC_F32, &a->f, 0); return TMC_OK;
        case ATTRIBUTE(INT): set_scalar(lw, TMC_I64, &a->i, 0); return TMC_OK;
        case ATTRIBUTE(FLOATS): set_list(lw, TMC_F32, a->n_floats, a->floats, 0); return TMC_OK;
        default: set_list(lw, TMC_I64, a->n_ints, a->ints, 0); return TMC_OK;
        }
    }
    return onnx_refuse(lw, lw->node->attribute[0]->name, "a constant of this kind is not supported");
}

/* -------------------------------------------------------------------------------------------------------- shape */

/* Description of input 0, which may be empty, and whether its shape may follow the model's inputs. */
static tmc_status shape_of_input(onnx_lower *lw, tmc_tensor_desc *desc, uint64_t *derived) {
    ir_id x;
    *derived = 0;
    TMC_TRY(onnx_expect_inputs(lw, 1, 1));
    if (onnx_input_is_empty(lw, 0, desc)) return TMC_OK;
    TMC_TRY(onnx_input(lw, 0, &x));
    *desc = *onnx_desc(lw, x);
    if (!ir_is_constant(lw->graph, x)) *derived = UINT64_MAX;
    return TMC_OK;
}

static int64_t clamp_axis(int64_t axis, int32_t rank) {
    if (axis < 0) axis += rank;
    return axis < 0 ? 0 : axis > rank ? rank : axis;
}

tmc_status onnx_lower_shape(onnx_lower *lw) {
    tmc_tensor_desc desc;
    uint64_t derived;
    int64_t start, end, values[TMC_MAX_RANK];
    TMC_TRY(shape_of_input(lw, &desc, &derived));
    TMC_TRY(onnx_attr_int(lw, "start", 0, &start));
    TMC_TRY(onnx_attr_int(lw, "end", desc.rank, &end));
    start = clamp_axis(start, desc.rank);
    end = clamp_axis(end, desc.rank);
    size_t count = 0;
    for (int64_t i = start; i < end; i++) values[count++] = desc.dims[i];
    set_list(lw, TMC_I64, count, values, derived);
    return TMC_OK;
}

tmc_status onnx_lower_size(onnx_lower *lw) {
    tmc_tensor_desc desc;
    uint64_t derived;
    TMC_TRY(shape_of_input(lw, &desc, &derived));
    int64_t size = (int64_t)tmc_dims_product(desc.dims, 0, desc.rank);
    set_scalar(lw, TMC_I64, &size, derived);
    return TMC_OK;
}

/* ---------------------------------------------------------------------------------------------------- generated */

static tmc_status shape_from_list(onnx_lower *lw, const onnx_ints *list, tmc_tensor_desc *desc) {
    uint64_t count = 1;
    if (list->count > TMC_MAX_RANK) return onnx_refuse(lw, "input", "rank %u is over %d", list->count, TMC_MAX_RANK);
    desc->rank = (int32_t)list->count;
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->values[i] < 0)
            return tmc_fail_field(lw->err, TMC_E_SHAPE, "input", "dimension %lld", (long long)list->values[i]);
        if (!tmc_mul_u64(count, (uint64_t)list->values[i], &count) || count > MAX_GENERATED ||
            list->values[i] > INT32_MAX)
            return tmc_fail_field(lw->err, TMC_E_LIMIT, "input", "a constant of more than %u elements", MAX_GENERATED);
        desc->dims[i] = (int32_t)list->values[i];
    }
    return TMC_OK;
}

static void set_filled(onnx_lower *lw, const tmc_tensor_desc *desc, const void *element, uint64_t derived) {
    size_t size = tmc_dtype_size(desc->dtype), count = tmc_dims_product(desc->dims, 0, desc->rank);
    uint8_t *data = x_alloc_array(count, size);
    for (size_t i = 0; i < count; i++) memcpy(data + i * size, element, size);
    set_constant(lw, desc, data, derived);
    free(data);
}

tmc_status onnx_lower_constant_of_shape(onnx_lower *lw) {
    static const float zero = 0;
    const Onnx__AttributeProto *a;
    onnx_ints shape;
    TMC_TRY(onnx_expect_inputs(lw, 1, 1));
    TMC_TRY(onnx_input_ints(lw, 0, "input", &shape));
    TMC_TRY(onnx_attr(lw, "value", ATTRIBUTE(TENSOR), &a));
    tmc_tensor_desc desc = {.dtype = TMC_F32};
    uint64_t derived = shape.derived ? UINT64_MAX : 0;
    TMC_TRY(shape_from_list(lw, &shape, &desc));
    if (!a || !a->t) {
        set_filled(lw, &desc, &zero, derived);
        return TMC_OK;
    }
    onnx_dense value;
    TMC_TRY(onnx_dense_read(a->t, lw->ctx->base_folder, &value, lw->err));
    bool one = value.bytes == tmc_dtype_size(value.desc.dtype);
    desc.dtype = value.desc.dtype;
    if (one) set_filled(lw, &desc, value.data, derived);
    onnx_dense_clear(&value);
    return one ? TMC_OK : tmc_fail_field(lw->err, TMC_E_SHAPE, "value", "expected one element");
}

static tmc_status range_of_ints(onnx_lower *lw, tmc_dtype dtype) {
    static const char *const names[] = {"start", "limit", "delta"};
    onnx_ints v[3];
    uint64_t derived = 0;
    for (size_t i = 0; i < 3; i++) {
        TMC_TRY(onnx_input_ints(lw, i, names[i], &v[i]));
        if (v[i].count != 1) return tmc_fail_field(lw->err, TMC_E_SHAPE, names[i], "expected one value");
        if (v[i].values[0] > INT64_MAX / 4 || v[i].values[0] < INT64_MIN / 4)
            return tmc_fail_field(lw->err, TMC_E_RANGE, names[i], "the value is too large");
        derived |= v[i].derived;
    }
    int64_t start = v[0].values[0], delta = v[2].values[0], span = v[1].values[0] - start, count = 0;
    if (delta == 0) return tmc_fail_field(lw->err, TMC_E_RANGE, "delta", "0");
    if ((span > 0) == (delta > 0) && span) count = span / delta + (span % delta != 0);
    if (count > MAX_GENERATED) return tmc_fail_field(lw->err, TMC_E_LIMIT, "limit", "%lld values", (long long)count);
    int64_t *data = x_alloc_array((size_t)count, sizeof *data);
    int32_t *narrow = (int32_t *)data; /* written from the front, never ahead of what is read */
    for (int64_t i = 0; i < count; i++) data[i] = start + i * delta;
    for (int64_t i = 0; dtype == TMC_I32 && i < count; i++) {
        int32_t value = (int32_t)data[i];
        memcpy(&narrow[i], &value, sizeof value);
    }
    set_list(lw, dtype, (size_t)count, data, derived ? UINT64_MAX : 0);
    free(data);
    return TMC_OK;
}

static tmc_status range_of_floats(onnx_lower *lw) {
    float start, limit, delta;
    TMC_TRY(onnx_input_scalar(lw, 0, "start", 0, &start));
    TMC_TRY(onnx_input_scalar(lw, 1, "limit", 0, &limit));
    TMC_TRY(onnx_input_scalar(lw, 2, "delta", 0, &delta));
    double count = ceil(((double)limit - start) / delta);
    if (delta == 0 || !isfinite(count)) return tmc_fail_field(lw->err, TMC_E_RANGE, "delta", "no finite range");
    if (count > MAX_GENERATED)
        return tmc_fail_field(lw->err, TMC_E_LIMIT, "limit", "more than %u values", MAX_GENERATED);
    size_t n = count > 0 ? (size_t)count : 0;
    float *data = x_alloc_array(n, sizeof *data);
    for (size_t i = 0; i < n; i++) data[i] = (float)(start + (double)i * delta);
    set_list(lw, TMC_F32, n, data, UINT64_MAX);
    free(data);
    return TMC_OK;
}

tmc_status onnx_lower_range(onnx_lower *lw) {
    ir_id start;
    TMC_TRY(onnx_expect_inputs(lw, 3, 3));
    TMC_TRY(onnx_input(lw, 0, &start));
    switch (onnx_desc(lw, start)->dtype) {
    case TMC_F32: return range_of_floats(lw);
    case TMC_I32: return range_of_ints(lw, TMC_I32);
    default: return range_of_ints(lw, TMC_I64);
    }
}

static void write_one(uint8_t *data, size_t index, tmc_dtype dtype) {
    static const float one_f32 = 1;
    static const int64_t one_i64 = 1; /* little-endian: its first bytes are a narrower one */
    size_t size = tmc_dtype_size(dtype);
    memcpy(data + index * size, dtype == TMC_F32 ? (const void *)&one_f32 : &one_i64, size);
}

tmc_status onnx_lower_eye_like(onnx_lower *lw) {
    tmc_tensor_desc desc;
    uint64_t derived;
    int64_t k, type;
    TMC_TRY(shape_of_input(lw, &desc, &derived));
    TMC_TRY(onnx_attr_int(lw, "k", 0, &k));
    TMC_TRY(onnx_attr_int(lw, "dtype", 0, &type));
    if (desc.rank != 2) return tmc_fail_field(lw->err, TMC_E_SHAPE, "input", "rank %d, expected 2", desc.rank);
    if (type) {
        int32_t code = type > 0 && type <= 64 ? (int32_t)type : 0;
        if (!onnx_dtype(code)) return onnx_refuse(lw, "dtype", "type %s is not supported", onnx_dtype_name(code));
        desc.dtype = (uint8_t)onnx_dtype(code);
    }
    size_t count = tmc_dims_product(desc.dims, 0, 2);
    if (count > MAX_GENERATED) return tmc_fail_field(lw->err, TMC_E_LIMIT, "input", "%zu elements", count);
    uint8_t *data = x_alloc_array(count, tmc_dtype_size(desc.dtype));
    for (int64_t row = 0; row < desc.dims[0]; row++)
        if (k >= -row && k < desc.dims[1] - row)
            write_one(data, (size_t)(row * desc.dims[1] + row + k), (tmc_dtype)desc.dtype);
    set_constant(lw, &desc, data, derived);
    free(data);
    return TMC_OK;
}
