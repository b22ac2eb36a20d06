#include "convert/tflite/tflite_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/memory.h"
#include "convert/tflite/builtin_list.h"
#include "convert/tflite/context.h"

#define CONSTANTS_PER_BYTE 4u /* halves become floats, and some sharing of buffers is common */
#define CONSTANTS_LEAST (16u << 20)

bool tflite_is_model(const void *bytes, size_t size) {
    return size >= 8 && memcmp((const uint8_t *)bytes + 4, TFLITE_IDENTIFIER, 4) == 0;
}

/* --------------------------------------------------------------------------------------------------------- checks */

/* What a tensor is before anything has run. */
enum { FROM_NOTHING, FROM_FILE, FROM_OPERATOR };

static bool in_range(const tflite_model *model, int32_t tensor) {
    return tensor >= 0 && (uint32_t)tensor < model->tensor_count;
}

static tmc_status bad_index(const tflite_context *ctx, const char *field, int32_t tensor) {
    return tmc_fail_field(ctx->err, TMC_E_GRAPH, field, "tensor %d of %u", tensor, ctx->model->tensor_count);
}

static bool is_constant(const tflite_tensor *record) {
    if (record->data) return true;
    for (int32_t i = 0; i < record->rank; i++)
        if (record->dims[i] == 0) return true;
    return false;
}

static tmc_status check_inputs(const tflite_context *ctx, uint8_t *origin) {
    const tflite_model *model = ctx->model;
    if (!model->input_count) return tmc_fail_field(ctx->err, TMC_E_GRAPH, "inputs", "the model has no inputs");
    for (uint32_t i = 0; i < model->input_count; i++) {
        const int32_t tensor = model->inputs[i];
        if (!in_range(model, tensor)) return bad_index(ctx, "inputs", tensor);
        if (origin[tensor] != FROM_NOTHING || model->tensors[tensor].data)
            return tmc_fail_field(ctx->err, TMC_E_GRAPH, "inputs", "tensor %d '%s' is listed twice or is a constant",
                                  tensor, model->tensors[tensor].name);
        origin[tensor] = FROM_FILE;
    }
    return TMC_OK;
}

static tmc_status check_operator(const tflite_context *ctx, const tflite_operator *op, uint8_t *origin) {
    const tflite_model *model = ctx->model;
    for (uint32_t i = 0; i < op->input_count; i++) {
        const int32_t tensor = op->inputs[i];
        if (tensor == -1) continue;
        if (!in_range(model, tensor)) return bad_index(ctx, "inputs", tensor);
        if (origin[tensor] == FROM_NOTHING && !is_constant(&model->tensors[tensor]) && !model->tensors[tensor].refusal)
            return tmc_fail_field(ctx->err, TMC_E_GRAPH, "inputs", "tensor %d '%s' is read before anything writes it",
                                  tensor, model->tensors[tensor].name);
    }
    for (uint32_t i = 0; i < op->output_count; i++) {
        const int32_t tensor = op->outputs[i];
        if (!in_range(model, tensor)) return bad_index(ctx, "outputs", tensor);
        if (origin[tensor] != FROM_NOTHING || model->tensors[tensor].data)
            return tmc_fail_field(ctx->err, TMC_E_GRAPH, "outputs",
                                  "tensor %d '%s' is written twice, or is an input or a constant", tensor,
                                  model->tensors[tensor].name);
        origin[tensor] = FROM_OPERATOR;
    }
    return TMC_OK;
}

