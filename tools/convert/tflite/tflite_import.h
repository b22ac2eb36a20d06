/* TFLite to the converter's graph. docs/tflite.md lists the operators and what is refused.
 *
 * The bytes are not trusted: see flatbuffer.h. Shapes are static after the import: what the model computes from shapes
 * is evaluated, and a dimension that the model leaves open takes the value of an override or of the file's example.
 * TFLite is channels-last as we are, so no transposition is added. */
#ifndef TMC_CONVERT_TFLITE_IMPORT_H
#define TMC_CONVERT_TFLITE_IMPORT_H

#include "convert/import.h"
#include "convert/ir.h"

/* Zero-initialise. Nothing is kept after the call. */
typedef struct tflite_import_options {
    const import_shape *shapes;
    size_t shape_count;
    import_report_fn report; /* or NULL: only err speaks */
    void *report_user;
} tflite_import_options;

/* True if these are the first bytes of a TFLite file. */
bool tflite_is_model(const void *bytes, size_t size);

/* `options` and `err` may be NULL. On success *graph is the caller's (ir_graph_free); on failure it is NULL.
 * Errors: those of tflite_model_read, E_UNSUPPORTED (with the report), E_GRAPH, E_SHAPE, E_DTYPE, E_RANGE, E_LIMIT,
 * E_ARG (an option names no input). */
tmc_status tflite_import_memory(const void *bytes, size_t size, const tflite_import_options *options, ir_graph **graph,
                                tmc_error *err);

#endif
