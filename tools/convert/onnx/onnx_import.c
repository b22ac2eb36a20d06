#include "convert/onnx/onnx_import.h"

#include <stdlib.h>
#include <string.h>

#include "convert/memory.h"
#include "convert/onnx/context.h"
#include "convert/onnx/wire_scan.h"
#include "convert/vary.h"
#include "io/file.h"

#define MIN_IR_VERSION 3 /* the first with opset_import */
#define MAX_IR_VERSION 13
#define MAX_SYMBOLS 8 /* more symbolic dimensions than this stay fixed: each costs one more import */

/* -------------------------------------------------------------------------------------------------------- model */

static tmc_status find_opset(const Onnx__ModelProto *model, int64_t *opset, tmc_error *err) {
    *opset = 0;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *set = model->opset_import[i];
        if (set->domain && *set->domain && strcmp(set->domain, "ai.onnx") != 0) continue;
        if (*opset) return tmc_fail_field(err, TMC_E_FORMAT, "opset_import", "two versions of the ONNX operators");
        *opset = set->has_version ? set->version : 0;
        if (*opset < ONNX_MIN_OPSET || *opset > ONNX_MAX_OPSET)
            return tmc_fail_field(err, TMC_E_VERSION, "opset_import", "opset %lld, supported are %d to %d",
                                  (long long)*opset, ONNX_MIN_OPSET, ONNX_MAX_OPSET);
    }
    if (!*opset) return tmc_fail_field(err, TMC_E_VERSION, "opset_import", "the model names no ONNX opset");
    return TMC_OK;
}

static tmc_status check_model(const Onnx__ModelProto *model, int64_t *opset, tmc_error *err) {
    if (!model->has_ir_version) return tmc_fail_field(err, TMC_E_FORMAT, "ir_version", "not an ONNX model");
    if (model->ir_version < MIN_IR_VERSION || model->ir_version > MAX_IR_VERSION)
        return tmc_fail_field(err, TMC_E_VERSION, "ir_version", "IR version %lld, supported are %d to %d",
                              (long long)model->ir_version, MIN_IR_VERSION, MAX_IR_VERSION);
    TMC_TRY(find_opset(model, opset, err));
    if (!model->graph) return tmc_fail_field(err, TMC_E_FORMAT, "graph", "the model has no graph");
    if (model->n_functions)
        return tmc_fail_field(err, TMC_E_UNSUPPORTED, "functions",
                              "%zu model-local functions; export with them inlined", model->n_functions);
    return TMC_OK;
}

/* -------------------------------------------------------------------------------------------------------- nodes */

static tmc_status check_names(onnx_context *ctx, const Onnx__NodeProto *node, bool *blocked) {
    *blocked = false;
    for (size_t i = 0; i < node->n_input; i++) {
        if (!node->input[i][0]) continue;
        const onnx_value *value = onnx_find_value(ctx, node->input[i]);
        if (!value)
            return tmc_fail(ctx->err, TMC_E_GRAPH, "'%s' is read by a %s before anything defines it", node->input[i],
                            node->op_type);
        if (value->kind == ONNX_VALUE_MISSING)
            import_issue(&ctx->issues, value->producer->op_type, value->name,
                         "this optional output is read: masks, indices and statistics of training are not computed");
        *blocked = *blocked || value->kind == ONNX_VALUE_REFUSED || value->kind == ONNX_VALUE_MISSING;
    }
    for (size_t i = 0; i < node->n_output; i++) {
        onnx_value *value;
        if (!node->output[i][0]) continue;
        TMC_TRY(onnx_define_value(ctx, node->output[i], ONNX_VALUE_MISSING, IR_NONE, &value));
        value->producer = node;
    }
    return TMC_OK;
}

static void refuse_outputs(onnx_context *ctx, const Onnx__NodeProto *node) {
    for (size_t i = 0; i < node->n_output; i++)
        if (node->output[i][0]) onnx_find_value(ctx, node->output[i])->kind = ONNX_VALUE_REFUSED;
}

