#include "convert/convert.h"

#include <stdlib.h>

#include "convert/evaluate.h"
#include "convert/onnx/onnx_import.h"
#include "convert/tflite/tflite_import.h"
#include "io/file.h"

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

static tmc_status import_bytes(const char *path, const uint8_t *bytes, size_t size, const convert_options *options,
                               ir_graph **graph, tmc_error *err) {
    if (tflite_is_model(bytes, size)) {
        const tflite_import_options tflite = {options->shapes, options->shape_count, options->report,
                                              options->report_user};
        return tflite_import_memory(bytes, size, &tflite, graph, err);
    }
    const onnx_import_options onnx = {.shapes = options->shapes,
                                      .shape_count = options->shape_count,
                                      .report = options->report,
                                      .report_user = options->report_user};
    char *folder = onnx_model_folder(path);
    tmc_status status = onnx_import_memory(bytes, size, folder, &onnx, graph, err);
    free(folder);
    return status;
}

tmc_status convert_file(const char *path, const convert_options *options, uint8_t **bytes, size_t *size,
                        tmc_error *err) {
    uint8_t *source;
    size_t source_size;
    ir_graph *graph = NULL;
    TMC_TRY(io_read_file(path, ONNX_MAX_FILE_BYTES, &source, &source_size, err));
    tmc_status status = import_bytes(path, source, source_size, options, &graph, err);
    free(source); /* the graph has copies of what it needs */
    if (status == TMC_OK) status = write_graph(graph, options, bytes, size, err);
    ir_graph_free(graph);
    return status;
}
