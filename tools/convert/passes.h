/* The converter's passes over the graph. Each keeps the meaning of a graph that can be run, so a graph may be written
 * and run after any of them; docs/converter.md says for each what it does and why.
 *
 * A pass leaves nodes in any order and dead entries behind; pass_apply puts that right. */
#ifndef TMC_CONVERT_PASSES_H
#define TMC_CONVERT_PASSES_H

#include "convert/ir.h"

/* *changes counts what the pass rewrote. Errors: E_INTERNAL and those of ir_add_node, which would be defects. */
typedef tmc_status (*pass_fn)(ir_graph *graph, uint32_t *changes, tmc_error *err);

tmc_status pass_check_dynamic(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_fold_constants(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_remove_identity(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_recognise_shuffle(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_join_shuffle(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_recognise_activation(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_recognise_fully_connected(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_layout(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_fold_batch_norm(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_fuse_pad(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_fuse_activation(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_transpose_to_reshape(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_share(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_remove_dead(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_remove_requantize(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_qdq(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_winograd(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_winograd_2x2(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_winograd_4x4(ir_graph *graph, uint32_t *changes, tmc_error *err);
tmc_status pass_pack_weights(ir_graph *graph, uint32_t *changes, tmc_error *err);

/* Runs one pass, removes what became dead, compacts, infers all shapes again and checks that the model's outputs kept
 * theirs. Errors: of the pass; E_INTERNAL if it broke the graph. */
tmc_status pass_apply(ir_graph *graph, pass_fn pass, uint32_t *changes, tmc_error *err);

typedef struct pass_report {
    const char *name;
    uint32_t changes;
    uint32_t nodes_before, nodes_after;
    uint64_t constant_bytes_before, constant_bytes_after;
    bool made_static; /* during this pass the graph lost the promise of other input dims */
} pass_report;

typedef void (*pass_explain_fn)(void *user, const pass_report *report);
/* One line without a newline about what a pass left as it was. */
typedef void (*pass_note_fn)(void *user, const char *line);

/* Which f32 operators stand beside i8 numbers, and why they are no operators on them. After pass_qdq. */
void pass_qdq_explain(const ir_graph *graph, pass_note_fn note, void *user);

/* Which 3x3 convolutions get Winograd's algorithm: those that the cost model of pass_winograd finds faster, none, or
 * all that can have a tile of this size (for tests and measurements). */
typedef enum pass_winograd_choice { WINOGRAD_AUTO, WINOGRAD_OFF, WINOGRAD_2X2, WINOGRAD_4X4 } pass_winograd_choice;

typedef struct pass_options {
    bool keep_dense; /* do not pack weights, and transform none: for tools that read them */
    bool
        keep_f32; /* leave f32 operators between dequantize and quantize: what the source model says, to compare with */
    pass_winograd_choice winograd;
    pass_explain_fn explain; /* or NULL; called after each pass that changed something */
    pass_note_fn note;       /* or NULL */
    void *explain_user;
} pass_options;

/* The whole pipeline. `options` may be NULL. */
tmc_status passes_run(ir_graph *graph, const pass_options *options, tmc_error *err);

#endif