static tmc_status check_outputs(const tflite_context *ctx, const uint8_t *origin) {
    const tflite_model *model = ctx->model;
    bool *seen = x_alloc_array(model->tensor_count, sizeof *seen);
    tmc_status status = TMC_OK;
    if (!model->output_count) status = tmc_fail_field(ctx->err, TMC_E_GRAPH, "outputs", "the model has no outputs");
    for (uint32_t i = 0; status == TMC_OK && i < model->output_count; i++) {
        const int32_t tensor = model->outputs[i];
        if (!in_range(model, tensor))
            status = bad_index(ctx, "outputs", tensor);
        else if (seen[tensor] || (origin[tensor] == FROM_NOTHING && !model->tensors[tensor].data))
            status =
                tmc_fail_field(ctx->err, TMC_E_GRAPH, "outputs", "tensor %d '%s' is listed twice, or nothing writes it",
                               tensor, model->tensors[tensor].name);
        else
            seen[tensor] = true;
    }
    free(seen);
    return status;
}

/* Every index, every producer, the order: operators run as they are listed. */
static tmc_status check_graph(const tflite_context *ctx) {
    uint8_t *origin = x_alloc(ctx->model->tensor_count);
    tmc_status status = check_inputs(ctx, origin);
    for (uint32_t i = 0; status == TMC_OK && i < ctx->model->operator_count; i++) {
        status = check_operator(ctx, &ctx->model->operators[i], origin);
        if (status != TMC_OK) tmc_error_at_node(ctx->err, (int32_t)i);
    }
    if (status == TMC_OK) status = check_outputs(ctx, origin);
    free(origin);
    return status;
}

/* --------------------------------------------------------------------------------------------------------- inputs */

static tmc_status check_shape_names(const tflite_context *ctx) {
    for (size_t i = 0; i < ctx->options->shape_count; i++) {
        bool found = false;
        for (uint32_t k = 0; k < ctx->model->input_count; k++)
            found = found || strcmp(ctx->options->shapes[i].name, ctx->model->tensors[ctx->model->inputs[k]].name) == 0;
        if (!found) return tmc_fail(ctx->err, TMC_E_ARG, "the model has no input '%s'", ctx->options->shapes[i].name);
    }
    return TMC_OK;
}

static tmc_status override_dims(tflite_context *ctx, const tflite_tensor *record, tmc_tensor_desc *desc) {
    const import_shape *given = import_find_shape(ctx->options->shapes, ctx->options->shape_count, record->name);
    if (!given) return TMC_OK;
    if (given->rank != record->rank)
        return tmc_fail(ctx->err, TMC_E_SHAPE, "input '%s' has %d axes, %d were given", record->name, record->rank,
                        given->rank);
    for (int32_t i = 0; i < given->rank; i++) {
        if (given->dims[i] == record->dims[i]) continue;
        if (!record->open[i])
            return tmc_fail(ctx->err, TMC_E_SHAPE, "input '%s': the model fixes axis %d at %d, %d was given",
                            record->name, i, record->dims[i], given->dims[i]);
        desc->dims[i] = given->dims[i];
        ctx->resized = true;
    }
    return TMC_OK;
}

static tmc_status add_input(tflite_context *ctx, uint32_t tensor) {
    const tflite_tensor *record = &ctx->model->tensors[tensor];
    tflite_value *value = &ctx->values[tensor];
    tmc_tensor_desc desc = {.rank = record->rank};
    if (value->kind == TFLITE_VALUE_REFUSED) return TMC_OK;
    desc.dtype = (uint8_t)tflite_dtype(record->type);
    memcpy(desc.dims, record->dims, sizeof desc.dims);
    TMC_TRY(override_dims(ctx, record, &desc));
    tmc_status status = tmc_tensor_check(&desc, ctx->err);
    if (status != TMC_OK) {
        tmc_error_at_tensor(ctx->err, (int32_t)tensor);
        return status;
    }
    *value = (tflite_value){TFLITE_VALUE_TENSOR, ir_add_tensor(ctx->graph, record->name, &desc)};
    ir_add_input(ctx->graph, value->id);
    return TMC_OK;
}

