/* The model's inputs and initializers, and the values of symbolic dimensions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/memory.h"
#include "convert/onnx/context.h"
#include "convert/onnx/tensor_proto.h"
#include "convert/vary.h"

static const onnx_frozen_input *find_frozen(const onnx_import_options *options, const char *name) {
    for (size_t i = 0; i < options->frozen_count; i++)
        if (strcmp(options->frozen[i].name, name) == 0) return &options->frozen[i];
    return NULL;
}

/* IR versions before 4 list every initializer among the inputs. Such an input is the constant, in every version. */
static bool has_initializer(const Onnx__GraphProto *graph, const char *name) {
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (graph->initializer[i]->name && strcmp(graph->initializer[i]->name, name) == 0) return true;
    return false;
}

static bool is_free_input(const Onnx__GraphProto *graph, const onnx_import_options *options, const char *name) {
    return !find_frozen(options, name) && !has_initializer(graph, name);
}

/* NULL if the input's type is not a tensor of known rank. */
static const Onnx__TensorShapeProto *declared_shape(const Onnx__ValueInfoProto *info) {
    if (!info->type || info->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE) return NULL;
    return info->type->tensor_type->shape;
}

static bool is_symbolic(const Onnx__TensorShapeProto__Dimension *dim) {
    return dim->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
}

static const char *symbol_name(const Onnx__TensorShapeProto__Dimension *dim) {
    if (dim->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM) return NULL;
    return dim->dim_param && *dim->dim_param ? dim->dim_param : NULL;
}

/* ------------------------------------------------------------------------------------------------------ symbols */

static uint32_t find_or_add_symbol(onnx_symbols *symbols, const char *name) {
    for (uint32_t i = 0; name && i < symbols->count; i++)
        if (symbols->items[i].name && strcmp(symbols->items[i].name, name) == 0) return i;
    symbols->items = x_grow(symbols->items, &symbols->capacity, symbols->count + 1, sizeof *symbols->items);
    symbols->items[symbols->count] = (onnx_symbol){.name = name, .batch_only = true};
    return symbols->count++;
}

static tmc_status set_symbol(onnx_symbol *symbol, const char *input, int32_t value, tmc_error *err) {
    if (value < 1) return tmc_fail(err, TMC_E_SHAPE, "input '%s': a dimension of %d was given", input, value);
    if (symbol->known && symbol->value != value)
        return tmc_fail(err, TMC_E_SHAPE, "input '%s': dimension '%s' is %d here and %d elsewhere", input,
                        symbol->name ? symbol->name : "?", value, symbol->value);
    symbol->known = true;
    symbol->value = value;
    return TMC_OK;
}

static tmc_status collect_input(const Onnx__ValueInfoProto *info, const onnx_import_options *options,
                                onnx_symbols *symbols, tmc_error *err) {
    const Onnx__TensorShapeProto *shape = declared_shape(info);
    const import_shape *given = import_find_shape(options->shapes, options->shape_count, info->name);
    if (!shape) return TMC_OK;
    if (given && given->rank != (int32_t)shape->n_dim)
        return tmc_fail(err, TMC_E_SHAPE, "input '%s' has %zu axes, %d were given", info->name, shape->n_dim,
                        given->rank);
    for (size_t axis = 0; axis < shape->n_dim && axis < TMC_MAX_RANK; axis++) {
        if (!is_symbolic(shape->dim[axis])) continue;
        uint32_t symbol = find_or_add_symbol(symbols, symbol_name(shape->dim[axis]));
        symbols->uses = x_grow(symbols->uses, &symbols->use_capacity, symbols->use_count + 1, sizeof *symbols->uses);
        symbols->uses[symbols->use_count++] = (onnx_symbol_use){info->name, (uint32_t)axis, symbol};
        if (axis > 0) symbols->items[symbol].batch_only = false;
        if (given) TMC_TRY(set_symbol(&symbols->items[symbol], info->name, given->dims[axis], err));
    }
    return TMC_OK;
}

/* What the user was not asked for: one image at a time. */
static tmc_status default_symbols(onnx_symbols *symbols, tmc_error *err) {
    for (uint32_t i = 0; i < symbols->use_count; i++) {
        const onnx_symbol_use *use = &symbols->uses[i];
        if (use->axis == 0)
            TMC_TRY(symbols->items[use->symbol].known ? TMC_OK
                                                      : set_symbol(&symbols->items[use->symbol], use->input, 1, err));
    }
    for (uint32_t i = 0; i < symbols->use_count; i++) {
        const onnx_symbol_use *use = &symbols->uses[i];
        const onnx_symbol *symbol = &symbols->items[use->symbol];
        if (!symbol->known)
            return tmc_fail(err, TMC_E_SHAPE,
                            "input '%s': axis %u ('%s') has no fixed size; give the whole shape, for example "
                            "--shape %s=1,3,224,224",
                            use->input, use->axis, symbol->name ? symbol->name : "?", use->input);
    }
    return TMC_OK;
}

