/* ONNX to the converter's graph. docs/onnx.md lists the operators and what is refused.
 *
 * The bytes are not trusted: the wire format is scanned before it is unpacked (depth, lengths, strings), external data
 * is read from below the model's folder only. Shapes are static after the import: what the model computes from shapes
 * is evaluated, and a symbolic dimension takes the value of an override, 1 for the first axis, or is an error. */
#ifndef TMC_CONVERT_ONNX_IMPORT_H
#define TMC_CONVERT_ONNX_IMPORT_H

#include "convert/import.h"
#include "convert/ir.h"

/* An input that becomes a constant: dense data of `desc`. A desc with a dimension 0 is an empty tensor (data ignored).
 */
typedef struct onnx_frozen_input {
    const char *name;
    tmc_tensor_desc desc;
    const void *data;
} onnx_frozen_input;

/* Zero-initialise. Nothing is kept after the call. */
typedef struct onnx_import_options {
    const import_shape *shapes;
    size_t shape_count;
    const onnx_frozen_input *frozen;
    size_t frozen_count;
    import_report_fn report; /* or NULL: only err speaks */
    void *report_user;
} onnx_import_options;

/* A model of more bytes needs external data. */
#define ONNX_MAX_FILE_BYTES ((uint64_t)INT32_MAX)

/* Where the external data of the model at `path` are; to be freed. */
char *onnx_model_folder(const char *path);

/* `options` and `err` may be NULL. On success *graph is the caller's (ir_graph_free); on failure it is NULL.
 * Errors: E_IO, E_FORMAT, E_LIMIT, E_VERSION, E_UNSUPPORTED (with the report), E_GRAPH, E_SHAPE, E_DTYPE, E_RANGE,
 * E_AUTH (external data outside the model's folder), E_ARG (an option names no input). */
tmc_status onnx_import_file(const char *path, const onnx_import_options *options, ir_graph **graph, tmc_error *err);

/* `base_folder` holds the external data files; NULL refuses them. */
tmc_status onnx_import_memory(const void *bytes, size_t size, const char *base_folder,
                              const onnx_import_options *options, ir_graph **graph, tmc_error *err);

#endif