/* Inputs first, then placeholders for the outputs, so that nothing else takes their names. */
static tmc_status add_boundary(tflite_context *ctx) {
    const tflite_model *model = ctx->model;
    const tmc_tensor_desc scalar = {.dtype = TMC_F32};
    TMC_TRY(check_shape_names(ctx));
    for (uint32_t i = 0; i < model->input_count; i++) TMC_TRY(add_input(ctx, (uint32_t)model->inputs[i]));
    for (uint32_t i = 0; i < model->output_count; i++)
        ir_add_output(ctx->graph, ir_add_tensor(ctx->graph, model->tensors[model->outputs[i]].name, &scalar));
    return TMC_OK;
}

/* ------------------------------------------------------------------------------------------------------ operators */

static bool is_blocked(const tflite_context *ctx, const tflite_operator *op) {
    bool blocked = false;
    for (uint32_t i = 0; i < op->input_count; i++)
        blocked = blocked || (op->inputs[i] >= 0 && ctx->values[op->inputs[i]].kind == TFLITE_VALUE_REFUSED);
    for (uint32_t i = 0; i < op->output_count; i++)
        blocked = blocked || ctx->values[op->outputs[i]].kind == TFLITE_VALUE_REFUSED;
    return blocked;
}

static void refuse_outputs(tflite_context *ctx, const tflite_operator *op) {
    for (uint32_t i = 0; i < op->output_count; i++) ctx->values[op->outputs[i]].kind = TFLITE_VALUE_REFUSED;
}

/* "CONV_2D", a custom operator's own name, or its number. */
static const char *operator_title(const tflite_operator *op, char *text, size_t size) {
    const char *name = tflite_builtin_name(op->code->builtin);
    if (op->code->builtin == BUILTIN_CUSTOM && op->code->custom[0]) return op->code->custom;
    if (name) return name;
    snprintf(text, size, "operator %d", op->code->builtin);
    return text;
}

static const tflite_builtin *find_lowering(const tflite_operator *op, tmc_error *reason) {
    const tflite_builtin *builtin = tflite_find_builtin(op->code->builtin);
    if (op->code->builtin == BUILTIN_CUSTOM)
        tmc_fail(reason, TMC_E_UNSUPPORTED, "custom operators are not supported");
    else if (op->has_variables)
        tmc_fail(reason, TMC_E_UNSUPPORTED, "operators that change their inputs are not supported");
    else if (builtin)
        return builtin;
    else
        tmc_fail(reason, TMC_E_UNSUPPORTED, "this operator is not supported");
    return NULL;
}

/* The union must hold what belongs to the operator; without it some operators have no meaning. */
static tmc_status check_options(const tflite_operator *op, const tflite_builtin *builtin, tmc_error *reason) {
    if (builtin->options == OPTIONS_NONE || op->options_type == builtin->options) return TMC_OK;
    if (op->options_type == OPTIONS_NONE && !(builtin->flags & TFLITE_OPTIONS_NEEDED)) return TMC_OK;
    return tmc_fail_field(reason, TMC_E_FORMAT, "builtin_options", "options of kind %u, expected %u", op->options_type,
                          builtin->options);
}

static tmc_status pass_through(tflite_lower *lw) {
    ir_id x;
    TMC_TRY(tflite_input(lw, 0, &x));
    tflite_set_inner_output(lw, 0, x);
    return TMC_OK;
}

static tmc_status lower_with(tflite_lower *lw, const tflite_builtin *builtin) {
    TMC_TRY(check_options(lw->op, builtin, lw->e.err));
    if (lw->dilation->role == TFLITE_DILATION_PASS) return pass_through(lw);
    lw->arg = builtin->arg;
    return builtin->lower(lw);
}

