#include <string.h>

#include "convert/onnx/lower.h"

#define ATTRIBUTE(type) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##type
#define MAX_VALUES 1000000 /* numbers in one attribute: a real weight is a TensorProto */

/* Kinds of values that are present, a bit per AttributeType. */
static uint32_t present_kinds(const Onnx__AttributeProto *a) {
    return (uint32_t)(a->has_f != 0) << ATTRIBUTE(FLOAT) | (uint32_t)(a->has_i != 0) << ATTRIBUTE(INT) |
           (uint32_t)(a->has_s != 0) << ATTRIBUTE(STRING) | (uint32_t)(a->t != NULL) << ATTRIBUTE(TENSOR) |
           (uint32_t)(a->g != NULL) << ATTRIBUTE(GRAPH) |
           (uint32_t)(a->sparse_tensor != NULL) << ATTRIBUTE(SPARSE_TENSOR) |
           (uint32_t)(a->tp != NULL) << ATTRIBUTE(TYPE_PROTO) | (uint32_t)(a->n_floats > 0) << ATTRIBUTE(FLOATS) |
           (uint32_t)(a->n_ints > 0) << ATTRIBUTE(INTS) | (uint32_t)(a->n_strings > 0) << ATTRIBUTE(STRINGS) |
           (uint32_t)(a->n_tensors > 0) << ATTRIBUTE(TENSORS) | (uint32_t)(a->n_graphs > 0) << ATTRIBUTE(GRAPHS) |
           (uint32_t)(a->n_sparse_tensors > 0) << ATTRIBUTE(SPARSE_TENSORS) |
           (uint32_t)(a->n_type_protos > 0) << ATTRIBUTE(TYPE_PROTOS);
}

static tmc_status check_attribute(onnx_lower *lw, const Onnx__AttributeProto *a) {
    if (!a->name || !*a->name) return tmc_fail(lw->err, TMC_E_FORMAT, "an attribute has no name");
    if (a->ref_attr_name && *a->ref_attr_name)
        return tmc_fail_field(lw->err, TMC_E_FORMAT, a->name, "attribute refers to a function's, outside a function");
    if (!a->has_type || a->type <= ATTRIBUTE(UNDEFINED) || a->type > ATTRIBUTE(TYPE_PROTOS))
        return tmc_fail_field(lw->err, TMC_E_FORMAT, a->name, "attribute has no valid type");
    /* A value of zero may have been left out by a proto3 writer, but a value of another kind is a contradiction. */
    if (present_kinds(a) & ~(1u << a->type))
        return tmc_fail_field(lw->err, TMC_E_FORMAT, a->name, "attribute has a value that is not of its type");
    if (a->n_ints > MAX_VALUES || a->n_floats > MAX_VALUES || a->n_strings > MAX_VALUES)
        return tmc_fail_field(lw->err, TMC_E_LIMIT, a->name, "attribute has more than %d values", MAX_VALUES);
    return TMC_OK;
}

tmc_status onnx_check_attributes(onnx_lower *lw) {
    const Onnx__NodeProto *node = lw->node;
    if (node->n_attribute > 64)
        return tmc_fail(lw->err, TMC_E_LIMIT, "%zu attributes, at most 64 are read", node->n_attribute);
    for (size_t i = 0; i < node->n_attribute; i++) {
        TMC_TRY(check_attribute(lw, node->attribute[i]));
        for (size_t j = 0; j < i; j++)
            if (strcmp(node->attribute[i]->name, node->attribute[j]->name) == 0)
                return tmc_fail_field(lw->err, TMC_E_FORMAT, node->attribute[i]->name, "attribute occurs twice");
    }
    return TMC_OK;
}

tmc_status onnx_check_unused(onnx_lower *lw) {
    for (size_t i = 0; i < lw->node->n_attribute; i++)
        if (!(lw->used >> i & 1))
            return onnx_refuse(lw, lw->node->attribute[i]->name, "attribute '%s' is not known for this operator",
                               lw->node->attribute[i]->name);
    return TMC_OK;
}

static const Onnx__AttributeProto *find(onnx_lower *lw, const char *name) {
    for (size_t i = 0; i < lw->node->n_attribute; i++)
        if (strcmp(lw->node->attribute[i]->name, name) == 0) {
            lw->used |= (uint64_t)1 << i;
            return lw->node->attribute[i];
        }
    return NULL;
}

