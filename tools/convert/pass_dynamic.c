#include <stdlib.h>
#include <string.h>

#include "convert/memory.h"
#include "convert/passes.h"

/* Values to try for a dim that may vary, in this order: a network with five halvings accepts multiples of 32 only, so
 * "any other value" would call many dynamic networks static. */
enum { DOUBLE, PLUS_32, PLUS_64, PLUS_1, LARGEST, TRIAL_COUNT };

static int32_t trial(int how, int32_t dim, int32_t largest) {
    int64_t value = largest;
    switch (how) {
    case DOUBLE: value = 2 * (int64_t)dim; break;
    case PLUS_32: value = (int64_t)dim + 32; break;
    case PLUS_64: value = (int64_t)dim + 64; break;
    case PLUS_1: value = (int64_t)dim + 1; break;
    default: break;
    }
    return value > largest ? largest : (int32_t)value;
}

/* Sets alt of the inputs: axes of `mask` to their trial value. True if an input's shape differs and all fits. */
static bool try_dims(ir_graph *graph, int how, uint32_t mask) {
    bool differs = false;
    tmc_tensor_desc *descs = x_alloc(graph->tensor_count * sizeof *descs);
    for (ir_id i = 0; i < graph->tensor_count; i++) {
        const ir_tensor *t = &graph->tensors[i];
        descs[i] = t->desc;
        if (!t->is_input) continue;
        for (int32_t d = 0; d < t->desc.rank; d++) {
            if (!(mask >> d & 1) || t->dims_max[d] <= t->desc.dims[d]) continue;
            descs[i].dims[d] = trial(how, t->desc.dims[d], t->dims_max[d]);
            differs |= descs[i].dims[d] != t->desc.dims[d];
        }
    }
    tmc_error ignored;
    tmc_error_init(&ignored);
    bool fits = differs && ir_infer_descs(graph, descs, &ignored) == TMC_OK;
    for (ir_id i = 0; fits && i < graph->tensor_count; i++) graph->tensors[i].alt = descs[i];
    free(descs);
    return fits;
}

static bool try_all(ir_graph *graph, uint32_t mask) {
    for (int how = 0; how < TRIAL_COUNT; how++)
        if (try_dims(graph, how, mask)) return true;
    return false;
}

/* Axes that some input lets vary. */
static uint32_t dynamic_axes(const ir_graph *graph) {
    uint32_t mask = 0;
    for (uint32_t i = 0; i < graph->input_count; i++) {
        const ir_tensor *t = &graph->tensors[graph->inputs[i]];
        for (int32_t d = 0; d < t->desc.rank; d++)
            if (t->dims_max[d] > t->desc.dims[d]) mask |= 1u << d;
    }
    return mask;
}

static uint32_t fix_axes(ir_graph *graph, uint32_t mask) {
    uint32_t changes = 0;
    for (uint32_t i = 0; i < graph->input_count; i++) {
        ir_tensor *t = &graph->tensors[graph->inputs[i]];
        for (int32_t d = 0; d < t->desc.rank; d++) {
            if (!(mask >> d & 1) || t->dims_max[d] <= t->desc.dims[d]) continue;
            t->dims_max[d] = t->desc.dims[d];
            changes++;
        }
    }
    return changes;
}

/* First all axes at once: inputs that share a dim must change together. Then axis by axis, and what fits alone must fit
 * together. What does not is fixed: one change per dim. */
tmc_status pass_check_dynamic(ir_graph *graph, uint32_t *changes, tmc_error *err) {
    (void)err;
    uint32_t wanted = dynamic_axes(graph), kept = wanted;
    if (wanted && !try_all(graph, wanted)) {
        kept = 0;
        for (uint32_t axis = 0; axis < TMC_MAX_RANK; axis++)
            if (wanted >> axis & 1 && try_all(graph, 1u << axis)) kept |= 1u << axis;
        if (kept && !try_all(graph, kept)) kept = 0;
    }
    *changes += fix_axes(graph, wanted & ~kept);
    if (kept)
        graph->dynamic = true;
    else
        ir_make_static(graph);
    return TMC_OK;
}