static tmc_status check_options(const Onnx__GraphProto *graph, const onnx_import_options *options, tmc_error *err) {
    for (size_t i = 0; i < options->shape_count + options->frozen_count; i++) {
        const char *name =
            i < options->shape_count ? options->shapes[i].name : options->frozen[i - options->shape_count].name;
        bool found = false;
        for (size_t k = 0; k < graph->n_input && !found; k++)
            found = graph->input[k]->name && strcmp(graph->input[k]->name, name) == 0;
        if (!found) return tmc_fail(err, TMC_E_ARG, "the model has no input '%s'", name);
    }
    return TMC_OK;
}

tmc_status onnx_resolve_symbols(const Onnx__ModelProto *model, const onnx_import_options *options,
                                onnx_symbols *symbols, tmc_error *err) {
    const Onnx__GraphProto *graph = model->graph;
    TMC_TRY(check_options(graph, options, err));
    for (size_t i = 0; i < graph->n_input; i++) {
        const Onnx__ValueInfoProto *info = graph->input[i];
        if (!info->name || !*info->name) return tmc_fail(err, TMC_E_GRAPH, "input %zu of the model has no name", i);
        if (is_free_input(graph, options, info->name)) TMC_TRY(collect_input(info, options, symbols, err));
    }
    return default_symbols(symbols, err);
}

void onnx_apply_flexible(const onnx_symbols *symbols, ir_graph *graph) {
    for (uint32_t i = 0; i < symbols->use_count; i++) {
        const onnx_symbol_use *use = &symbols->uses[i];
        const onnx_symbol *symbol = &symbols->items[use->symbol];
        ir_id id = ir_find_tensor(graph, use->input);
        if (id != IR_NONE && symbol->flexible) vary_allow(graph, id, use->axis);
    }
    vary_fit(graph);
}

void onnx_symbols_clear(onnx_symbols *symbols) {
    free(symbols->items);
    free(symbols->uses);
    memset(symbols, 0, sizeof *symbols);
}

/* ------------------------------------------------------------------------------------------------------- inputs */

static const onnx_symbol *find_symbol(const onnx_symbols *symbols, const char *input, size_t axis) {
    for (uint32_t i = 0; i < symbols->use_count; i++)
        if (symbols->uses[i].axis == axis && strcmp(symbols->uses[i].input, input) == 0)
            return &symbols->items[symbols->uses[i].symbol];
    return NULL;
}

static tmc_status fixed_dim(onnx_context *ctx, const char *name, const Onnx__TensorShapeProto__Dimension *dim,
                            const import_shape *given, size_t axis, int32_t *out) {
    int64_t value = dim->dim_value;
    if (value < 0)
        return tmc_fail(ctx->err, TMC_E_FORMAT, "input '%s': dimension %lld is negative", name, (long long)value);
    if (value == 0 || value > INT32_MAX)
        return tmc_fail(ctx->err, TMC_E_SHAPE, "input '%s': dimension %lld is not supported", name, (long long)value);
    if (given && given->dims[axis] != value)
        return tmc_fail(ctx->err, TMC_E_SHAPE, "input '%s': the model fixes axis %zu at %lld, %d was given", name, axis,
                        (long long)value, given->dims[axis]);
    *out = (int32_t)value;
    return TMC_OK;
}

static tmc_status input_desc(onnx_context *ctx, const Onnx__ValueInfoProto *info, tmc_tensor_desc *desc) {
    const Onnx__TensorShapeProto *shape = declared_shape(info);
    const import_shape *given = import_find_shape(ctx->options->shapes, ctx->options->shape_count, info->name);
    if (!shape && !given)
        return tmc_fail(ctx->err, TMC_E_SHAPE, "input '%s' has no shape; give it, for example --shape %s=1,3,224,224",
                        info->name, info->name);
    size_t rank = shape ? shape->n_dim : (size_t)given->rank;
    if (rank > TMC_MAX_RANK)
        return tmc_fail(ctx->err, TMC_E_UNSUPPORTED, "input '%s' has rank %zu, at most %d is supported", info->name,
                        rank, TMC_MAX_RANK);
    desc->rank = (int32_t)rank;
    for (size_t axis = 0; axis < rank; axis++) {
        const onnx_symbol *symbol = shape ? find_symbol(ctx->symbols, info->name, axis) : NULL;
        if (symbol)
            desc->dims[axis] = symbol->value;
        else if (shape)
            TMC_TRY(fixed_dim(ctx, info->name, shape->dim[axis], given, axis, &desc->dims[axis]));
        else
            desc->dims[axis] = given->dims[axis];
    }
    return tmc_tensor_check(desc, ctx->err);
}