bool onnx_has_attr(onnx_lower *lw, const char *name) { return find(lw, name) != NULL; }

void onnx_ignore_attr(onnx_lower *lw, const char *name) { (void)find(lw, name); }

tmc_status onnx_attr(onnx_lower *lw, const char *name, Onnx__AttributeProto__AttributeType type,
                     const Onnx__AttributeProto **out) {
    *out = find(lw, name);
    if (*out && (*out)->type != type)
        return tmc_fail_field(lw->err, TMC_E_FORMAT, name, "attribute has type %d, expected %d", (int)(*out)->type,
                              (int)type);
    return TMC_OK;
}

tmc_status onnx_attr_int(onnx_lower *lw, const char *name, int64_t fallback, int64_t *out) {
    const Onnx__AttributeProto *a;
    TMC_TRY(onnx_attr(lw, name, ATTRIBUTE(INT), &a));
    *out = a ? a->i : fallback;
    return TMC_OK;
}

tmc_status onnx_attr_bool(onnx_lower *lw, const char *name, bool fallback, bool *out) {
    int64_t value;
    TMC_TRY(onnx_attr_int(lw, name, fallback, &value));
    if (value != 0 && value != 1)
        return tmc_fail_field(lw->err, TMC_E_RANGE, name, "%lld, expected 0 or 1", (long long)value);
    *out = value != 0;
    return TMC_OK;
}

tmc_status onnx_attr_float(onnx_lower *lw, const char *name, float fallback, float *out) {
    const Onnx__AttributeProto *a;
    TMC_TRY(onnx_attr(lw, name, ATTRIBUTE(FLOAT), &a));
    *out = a ? a->f : fallback;
    return TMC_OK;
}

static tmc_status check_list(onnx_lower *lw, const char *name, size_t count) {
    if (count <= ONNX_MAX_LIST) return TMC_OK;
    return tmc_fail_field(lw->err, TMC_E_LIMIT, name, "%zu values, at most %d are supported", count, ONNX_MAX_LIST);
}

tmc_status onnx_attr_ints(onnx_lower *lw, const char *name, onnx_ints *out) {
    const Onnx__AttributeProto *a;
    memset(out, 0, sizeof *out);
    TMC_TRY(onnx_attr(lw, name, ATTRIBUTE(INTS), &a));
    if (!a) return TMC_OK;
    TMC_TRY(check_list(lw, name, a->n_ints));
    out->present = true;
    out->count = (uint32_t)a->n_ints;
    if (a->n_ints) memcpy(out->values, a->ints, a->n_ints * sizeof *a->ints);
    return TMC_OK;
}

tmc_status onnx_attr_floats(onnx_lower *lw, const char *name, onnx_floats *out) {
    const Onnx__AttributeProto *a;
    memset(out, 0, sizeof *out);
    TMC_TRY(onnx_attr(lw, name, ATTRIBUTE(FLOATS), &a));
    if (!a) return TMC_OK;
    TMC_TRY(check_list(lw, name, a->n_floats));
    out->present = true;
    out->count = (uint32_t)a->n_floats;
    if (a->n_floats) memcpy(out->values, a->floats, a->n_floats * sizeof *a->floats);
    return TMC_OK;
}

tmc_status onnx_attr_choice(onnx_lower *lw, const char *name, const char *const *choices, int32_t fallback,
                            int32_t *out) {
    const Onnx__AttributeProto *a;
    TMC_TRY(onnx_attr(lw, name, ATTRIBUTE(STRING), &a));
    *out = fallback;
    if (!a) return TMC_OK;
    if (a->s.len && memchr(a->s.data, 0, a->s.len))
        return tmc_fail_field(lw->err, TMC_E_FORMAT, name, "the text contains a NUL byte");
    for (int32_t i = 0; choices[i]; i++)
        if (strlen(choices[i]) == a->s.len && (!a->s.len || memcmp(choices[i], a->s.data, a->s.len) == 0)) {
            *out = i;
            return TMC_OK;
        }
    char text[32] = "";
    if (a->s.len) memcpy(text, a->s.data, a->s.len < sizeof text ? a->s.len : sizeof text - 1);
    return onnx_refuse(lw, name, "%s='%s' is not supported", name, text);
}
