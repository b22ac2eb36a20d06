/* What fuzzers of importers expect of any input: a refusal that says why, or a graph that can be written and that the
 * verifier takes, before the passes and after. */
#include "fuzz_graph.h"

#include <stdbool.h>
#include <stdlib.h>

#include "convert/passes.h"
#include "tmcnn/tmcnn.h"

/* Larger tensors are left out where constants are folded, so that a run stays short. */
enum { MAX_TENSOR = 1 << 16, MAX_NODES = 32 };

static void expect(bool condition) {
    if (!condition) __builtin_trap();
}

static void write_and_verify(const ir_graph *graph) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    tmc_model *model = NULL;
    tmc_error err;
    tmc_error_init(&err);
    const tmc_status status = ir_write(graph, 0, &bytes, &size, &err);
    expect(status == TMC_OK || status == TMC_E_LIMIT);
    if (status == TMC_OK) expect(tmc_model_open_memory(bytes, size, NULL, &model, &err) == TMC_OK);
    tmc_model_release(&model);
    free(bytes);
}

static bool is_small(const ir_graph *graph) {
    if (graph->node_count > MAX_NODES) return false;
    for (ir_id i = 0; i < graph->tensor_count; i++)
        if (tmc_tensor_bytes(&graph->tensors[i].desc) > MAX_TENSOR) return false;
    return true;
}

void fuzz_check(tmc_status status, ir_graph *graph, tmc_error *err) {
    if (status != TMC_OK) {
        expect(!graph && err->status == status && status != TMC_E_INTERNAL && err->message[0]);
        return;
    }
    write_and_verify(graph);
    if (is_small(graph)) {
        expect(passes_run(graph, NULL, err) == TMC_OK);
        write_and_verify(graph);
    }
    ir_graph_free(graph);
}
