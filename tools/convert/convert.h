/* A model file to .tmc bytes: import, passes, self-test vectors, write. */
#ifndef TMC_CONVERT_CONVERT_H
#define TMC_CONVERT_CONVERT_H

#include "convert/import.h"
#include "convert/passes.h"

typedef struct convert_options {
    const import_shape *shapes;
    size_t shape_count;
    import_report_fn report; /* or NULL: only err speaks */
    void *report_user;
    pass_options passes;
    const ir_metadata *metadata; /* added to the file */
    uint32_t metadata_count;
    uint32_t revision; /* rollback counter of the file */
    bool no_selftest;  /* store no self-test vectors */
} convert_options;

/* ONNX or TFLite, told apart by their bytes. *bytes is malloc'd. Errors: those of the importers, passes_run and
 * ir_write. */
tmc_status convert_file(const char *path, const convert_options *options, uint8_t **bytes, size_t *size,
                        tmc_error *err);

#endif
