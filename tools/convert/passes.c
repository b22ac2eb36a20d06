#include "convert/passes.h"

#include <stdlib.h>
#include <string.h>

#include "convert/memory.h"
#include "convert/pass_util.h"

/* ------------------------------------------------------------------------------------------------------- one pass */

typedef struct boundary {
    uint32_t count;
    tmc_tensor_desc *desc, *alt;
    uint8_t *layout;
} boundary;

static boundary outputs_of(const ir_graph *graph) {
    boundary b = {.count = graph->output_count};
    b.desc = x_alloc(b.count * sizeof *b.desc);
    b.alt = x_alloc(b.count * sizeof *b.alt);
    b.layout = x_alloc(b.count);
    for (uint32_t i = 0; i < b.count; i++) {
        const ir_tensor *t = &graph->tensors[graph->outputs[i]];
        b.desc[i] = t->desc;
        b.alt[i] = t->alt;
        b.layout[i] = t->layout;
    }
    return b;
}

static void free_boundary(boundary *b) {
    free(b->desc);
    free(b->alt);
    free(b->layout);
}

/* The description as the source model has it: channels first. */
static tmc_tensor_desc in_source_order(const tmc_tensor_desc *desc, uint8_t layout) {
    int32_t last[TMC_MAX_RANK] = {0}, first[TMC_MAX_RANK] = {0};
    if (layout != TMC_LAYOUT_CHANNELS_LAST) return *desc;
    pass_perm_channels_last(desc->rank, last);
    pass_perm_invert(last, desc->rank, first);
    return pass_permuted(desc, first);
}

static bool same_output(const tmc_tensor_desc *before, uint8_t layout_before, const tmc_tensor_desc *now,
                        uint8_t layout_now) {
    const tmc_tensor_desc a = in_source_order(before, layout_before), b = in_source_order(now, layout_now);
    return a.dtype == b.dtype && tmc_tensor_same_shape(&a, &b);
}

static tmc_status check_outputs(ir_graph *graph, const boundary *before, tmc_error *err) {
    for (uint32_t i = 0; i < before->count; i++) {
        const ir_tensor *t = &graph->tensors[graph->outputs[i]];
        if (!same_output(&before->desc[i], before->layout[i], &t->desc, t->layout))
            return tmc_fail(err, TMC_E_INTERNAL, "a converter pass changed the shape of output %u, '%s'", i, t->name);
        if (graph->dynamic && !same_output(&before->alt[i], before->layout[i], &t->alt, t->layout))
            ir_make_static(graph);
    }
    return TMC_OK;
}

tmc_status pass_apply(ir_graph *graph, pass_fn pass, uint32_t *changes, tmc_error *err) {
    uint32_t done = 0, dead = 0;
    boundary before = outputs_of(graph);
    tmc_status status = pass(graph, &done, err);
    if (status == TMC_OK && done) {
        status = pass_remove_dead(graph, &dead, err);
        if (status == TMC_OK) status = ir_infer_all(graph, err);
        if (status == TMC_OK && pass != pass_check_dynamic) status = check_outputs(graph, &before, err);
    }
    free_boundary(&before);
    *changes += done;
    return status;
}

/* ------------------------------------------------------------------------------------------------------- pipeline */

typedef struct named_pass {
    const char *name;
    pass_fn run;
} named_pass;

static const named_pass first[] = {{"check_dynamic", pass_check_dynamic}, {"remove_dead", pass_remove_dead}};

/* While the graph is in parts: activations before anything is fused into their parts. */
static const named_pass structure[] = {
    {"fold_constants", pass_fold_constants},
    {"remove_identity", pass_remove_identity},
    {"share", pass_share},
    {"remove_requantize", pass_remove_requantize},
    {"recognise_shuffle", pass_recognise_shuffle},
    {"recognise_activation", pass_recognise_activation},
    {"recognise_fully_connected", pass_recognise_fully_connected},
    {"layout", pass_layout},
};

static const named_pass fusion[] = {
    {"fold_batch_norm", pass_fold_batch_norm},
    {"fuse_pad", pass_fuse_pad},
    {"fuse_activation", pass_fuse_activation},
    {"join_shuffle", pass_join_shuffle},
    {"transpose_to_reshape", pass_transpose_to_reshape},
    {"remove_identity", pass_remove_identity},
    {"fold_constants", pass_fold_constants},
    {"share", pass_share},
};

/* By pass_winograd_choice. */
static const named_pass winograd[] = {
    [WINOGRAD_AUTO] = {"winograd", pass_winograd},
    [WINOGRAD_2X2] = {"winograd", pass_winograd_2x2},
    [WINOGRAD_4X4] = {"winograd", pass_winograd_4x4},
};

static const named_pass quantised[] = {{"qdq", pass_qdq}, {"share", pass_share}};

static const named_pass packing[] = {{"pack_weights", pass_pack_weights}};

#define MAX_ROUNDS 16 /* of a group of passes; each round that changes something makes the graph smaller or cheaper */

static uint64_t constant_bytes(const ir_graph *graph) {
    uint64_t bytes = 0;
    for (ir_id i = 0; i < graph->tensor_count; i++)
        if (!graph->tensors[i].dead) bytes += graph->tensors[i].data_bytes;
    return bytes;
}

static tmc_status run_one(ir_graph *graph, const named_pass *pass, const pass_options *options, uint32_t *changes,
                          tmc_error *err) {
    const bool dynamic = graph->dynamic || pass->run == pass_check_dynamic;
    pass_report report = {
        .name = pass->name, .nodes_before = graph->node_count, .constant_bytes_before = constant_bytes(graph)};
    TMC_TRY(pass_apply(graph, pass->run, &report.changes, err));
    report.nodes_after = graph->node_count;
    report.constant_bytes_after = constant_bytes(graph);
    report.made_static = dynamic && !graph->dynamic && report.changes;
    *changes += report.changes;
    if (options->explain && report.changes) options->explain(options->explain_user, &report);
    return TMC_OK;
}

static tmc_status run_group(ir_graph *graph, const named_pass *passes, size_t count, int rounds,
                            const pass_options *options, tmc_error *err) {
    for (int round = 0; round < rounds; round++) {
        uint32_t changes = 0;
        for (size_t i = 0; i < count; i++) TMC_TRY(run_one(graph, &passes[i], options, &changes, err));
        if (!changes) break;
    }
    return TMC_OK;
}

#define COUNT(passes) (sizeof(passes) / sizeof *(passes))

tmc_status passes_run(ir_graph *graph, const pass_options *options, tmc_error *err) {
    const pass_options defaults = {0};
    if (!options) options = &defaults;
    ir_compact(graph);
    TMC_TRY(ir_infer_all(graph, err));
    TMC_TRY(run_group(graph, first, COUNT(first), 1, options, err));
    TMC_TRY(run_group(graph, structure, COUNT(structure), MAX_ROUNDS, options, err));
    TMC_TRY(run_group(graph, fusion, COUNT(fusion), MAX_ROUNDS, options, err));
    if (!options->keep_f32) TMC_TRY(run_group(graph, quantised, COUNT(quantised), MAX_ROUNDS, options, err));
    if (options->note) pass_qdq_explain(graph, options->note, options->explain_user);
    if (options->keep_dense) return TMC_OK;
    if (options->winograd != WINOGRAD_OFF) TMC_TRY(run_group(graph, &winograd[options->winograd], 1, 1, options, err));
    return run_group(graph, packing, COUNT(packing), 1, options, err);
}