/* One operator. What is not supported is reported and its outputs are refused, so that all of it is found. */
static tmc_status lower_operator(tflite_context *ctx, uint32_t index) {
    const tflite_operator *op = &ctx->model->operators[index];
    const char *where = op->output_count ? ctx->model->tensors[op->outputs[0]].name : "";
    char text[32];
    tmc_error reason;
    tmc_error_init(&reason);
    const char *title = operator_title(op, text, sizeof text);
    bool blocked = is_blocked(ctx, op);
    const tflite_builtin *builtin = find_lowering(op, &reason);
    tflite_lower lw = {.ctx = ctx,
                       .model = ctx->model,
                       .op = op,
                       .dilation = &ctx->dilations[index],
                       .e = {ctx->graph, *where ? where : title, &reason}};
    tmc_status status = builtin ? TMC_OK : TMC_E_UNSUPPORTED;
    if (builtin && !blocked) status = lower_with(&lw, builtin);
    if (status == TMC_E_UNSUPPORTED || status == TMC_E_DTYPE) {
        import_issue(&ctx->issues, title, where, reason.message);
        blocked = true;
    } else if (status != TMC_OK) {
        tmc_fail_field(ctx->err, status, reason.field, "%s '%s': %s", title, where, reason.message);
        if (reason.section[0]) tmc_error_at_byte(ctx->err, reason.section, reason.byte_offset);
        return status;
    }
    if (blocked) refuse_outputs(ctx, op);
    return TMC_OK;
}

static tmc_status connect_output(tflite_context *ctx, uint32_t index) {
    const uint32_t tensor = (uint32_t)ctx->model->outputs[index];
    tflite_value *value = &ctx->values[tensor];
    if (value->kind == TFLITE_VALUE_REFUSED) return TMC_OK;
    if (value->kind == TFLITE_VALUE_UNSET) TMC_TRY(tflite_load_constant(ctx, tensor, ctx->err));
    const emitter e = {ctx->graph, ctx->model->tensors[tensor].name, ctx->err};
    return emit_output(&e, ctx->graph->outputs[index], value->id);
}

/* -------------------------------------------------------------------------------------------------------- import */

static tmc_status import_graph(tflite_context *ctx) {
    TMC_TRY(check_graph(ctx));
    ctx->dilations = tflite_find_dilations(ctx->model);
    tflite_refuse_types(ctx);
    TMC_TRY(add_boundary(ctx));
    for (uint32_t i = 0; i < ctx->model->operator_count; i++) TMC_TRY(lower_operator(ctx, i));
    for (uint32_t i = 0; i < ctx->model->output_count; i++) TMC_TRY(connect_output(ctx, i));
    return import_issues_status(&ctx->issues, ctx->err);
}

static tmc_status import_model(const tflite_model *model, const tflite_import_options *options, ir_graph **graph,
                               tmc_error *err) {
    tflite_context ctx = {
        .model = model,
        .options = options,
        .graph = ir_graph_new(model->name),
        .values = x_alloc_array(model->tensor_count, sizeof *ctx.values),
        .constant_bytes_left = CONSTANTS_PER_BYTE * (uint64_t)model->reader.size + CONSTANTS_LEAST,
        .issues = {.report = options->report, .user = options->report_user},
        .err = err,
    };
    tmc_status status = import_graph(&ctx);
    free(ctx.values);
    free(ctx.dilations);
    if (status != TMC_OK) {
        ir_graph_free(ctx.graph);
        return status;
    }
    if (model->description[0]) ir_add_metadata(ctx.graph, "tflite.description", model->description);
    emit_finish(ctx.graph);
    *graph = ctx.graph;
    return TMC_OK;
}

tmc_status tflite_import_memory(const void *bytes, size_t size, const tflite_import_options *options, ir_graph **graph,
                                tmc_error *err) {
    static const tflite_import_options defaults;
    tflite_model model;
    tmc_error local;
    *graph = NULL;
    if (!err) tmc_error_init(&local);
    tmc_error *e = err ? err : &local;
    tmc_status status = tflite_model_read(&model, bytes, size, e);
    if (status == TMC_OK) status = import_model(&model, options ? options : &defaults, graph, e);
    tflite_model_clear(&model);
    return status;
}
