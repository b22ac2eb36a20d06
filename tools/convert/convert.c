#include "convert/convert.h"

#include <stdlib.h>

#include "convert/evaluate.h"

/* What the writer made must pass the verifier: metadata of the caller's can break its rules (a key given twice). */
static tmc_status check_written(const uint8_t *bytes, size_t size, tmc_error *err) {
    evaluation e;
    tmc_status status = evaluation_open(&e, bytes, size, err);
    evaluation_release(&e);
    return status;
}

static tmc_status write_graph(ir_graph *graph, const convert_options *options, uint8_t **bytes, size_t *size,
                              tmc_error *err) {
    TMC_TRY(passes_run(graph, &options->passes, err));
    for (uint32_t i = 0; i < options->metadata_count; i++)
        ir_add_metadata(graph, options->metadata[i].key, options->metadata[i].value);
    if (!options->no_selftest) return ir_write_with_selftest(graph, options->revision, bytes, size, err);
    TMC_TRY(ir_write(graph, options->revision, bytes, size, err));
    tmc_status status = check_written(*bytes, *size, err);
    if (status) {
        free(*bytes);
        *bytes = NULL;
    }
    return status;
}

tmc_status convert_onnx_file(const char *path, const convert_options *options, uint8_t **bytes, size_t *size,
                             tmc_error *err) {
    ir_graph *graph;
    TMC_TRY(onnx_import_file(path, &options->import, &graph, err));
    tmc_status status = write_graph(graph, options, bytes, size, err);
    ir_graph_free(graph);
    return status;
}
