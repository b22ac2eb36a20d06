#include "convert/tflite/tflite_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/memory.h"
#include "convert/tflite/builtin_list.h"
#include "convert/tflite/context.h"
#include "convert/vary.h"

#define CONSTANTS_PER_BYTE 16u /* halves become floats, weights are rearranged, and buffers are shared */
#define CONSTANTS_LEAST (16u << 20)

bool tflite_is_model(const void *bytes, size_t size) {
    return size >= 8 && memcmp((const uint8_t *)bytes + 4, TFLITE_IDENTIFIER, 4) == 0;
}

/* --------------------------------------------------------------------------------------------------------- inputs */

static tmc_status add_input(tflite_context *ctx, uint32_t index) {
    const uint32_t tensor = (uint32_t)ctx->model->inputs[index];
    const tflite_tensor *record = &ctx->model->tensors[tensor];
    tflite_value *value = &ctx->values[tensor];
    tmc_tensor_desc desc = {.dtype = (uint8_t)tflite_dtype(record->type), .rank = record->rank};
    if (value->kind == TFLITE_VALUE_REFUSED) return TMC_OK;
    memcpy(desc.dims, ctx->dims->of[index], sizeof desc.dims);
    if (tflite_is_quantised(record)) {
        desc.dtype = TMC_I8;
        desc.quantization = tflite_activation_quantization(record);
    }
    ctx->resized = ctx->resized || memcmp(desc.dims, record->dims, sizeof desc.dims) != 0;
    tmc_status status = tmc_tensor_check(&desc, ctx->err);
    if (status != TMC_OK) {
        tmc_error_at_tensor(ctx->err, (int32_t)tensor);
        return status;
    }
    *value = (tflite_value){TFLITE_VALUE_TENSOR, ir_add_tensor(ctx->graph, record->name, &desc), IR_NONE};
    ir_add_input(ctx->graph, value->id);
    return TMC_OK;
}

/* Inputs first, then placeholders for the outputs, so that nothing else takes their names. */
static tmc_status add_boundary(tflite_context *ctx) {
    const tflite_model *model = ctx->model;
    const tmc_tensor_desc scalar = {.dtype = TMC_F32};
    for (uint32_t i = 0; i < model->input_count; i++) TMC_TRY(add_input(ctx, i));
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
    return tflite_set_inner_output(lw, 0, x);
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
                       .e = {ctx->graph, *where ? where : title, &reason, &ctx->constant_bytes_left}};
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
    const emitter e = {ctx->graph, ctx->model->tensors[tensor].name, ctx->err, NULL};
    return emit_output(&e, ctx->graph->outputs[index], value->id);
}

/* -------------------------------------------------------------------------------------------------------- import */

static tmc_status import_graph(tflite_context *ctx) {
    ctx->dilations = tflite_find_dilations(ctx->model);
    tflite_refuse_types(ctx);
    TMC_TRY(add_boundary(ctx));
    for (uint32_t i = 0; i < ctx->model->operator_count; i++) TMC_TRY(lower_operator(ctx, i));
    for (uint32_t i = 0; i < ctx->model->output_count; i++) TMC_TRY(connect_output(ctx, i));
    return import_issues_status(&ctx->issues, ctx->err);
}

/* One import of a checked model, with these shapes of the inputs. */
static tmc_status import_at(const tflite_model *model, const tflite_dims *dims, const import_issues *issues,
                            ir_graph **graph, tmc_error *err) {
    tflite_context ctx = {
        .model = model,
        .dims = dims,
        .graph = ir_graph_new(model->name),
        .values = x_alloc_array(model->tensor_count, sizeof *ctx.values),
        .constant_bytes_left = CONSTANTS_PER_BYTE * (uint64_t)model->reader.size + CONSTANTS_LEAST,
        .issues = *issues,
        .err = err,
    };
    tmc_status status = import_graph(&ctx);
    free(ctx.values);
    free(ctx.dilations);
    if (status != TMC_OK) {
        ir_graph_free(ctx.graph);
        return status;
    }
    ir_add_metadata(ctx.graph, "source.layout", "NHWC"); /* for pictures: see boundary_picture_layout */
    if (model->description[0]) ir_add_metadata(ctx.graph, "tflite.description", model->description);
    emit_finish(ctx.graph);
    *graph = ctx.graph;
    return TMC_OK;
}

/* Silently: at other dims a model may well be refused. */
static bool holds_elsewhere(const tflite_model *model, const tflite_dims *dims, uint32_t mask, const ir_graph *graph) {
    const import_issues silent = {0};
    tflite_dims trial = tflite_dims_trial(model, dims, mask);
    ir_graph *other = NULL;
    tmc_error ignored;
    tmc_error_init(&ignored);
    bool same = import_at(model, &trial, &silent, &other, &ignored) == TMC_OK && vary_same_graph(graph, other);
    ir_graph_free(other);
    tflite_dims_clear(&trial);
    return same;
}

/* Dims that the model leaves open and that the graph does not depend on: each alone, and all of them together. */
static void find_varying(const tflite_model *model, const tflite_dims *dims, ir_graph *graph) {
    uint32_t mask = 0;
    for (uint32_t i = 0; i < dims->group_count; i++)
        if (holds_elsewhere(model, dims, 1u << i, graph)) mask |= 1u << i;
    if ((mask & (mask - 1)) && !holds_elsewhere(model, dims, mask, graph))
        mask &= dims->groups[0].axis == 0 ? 1 : 0; /* the batch at least */
    tflite_dims_allow(model, dims, mask, graph);
}

static tmc_status import_model(const tflite_model *model, const tflite_import_options *options, ir_graph **graph,
                               tmc_error *err) {
    const import_issues issues = {.report = options->report, .user = options->report_user};
    tflite_dims dims;
    TMC_TRY(tflite_model_check(model, err));
    tmc_status status = tflite_dims_resolve(model, options, &dims, err);
    if (status == TMC_OK) status = import_at(model, &dims, &issues, graph, err);
    if (status == TMC_OK) find_varying(model, &dims, *graph);
    tflite_dims_clear(&dims);
    return status;
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