static const char *node_name(const Onnx__NodeProto *node) {
    if (node->name && *node->name) return node->name;
    if (node->n_output && node->output[0][0]) return node->output[0];
    return node->op_type;
}

static const onnx_operator *find_lowering(onnx_context *ctx, const Onnx__NodeProto *node, tmc_error *reason) {
    const char *domain = node->domain ? node->domain : "";
    const bool microsoft = strcmp(domain, "com.microsoft") == 0;
    if (*domain && !microsoft && strcmp(domain, "ai.onnx") != 0) {
        tmc_fail(reason, TMC_E_UNSUPPORTED, "operators of domain '%s' are not supported", domain);
        return NULL;
    }
    const onnx_operator *op = onnx_find_operator(node->op_type, microsoft);
    if (!op) {
        tmc_fail(reason, TMC_E_UNSUPPORTED, "this operator%s is not supported",
                 microsoft ? " of domain com.microsoft" : "");
        return NULL;
    }
    if (ctx->opset < op->since || ctx->opset > op->until) {
        tmc_fail(reason, TMC_E_UNSUPPORTED, "opset %d has no such operator, opsets %d to %d have", (int)ctx->opset,
                 op->since, op->until);
        return NULL;
    }
    return op;
}

static tmc_status lower_with(onnx_lower *lw, const onnx_operator *op) {
    TMC_TRY(op->lower(lw));
    TMC_TRY(lw->output_status);
    return onnx_check_unused(lw);
}

/* One node. What is not supported is reported and the node's outputs are refused, so that all of it is found. */
static tmc_status lower_node(onnx_context *ctx, const Onnx__NodeProto *node) {
    tmc_error reason;
    bool blocked;
    tmc_error_init(&reason);
    if (!node->op_type || !*node->op_type) return tmc_fail(ctx->err, TMC_E_FORMAT, "a node has no operator");
    onnx_lower lw = {
        .ctx = ctx, .graph = ctx->graph, .node = node, .opset = ctx->opset, .name = node_name(node), .err = &reason};
    TMC_TRY(check_names(ctx, node, &blocked));
    const onnx_operator *op = find_lowering(ctx, node, &reason);
    tmc_status status = op ? onnx_check_attributes(&lw) : TMC_E_UNSUPPORTED;
    if (op && status == TMC_OK && !blocked) {
        lw.arg = op->arg;
        lw.moves = onnx_operator_moves(op);
        status = lower_with(&lw, op);
    }
    if (status == TMC_E_UNSUPPORTED || status == TMC_E_DTYPE) {
        import_issue(&ctx->issues, node->op_type, lw.name, reason.message);
        blocked = true;
    } else if (status != TMC_OK) {
        return tmc_fail_field(ctx->err, status, reason.field, "%s '%s': %s", node->op_type, lw.name, reason.message);
    }
    if (blocked) refuse_outputs(ctx, node);
    return TMC_OK;
}

/* ------------------------------------------------------------------------------------------------------ outputs */

/* Reserves the outputs' names before any node can take them. The placeholders are replaced by add_outputs. */
static tmc_status reserve_outputs(onnx_context *ctx) {
    const Onnx__GraphProto *graph = ctx->model->graph;
    const tmc_tensor_desc scalar = {.dtype = TMC_F32};
    if (!graph->n_output) return tmc_fail(ctx->err, TMC_E_GRAPH, "the model has no outputs");
    for (size_t i = 0; i < graph->n_output; i++) {
        const char *name = graph->output[i]->name;
        if (!name || !*name) return tmc_fail(ctx->err, TMC_E_GRAPH, "output %zu of the model has no name", i);
        for (size_t k = 0; k < i; k++)
            if (strcmp(graph->output[k]->name, name) == 0)
                return tmc_fail(ctx->err, TMC_E_GRAPH, "output '%s' is listed twice", name);
        ir_add_output(ctx->graph, ir_add_tensor(ctx->graph, name, &scalar));
    }
    return TMC_OK;
}