static tmc_status add_refused(onnx_context *ctx, const char *name, const char *reason) {
    import_issue(&ctx->issues, "input", name, reason);
    return onnx_define_value(ctx, name, ONNX_VALUE_REFUSED, IR_NONE, NULL);
}

static tmc_status add_input(onnx_context *ctx, const Onnx__ValueInfoProto *info) {
    tmc_tensor_desc desc = {0};
    char reason[96];
    if (!info->type || info->type->value_case == ONNX__TYPE_PROTO__VALUE__NOT_SET)
        return tmc_fail(ctx->err, TMC_E_FORMAT, "input '%s' has no type", info->name);
    if (info->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
        return add_refused(ctx, info->name, "only tensors are supported, not sequences, maps or optionals");
    int32_t type = info->type->tensor_type->elem_type;
    desc.dtype = (uint8_t)onnx_dtype(type);
    if (!desc.dtype) {
        snprintf(reason, sizeof reason, "element type %s is not supported", onnx_dtype_name(type));
        return add_refused(ctx, info->name, reason);
    }
    TMC_TRY(input_desc(ctx, info, &desc));
    ir_id id = ir_add_tensor(ctx->graph, info->name, &desc);
    ir_add_input(ctx->graph, id);
    return onnx_define_value(ctx, info->name, ONNX_VALUE_TENSOR, id, NULL);
}

static tmc_status define_constant(onnx_context *ctx, const char *name, const tmc_tensor_desc *desc, const void *data) {
    onnx_value *value;
    for (int32_t i = 0; i < desc->rank; i++)
        if (desc->dims[i] == 0) {
            TMC_TRY(onnx_define_value(ctx, name, ONNX_VALUE_EMPTY, IR_NONE, &value));
            value->desc = *desc;
            return TMC_OK;
        }
    TMC_TRY(onnx_define_value(ctx, name, ONNX_VALUE_TENSOR, IR_NONE, &value));
    value->id = ir_add_constant(ctx->graph, name, desc, data);
    return TMC_OK;
}

tmc_status onnx_add_inputs(onnx_context *ctx) {
    const Onnx__GraphProto *graph = ctx->model->graph;
    for (size_t i = 0; i < graph->n_input; i++) {
        const Onnx__ValueInfoProto *info = graph->input[i];
        const onnx_frozen_input *frozen = find_frozen(ctx->options, info->name);
        for (size_t k = 0; k < i; k++)
            if (strcmp(graph->input[k]->name, info->name) == 0)
                return tmc_fail(ctx->err, TMC_E_GRAPH, "input '%s' is listed twice", info->name);
        if (frozen)
            TMC_TRY(define_constant(ctx, info->name, &frozen->desc, frozen->data));
        else if (!has_initializer(graph, info->name))
            TMC_TRY(add_input(ctx, info));
    }
    return TMC_OK;
}

tmc_status onnx_add_initializers(onnx_context *ctx) {
    const Onnx__GraphProto *graph = ctx->model->graph;
    if (graph->n_sparse_initializer)
        import_issue(&ctx->issues, "sparse initializer", graph->name ? graph->name : "",
                     "sparse tensors are not supported");
    for (size_t i = 0; i < graph->n_initializer; i++) {
        const Onnx__TensorProto *tensor = graph->initializer[i];
        const char *name = tensor->name ? tensor->name : "";
        onnx_dense dense;
        if (find_frozen(ctx->options, name)) continue; /* the caller's value wins */
        tmc_status status = onnx_dense_read(tensor, ctx->base_folder, &dense, ctx->err);
        if (status == TMC_E_UNSUPPORTED) {
            import_issue(&ctx->issues, "initializer", name, ctx->err->message);
            TMC_TRY(onnx_define_value(ctx, name, ONNX_VALUE_REFUSED, IR_NONE, NULL));
            continue;
        }
        if (status != TMC_OK) {
            tmc_error inner = *ctx->err;
            return tmc_fail_field(ctx->err, status, inner.field, "initializer '%s': %s", name, inner.message);
        }
        status = define_constant(ctx, name, &dense.desc, dense.data);
        onnx_dense_clear(&dense);
        TMC_TRY(status);
    }
    return TMC_OK;
}
