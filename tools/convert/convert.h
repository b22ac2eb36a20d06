/* An ONNX file to .tmc bytes: import, passes, self-test vectors, write. */
#ifndef TMC_CONVERT_CONVERT_H
#define TMC_CONVERT_CONVERT_H

#include "convert/onnx/onnx_import.h"
#include "convert/passes.h"

typedef struct convert_options {
    onnx_import_options import;
    pass_options passes;
    const ir_metadata *metadata; /* added to the file */
    uint32_t metadata_count;
    uint32_t revision; /* rollback counter of the file */
    bool no_selftest;  /* store no self-test vectors */
} convert_options;

/* *bytes is malloc'd. Errors: those of onnx_import_file, passes_run and ir_write. */
tmc_status convert_onnx_file(const char *path, const convert_options *options, uint8_t **bytes, size_t *size,
                             tmc_error *err);

#endif