static tmc_status add_output(onnx_context *ctx, uint32_t index) {
    const char *name = ctx->model->graph->output[index]->name;
    const onnx_value *value = onnx_find_value(ctx, name);
    ir_id placeholder = ctx->graph->outputs[index];
    if (!value) return tmc_fail(ctx->err, TMC_E_GRAPH, "nothing defines the model's output '%s'", name);
    switch (value->kind) {
    case ONNX_VALUE_MISSING:
        import_issue(&ctx->issues, value->producer->op_type, name,
                     "this optional output is read: masks, indices and statistics of training are not computed");
        return TMC_OK;
    case ONNX_VALUE_EMPTY:
        import_issue(&ctx->issues, "output", name, "a tensor without elements is not supported");
        return TMC_OK;
    case ONNX_VALUE_REFUSED: return TMC_OK;
    default: break;
    }
    const emitter b = {.graph = ctx->graph, .name = name, .err = ctx->err};
    return emit_output(&b, placeholder, value->id);
}

/* -------------------------------------------------------------------------------------------------------- import */

static tmc_status add_nodes_and_outputs(onnx_context *ctx) {
    const Onnx__GraphProto *graph = ctx->model->graph;
    for (size_t i = 0; i < graph->n_node; i++) TMC_TRY(lower_node(ctx, graph->node[i]));
    for (uint32_t i = 0; i < (uint32_t)graph->n_output; i++) TMC_TRY(add_output(ctx, i));
    return TMC_OK;
}

/* Metadata of the source, under names of its own so that ours cannot be mistaken for it. */
static void add_metadata(ir_graph *graph, const Onnx__ModelProto *model) {
    if (model->producer_name && *model->producer_name)
        ir_add_metadata(graph, "onnx.producer_name", model->producer_name);
    if (model->producer_version && *model->producer_version)
        ir_add_metadata(graph, "onnx.producer_version", model->producer_version);
    for (size_t i = 0; i < model->n_metadata_props; i++) {
        const Onnx__StringStringEntryProto *entry = model->metadata_props[i];
        if (entry->key && *entry->key && entry->value) ir_add_metadata(graph, entry->key, entry->value);
    }
}

/* One import at the symbols' present values. */
static tmc_status import_at(const Onnx__ModelProto *model, int64_t opset, const char *base_folder,
                            const onnx_import_options *options, onnx_symbols *symbols, ir_graph **graph,
                            tmc_error *err) {
    onnx_context ctx = {.model = model,
                        .options = options,
                        .base_folder = base_folder,
                        .symbols = symbols,
                        .graph = ir_graph_new(model->graph->name),
                        .opset = opset,
                        .issues = {.report = options->report, .user = options->report_user},
                        .err = err};
    tmc_status status = onnx_add_inputs(&ctx);
    if (status == TMC_OK) status = reserve_outputs(&ctx);
    if (status == TMC_OK) status = onnx_add_initializers(&ctx);
    if (status == TMC_OK) status = add_nodes_and_outputs(&ctx);
    if (status == TMC_OK) status = import_issues_status(&ctx.issues, err);
    onnx_context_clear(&ctx);
    if (status != TMC_OK) {
        ir_graph_free(ctx.graph);
        return status;
    }
    add_metadata(ctx.graph, model);
    emit_finish(ctx.graph);
    *graph = ctx.graph;
    return TMC_OK;
}

/* ------------------------------------------------------------------------------------------ dimensions that vary */

typedef struct import_job {
    const Onnx__ModelProto *model;
    int64_t opset;
    const char *base_folder;
    onnx_import_options options; /* without a report: trials are silent */
    onnx_symbols *symbols;
    const ir_graph *graph;
} import_job;

/* Imports with the symbols of `mask` at other values and compares. */
static bool holds_elsewhere(const import_job *job, uint32_t mask) {
    int32_t saved[MAX_SYMBOLS];
    ir_graph *other = NULL;
    tmc_error ignored;
    tmc_error_init(&ignored);
    for (uint32_t i = 0; i < job->symbols->count; i++) {
        onnx_symbol *symbol = &job->symbols->items[i];
        saved[i] = symbol->value;
        if (mask >> i & 1) symbol->value = vary_trial_dim(symbol->value, (int32_t)i + 2);
    }
    tmc_status status =
        import_at(job->model, job->opset, job->base_folder, &job->options, job->symbols, &other, &ignored);
    bool same = status == TMC_OK && vary_same_graph(job->graph, other);
    ir_graph_free(other);
    for (uint32_t i = 0; i < job->symbols->count; i++) job->symbols->items[i].value = saved[i];
    return same;
}

/* Finds the symbols whose value the graph does not depend on. */
static void find_flexible(const import_job *job) {
    uint32_t mask = 0, batch = 0;
    if (!job->symbols->count || job->symbols->count > MAX_SYMBOLS) return;
    for (uint32_t i = 0; i < job->symbols->count; i++) {
        if (!holds_elsewhere(job, 1u << i)) continue;
        mask |= 1u << i;
        if (job->symbols->items[i].batch_only) batch |= 1u << i;
    }
    if ((mask & (mask - 1)) && !holds_elsewhere(job, mask)) mask = batch;
    for (uint32_t i = 0; i < job->symbols->count; i++) job->symbols->items[i].flexible = mask >> i & 1;
}

static tmc_status import_model(const Onnx__ModelProto *model, const char *base_folder,
                               const onnx_import_options *options, ir_graph **graph, tmc_error *err) {
    int64_t opset = 0;
    onnx_symbols symbols = {0};
    ir_graph *first = NULL;
    TMC_TRY(check_model(model, &opset, err));
    tmc_status status = onnx_resolve_symbols(model, options, &symbols, err);
    if (status == TMC_OK) status = import_at(model, opset, base_folder, options, &symbols, &first, err);
    if (status == TMC_OK) {
        import_job job = {model, opset, base_folder, *options, &symbols, first};
        job.options.report = NULL;
        find_flexible(&job);
        onnx_apply_flexible(&symbols, first);
        *graph = first;
    }
    onnx_symbols_clear(&symbols);
    return status;
}

tmc_status onnx_import_memory(const void *bytes, size_t size, const char *base_folder,
                              const onnx_import_options *options, ir_graph **graph, tmc_error *err) {
    static const onnx_import_options defaults;
    tmc_error local;
    *graph = NULL;
    if (!err) tmc_error_init(&local);
    tmc_error *e = err ? err : &local;
    if (size > ONNX_MAX_FILE_BYTES) return tmc_fail(e, TMC_E_LIMIT, "a model of more than 2 GiB; use external data");
    TMC_TRY(onnx_wire_scan(&onnx__model_proto__descriptor, bytes, size, e));
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, size, bytes);
    if (!model) return tmc_fail(e, TMC_E_FORMAT, "not an ONNX file: a field has the wrong wire type");
    tmc_status status = import_model(model, base_folder, options ? options : &defaults, graph, e);
    onnx__model_proto__free_unpacked(model, NULL);
    return status;
}

char *onnx_model_folder(const char *path) {
    char *folder = x_strdup(path), *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    else
        folder[0] = 0;
    return folder;
}

tmc_status onnx_import_file(const char *path, const onnx_import_options *options, ir_graph **graph, tmc_error *err) {
    uint8_t *bytes;
    size_t size;
    tmc_error local;
    *graph = NULL;
    if (!err) tmc_error_init(&local);
    tmc_error *e = err ? err : &local;
    TMC_TRY(io_read_file(path, ONNX_MAX_FILE_BYTES, &bytes, &size, e));
    char *folder = onnx_model_folder(path);
    tmc_status status = onnx_import_memory(bytes, size, folder, options, graph, e);
    free(folder);
    free(bytes);
    return status;
}
